// SPDX-License-Identifier: GPL-2.0
/* What is told of an overlay's surroundings. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <linux/if_bridge.h>

#include "diagnose/host.h"

#define NOW 1000000000000ULL

/* A mesh of h1 (us), h2 and h3 over eth0, with a veth and nothing else. */
static struct snapshot_peer peers[2];
static struct snapshot_device eth0 = { .ifname = "eth0", .ifindex = 2 };
static struct host_member members[4];
static struct host_device nic;
static struct host_socket taken;
static struct host_vxlan other;

struct world {
	struct snapshot s;
	struct host_facts f;
};

static void well(struct world *w)
{
	static const char *const names[] = { "vx-h2", "vx-h3", "c11", "p1" };

	*w = (struct world){
		.s = { .up = true, .now_ns = NOW, .peers = peers, .n_peers = 2, .devices = &eth0 },
	};
	w->s.n_devices = 1;
	w->s.told = (struct vx_overlay){ .name = "vxbr0", .bridge = "vxbr0", .port = 4789 };
	for (size_t i = 0; i < 2; i++) {
		peers[i] = (struct snapshot_peer){ .state = PEER_UP, .last_seen_ms = 5 };
		snprintf(peers[i].name, sizeof(peers[i].name), "h%zu", i + 2);
		snprintf(peers[i].address, sizeof(peers[i].address), "192.0.2.%zu", i + 2);
	}
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		members[i] = (struct host_member){ .state = BR_STATE_FORWARDING,
						   .ours = i < 2,
						   .up = true };
		text_copy(members[i].kind, VX_IF_LEN, i < 2 ? "vxlan" : "veth");
		text_copy(members[i].ifname, VX_IF_LEN, names[i]);
	}
	nic = (struct host_device){ .ifname = "eth0", .driver = "virtio_net" };
	w->f = (struct host_facts){ .members = members, .n_members = 4, .devices = &nic };
	w->f.n_devices = 1;
	w->f.bridge.forward_delay = 1500; /* as the kernel makes it, and idle without STP */
	w->f.neigh4 = w->f.neigh6 = (struct host_neighbours){ .entries = 5, .max = 1024 };
	w->f.conntrack = (struct host_conntrack){ .count = 5, .max = 262144 };
}

static void nothing(struct world *w)
{
	(void)w;
}

static void silent_vmware(struct world *w)
{
	text_copy(nic.driver, sizeof(nic.driver), "vmxnet3");
	peers[0].state = PEER_SILENT;
	peers[0].last_seen_ms = peers[1].last_seen_ms = -1;
	(void)w;
}

static void vmware_heard(struct world *w)
{
	silent_vmware(w);
	peers[1].last_seen_ms = 9000000;
}

static void vmware_elsewhere(struct world *w)
{
	silent_vmware(w);
	w->s.told.port = 4790;
}

static void plain_on_port(struct world *w)
{
	other = (struct host_vxlan){ .ifname = "vxlan.calico", .vni = 4096, .up = true };
	w->f.vxlans = &other;
	w->f.n_vxlans = 1;
}

static void external_on_port(struct world *w)
{
	plain_on_port(w);
	other.other_kind = true;
}

static void program_on_port(struct world *w)
{
	taken = (struct host_socket){ .process = "ovs (pid 7)", .address = "192.0.2.1" };
	w->f.sockets = &taken;
	w->f.n_sockets = 1;
}

static void tunnel_of_others(struct world *w)
{
	text_copy(members[3].kind, VX_IF_LEN, "gretap");
	assert_true(ip_parse("192.0.2.3", &members[3].remote));
	(void)w;
}

static void tunnel_elsewhere(struct world *w)
{
	tunnel_of_others(w);
	assert_true(ip_parse("192.0.2.30", &members[3].remote));
}

static void underlay_in_bridge(struct world *w)
{
	text_copy(members[3].ifname, VX_IF_LEN, "eth0");
	(void)w;
}

