// SPDX-License-Identifier: GPL-2.0
/*
 * Verdicts: what of a healthy overlay has to change for each, and what is not enough for it.
 *
 * lines: one change, one row, all from the same healthy overlay.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "diagnose/judge.h"
#include "snapshot/snapshot.h"

#define SECOND 1000000000ULL
#define NOW (1000 * SECOND)
#define PEERS 9

static struct snapshot_peer peers[PEERS];
static struct snapshot_port ports[2];

/* Of 9 peers, p0 to p8, the first two were heard; what `check` looks at besides is well. */
static struct snapshot healthy(void)
{
	struct snapshot s = { .up = true, .layout = VX_LAYOUT, .looked = true, .now_ns = NOW };

	s.told = (struct vx_overlay){ .name = "vxbr0",
				      .bridge = "vxbr0",
				      .address = "192.0.2.1",
				      .fastpath = "auto",
				      .mtu = 1450,
				      .port = 4789 };
	text_copy(s.path, sizeof(s.path), "/etc/vxbpf/vxbr0.yaml");
	memset(peers, 0, sizeof(peers));
	for (int i = 0; i < PEERS; i++) {
		struct snapshot_peer *p = &peers[i];

		snprintf(p->name, sizeof(p->name), "p%d", i);
		snprintf(p->address, sizeof(p->address), "192.0.2.%d", 10 + i);
		snprintf(p->ifname, sizeof(p->ifname), "vx-p%d", i);
		text_copy(p->local, sizeof(p->local), "192.0.2.1");
		text_copy(p->route.home, sizeof(p->route.home), "eth0");
		text_copy(p->route.device, sizeof(p->route.device), "eth0");
		p->vni = 5000 + (uint32_t)i;
		p->sum.tx_packets = p->sum.rx_packets = 100;
	}
	peers[0].sum.last_rx_ns = NOW - SECOND;
	peers[1].sum.last_rx_ns = NOW - 100 * SECOND;
	ports[0] = (struct snapshot_port){ .ifname = "vxbr0", .hooked = true };
	ports[1] = (struct snapshot_port){ .ifname = "c1", .hooked = true, .accelerated = true };
	s.peers = peers;
	s.n_peers = PEERS;
	s.ports = ports;
	s.n_ports = 2;
	return s;
}

static void silence(struct snapshot_peer *p)
{
	p->sum.last_rx_ns = 0;
	p->sum.last_unicast_tx_ns = NOW - SECOND;
}

static void probe(struct snapshot_peer *p, enum probe result)
{
	p->probe = (struct snapshot_probe){ .result = result, .sent = 3 };
}

/* --- one change each */

static void nothing(struct snapshot *s)
{
	(void)s;
}

static void silent(struct snapshot *s)
{
	(void)s;
	silence(&peers[2]);
}

static void silent_unanswered(struct snapshot *s)
{
	silent(s);
	probe(&peers[2], PROBE_UNANSWERED);
}

static void silent_answered(struct snapshot *s)
{
	silent(s);
	probe(&peers[2], PROBE_ANSWERED);
}

static void flooded_answered(struct snapshot *s)
{
	silent_answered(s);
	peers[2].sum.last_unknown_tx_ns = peers[2].sum.last_unicast_tx_ns;
	peers[2].sum.last_unicast_tx_ns = 0;
}

static void silent_without_route(struct snapshot *s)
{
	silent_unanswered(s);
	peers[2].route = (struct snapshot_route){ .missing = true };
}

static void never_unanswered(struct snapshot *s)
{
	(void)s;
	probe(&peers[2], PROBE_UNANSWERED);
}

static void idle_unanswered(struct snapshot *s)
{
	(void)s;
	probe(&peers[1], PROBE_UNANSWERED);
}

static void all_answered(struct snapshot *s)
{
	for (size_t i = 0; i < s->n_peers; i++) {
		probe(&peers[i], PROBE_ANSWERED);
		peers[i].probe.mtu = 1450;
	}
}

