// SPDX-License-Identifier: GPL-2.0
/* The text for Prometheus: what is always there, what is never there twice, and which names are safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "diagnose/judge.h"
#include "show/metrics.h"

#define SECOND 1000000000ULL
#define NOW (1000 * SECOND)

static const struct metrics_now now = { .real_ns = 1700000000 * SECOND + 123456789,
					.mono_ns = NOW };

static struct snapshot_peer peers[2];
static struct snapshot_port ports[2];
static struct snapshot_device device;

static struct snapshot made_up(void)
{
	struct snapshot s = { .up = true, .layout = VX_LAYOUT, .now_ns = NOW };

	s.told = (struct vx_overlay){ .name = "vxbr0",
				      .bridge = "br7",
				      .local = "alpha",
				      .address = "192.0.2.1",
				      .mtu = 1450 };
	s.tables = (struct snapshot_tables){ .flows = 23, .fresh_flows = 7, .fdb = 31 };
	memset(peers, 0, sizeof(peers));
	text_copy(peers[0].name, sizeof(peers[0].name), "beta");
	text_copy(peers[0].address, sizeof(peers[0].address), "192.0.2.2");
	text_copy(peers[0].ifname, sizeof(peers[0].ifname), "vx-beta");
	peers[0].vni = 14130525;
	peers[0].sum = (struct vx_counters){ .rx_packets = 18446744073709551615ULL,
					     .rx_bytes = 2,
					     .tx_packets = 3,
					     .tx_bytes = 4,
					     .rx_fast_packets = 5,
					     .tx_fast_packets = 6,
					     .rx_bum_packets = 7,
					     .tx_bum_packets = 8,
					     .flood_copies = 9,
					     .last_rx_ns = NOW - 2 * SECOND };
	peers[0].drops[VX_REASON_LOOP] = 11;
	text_copy(peers[1].name, sizeof(peers[1].name), "gamma");
	ports[0] = (struct snapshot_port){ .ifname = "br7", .hooked = true };
	ports[1] = (struct snapshot_port){ .ifname = "veth1",
					   .hooked = true,
					   .accelerated = true,
					   .oversize = 13,
					   .largest = 1500 };
	device = (struct snapshot_device){ .ifname = "eth0", .tc = "tcx", .xdp = "off" };
	s.drops[VX_REASON_UNKNOWN_SOURCE] = 12;
	s.peers = peers;
	s.n_peers = 2;
	s.ports = ports;
	s.n_ports = 2;
	s.devices = &device;
	s.n_devices = 1;
	return s;
}

static char *text_of(struct snapshot *list, size_t n)
{
	char *text;

	for (size_t i = 0; i < n; i++)
		snapshot_judge(&list[i]);
	text = metrics_text(list, n, &now);
	for (size_t i = 0; i < n; i++)
		verdicts_free(&list[i].problems);
	assert_non_null(text);
	return text;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* The line is there, whole, and once. */
static void assert_line(const char *text, const char *line)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (count(text, whole) != 1)
		fail_msg("%u times '%s' in:\n%s", count(text, whole), line, text);
}

/* Every line of a metric stands between its own HELP and the next one, and none is there twice. */
static void assert_sound(const char *text)
{
	char metric[128] = "", name[128];
	size_t len = strlen(text);

	assert_int_equal(text[len - 1], '\n');
	assert_int_equal(count(text, "\n\n"), 0);
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		char whole[512];

		if (sscanf(line, "# HELP %127s", name) == 1) {
			snprintf(metric, sizeof(metric), "# TYPE %.100s ", name);
			assert_int_equal(count(text, metric), 1);
			snprintf(metric, sizeof(metric), "# HELP %.100s ", name);
			assert_int_equal(count(text, metric), 1);
			text_copy(metric, sizeof(metric), name);
		} else if (line[0] != '#') {
			assert_int_equal(strncmp(line, metric, strlen(metric)), 0);
			assert_non_null(strchr("{ ", line[strlen(metric)]));
			snprintf(whole, sizeof(whole), "\n%.*s ", (int)strcspn(line, " "), line);
			assert_int_equal(count(text, whole), 1);
		}
	}
}

