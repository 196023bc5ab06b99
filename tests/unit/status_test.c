// SPDX-License-Identifier: GPL-2.0
/*
 * The page for people, line by line, and the JSON: exactly the keys and types of design 1.7.
 * lines: one made-up overlay, seen in every way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "diagnose/judge.h"
#include "show/status.h"
#include "snapshot/snapshot.h"

#define SECOND 1000000000ULL
#define NOW (1000 * SECOND)

static struct snapshot_peer peers[3];
static struct snapshot_port ports[2];
static struct snapshot_device device;

static void name_peer(struct snapshot_peer *p, const char *name, const char *address,
		      const char *ifname, uint32_t vni)
{
	text_copy(p->name, sizeof(p->name), name);
	text_copy(p->address, sizeof(p->address), address);
	text_copy(p->ifname, sizeof(p->ifname), ifname);
	p->vni = vni;
}

static struct snapshot made_up(void)
{
	struct snapshot s = { .up = true, .layout = VX_LAYOUT, .now_ns = NOW };

	s.told = (struct vx_overlay){ .name = "vxbr0",
				      .bridge = "br7",
				      .local = "alpha",
				      .address = "192.0.2.1",
				      .mtu = 1450,
				      .port = 4789,
				      .mtu_why = "auto: 1500 less 50 for VXLAN over IPv4",
				      .fastpath = "auto",
				      .xdp = "auto" };
	text_copy(s.path, sizeof(s.path), "/etc/vxbpf/vxbr0.yaml");
	memset(peers, 0, sizeof(peers));
	memset(ports, 0, sizeof(ports));
	name_peer(&peers[0], "beta", "192.0.2.2", "vx-beta", 14130525);
	name_peer(&peers[1], "gamma", "192.0.2.3", "vx-gamma", 4096);
	name_peer(&peers[2], "delta", "192.0.2.4", "vx-delta", 16777215);
	peers[0].sum = (struct vx_counters){ .rx_packets = 48500,
					     .rx_bytes = 70249999,
					     .tx_packets = 23,
					     .tx_bytes = 2254,
					     .rx_fast_packets = 36380,
					     .tx_fast_packets = 20,
					     .rx_bum_packets = 7,
					     .tx_bum_packets = 5,
					     .last_rx_ns = NOW - 312 * 1000000ULL };
	peers[0].drops[VX_REASON_LOOP] = 1;
	peers[0].drops[VX_REASON_OVERSIZE] = 22;
	peers[1].sum =
		(struct vx_counters){ .last_rx_ns = NOW - 45 * SECOND, .last_unicast_tx_ns = NOW };
	peers[1].drops[VX_REASON_MALFORMED] = 1;
	s.drops[VX_REASON_MALFORMED] = 4;
	s.witness[VX_REASON_OVERSIZE].last.time_ns = NOW - 600 * SECOND;
	ports[0] = (struct snapshot_port){ .ifname = "br7", .hooked = true, .why = "not yet" };
	ports[1] = (struct snapshot_port){
		.ifname = "veth1", .why = "not yet", .oversize = 22, .largest = 1500
	};
	device = (struct snapshot_device){ .ifname = "eth0", .tc = "tcx", .xdp = "driver" };
	s.drops[VX_REASON_UNKNOWN_SOURCE] = 12345;
	s.peers = peers;
	s.n_peers = 3;
	s.ports = ports;
	s.n_ports = 2;
	s.devices = &device;
	s.n_devices = 1;
	return s;
}

static const char page[] =
	"vxbr0: degraded - this is alpha, 192.0.2.1\n"
	"  bridge     br7\n"
	"  mtu        1450 (auto: 1500 less 50 for VXLAN over IPv4)\n"
	"  guard      enforce: VXLAN on UDP port 4789 from peers only\n"
	"  fast path  on: known flows bypass the bridge\n"
	"  underlay   eth0 (tcx, xdp driver)\n"
	"  ports      br7 (this host)\n"
	"             no program: veth1\n"
	"  config     /etc/vxbpf/vxbr0.yaml\n"
	"  peers      3: 1 silent, 1 up, 1 never heard\n"
	"\n"
	"  peer   address    device    state   last seen  received packets     sent packets  fast  "
	"dropped\n"
	"  gamma  192.0.2.3  vx-gamma  silent       45 s       0 B       0      0 B       0     -  "
	"      1\n"
	"  beta   192.0.2.2  vx-beta   up          0.3 s   70.2 MB   48.5k   2.2 kB      23   75%  "
	"     23\n"
	"  delta  192.0.2.4  vx-delta  never       never       0 B       0      0 B       0     -  "
	"      0\n"
	"\n"
	"  dropped    loop 1 (beta)\n"
	"  dropped    oversize 22 (beta), the last 10 min ago\n"
	"  dropped    unknown_source 12.3k (no peer)\n"
	"  dropped    malformed 5 (no peer 4, gamma 1)\n"
	"  ! veth1: has no vxbpf program, so only the kernel handles its frames; run `vxbpf up "
	"vxbr0`\n"
	"  ! gamma: we sent 0 frames and have received none for 45 s; a firewall on the path "
	"probably blocks\n"
	"    UDP port 4789, or vxbpf is not running there; check that 192.0.2.3 is up and accepts "
	"UDP port\n"
	"    4789 from 192.0.2.1\n";

static void page_is_exact(void **state)
{
	struct snapshot s = made_up();
	char *text;

	(void)state;
	snapshot_judge(&s);
	text = status_text(&s, false, STATUS_COLUMNS);
	assert_string_equal(text, page);
	free(text);
	verdicts_free(&s.problems);
}

static void counted_is_not_dropped(void **state)
{
	static const enum vx_guard guards[] = { VX_GUARD_OBSERVE, VX_GUARD_OFF };
	struct snapshot s = made_up();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(guards); i++) {
		char *text;

		s.told.guard = guards[i];
		snapshot_judge(&s);
		text = status_text(&s, false, STATUS_COLUMNS);
		assert_null(strstr(text, "dropped"));
		assert_non_null(strstr(text, "  counted    unknown_source 12.3k (no peer)\n"));
		free(text);
	}
	verdicts_free(&s.problems);
}

static void colour_only_where_asked(void **state)
{
	struct snapshot s = made_up();
	char *text;

	(void)state;
	snapshot_judge(&s);
	text = status_text(&s, true, STATUS_COLUMNS);
	assert_non_null(strstr(text, "vxbr0: \033[33mdegraded\033[0m - this is alpha"));
	free(text);
	verdicts_free(&s.problems);
}

/* No line is longer; without the colours' sequences. */
static void assert_narrow(const struct snapshot *s, size_t columns)
{
	for (int colour = 0; colour < 2; colour++) {
		char *text = status_text(s, colour, columns);
		size_t column = 0;

		for (const char *at = text; *at; at++) {
			if (*at == '\033')
				at += strcspn(at, "m");
			else
				column = *at == '\n' ? 0 : column + 1;
			if (column > columns)
				print_error("%s", text);
			assert_true(column <= columns);
		}
		free(text);
	}
}