static void up_unanswered(struct snapshot *s)
{
	(void)s;
	probe(&peers[0], PROBE_UNANSWERED);
}

/* No unicast ever came from it: not even an answer to ARP. */
static void up_unanswered_bum(struct snapshot *s)
{
	up_unanswered(s);
	peers[0].sum.rx_bum_packets = 100;
}

static void up_unanswered_known(struct snapshot *s)
{
	up_unanswered(s);
	peers[0].sum.asked_ns = NOW - 400 * SECOND;
}

static void filtered_here(struct snapshot *s)
{
	up_unanswered_bum(s);
	never_unanswered(s);
	s->filtered = true;
}

static void filtered_here_silent(struct snapshot *s)
{
	silent_unanswered(s);
	s->filtered = true;
}

static void unanswered_known(struct snapshot *s)
{
	never_unanswered(s);
	peers[2].sum.asked_ns = NOW - 400 * SECOND;
}

static void only_broadcasts(struct snapshot *s)
{
	(void)s;
	peers[0].sum.rx_bum_packets = 100;
	peers[0].sum.tx_bum_packets = 95;
}

static void few_answers(struct snapshot *s)
{
	only_broadcasts(s);
	peers[0].sum.tx_bum_packets = 96;
}

static void one_answer(struct snapshot *s)
{
	only_broadcasts(s);
	peers[0].sum.rx_bum_packets = 99;
}

static void only_broadcasts_answered(struct snapshot *s)
{
	only_broadcasts(s);
	probe(&peers[0], PROBE_ANSWERED);
}

static void smaller_there(struct snapshot *s)
{
	all_answered(s);
	peers[1].probe.mtu = 1400;
}

static void script(struct snapshot *s)
{
	(void)s;
	peers[2].other_vni = 8;
	peers[2].other_vni_ns = NOW - SECOND;
}

static void script_long_ago(struct snapshot *s)
{
	script(s);
	peers[2].other_vni_ns = NOW - 301 * SECOND;
}

static void script_converted(struct snapshot *s)
{
	script(s);
	peers[2].sum.last_rx_ns = NOW - SECOND;
}

static void foreign_vxlan(struct snapshot *s)
{
	script(s);
	peers[2].other_vni = 9; /* no index: there are 10 hosts */
}

static void other_salt(struct snapshot *s)
{
	foreign_vxlan(s);
	silence(&peers[2]);
}

static void other_source(struct snapshot *s)
{
	(void)s;
	text_copy(peers[2].route.source, sizeof(peers[2].route.source), "192.0.2.101");
}

static void same_source(struct snapshot *s)
{
	(void)s;
	text_copy(peers[2].route.source, sizeof(peers[2].route.source), "192.0.2.1");
}

static void other_device(struct snapshot *s)
{
	(void)s;
	text_copy(peers[2].route.device, sizeof(peers[2].route.device), "eth1");
	peers[2].route.astray = true;
}

static void other_device_on_purpose(struct snapshot *s)
{
	other_device(s);
	text_copy(s->told.underlay, sizeof(s->told.underlay), "eth1");
}

static void bridge_rules(struct snapshot *s)
{
	text_copy(s->told.fastpath_why, sizeof(s->told.fastpath_why), "a rule counts");
}

static void bridge_rules_and_off(struct snapshot *s)
{
	bridge_rules(s);
	text_copy(s->told.fastpath, sizeof(s->told.fastpath), "off");
}

static void bridge_rules_for_status(struct snapshot *s)
{
	bridge_rules(s);
	s->looked = false;
}

static void shaper(struct snapshot *s)
{
	(void)s;
	ports[1].accelerated = false;
	ports[1].kept_out = true;
	text_copy(ports[1].why, sizeof(ports[1].why), "its root qdisc is tbf");
}

static void two_steps(struct snapshot *s)
{
	s->drift = 2;
	notes_add(&s->steps, "~ setup vxbr0 mtu 1400 -> 1450");
	notes_add(&s->steps, "+ hook eth0/wire_in");
}

