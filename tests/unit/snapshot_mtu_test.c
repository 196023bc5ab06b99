// SPDX-License-Identifier: GPL-2.0
/* Whose packets are too large, and what is said about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "diagnose/judge.h"
#include "diagnose/snapshot_say.h"
#include "snapshot/snapshot.h"

#define SECOND 1000000000ULL
#define NOW (1000 * SECOND)
#define PORTS 9

static struct snapshot_port ports[PORTS];

/* An overlay of 1450 with the host, c1 and c2 on it, all of the same size. */
static struct snapshot all_fit(void)
{
	struct snapshot s = { .up = true, .layout = VX_LAYOUT, .now_ns = NOW };

	s.told = (struct vx_overlay){ .name = "vxbr0", .bridge = "vxbr0", .mtu = 1450 };
	for (size_t i = 0; i < PORTS; i++) {
		ports[i] = (struct snapshot_port){
			.hooked = true, .veth = i > 0, .mtu = 1450, .far_mtu = i ? 1450 : 0
		};
		snprintf(ports[i].ifname, sizeof(ports[i].ifname), i ? "c%zu" : "vxbr0", i);
	}
	s.ports = ports;
	s.n_ports = 3;
	return s;
}

static void assert_says(struct snapshot *s, const char *sentence)
{
	snapshot_judge(s);
	assert_int_equal(s->state, SNAPSHOT_UP);
	assert_int_equal(s->problems.n, sentence ? 1 : 0);
	if (sentence)
		assert_string_equal(s->problems.v[0].text, sentence);
	verdicts_free(&s->problems);
}

static void drop_now(struct snapshot *s)
{
	s->witness[VX_REASON_OVERSIZE].last.time_ns = NOW - SECOND;
	s->drops[VX_REASON_OVERSIZE] = 23;
}

static void each_fit(void **state)
{
	static const struct {
		uint32_t mtu, far, overlay;
		bool sent, dropped;
		enum port_fit fit;
	} rows[] = {
		{ 1450, 1450, 1450, false, false, PORT_FITS },
		{ 1450, 1450, 1450, false, true, PORT_FITS }, /* of an MTU it had before */
		{ 1450, 1450, 1450, true, false, PORT_SENT_BEFORE },
		{ 1450, 1400, 1450, false, false, PORT_FITS },
		{ 1500, 1500, 1450, false, false, PORT_TOO_LARGE },
		{ 1500, 1500, 1450, true, false, PORT_SENT },
		{ 1450, 1500, 1450, false, false, PORT_TOO_LARGE },
		{ 1450, 1500, 1450, false, true, PORT_TORN },
		{ 1500, 9000, 1450, true, true, PORT_TORN },
		{ 1500, 1500, 1450, false, true, PORT_TOO_LARGE },
		{ 1450, 8950, 8950, false, false, PORT_NARROW },
		{ 1400, 1500, 1450, false, true, PORT_NARROW },
		{ 1450, 0, 1450, false, false, PORT_FITS },
		{ 1450, 0, 1450, false, true, PORT_LOSES },
		{ 1450, 0, 1450, true, false, PORT_SENT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct snapshot_port p = { .veth = true,
						 .mtu = rows[i].mtu,
						 .far_mtu = rows[i].far,
						 .oversize = rows[i].sent ? 23 : 0,
						 .rx_dropped = rows[i].dropped ? 7 : 0 };

		if (snapshot_port_fit(&p, rows[i].overlay, rows[i].sent) != rows[i].fit)
			fail_msg("row %zu", i);
		/* Long ago is no news. */
		assert_true(snapshot_port_fit(&p, rows[i].overlay, false) != PORT_SENT);
	}
}

static void sender_is_named(void **state)
{
	struct snapshot s = all_fit();

	(void)state;
	drop_now(&s);
	assert_says(&s, "packets larger than 1450 bytes (23 dropped, the last 1.0 s ago) from a "
			"port that no longer exists");
	ports[2].oversize = 23;
	ports[2].largest = 1500;
	ports[2].far_mtu = 1500;
	assert_says(&s, "c2 sent 23 frames of up to 1500 bytes, too large for the overlay; set the "
			"container's MTU to 1450");
	ports[2].oversize = 1;
	assert_says(&s, "c2 sent 1 frame of up to 1500 bytes, too large for the overlay; set the "
			"container's MTU to 1450");
	ports[2].far_mtu = 1430;
	assert_says(&s, "c2 sent 1 frame of up to 1500 bytes, too large for the overlay; the "
			"container's MTU is 1430 now");
	ports[2].far_mtu = 0;
	ports[2].veth = false;
	assert_says(&s, "c2 sent 1 frame of up to 1500 bytes, too large for the overlay; set the "
			"MTU of the device behind it to 1450");
	ports[2].oversize = 0;
	ports[0].oversize = 5;
	ports[0].largest = 9000;
	assert_says(&s, "vxbr0 sent 5 frames of up to 9000 bytes, too large for the overlay; set "
			"the MTU of traffic this host sends or routes there to 1450");
	s.witness[VX_REASON_OVERSIZE].last.time_ns = NOW - 301 * SECOND;
	assert_says(&s, NULL);
}

static void ends_are_compared_without_traffic(void **state)
{
	struct snapshot s = all_fit();

	(void)state;
	assert_says(&s, NULL);
	ports[1].far_mtu = 1500;
	assert_says(&s, "c1: the container's end has MTU 1500 and the overlay 1450; set the "
			"container's MTU to 1450");
	ports[1].rx_dropped = 7;
	assert_says(&s, "c1: the container's end has MTU 1500 and this end 1450, so 7 packets were "
			"dropped between them; set the container's MTU to 1450");
	ports[1].far_mtu = 0;
	ports[1].rx_dropped = 1;
	assert_says(&s, "c1: 1 packet was dropped on receive, probably because the container's end "
			"has a larger MTU than this end (1450); set the container's MTU to 1450");
	s.told.mtu = 8950;
	ports[1].far_mtu = 8950;
	assert_says(&s, "c1: the container's end has MTU 8950 and this end only 1450, so larger "
			"packets are dropped between them; set both to 8950");
}

/* Who has lost packets comes before who may. */
static void five_are_named(void **state)
{
	struct snapshot s = all_fit();

	(void)state;
	s.n_ports = PORTS;
	for (size_t i = 1; i < PORTS; i++)
		ports[i].mtu = ports[i].far_mtu = 1500;
	ports[PORTS - 1].oversize = 23;
	ports[PORTS - 1].largest = 1500;
	drop_now(&s);
	snapshot_judge(&s);
	assert_int_equal(s.problems.n, 6);
	assert_non_null(strstr(s.problems.v[0].text, "c8 sent 23 frames"));
	assert_non_null(strstr(s.problems.v[1].text, "c1: the container's end has MTU 1500"));
	assert_string_equal(s.problems.v[5].text,
			    "3 more ports have an MTU larger than the overlay's 1450");
	verdicts_free(&s.problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fit),
		cmocka_unit_test(sender_is_named),
		cmocka_unit_test(ends_are_compared_without_traffic),
		cmocka_unit_test(five_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