static void looped(struct world *w)
{
	struct snapshot_witness *l = &w->s.witness[VX_REASON_LOOP];

	l->last.time_ns = NOW - 1000000000ULL;
	text_copy(l->last.peer, sizeof(l->last.peer), "h3");
	text_copy(l->to, sizeof(l->to), "p1");
	members[3].kind[0] = '\0';
}

static void looped_by_container(struct world *w)
{
	looped(w);
	text_copy(members[3].kind, VX_IF_LEN, "veth");
}

static void looped_long_ago(struct world *w)
{
	looped(w);
	w->s.witness[VX_REASON_LOOP].last.time_ns = NOW - SNAPSHOT_RECENT_NS - 1;
}

static void stp_slow(struct world *w)
{
	w->f.bridge.stp = true;
}

static void stp_quick(struct world *w)
{
	stp_slow(w);
	w->f.bridge.forward_delay = 200;
}

static void stp_blocks(struct world *w)
{
	stp_quick(w);
	members[1].state = BR_STATE_BLOCKING;
	members[3].state = BR_STATE_BLOCKING; /* others' affair */
}

static void stp_blocks_both(struct world *w)
{
	stp_blocks(w);
	members[0].state = BR_STATE_LEARNING;
}

static void blocked_without_stp(struct world *w)
{
	members[1].state = BR_STATE_BLOCKING; /* drift, told elsewhere */
	(void)w;
}

static void bridge_ports(struct world *w)
{
	w->f.members = calloc(1008, sizeof(*members));
	w->f.n_members = 1008;
}

static void bridge_macs(struct world *w)
{
	w->f.bridge.fdb_learned = 80;
	w->f.bridge.fdb_max = 100;
}

static void neighbours6(struct world *w)
{
	w->f.neigh6.entries = 820;
}

static void few_bad_sums(struct world *w)
{
	w->f.sums[HOST_UDP4] = (struct host_sums){ .good = 0, .bad = 100 };
}

static void rare_bad_sums(struct world *w)
{
	w->f.sums[HOST_TCP] = (struct host_sums){ .good = 100000, .bad = 1000 };
}

static void bad_sums(struct world *w)
{
	w->f.sums[HOST_TCP] = (struct host_sums){ .good = 99000, .bad = 1000 };
}

static void tracked_half(struct world *w)
{
	w->f.conntrack = (struct host_conntrack){ .count = 700, .max = 1000, .vxlan = 174 };
}

static void tracked_vxlan(struct world *w)
{
	w->f.conntrack = (struct host_conntrack){ .count = 700, .max = 1000, .vxlan = 175 };
}

static void tracked_others(struct world *w)
{
	w->f.conntrack = (struct host_conntrack){ .count = 750, .max = 1000, .vxlan = 0 };
}

static void networkd(struct world *w)
{
	text_copy(w->f.managed[HOST_NETWORKD], VX_IF_LEN, "vxbr0");
}

static void networkmanager(struct world *w)
{
	text_copy(w->f.managed[HOST_NETWORKMANAGER], VX_IF_LEN, "vx-h2");
}

static void no_vxlan(struct world *w)
{
	w->s.up = false;
	w->f.kernel = (struct host_kernel){
		.release = "6.1.0-x", .vxlan = HOST_LACKS, .bridge = HOST_UNKNOWN, .btf = HOST_HAS
	};
}

static void no_vxlan_but_up(struct world *w)
{
	no_vxlan(w);
	w->s.up = true;
}