static void assert_always_narrow(struct snapshot *s)
{
	static const size_t widths[] = { STATUS_COLUMNS, 80, STATUS_COLUMNS_LEAST };

	snapshot_judge(s);
	for (size_t i = 0; i < ARRAY_LEN(widths); i++)
		assert_narrow(s, widths[i]);
	verdicts_free(&s->problems);
}

static void longest_names_fit_100_columns(void **state)
{
	struct snapshot s = made_up();
	char *text;

	(void)state;
	name_peer(&peers[1], "abcdefghijklmnopqrstuvwxyz012345",
		  "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "vx-0123456789ab", 1);
	memset(peers[1].drops, 0x7f, sizeof(peers[1].drops));
	memset(&peers[1].sum.rx_packets, 0xff, 8 * sizeof(uint64_t));
	assert_always_narrow(&s);
	snapshot_judge(&s);
	text = status_text(&s, false, STATUS_COLUMNS);
	assert_non_null(
		strstr(text, "\n    2001:db8:ffff:ffff:ffff:ffff:ffff:ffff  vx-0123456789ab\n"));
	free(text);
	verdicts_free(&s.problems);
}

/* At 80 columns packets go first, then the device that is called as its peer. */
static void narrow_terminal_has_fewer_columns(void **state)
{
	struct snapshot s = made_up();
	char *text;

	(void)state;
	snapshot_judge(&s);
	text = status_text(&s, false, 80);
	assert_non_null(strstr(text, "\n  peer   address    state   last seen  received     sent  "
				     "fast  dropped\n"));
	assert_non_null(strstr(text, "\n  beta   192.0.2.2  up          0.3 s   70.2 MB   2.2 kB   "
				     "75%       23\n"));
	free(text);
	text_copy(peers[0].ifname, sizeof(peers[0].ifname), "vx-01234567");
	text = status_text(&s, false, STATUS_COLUMNS);
	assert_non_null(strstr(text, "\n  beta   192.0.2.2  vx-01234567  up "));
	free(text);
	verdicts_free(&s.problems);
}

static void narrow_in_every_state(void **state)
{
	static struct snapshot_port many[60];
	static struct snapshot_peer crowd[30];
	struct snapshot s = made_up();

	(void)state;
	/* A path that no line has room for, with what a terminal would obey. */
	memset(s.path, 'x', 300);
	s.path[150] = '\033';
	memset(s.told.mtu_why, 'w', sizeof(s.told.mtu_why) - 1);
	memset(s.told.local, 'l', 32);
	text_copy(s.told.address6, sizeof(s.told.address6),
		  "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
	s.told.vni_mode = VX_VNI_INDEX;
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		memset(many[i].ifname, i % 2 ? 'p' : '\033', VX_IF_LEN - 1);
		memset(many[i].why, 'a' + (int)i % 3, sizeof(many[i].why) - 1);
		many[i].hooked = i % 5;
	}
	s.ports = many;
	s.n_ports = ARRAY_LEN(many);
	for (size_t i = 0; i < ARRAY_LEN(crowd); i++) {
		snprintf(crowd[i].name, sizeof(crowd[i].name), "%.*s", (int)i + 1,
			 "abcdefghijklmnopqrstuvwxyz0123456789");
		text_copy(crowd[i].address, sizeof(crowd[i].address), "2001:db8:ffff::ffff");
		text_copy(crowd[i].ifname, sizeof(crowd[i].ifname), "vx-0123456789ab");
		memset(crowd[i].drops, 0x7f, sizeof(crowd[i].drops));
		crowd[i].sum.last_unicast_tx_ns = i % 2 ? NOW : 0;
	}
	s.peers = crowd;
	s.n_peers = ARRAY_LEN(crowd);
	for (enum vx_reason r = 0; r < VX_REASON_MAX; r++)
		s.witness[r].last.time_ns = NOW - SECOND;
	assert_always_narrow(&s);
	s.told.fastpath_why[0] = 'w';
	assert_always_narrow(&s);
	s.up = false;
	memset(s.fault, 'f', sizeof(s.fault) - 1);
	assert_always_narrow(&s);
}

static void down_is_two_lines(void **state)
{
	struct snapshot s = { .told = { .name = "vxbr0", .bridge = "vxbr0" } };
	char *text;

	(void)state;
	text_copy(s.path, sizeof(s.path), "/etc/vxbpf/vxbr0.yaml");
	snapshot_judge(&s);
	text = status_text(&s, false, STATUS_COLUMNS);
	assert_string_equal(text, "vxbr0: down\n  ! not up; run `vxbpf up vxbr0`\n");
	free(text);
	verdicts_free(&s.problems);
}

/* --- JSON */

struct key {
	const char *name;
	enum json_type type;
};

/* Exactly these keys, of these types, in this order. */
static void assert_keys(struct json_object *o, const struct key *keys, size_t n)
{
	size_t i = 0;

	assert_true(json_object_is_type(o, json_type_object));
	assert_int_equal(json_object_object_length(o), n);
	json_object_object_foreach(o, name, value)
	{
		assert_string_equal(name, keys[i].name);
		assert_int_equal(json_object_get_type(value), keys[i].type);
		i++;
	}
}

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(o, key, &value));
	return value;
}

