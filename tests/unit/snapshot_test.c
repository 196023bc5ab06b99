// SPDX-License-Identifier: GPL-2.0
/*
 * Judging a snapshot: states of peers and overlay, and what is said about whatever is wrong.
 *
 * lines: one sentence, one case, all from the same healthy overlay.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/human.h"
#include "base/ip.h"
#include "diagnose/judge.h"
#include "snapshot/snapshot.h"

#define SECOND 1000000000ULL
#define NOW (1000 * SECOND)

static struct snapshot_peer peers[2];
static struct snapshot_port ports[2];
static struct snapshot_device device;

/* Two peers heard a second ago, two ports with their hooks. */
static struct snapshot healthy(void)
{
	struct snapshot s = { .up = true, .layout = VX_LAYOUT, .now_ns = NOW };

	s.told = (struct vx_overlay){ .name = "vxbr0",
				      .bridge = "vxbr0",
				      .local = "alpha",
				      .address = "192.0.2.1",
				      .mtu = 1450,
				      .port = 4789,
				      .xdp = "auto" };
	text_copy(s.path, sizeof(s.path), "/etc/vxbpf/vxbr0.yaml");
	memset(peers, 0, sizeof(peers));
	memset(ports, 0, sizeof(ports));
	text_copy(peers[0].name, sizeof(peers[0].name), "beta");
	text_copy(peers[0].address, sizeof(peers[0].address), "192.0.2.2");
	text_copy(peers[1].name, sizeof(peers[1].name), "gamma");
	text_copy(peers[1].address, sizeof(peers[1].address), "192.0.2.3");
	text_copy(ports[0].ifname, sizeof(ports[0].ifname), "vxbr0");
	text_copy(ports[1].ifname, sizeof(ports[1].ifname), "veth1");
	peers[0].sum.last_rx_ns = peers[1].sum.last_rx_ns = NOW - SECOND;
	ports[0].hooked = ports[1].hooked = true;
	device = (struct snapshot_device){ .ifname = "eth0", .tc = "tcx", .xdp = "off" };
	s.peers = peers;
	s.n_peers = 2;
	s.ports = ports;
	s.n_ports = 2;
	s.devices = &device;
	s.n_devices = 1;
	return s;
}

static void assert_says(struct snapshot *s, enum snapshot_state state, const char *sentence)
{
	snapshot_judge(s);
	assert_string_equal(snapshot_state_name(s->state), snapshot_state_name(state));
	assert_int_equal(s->problems.n, sentence ? 1 : 0);
	if (sentence)
		assert_string_equal(s->problems.v[0].text, sentence);
	verdicts_free(&s->problems);
}

static void peer_is_up_for_30_seconds(void **state)
{
	(void)state;
	assert_int_equal(snapshot_peer_state(NOW, 0, NOW), PEER_UP);
	assert_int_equal(snapshot_peer_state(NOW + 4000000, 0, NOW),
			 PEER_UP); /* another CPU's tick */
	assert_int_equal(snapshot_peer_state(NOW - 30 * SECOND, 0, NOW), PEER_UP);
	assert_int_equal(snapshot_peer_state(NOW - 30 * SECOND - 1, 0, NOW), PEER_IDLE);
}

static void peer_is_silent_while_we_send(void **state)
{
	uint64_t old = NOW - 31 * SECOND;

	(void)state;
	assert_int_equal(snapshot_peer_state(old, NOW, NOW), PEER_SILENT);
	assert_int_equal(snapshot_peer_state(old, NOW - 30 * SECOND, NOW), PEER_SILENT);
	assert_int_equal(snapshot_peer_state(old, NOW - 30 * SECOND - 1, NOW), PEER_IDLE);
	assert_int_equal(snapshot_peer_state(0, NOW, NOW), PEER_SILENT);
	assert_int_equal(snapshot_peer_state(NOW - SECOND, NOW, NOW), PEER_UP);
}

static void peer_is_never_until_heard(void **state)
{
	(void)state;
	assert_int_equal(snapshot_peer_state(0, 0, NOW), PEER_NEVER);
	assert_int_equal(snapshot_peer_state(0, NOW - 31 * SECOND, NOW), PEER_NEVER);
}

