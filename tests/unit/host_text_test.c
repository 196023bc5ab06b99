// SPDX-License-Identifier: GPL-2.0
/* Files of the kernel and of other programs, as they were found. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "diagnose/host.h"

static void sockets_are_found(void **state)
{
	static const char udp4[] =
		"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
		"uid  timeout inode ref pointer drops            \n"
		"10960: 00000000:12B5 00000000:0000 07 00000000:00000000 00:00000000 00000000     "
		"0        0 7748842 2 00000000b2ff4ee0 0       \n"
		" 6224: 010200C0:12B5 00000000:0000 07 00000000:00000000 00:00000000 00000000   "
		"998        0 21 2 00000000b2ff4ee0 0       \n"
		" 6225: 010200C0:12B6 00000000:0000 07 00000000:00000000 00:00000000 00000000   "
		"998        0 22 2 00000000b2ff4ee0 0       \n";
	static const char udp6[] =
		"  sl  local_address                         remote_address                        "
		"st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
		" 6224: B80D0120000000000000000001000000:12B5 "
		"00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000   "
		"  0        0 33 2 0000000000000000 0\n";
	struct host_bound bound[3];
	char text[IP_TEXT];

	(void)state;
	assert_int_equal(host_parse_udp(udp4, false, 4789, bound, 3), 2);
	assert_int_equal(bound[0].inode, 7748842);
	assert_int_equal(bound[1].inode, 21);
	ip_format(&bound[1].address, text);
	assert_string_equal(text, "192.0.2.1");
	assert_int_equal(host_parse_udp(udp4, false, 4789, bound, 1), 1);
	assert_int_equal(host_parse_udp(udp6, true, 4789, bound, 3), 1);
	assert_int_equal(bound[0].inode, 33);
	ip_format(&bound[0].address, text);
	assert_string_equal(text, "2001:db8::1");
	assert_int_equal(host_parse_udp(udp6, false, 4789, bound, 3), 0);
	assert_int_equal(host_parse_udp("", false, 4789, bound, 3), 0);
}

static void numbers_are_found(void **state)
{
	static const char snmp[] =
		"Tcp: RtoAlgorithm RtoMin RtoMax MaxConn InSegs InErrs OutRsts InCsumErrors\n"
		"Tcp: 1 200 120000 -1 11 12 13 14\n"
		"Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
		"InCsumErrors IgnoredMulti MemErrors\n"
		"Udp: 1 2 3 4 5 6 7 8 9\n"
		"UdpLite: InDatagrams NoPorts\n"
		"UdpLite: 55 66\n";
	uint64_t n = 99;

	(void)state;
	assert_true(host_parse_snmp(snmp, "Udp", "InCsumErrors", &n));
	assert_int_equal(n, 7);
	assert_true(host_parse_snmp(snmp, "Udp", "MemErrors", &n));
	assert_int_equal(n, 9);
	assert_true(host_parse_snmp(snmp, "Tcp", "InSegs", &n));
	assert_int_equal(n, 11);
	assert_true(host_parse_snmp(snmp, "UdpLite", "InDatagrams", &n));
	assert_int_equal(n, 55);
	assert_false(host_parse_snmp(snmp, "Udp", "Errors", &n));
	assert_false(host_parse_snmp(snmp, "Icmp", "InMsgs", &n));
	assert_false(host_parse_snmp("Udp: A B\n", "Udp", "B", &n));
	assert_false(host_parse_snmp("Udp: A B\nUdp: 1", "Udp", "B", &n));
	assert_int_equal(n, 55);
}

static void lines_are_found(void **state)
{
	/* NetworkManager 1.42 and systemd-networkd 252 wrote these. */
	static const char manager[] =
		"[device]\nmanaged=true\nperm-hw-addr-fake=FE:D5:85:93:D5:FB\n"
		"nm-owned=false\n";
	static const char networkd[] = "# This is private data. Do not parse.\n"
				       "ADMIN_STATE=configuring\nOPER_STATE=degraded\n";
	static const char snmp6[] = "Udp6InDatagrams                 \t12\n"
				    "Udp6InCsumErrors                \t3\n";
	char value[12];

	(void)state;
	assert_true(host_parse_line(manager, "managed", value, sizeof(value)));
	assert_string_equal(value, "true");
	assert_true(host_parse_line(networkd, "ADMIN_STATE", value, sizeof(value)));
	assert_string_equal(value, "configuring");
	assert_true(host_parse_line(snmp6, "Udp6InCsumErrors", value, sizeof(value)));
	assert_string_equal(value, "3");
	assert_false(host_parse_line(snmp6, "Udp6In", value, sizeof(value)));
	assert_false(host_parse_line("managed", "managed", value, sizeof(value)));
	assert_false(host_parse_line("", "managed", value, sizeof(value)));
}

static void modules_are_found(void **state)
{
	static const char dep[] =
		"kernel/net/ipv4/udp_tunnel.ko:\n"
		"kernel/drivers/net/vxlan/vxlan.ko.xz: kernel/net/ipv6/ip6_udp_tunnel.ko\n"
		"kernel/net/bridge/br_netfilter.ko: kernel/net/bridge/bridge.ko\n";

	(void)state;
	assert_true(host_parse_modules(dep, "vxlan"));
	assert_true(host_parse_modules(dep, "udp_tunnel"));
	assert_true(host_parse_modules(dep, "br_netfilter"));
	assert_false(host_parse_modules(dep, "bridge"));
	assert_false(host_parse_modules(dep, "ip6_udp_tunnel"));
	assert_false(host_parse_modules(dep, "lan"));
	assert_true(host_parse_modules("kernel/net/bridge/bridge.ko\n", "bridge"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_are_found),
		cmocka_unit_test(numbers_are_found),
		cmocka_unit_test(lines_are_found),
		cmocka_unit_test(modules_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