static int64_t number(struct json_object *o, const char *key)
{
	return json_object_get_int64(get(o, key));
}

static const char *text_of(struct json_object *o, const char *key)
{
	return json_object_get_string(get(o, key));
}

static void assert_drops(struct json_object *drops)
{
	static const struct key reasons[] = {
#define VX_REASON(name, label, sentence) { label, json_type_int },
#include "../../include/vxbpf/reasons.def"
#undef VX_REASON
	};

	assert_keys(drops, reasons, ARRAY_LEN(reasons));
}

static const struct key overlay_keys[] = {
	{ "overlay", json_type_string },  { "bridge", json_type_string },
	{ "local", json_type_string },	  { "address", json_type_string },
	{ "address6", json_type_string }, { "port", json_type_int },
	{ "mtu", json_type_int },	  { "state", json_type_string },
	{ "guard", json_type_string },	  { "fastpath", json_type_string },
	{ "config", json_type_string },	  { "underlay", json_type_array },
	{ "peers", json_type_array },	  { "ports", json_type_array },
	{ "drops", json_type_object },	  { "problems", json_type_array },
};

static const struct key peer_keys[] = {
	{ "name", json_type_string },
	{ "address", json_type_string },
	{ "vni", json_type_int },
	{ "ifname", json_type_string },
	{ "state", json_type_string },
	{ "last_seen_ms", json_type_int },
	{ "rx_packets", json_type_int },
	{ "rx_bytes", json_type_int },
	{ "rx_fast_packets", json_type_int },
	{ "rx_bum_packets", json_type_int },
	{ "tx_packets", json_type_int },
	{ "tx_bytes", json_type_int },
	{ "tx_fast_packets", json_type_int },
	{ "tx_bum_packets", json_type_int },
	{ "drops", json_type_object },
};