static void last_seen_is_an_age(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	peers[0].sum.last_rx_ns = NOW - 1234567890;
	peers[1].sum.last_rx_ns = 0;
	snapshot_judge(&s);
	assert_int_equal(peers[0].last_seen_ms, 1234);
	assert_int_equal(peers[1].last_seen_ms, -1);
	peers[0].sum.last_rx_ns = NOW + 1;
	snapshot_judge(&s);
	assert_int_equal(peers[0].last_seen_ms, 0);
	verdicts_free(&s.problems);
}

static void idle_and_never_are_healthy(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	assert_says(&s, SNAPSHOT_UP, NULL);
	peers[0].sum.last_rx_ns = NOW - 3600 * SECOND;
	peers[1].sum.last_rx_ns = 0;
	assert_says(&s, SNAPSHOT_UP, NULL);
}

static void silent_peer_degrades(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	peers[0].sum.last_rx_ns = NOW - 45 * SECOND;
	peers[0].sum.last_unicast_tx_ns = NOW - SECOND;
	peers[0].sum.tx_packets = 23;
	assert_says(&s, SNAPSHOT_DEGRADED,
		    "beta: we sent 23 frames and have received none for 45 s; a firewall on the "
		    "path probably blocks UDP port 4789, or vxbpf is not running there; check that "
		    "192.0.2.2 is up and accepts UDP port 4789 from 192.0.2.1");
	peers[0].sum.last_rx_ns = 0;
	peers[0].sum.tx_packets = 1;
	assert_says(&s, SNAPSHOT_DEGRADED,
		    "beta: we sent 1 frame and never received any; a firewall on the path probably "
		    "blocks UDP port 4789, or vxbpf is not running there; check that 192.0.2.2 is "
		    "up and accepts UDP port 4789 from 192.0.2.1");
}

static void drift_degrades(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	s.drift = 3;
	assert_says(&s, SNAPSHOT_DEGRADED,
		    "3 things differ from the config; run `vxbpf up vxbr0` (`vxbpf up vxbr0 "
		    "--dry-run` lists them)");
	s.drift = 1;
	text_copy(s.path, sizeof(s.path), "/root/vxbr0.yaml");
	assert_says(&s, SNAPSHOT_DEGRADED,
		    "1 thing differs from the config; run `vxbpf up /root/vxbr0.yaml` (`vxbpf up "
		    "/root/vxbr0.yaml --dry-run` lists it)");
}

static void port_without_hooks_degrades(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	ports[1].hooked = false;
	assert_says(&s, SNAPSHOT_DEGRADED,
		    "veth1: has no vxbpf program, so only the kernel handles its frames; run "
		    "`vxbpf up vxbr0`");
	ports[0].hooked = false;
	snapshot_judge(&s);
	assert_int_equal(s.problems.n, 2);
	assert_string_equal(s.problems.v[0].about, "vxbr0");
	assert_string_equal(s.problems.v[1].about, "veth1");
	verdicts_free(&s.problems);
}

static void unusable_config_is_said_and_no_drift(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	text_copy(s.fault, sizeof(s.fault),
		  "/etc/vxbpf/vxbr0.yaml: cannot read: Permission denied");
	assert_says(&s, SNAPSHOT_UP,
		    "still runs with its previous config, because the config cannot be used: "
		    "/etc/vxbpf/vxbr0.yaml: cannot read: Permission denied; correct it and run "
		    "`vxbpf up vxbr0`");
}

static void a_config_that_cannot_be_met_is_no_health(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	text_copy(s.fault, sizeof(s.fault), "underlay eth0: device does not exist");
	s.unmet = true;
	assert_says(
		&s, SNAPSHOT_DEGRADED,
		"still runs with its previous config, because the config cannot be applied now: "
		"underlay eth0: device does not exist");
	s.up = false;
	s.layout = 0;
	assert_says(&s, SNAPSHOT_DOWN,
		    "not up, and the config cannot be applied now: underlay eth0: device does not "
		    "exist");
}

static void down_says_how_to_get_up(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	s.up = false;
	s.layout = 0;
	s.drift = 40;
	assert_says(&s, SNAPSHOT_DOWN, "not up; run `vxbpf up vxbr0`");
	s.layout = VX_LAYOUT;
	assert_says(&s, SNAPSHOT_DOWN, "not up, only half set up; run `vxbpf up vxbr0`");
	s.layout = VX_LAYOUT + 1;
	assert_says(&s, SNAPSHOT_DEGRADED,
		    "another version of vxbpf made the pins in /sys/fs/bpf/vxbpf/vxbr0, so its "
		    "counters cannot be read; run `vxbpf up vxbr0` to recreate them");
	s.layout = 0;
	text_copy(s.fault, sizeof(s.fault), "/etc/vxbpf/vxbr0.yaml:3: port: not a number");
	assert_says(&s, SNAPSHOT_DOWN,
		    "not up, and the config cannot be used: /etc/vxbpf/vxbr0.yaml:3: port: not a "
		    "number");
}