static void each_is_told(void **state)
{
	static const struct {
		void (*change)(struct world *w);
		const char *id; /* NULL: nothing is wrong */
		const char *says;
	} rows[] = {
		{ nothing, NULL, NULL },
		{ silent_vmware, "hypervisor", "eth0 is a VMware NIC" },
		{ vmware_heard, NULL, NULL },
		{ vmware_elsewhere, NULL, NULL },
		{ plain_on_port, "port_shared", "vxlan.calico (VNI 4096) also uses UDP port 4789" },
		{ external_on_port, "port_shared", "occupies UDP port 4789" },
		{ program_on_port, "port_shared", "ovs (pid 7) uses UDP port 4789" },
		{ tunnel_of_others, "second_path",
		  "p1, a tunnel on vxbr0 that vxbpf did not make, also leads to h3" },
		{ tunnel_elsewhere, NULL, NULL },
		{ underlay_in_bridge, "second_path", "eth0 carries the tunnels" },
		{ looped, "second_path", "frames received on p1 return from h3" },
		{ looped_by_container, NULL, NULL },
		{ looped_long_ago, NULL, NULL },
		{ stp_slow, "spanning_tree", "blocks each new port for 30 s" },
		{ stp_quick, NULL, NULL },
		{ stp_blocks, "spanning_tree", "blocks vx-h3," },
		{ stp_blocks_both, "spanning_tree", "blocks vx-h2 and 1 more," },
		{ blocked_without_stp, NULL, NULL },
		{ bridge_ports, "bridge_full", "1008 ports" },
		{ bridge_macs, "bridge_full", "80 MACs of at most 100" },
		{ neighbours6, "neighbours", "for IPv6 has 820 entries of at most 1024" },
		{ few_bad_sums, NULL, NULL },
		{ rare_bad_sums, NULL, NULL },
		{ bad_sums, "checksums", "received 100k packets of TCP" },
		{ tracked_half, NULL, NULL },
		{ tracked_vxlan, "conntrack", "udp dport 4789 notrack" },
		{ tracked_others, "conntrack", "nf_conntrack_max=2000" },
		{ networkd, "managed", "systemd-networkd manages vxbr0" },
		{ networkmanager, "managed", "NetworkManager manages vx-h2" },
		{ no_vxlan, "kernel", "this kernel (6.1.0-x) has no module vxlan" },
		{ no_vxlan_but_up, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autoverdicts struct verdicts found = { 0 };
		struct world w;

		well(&w);
		rows[i].change(&w);
		host_judge(&w.f, &w.s, &found);
		if (found.n != (rows[i].id ? 1 : 0))
			fail_msg("row %zu: %zu verdicts: %s", i, found.n,
				 found.n ? found.v[0].text : "");
		if (rows[i].id) {
			assert_string_equal(verdict_name(found.v[0].id), rows[i].id);
			if (!strstr(found.v[0].text, rows[i].says))
				fail_msg("row %zu: no \"%s\" in: %s", i, rows[i].says,
					 found.v[0].text);
		}
		if (w.f.members != members)
			free(w.f.members);
	}
}

static void guests_are_told_by_device(void **state)
{
	static struct host_guest guests[] = {
		{ "tap1", "br0" }, { "tap2", "br0" },	{ "tap3", "br0" },
		{ "tap4", "br0" }, { "tap9", "br1.7" },
	};
	autoverdicts struct verdicts list = { 0 };
	struct world w;

	(void)state;
	well(&w);
	host_inform(&w.f, &w.s, &list);
	assert_int_equal(list.n, 0);
	w.f.guests = guests;
	w.f.n_guests = ARRAY_LEN(guests);
	host_inform(&w.f, &w.s, &list);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.v[0].about, "br0");
	assert_non_null(strstr(list.v[0].text, " (tap1, tap2, tap3 and 1 more);"));
	assert_non_null(strstr(list.v[0].text, "drop UDP port 4789 "));
	assert_string_equal(list.v[1].about, "br1.7");
	assert_non_null(strstr(list.v[1].text, " (tap9);"));
	w.s.told.guard = VX_GUARD_OFF;
	host_inform(&w.f, &w.s, &list);
	assert_int_equal(list.n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_told),
		cmocka_unit_test(guests_are_told_by_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