static const struct key device_keys[] = {
	{ "ifname", json_type_string },
	{ "tc", json_type_string },
	{ "xdp", json_type_string },
};

static const struct key port_keys[] = {
	{ "ifname", json_type_string },	      { "hooked", json_type_boolean },
	{ "accelerated", json_type_boolean }, { "why", json_type_string },
	{ "oversize", json_type_int },
};

static struct json_object *parsed(const struct snapshot *list, size_t n)
{
	char *text = status_json(list, n);
	struct json_object *all = json_tokener_parse(text);

	free(text);
	assert_true(json_object_is_type(all, json_type_array));
	assert_int_equal(json_object_array_length(all), n);
	return all;
}

static void json_has_exactly_these_keys(void **state)
{
	struct snapshot s = made_up();
	struct json_object *all, *o;

	(void)state;
	snapshot_judge(&s);
	all = parsed(&s, 1);
	o = json_object_array_get_idx(all, 0);
	assert_keys(o, overlay_keys, ARRAY_LEN(overlay_keys));
	assert_drops(get(o, "drops"));
	assert_int_equal(json_object_array_length(get(o, "peers")), 3);
	for (size_t i = 0; i < 3; i++) {
		struct json_object *p = json_object_array_get_idx(get(o, "peers"), i);

		assert_keys(p, peer_keys, ARRAY_LEN(peer_keys));
		assert_drops(get(p, "drops"));
	}
	assert_int_equal(json_object_array_length(get(o, "ports")), 2);
	for (size_t i = 0; i < 2; i++)
		assert_keys(json_object_array_get_idx(get(o, "ports"), i), port_keys,
			    ARRAY_LEN(port_keys));
	assert_int_equal(json_object_array_length(get(o, "problems")), 2);
	assert_int_equal(json_object_array_length(get(o, "underlay")), 1);
	assert_keys(json_object_array_get_idx(get(o, "underlay"), 0), device_keys,
		    ARRAY_LEN(device_keys));
	json_object_put(all);
	verdicts_free(&s.problems);
}