static void xdp_that_is_wanted_is_said(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	device.xdp_wanted = true;
	assert_says(&s, SNAPSHOT_UP, NULL); /* auto: a driver that takes none is nothing to mend */
	text_copy(s.told.xdp, sizeof(s.told.xdp), "on");
	assert_says(&s, SNAPSHOT_UP,
		    "eth0: has no vxbpf XDP program, so the guard uses TC there; run `vxbpf up` to "
		    "see the reason, or set `xdp: auto`");
}

static struct snapshot_witness *witness(struct snapshot *s, enum vx_reason reason, uint64_t age_ns)
{
	struct snapshot_witness *w = &s->witness[reason];

	*w = (struct snapshot_witness){
		.last = { .time_ns = NOW - age_ns, .vni = 5000, .src_mac = { 2, 0, 0, 0, 0, 9 } }
	};
	assert_true(ip_parse("192.0.2.66", &w->last.source));
	s->drops[reason] = 3;
	return w;
}

static void only_late_drops_are_said(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	witness(&s, VX_REASON_UNKNOWN_SOURCE, 300 * SECOND + 1);
	assert_says(&s, SNAPSHOT_UP, NULL);
	witness(&s, VX_REASON_UNKNOWN_SOURCE, 300 * SECOND);
	assert_says(&s, SNAPSHOT_UP,
		    "192.0.2.66 sends VXLAN with our VNI 5000 but is not a peer (3 dropped, the "
		    "last 5 min ago); add it to `peers:`, or find out what it is");
	s.told.guard = VX_GUARD_OBSERVE;
	assert_says(&s, SNAPSHOT_UP,
		    "192.0.2.66 sends VXLAN with our VNI 5000 but is not a peer (3 counted, the "
		    "last 5 min ago; the guard allows such packets); add it to `peers:`, or find "
		    "out what it is");
	s.told.guard = VX_GUARD_OFF;
	assert_says(&s, SNAPSHOT_UP,
		    "192.0.2.66 sends VXLAN with our VNI 5000 but is not a peer (3 counted, the "
		    "last 5 min ago; the guard allows such packets); add it to `peers:`, or find "
		    "out what it is");
}

static void loops_are_dropped_whatever_the_guard(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	s.told.guard = VX_GUARD_OFF;
	witness(&s, VX_REASON_LOOP, SECOND)->to_tunnel = true;
	snapshot_judge(&s);
	assert_int_equal(s.problems.n, 1);
	assert_non_null(strstr(s.problems.v[0].text, "3 dropped, the last 1.0 s ago"));
	verdicts_free(&s.problems);
}

static void a_lost_mark_is_told_from_a_stranger(void **state)
{
	static const char lost[] = "frames of peers pass the guard but reach vx-beta without its "
				   "mark (3 dropped, the last 2.0 s ago), because a firewall rule "
				   "changes the mark; see mark: in vxbpf.yaml(5)";
	static const char stranger[] =
		"VXLAN for vx-beta arrived on a device or address the guard does not cover (3 "
		"dropped, the last 2.0 s ago); if routes have changed, run `vxbpf up`; otherwise "
		"the packets are forged";
	struct snapshot s = healthy();
	struct snapshot_witness *w = witness(&s, VX_REASON_UNGUARDED, 2 * SECOND);
	struct snapshot_peer *p = &s.peers[0];

	(void)state;
	text_copy(w->from, sizeof(w->from), "vx-beta");
	text_copy(p->ifname, sizeof(p->ifname), "vx-beta");
	p->sum.last_rx_ns = NOW - 2 * SECOND;
	p->passed_ns = NOW - 8 * SECOND;
	assert_says(&s, SNAPSHOT_UP, lost);
	/* Others of the peer's frames get through. */
	p->passed_ns = NOW - 6 * SECOND;
	assert_says(&s, SNAPSHOT_UP, stranger);
	/* The guard saw none of its frames then. */
	p->passed_ns = 0;
	p->sum.last_rx_ns = NOW - 4 * SECOND;
	assert_says(&s, SNAPSHOT_UP, stranger);
	p->sum.last_rx_ns = NOW - SECOND / 2;
	assert_says(&s, SNAPSHOT_UP, stranger);
	/* By index a tunnel is not its peer's alone. */
	p->sum.last_rx_ns = NOW - 2 * SECOND;
	s.told.vni_mode = VX_VNI_INDEX;
	assert_says(&s, SNAPSHOT_UP, stranger);
}