static void many_steps(struct snapshot *s)
{
	two_steps(s);
	s->drift = 9;
}

static struct snapshot_witness *witness(struct snapshot *s, enum vx_reason reason)
{
	struct snapshot_witness *w = &s->witness[reason];

	w->last.time_ns = NOW - 40 * SECOND;
	text_copy(w->last.peer, sizeof(w->last.peer), "p0");
	text_copy(w->to, sizeof(w->to), "c1");
	s->drops[reason] = 3;
	return w;
}

static void moved_once(struct snapshot *s)
{
	witness(s, VX_REASON_LOOP);
}

static void in_two_places(struct snapshot *s)
{
	moved_once(s);
	s->contested_ns = NOW - 20 * SECOND;
}

static void settled(struct snapshot *s)
{
	moved_once(s);
	s->contested_ns = NOW - 40 * SECOND;
}

static void loops(struct snapshot *s)
{
	settled(s);
	s->round_ns = NOW - 200 * SECOND;
}

static void looped(struct snapshot *s)
{
	settled(s);
	s->round_ns = NOW - 301 * SECOND;
}

static void passed_between_peers(struct snapshot *s)
{
	witness(s, VX_REASON_LOOP)->to_tunnel = true;
}

static void mended_oversize(struct snapshot *s)
{
	witness(s, VX_REASON_OVERSIZE);
	ports[1].veth = true;
	ports[1].oversize = 3;
	ports[1].mtu = ports[1].far_mtu = 1450;
}

static struct snapshot_flap flap = { .mac = "02:00:00:00:00:07", .where = "port c1 and peer p0" };

static void copied(struct snapshot *s)
{
	flap.moves = flap.router = 0;
	flap.settled_ns = 0;
	s->flaps = &flap;
	s->n_flaps = 1;
}

static void moving(struct snapshot *s)
{
	copied(s);
	flap.moves = 7;
	flap.within_ns = 1500000000;
}

static void copied_before(struct snapshot *s)
{
	copied(s);
	flap.settled_ns = 12 * SECOND;
}

/* Both masters show that MAC by right: their frames are no loop. */
static void two_masters(struct snapshot *s)
{
	in_two_places(s);
	copied(s);
	flap.router = 7;
	memcpy(s->witness[VX_REASON_LOOP].last.src_mac, "\x02\0\0\0\0\x07", 6);
}

static void two_masters_before(struct snapshot *s)
{
	two_masters(s);
	flap.settled_ns = 12 * SECOND;
}

#define FILTERED                                                                                   \
	"a firewall on the path probably blocks UDP port 4789, or vxbpf is not running there; "    \
	"check that 192.0.2.12 is up and accepts UDP port 4789 from 192.0.2.1"