static void json_has_these_values(void **state)
{
	struct snapshot s = made_up();
	struct json_object *all, *o, *p;

	(void)state;
	peers[0].sum.rx_bytes = INT64_MAX;
	snapshot_judge(&s);
	all = parsed(&s, 1);
	o = json_object_array_get_idx(all, 0);
	assert_string_equal(text_of(o, "overlay"), "vxbr0");
	assert_string_equal(text_of(o, "bridge"), "br7");
	assert_string_equal(text_of(o, "state"), "degraded");
	assert_string_equal(text_of(o, "guard"), "enforce");
	assert_string_equal(text_of(o, "fastpath"), "on");
	assert_int_equal(number(o, "mtu"), 1450);
	assert_int_equal(number(get(o, "drops"), "unknown_source"), 12345);
	assert_int_equal(number(get(o, "drops"), "nested"), 0);
	p = json_object_array_get_idx(get(o, "peers"), 0);
	assert_string_equal(text_of(p, "state"), "up");
	assert_int_equal(number(p, "last_seen_ms"), 312);
	assert_int_equal(number(p, "rx_bytes"), INT64_MAX);
	assert_int_equal(number(p, "tx_bum_packets"), 5);
	assert_int_equal(number(get(p, "drops"), "oversize"), 22);
	p = json_object_array_get_idx(get(o, "peers"), 2);
	assert_string_equal(text_of(p, "state"), "never");
	assert_int_equal(number(p, "last_seen_ms"), -1);
	assert_int_equal(number(p, "vni"), 16777215);
	p = json_object_array_get_idx(get(o, "ports"), 1);
	assert_false(json_object_get_boolean(get(p, "hooked")));
	assert_int_equal(number(p, "oversize"), 22);
	p = json_object_array_get_idx(get(o, "problems"), 1);
	assert_string_equal(text_of(p, "id"), "peer_silent");
	assert_string_equal(text_of(p, "about"), "gamma");
	json_object_put(all);
	verdicts_free(&s.problems);
}

static void json_of_nothing_is_an_empty_array(void **state)
{
	(void)state;
	json_object_put(parsed(NULL, 0));
}

static void json_of_down_has_every_key(void **state)
{
	struct snapshot s = { .told = { .name = "vxbr0", .bridge = "vxbr0" } };
	struct json_object *all;

	(void)state;
	snapshot_judge(&s);
	all = parsed(&s, 1);
	assert_keys(json_object_array_get_idx(all, 0), overlay_keys, ARRAY_LEN(overlay_keys));
	assert_string_equal(text_of(json_object_array_get_idx(all, 0), "state"), "down");
	json_object_put(all);
	verdicts_free(&s.problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_is_exact),
		cmocka_unit_test(counted_is_not_dropped),
		cmocka_unit_test(colour_only_where_asked),
		cmocka_unit_test(longest_names_fit_100_columns),
		cmocka_unit_test(narrow_terminal_has_fewer_columns),
		cmocka_unit_test(narrow_in_every_state),
		cmocka_unit_test(down_is_two_lines),
		cmocka_unit_test(json_has_exactly_these_keys),
		cmocka_unit_test(json_has_these_values),
		cmocka_unit_test(json_of_nothing_is_an_empty_array),
		cmocka_unit_test(json_of_down_has_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