/* Whatever the reason, a peer that sends and is not let in is no peer that rests. */
static void shut_out_is_degraded(void **state)
{
	static const enum vx_reason reasons[] = { VX_REASON_WRONG_VNI, VX_REASON_MALFORMED };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		struct snapshot s = healthy();
		struct snapshot_witness *w = witness(&s, reasons[i], 2 * SECOND);

		text_copy(w->last.peer, sizeof(w->last.peer), s.peers[0].name);
		snapshot_judge(&s);
		assert_int_equal(s.state, SNAPSHOT_UP);
		s.peers[0].sum.last_rx_ns = 0;
		snapshot_judge(&s);
		assert_int_equal(s.state, SNAPSHOT_DEGRADED);
		w->last.time_ns = NOW - 40 * SECOND;
		snapshot_judge(&s);
		assert_int_equal(s.state, SNAPSHOT_UP);
		verdicts_free(&s.problems);
	}
}

static void unguarded_names_its_cause(void **state)
{
	struct snapshot s = healthy();
	struct snapshot_witness *w = witness(&s, VX_REASON_UNGUARDED, 2 * SECOND);
	struct in_front front = { .device = "eth0", .ingress = true, .theirs = 7, .ours = 8 };
	struct snapshot_device eth0 = { .ifname = "eth0", .tc = "tcx" };
	struct snapshot_peer *p = &s.peers[0];

	(void)state;
	s.looked = true;
	s.devices = &eth0;
	s.n_devices = 1;
	text_copy(w->from, sizeof(w->from), "vx-beta");
	text_copy(p->ifname, sizeof(p->ifname), "vx-beta");
	text_copy(p->route.home, sizeof(p->route.home), "eth0");
	text_copy(s.elsewhere, sizeof(s.elsewhere), "device eth1 or address 192.0.2.9");
	assert_says(&s, SNAPSHOT_UP,
		    "VXLAN for vx-beta arrived on a device or address the guard does not cover (3 "
		    "dropped, the last 2.0 s ago), here only device eth1 or address 192.0.2.9; let "
		    "the peers send to this host's address in the mesh, by a guarded device; "
		    "otherwise the packets are forged");
	text_copy(eth0.tc, sizeof(eth0.tc), "none");
	assert_says(&s, SNAPSHOT_UP,
		    "VXLAN for vx-beta passed eth0 unseen by the guard (3 dropped, the last 2.0 s "
		    "ago), because vxbpf has no program there; run `vxbpf up`");
	/* Counted, and it leaves packets to ours: not to blame. */
	text_copy(front.what, sizeof(front.what), "the program theirs (id 7)");
	s.fronts = (struct in_fronts){ &front, 1 };
	snapshot_judge(&s);
	assert_string_equal(
		s.problems.v[1].text,
		"VXLAN for vx-beta passed eth0 unseen by the guard (3 dropped, the last "
		"2.0 s ago), because vxbpf has no program there; run `vxbpf up`");
	front.kept = 5;
	snapshot_judge(&s);
	assert_string_equal(
		s.problems.v[1].text,
		"VXLAN for vx-beta passed eth0 unseen by the guard (3 dropped, the last "
		"2.0 s ago), because the program theirs (id 7) runs before vxbpf at the "
		"ingress there; move it behind vxbpf, or remove it");
	/* Frames come, and for a long time none has been let in. */
	assert_int_equal(s.state, SNAPSHOT_UP);
	p->sum.last_rx_ns = 0;
	snapshot_judge(&s);
	assert_int_equal(s.state, SNAPSHOT_DEGRADED);
	s.told.guard = VX_GUARD_OBSERVE;
	snapshot_judge(&s);
	assert_int_equal(s.state, SNAPSHOT_UP);
	verdicts_free(&s.problems);
}