static void numbers_are_all_there(void **state)
{
	struct snapshot s = made_up();
	char *text = text_of(&s, 1);

	(void)state;
	assert_sound(text);
	assert_line(text, "vxbpf_build_info{version=\"" VXBPF_VERSION "\"} 1");
	assert_line(text, "vxbpf_overlay_up{overlay=\"vxbr0\"} 1");
	assert_line(text, "vxbpf_overlay_degraded{overlay=\"vxbr0\"} 0");
	assert_line(text, "vxbpf_overlay_info{overlay=\"vxbr0\",bridge=\"br7\",local=\"alpha\","
			  "address=\"192.0.2.1\",guard=\"enforce\"} 1");
	assert_line(text, "vxbpf_overlay_mtu_bytes{overlay=\"vxbr0\"} 1450");
	assert_line(text, "vxbpf_fastpath_enabled{overlay=\"vxbr0\"} 1");
	assert_line(text, "vxbpf_flows{overlay=\"vxbr0\"} 23");
	assert_line(text, "vxbpf_fresh_flows{overlay=\"vxbr0\"} 7");
	assert_line(text, "vxbpf_fdb_entries{overlay=\"vxbr0\"} 31");
	assert_line(text, "vxbpf_peer_info{overlay=\"vxbr0\",peer=\"beta\",device=\"vx-beta\","
			  "remote=\"192.0.2.2\",vni=\"14130525\"} 1");
#define BETA "{overlay=\"vxbr0\",peer=\"beta\"} "
	assert_line(text, "vxbpf_peer_up" BETA "1");
	assert_line(text, "vxbpf_peer_tunnel_up" BETA "1");
	assert_line(text, "vxbpf_peer_last_receive_timestamp_seconds" BETA "1699999998.123");
	assert_line(text, "vxbpf_peer_receive_packets_total" BETA "18446744073709551615");
	assert_line(text, "vxbpf_peer_receive_bytes_total" BETA "2");
	assert_line(text, "vxbpf_peer_transmit_packets_total" BETA "3");
	assert_line(text, "vxbpf_peer_transmit_bytes_total" BETA "4");
	assert_line(text, "vxbpf_peer_receive_fast_packets_total" BETA "5");
	assert_line(text, "vxbpf_peer_transmit_fast_packets_total" BETA "6");
	assert_line(text, "vxbpf_peer_receive_bum_packets_total" BETA "7");
	assert_line(text, "vxbpf_peer_transmit_bum_packets_total" BETA "8");
	assert_line(text, "vxbpf_peer_flood_copies_total" BETA "9");
#define VETH1 "{overlay=\"vxbr0\",port=\"veth1\"} "
	assert_line(text, "vxbpf_port_hooked" VETH1 "1");
	assert_line(text, "vxbpf_port_accelerated" VETH1 "1");
	assert_line(text, "vxbpf_port_oversize_packets_total" VETH1 "13");
	assert_line(text, "vxbpf_port_oversize_largest_bytes" VETH1 "1500");
	assert_line(text, "vxbpf_underlay_guarded{overlay=\"vxbr0\",device=\"eth0\"} 1");
	/* Who has the last line has all of it. */
	assert_string_equal(strstr(text, "\nvxbpf_export_timestamp_seconds"),
			    "\nvxbpf_export_timestamp_seconds 1700000000.123\n");
	assert_int_equal(count(text, "vxbpf_overlay_unmet{"), 0);
	free(text);
}

static void zeros_are_there_too(void **state)
{
	struct snapshot s = made_up();
	char *text = text_of(&s, 1), line[256];

	(void)state;
	assert_line(text, "vxbpf_peer_receive_bytes_total{overlay=\"vxbr0\",peer=\"gamma\"} 0");
	assert_line(text,
		    "vxbpf_peer_last_receive_timestamp_seconds{overlay=\"vxbr0\",peer=\"gamma\"} "
		    "0.000");
	for (enum vx_reason r = VX_REASON_NONE + 1; r < VX_REASON_MAX; r++) {
		snprintf(
			line, sizeof(line),
			"vxbpf_dropped_packets_total{overlay=\"vxbr0\",peer=\"\",reason=\"%s\"} %d",
			reason_label(r), r == VX_REASON_UNKNOWN_SOURCE ? 12 : 0);
		assert_line(text, line);
		snprintf(line, sizeof(line),
			 "vxbpf_dropped_packets_total{overlay=\"vxbr0\",peer=\"beta\",reason=\"%"
			 "s\"} "
			 "%d",
			 reason_label(r), r == VX_REASON_LOOP ? 11 : 0);
		assert_line(text, line);
	}
	assert_int_equal(count(text, "\nvxbpf_dropped_packets_total{"), 3 * (VX_REASON_MAX - 1));
	free(text);
}

static void overlays_share_their_metrics(void **state)
{
	struct snapshot list[2] = { made_up(), made_up() };
	char *text;

	(void)state;
	text_copy(list[1].told.name, sizeof(list[1].told.name), "other");
	text = text_of(list, 2);
	assert_sound(text);
	assert_line(text, "vxbpf_peer_receive_bytes_total{overlay=\"vxbr0\",peer=\"beta\"} 2");
	assert_line(text, "vxbpf_peer_receive_bytes_total{overlay=\"other\",peer=\"beta\"} 2");
	assert_int_equal(count(text, "\nvxbpf_build_info{"), 1);
	free(text);
}