static const struct {
	void (*change)(struct snapshot *s);
	const char *id, *about, *text;
} rows[] = {
	{ nothing, NULL, NULL, NULL },
	{ all_answered, NULL, NULL, NULL },
	{ silent, "peer_silent", "p2", "p2: we sent 100 frames and never received any; " FILTERED },
	{ silent_unanswered, "peer_silent", "p2",
	  "p2: we sent 100 frames and never received any, nor an answer to 3 probes; " FILTERED },
	{ silent_answered, "peer_quiet", "p2",
	  "p2: the peer answers probes, so the tunnel works, but nothing behind it answers our "
	  "frames; check the container there, its address and its firewall; normal for one-way "
	  "streams" },
	{ flooded_answered, NULL, NULL, NULL },
	{ silent_without_route, NULL, NULL, NULL }, /* the plan has said so */
	{ never_unanswered, "peer_unreachable", "p2",
	  "p2: no answer to 3 probes (no traffic from this peer now); " FILTERED },
	{ idle_unanswered, "peer_unreachable", "p1", NULL },
	{ up_unanswered, NULL, NULL, NULL }, /* a plain VTEP: information */
	{ up_unanswered_known, "peer_one_way", "p0", NULL },
	{ filtered_here, NULL, NULL, NULL }, /* port_filtered says so */
	{ filtered_here_silent, "peer_silent", "p2",
	  "p2: we sent 100 frames and never received any, nor an answer to 3 probes; this host's "
	  "own "
	  "firewall drops UDP port 4789, see port_filtered; change that first" },
	{ unanswered_known, "peer_unreachable", "p2",
	  "p2: no answer to 3 probes (no traffic from this peer now); a firewall on the path "
	  "probably "
	  "blocks UDP port 4789, or vxbpf is no longer running there; check that 192.0.2.12 is up "
	  "and accepts UDP port 4789 from 192.0.2.1" },
	{ up_unanswered_bum, "peer_one_way", "p0",
	  "p0: we receive from it, but it does not seem to receive from us (it answers none of 3 "
	  "probes); check that 192.0.2.10 accepts UDP port 4789 from 192.0.2.1 and that no "
	  "firewall on the path blocks it" },
	{ only_broadcasts, "peer_one_way", "p0",
	  "p0: we receive from it, but it does not seem to receive from us (only its broadcasts "
	  "arrive, and no answer to our 5 frames); check that 192.0.2.10 accepts UDP port 4789 "
	  "from 192.0.2.1 and that no firewall on the path blocks it" },
	{ few_answers, NULL, NULL, NULL },
	{ one_answer, NULL, NULL, NULL },
	{ only_broadcasts_answered, NULL, NULL, NULL },
	{ smaller_there, "peer_mtu", "p1",
	  "p1: the overlay's MTU is 1400 there and 1450 here, so packets larger than 1400 bytes "
	  "are lost; copy the same config to both hosts, with `mtu:` as a number if path MTUs "
	  "differ" },
	{ script, "peer_vni", "p2",
	  "p2 sends VNI 8, as vxlansetup.sh and `vni: index` assign it, but this host expects "
	  "5002; run `vxbpf up` there with this config, or set `vni: index` in it until all hosts "
	  "have moved" },
	{ script_long_ago, NULL, NULL, NULL },
	{ script_converted, NULL, NULL, NULL },
	{ foreign_vxlan, NULL, NULL, NULL },
	{ other_salt, "peer_vni", "p2",
	  "p2 sends VNI 9, which no tunnel here accepts (expected 5002), so its config has other "
	  "names, addresses, `vni:` or `vni_salt:`; copy the same config to both hosts and run "
	  "`vxbpf up`" },
	{ other_source, "route", "p2",
	  "p2: the route to 192.0.2.12 selects source 192.0.2.101, but this host's address in the "
	  "mesh is 192.0.2.1 and the tunnel sends from it; fix the route, or set the route's "
	  "address in the config" },
	{ same_source, NULL, NULL, NULL },
	{ other_device, "route", "p2",
	  "p2: the route to 192.0.2.12 uses device eth1, but 192.0.2.1, this host's address in the "
	  "mesh, is on eth0; fix the route, or set this host's address in the config to one on the "
	  "device of the route" },
	{ other_device_on_purpose, NULL, NULL, NULL },
	{ bridge_rules, "fastpath", "",
	  "the fast path is off because a rule counts; remove that if nothing needs it, or set "
	  "`fastpath: off`" },
	{ bridge_rules_and_off, NULL, NULL, NULL },
	{ bridge_rules_for_status, NULL, NULL, NULL },
	{ shaper, "fastpath", "c1",
	  "c1: not accelerated because its root qdisc is tbf; remove that, or set `fastpath: "
	  "off`" },
	{ two_steps, "drift", "",
	  "2 things differ from the config (~ setup vxbr0 mtu 1400 -> 1450; + hook eth0/wire_in); "
	  "run `vxbpf up vxbr0`" },
	{ many_steps, "drift", "",
	  "9 things differ from the config (~ setup vxbr0 mtu 1400 -> 1450; + hook eth0/wire_in; "
	  "and 7 more); run `vxbpf up vxbr0` (`vxbpf up vxbr0 --dry-run` lists them)" },
	{ moved_once, NULL, NULL, NULL },
	{ in_two_places, "loop", "p0", NULL },
	{ settled, NULL, NULL, NULL },
	{ loops, "loop", "p0", NULL },
	{ looped, NULL, NULL, NULL },
	{ passed_between_peers, NULL, NULL, NULL },
	{ mended_oversize, NULL, NULL, NULL },
	{ copied, "mac_moves", "02:00:00:00:00:07",
	  "02:00:00:00:00:07 is in two places, port c1 and peer p0; look for a copy of the "
	  "container (give it another MAC), or for a second layer-2 path between the two" },
	{ moving, "mac_moves", "02:00:00:00:00:07",
	  "02:00:00:00:00:07 is in two places, port c1 and peer p0, and moved 7 times within 1.5 "
	  "s; look for a copy of the container (give it another MAC), or for a second layer-2 path "
	  "between the two" },
	{ copied_before, "mac_moves", "02:00:00:00:00:07",
	  "02:00:00:00:00:07 was in two places, port c1 and peer p0, until 12 s ago; look for a "
	  "copy of the container (give it another MAC), or for a second layer-2 path between the "
	  "two" },
	{ two_masters, "mac_moves", "02:00:00:00:00:07",
	  "02:00:00:00:00:07 (VRRP router 7) is in two places, port c1 and peer p0; both were "
	  "master at once, so check that VRRP adverts (IP protocol 112) from one reach the other" },
	{ two_masters_before, "mac_moves", "02:00:00:00:00:07",
	  "02:00:00:00:00:07 (VRRP router 7) was in two places, port c1 and peer p0, until 12 s "
	  "ago; both were master at once, so check that VRRP adverts (IP protocol 112) from one "
	  "reach the other" },
};