static void loop_names_its_witness(void **state)
{
	struct snapshot s = healthy();
	struct snapshot_witness *w = witness(&s, VX_REASON_LOOP, 2 * SECOND);

	(void)state;
	text_copy(w->from, sizeof(w->from), "vx-beta");
	text_copy(w->last.peer, sizeof(w->last.peer), "beta");
	memcpy(w->last.dst_mac, "\x02\0\0\0\0\x07", 6);
	w->to_tunnel = true;
	assert_says(&s, SNAPSHOT_UP,
		    "beta sends us frames for MAC 02:00:00:00:00:07, which is behind another peer "
		    "(3 dropped, the last 2.0 s ago); normal for a moment after a container moved "
		    "or fell silent; if it persists, check the bridge of that host");
	text_copy(w->to, sizeof(w->to), "veth1");
	w->to_tunnel = false;
	assert_says(&s, SNAPSHOT_UP,
		    "a frame with MAC 02:00:00:00:00:09 of local port veth1 returned from beta (3 "
		    "counted, the last 2.0 s ago); look for a second layer-2 path to that host, or "
		    "for a copy of the container there");
}

static void every_reason_has_a_sentence(void **state)
{
	(void)state;
	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++) {
		struct snapshot s = healthy();

		witness(&s, r, SECOND);
		snapshot_judge(&s);
		assert_int_equal(s.state, SNAPSHOT_UP);
		assert_int_equal(s.problems.n, 1);
		/* A frame whose MAC is in two places is delivered. */
		assert_non_null(strstr(s.problems.v[0].text,
				       r == VX_REASON_LOOP ? "3 counted, the last 1.0 s ago"
							   : "3 dropped, the last 1.0 s ago"));
		verdicts_free(&s.problems);
		assert_true(reason_label(r)[0] && reason_sentence(r)[0]);
	}
}

static void drops_are_summed_over_peers(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	peers[0].drops[VX_REASON_LOOP] = 20;
	peers[1].drops[VX_REASON_LOOP] = 2;
	s.drops[VX_REASON_LOOP] = 1;
	assert_int_equal(snapshot_drops(&s, VX_REASON_LOOP), 23);
	assert_int_equal(snapshot_drops(&s, VX_REASON_NESTED), 0);
}

static void numbers_are_short(void **state)
{
	static const struct {
		void (*format)(uint64_t n, char text[HUMAN_LEN]);
		uint64_t n;
		const char *text;
	} rows[] = {
		{ human_count, 0, "0" },
		{ human_count, 9999, "9999" },
		{ human_count, 10000, "10.0k" },
		{ human_count, 99999, "99.9k" },
		{ human_count, 100000, "100k" },
		{ human_count, 999999, "999k" },
		{ human_count, 1200000, "1.2M" },
		{ human_count, UINT64_MAX, "18.4E" },
		{ human_bytes, 999, "999 B" },
		{ human_bytes, 1000, "1.0 kB" },
		{ human_bytes, 70249999, "70.2 MB" },
		{ human_bytes, 5000000000000, "5.0 TB" },
		{ human_age, 0, "0.0 s" },
		{ human_age, 9999, "9.9 s" },
		{ human_age, 10000, "10 s" },
		{ human_age, 119999, "119 s" },
		{ human_age, 120000, "2 min" },
		{ human_age, 7200000, "2 h" },
		{ human_age, 172800000, "2 d" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[HUMAN_LEN];

		rows[i].format(rows[i].n, text);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peer_is_up_for_30_seconds),
		cmocka_unit_test(peer_is_silent_while_we_send),
		cmocka_unit_test(peer_is_never_until_heard),
		cmocka_unit_test(last_seen_is_an_age),
		cmocka_unit_test(idle_and_never_are_healthy),
		cmocka_unit_test(silent_peer_degrades),
		cmocka_unit_test(drift_degrades),
		cmocka_unit_test(port_without_hooks_degrades),
		cmocka_unit_test(unusable_config_is_said_and_no_drift),
		cmocka_unit_test(a_config_that_cannot_be_met_is_no_health),
		cmocka_unit_test(down_says_how_to_get_up),
		cmocka_unit_test(xdp_that_is_wanted_is_said),
		cmocka_unit_test(only_late_drops_are_said),
		cmocka_unit_test(loops_are_dropped_whatever_the_guard),
		cmocka_unit_test(a_lost_mark_is_told_from_a_stranger),
		cmocka_unit_test(shut_out_is_degraded),
		cmocka_unit_test(unguarded_names_its_cause),
		cmocka_unit_test(loop_names_its_witness),
		cmocka_unit_test(every_reason_has_a_sentence),
		cmocka_unit_test(drops_are_summed_over_peers),
		cmocka_unit_test(numbers_are_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