static void down_overlay_says_so_and_no_more(void **state)
{
	struct snapshot list[2] = { made_up() };
	char *text;

	(void)state;
	text_copy(list[1].told.name, sizeof(list[1].told.name), "other");
	text = text_of(list, 2);
	assert_sound(text);
	assert_line(text, "vxbpf_overlay_up{overlay=\"vxbr0\"} 1");
	assert_line(text, "vxbpf_overlay_up{overlay=\"other\"} 0");
	assert_line(text, "vxbpf_overlay_degraded{overlay=\"other\"} 0");
	assert_int_equal(count(text, "overlay=\"other\""), 2);
	free(text);
	/* It runs, by another version. */
	list[1].layout = VX_LAYOUT + 1;
	text = text_of(list, 2);
	assert_line(text, "vxbpf_overlay_up{overlay=\"other\"} 1");
	assert_line(text, "vxbpf_overlay_degraded{overlay=\"other\"} 1");
	assert_int_equal(count(text, "overlay=\"other\""), 2);
	free(text);
}

static void no_overlay_is_a_text_too(void **state)
{
	char *text = text_of(NULL, 0);

	(void)state;
	assert_sound(text);
	assert_line(text, "vxbpf_build_info{version=\"" VXBPF_VERSION "\"} 1");
	assert_int_equal(count(text, "overlay=\""), 0);
	free(text);
}

static void assert_degraded(struct snapshot *s, bool degraded)
{
	char *text = text_of(s, 1), line[64];

	snprintf(line, sizeof(line), "vxbpf_overlay_degraded{overlay=\"vxbr0\"} %d", degraded);
	assert_line(text, line);
	assert_line(text, "vxbpf_overlay_up{overlay=\"vxbr0\"} 1");
	free(text);
}

static void degraded_is_what_is_seen(void **state)
{
	struct snapshot s = made_up();

	(void)state;
	assert_degraded(&s, false);
	ports[1].hooked = false;
	assert_degraded(&s, true);
	s = made_up();
	peers[1].lost = true;
	assert_degraded(&s, true);
	s = made_up();
	text_copy(device.tc, sizeof(device.tc), "none");
	assert_degraded(&s, true);
	s = made_up();
	s.watched = s.unmet = true;
	assert_degraded(&s, true);
	s = made_up();
	peers[1].sum.last_unicast_tx_ns = NOW;
	assert_degraded(&s, true);
}

static void silent_is_not_up_and_idle_is(void **state)
{
	struct snapshot s = made_up();
	char *text;

	(void)state;
	peers[0].sum.last_rx_ns = NOW - 45 * SECOND; /* idle */
	text = text_of(&s, 1);
	assert_line(text, "vxbpf_peer_up{overlay=\"vxbr0\",peer=\"beta\"} 1");
	assert_line(text, "vxbpf_peer_up{overlay=\"vxbr0\",peer=\"gamma\"} 1"); /* never */
	free(text);
	peers[0].sum.last_unicast_tx_ns = NOW;
	text = text_of(&s, 1);
	assert_line(text, "vxbpf_peer_up{overlay=\"vxbr0\",peer=\"beta\"} 0");
	free(text);
}

static void watch_says_what_it_knows(void **state)
{
	struct snapshot list[2] = { made_up() };
	char *text;

	(void)state;
	list[0].watched = list[1].watched = list[1].unmet = true;
	text_copy(list[1].told.name, sizeof(list[1].told.name), "other");
	text = text_of(list, 2);
	assert_line(text, "vxbpf_overlay_unmet{overlay=\"vxbr0\"} 0");
	assert_line(text, "vxbpf_overlay_unmet{overlay=\"other\"} 1");
	free(text);
}

/* A name with anything in it breaks nothing, and no two become one. */
static void names_are_escaped(void **state)
{
	static const struct {
		const char *name, *shown;
	} rows[] = {
		{ "a\"b", "a\\\"b" },	     { "a\\b", "a\\\\x5cb" },
		{ "a\nb", "a\\\\x0ab" },     { "a\x1b", "a\\\\x1b" },
		{ "a\\x1b", "a\\\\x5cx1b" }, { "a\xff", "a\\\\xff" },
		{ "a\\xff", "a\\\\x5cxff" }, { "p\xe2\x82\xac", "p\xe2\x82\xac" },
		{ "{},= #", "{},= #" },
	};
	struct snapshot s = made_up();
	char line[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text;

		text_copy(ports[1].ifname, sizeof(ports[1].ifname), rows[i].name);
		text = text_of(&s, 1);
		snprintf(line, sizeof(line), "vxbpf_port_hooked{overlay=\"vxbr0\",port=\"%s\"} 1",
			 rows[i].shown);
		assert_line(text, line);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(rows[i].shown, rows[k].shown);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_all_there),
		cmocka_unit_test(zeros_are_there_too),
		cmocka_unit_test(overlays_share_their_metrics),
		cmocka_unit_test(down_overlay_says_so_and_no_more),
		cmocka_unit_test(no_overlay_is_a_text_too),
		cmocka_unit_test(degraded_is_what_is_seen),
		cmocka_unit_test(silent_is_not_up_and_idle_is),
		cmocka_unit_test(watch_says_what_it_knows),
		cmocka_unit_test(names_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