static void each_change_has_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct snapshot s = healthy();
		const struct verdict *v;

		rows[i].change(&s);
		snapshot_judge(&s);
		if (s.problems.n != (rows[i].id != NULL))
			fail_msg("row %zu: %zu verdicts", i, s.problems.n);
		for (size_t k = 0; k < s.problems.n; k++) {
			v = &s.problems.v[k];
			assert_string_equal(verdict_name(v->id), rows[i].id);
			assert_string_equal(v->about, rows[i].about);
			if (rows[i].text)
				assert_string_equal(v->text, rows[i].text);
		}
		verdicts_free(&s.problems);
		verdicts_free(&s.information);
		notes_free(&s.steps);
	}
}

static void five_of_a_kind_are_named(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	for (int i = 2; i < PEERS; i++)
		silence(&peers[i]);
	snapshot_judge(&s);
	assert_int_equal(s.problems.n, 6);
	assert_string_equal(s.problems.v[4].about, "p6");
	assert_string_equal(s.problems.v[5].about, "");
	assert_string_equal(s.problems.v[5].text, "2 more peers are also silent");
	verdicts_free(&s.problems);
}

static void a_plain_peer_is_information(void **state)
{
	static void (*const others[])(struct snapshot * s) = {
		nothing, all_answered, up_unanswered_bum, up_unanswered_known, never_unanswered,
	};
	struct snapshot s = healthy();

	(void)state;
	up_unanswered(&s);
	snapshot_judge(&s);
	assert_int_equal(s.problems.n, 0);
	assert_int_equal(s.information.n, 1);
	assert_string_equal(verdict_name(s.information.v[0].id), "peer_plain");
	assert_string_equal(s.information.v[0].about, "p0");
	verdicts_free(&s.information);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		s = healthy();
		others[i](&s);
		snapshot_judge(&s);
		assert_int_equal(s.information.n, 0);
		verdicts_free(&s.problems);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_has_its_verdict),
		cmocka_unit_test(a_plain_peer_is_information),
		cmocka_unit_test(five_of_a_kind_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
