// SPDX-License-Identifier: GPL-2.0
/*
 * Every refusal of a config file, with its exact sentence: users read these. A table, so longer
 * than other files.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"

/* clang-format off */
#define FILE_KEYS \
	"port, mtu, vni, vni_salt, guard, fastpath, xdp, clamp_mss, udp_checksum, mark, bridge, underlay, " \
	"local, peers"
#define HOST_KEYS "name, address, address6, bind, bridge_address"
#define DEVICE "must be a device name: 1 to 15 characters, no white space, '/', ':' or '%'"
#define NAME "must be 1 to 32 of the characters A-Z a-z 0-9 . _ - and not . or .."
#define PREFIX "must be an address and its prefix length, such as 203.0.113.3/24"
#define MARK "must be a number with exactly one of 32 bits set, such as 0x40000000"
#define PORT "must be a number from 1 to 65535"
#define MTU "must be auto or a number from 576 to 65000"
#define PEERS "must be a list of 1 to 1000 hosts"
#define ADDRESS "must be an IPv4 or IPv6 address"
#define FILE_NAME \
	"file name: must be OVERLAY.yaml, where OVERLAY is 1 to 15 of the characters A-Z a-z " \
	"0-9 _ -"
#define P "peers:\n- {name: a, address: 192.0.2.1}\n- {name: b, address: 192.0.2.2}\n"

/* Text of vxbr0.yaml -> the refusal without "vxbr0.yaml:". */
static const struct { const char *text, *want; } files[] = {
	{ "", " peers: is missing because the file is empty" },
	{ "# only a comment\n", " peers: is missing because the file is empty" },
	{ "\n---\n", "3: must be a mapping with the keys " FILE_KEYS ", not empty" },
	{ "- a\n- b\n", "1: must be a mapping with the keys " FILE_KEYS ", not a list of 2" },
	{ "peers\n", "1: must be a mapping with the keys " FILE_KEYS ", not peers" },
	{ "peers: [\n", "2: not YAML: did not find expected node content" },
	{ "peers: {\n  a: b\n", "3: not YAML: did not find expected ',' or '}'" },
	{ "port: 1\n  peers: 2\n",
	  "2: not YAML: mapping values are not allowed in this context" },
	{ "a: b: c\n", "1: not YAML: mapping values are not allowed in this context" },
	{ "\tport: 1\n", "1: not YAML: found character that cannot start any token" },
	{ "port: 1\nmtu: @x\n", "2: not YAML: found character that cannot start any token" },
	{ "port: 'x\n", "2: not YAML: found unexpected end of stream" },
	{ "port: 4789\npe\001ers: []\n", "2: not YAML: control characters are not allowed" },
	{ "port: 1\n\377\376\n", "2: not YAML: invalid leading UTF-8 octet" },
	{ "port: \"\\0\"\n" P, "1: port: a value in this file contains a control character" },
	{ "port: 1\n\"a\\nb\": 1\n", "2: a value in this file contains a control character" },
	{ P "---\nport: 1\n", "4: a second YAML document starts here, but only one is allowed" },
	{ P "...\nport: 1\n", "5: not YAML: did not find expected <document start>" },
	{ "port: &p 1\n" P,
	  "1: port: YAML anchors (&name) are not allowed; repeat the value" },
	{ "mtu: *p\n" P, "1: mtu: YAML aliases (*name) are not allowed; repeat the value" },
	{ "port: !!int 1\n" P, "1: port: YAML tags (!name) are not allowed" },
	{ "peers: !x []\n", "1: peers: YAML tags (!name) are not allowed" },
	{ "peers: &x []\n",
	  "1: peers: YAML anchors (&name) are not allowed; repeat the value" },
	{ "%YAML 1.1\n---\n" P, "1: YAML directives (%NAME) are not allowed" },
	{ "port: 1\n%TAG ! x\n" P, "2: YAML directives (%NAME) are not allowed" },
	{ "# a remark\r%TAG ! x\n" P, "1: YAML directives (%NAME) are not allowed" },
	{ "\357\273\277%YAML 1.1\n---\n" P, "1: YAML directives (%NAME) are not allowed" },
	{ "#\302\205%YAML 1.1\n---\n" P, "1: YAML directives (%NAME) are not allowed" },
	{ "#\342\200\250%YAML 1.1\n---\n" P, "1: YAML directives (%NAME) are not allowed" },
	{ "#\342\200\251%YAML 1.1\n---\n" P, "1: YAML directives (%NAME) are not allowed" },
	{ "? [a]\n: b\n", "1: a key must be a scalar, not a list or mapping" },
	{ "? {a: b}\n: b\n", "1: a key must be a scalar, not a list or mapping" },
	{ "<<: {port: 1}\n" P, "1: <<: unknown key; known keys are " FILE_KEYS },
	{ "peers: [[[[[[[[[[]]]]]]]]]]\n",
	  "1: peers[0][0][0][0][0][0][0]: lists and mappings nested too deeply" },
	{ "prot: 4789\n" P, "1: prot: unknown key; known keys are " FILE_KEYS },
	{ "Port: 4789\n" P, "1: Port: unknown key; known keys are " FILE_KEYS },
	{ "port: 1\nport: 1\n" P, "2: port: duplicate key, first on line 1" },
	{ "port: 1\n\"port\": 1\n" P, "2: port: duplicate key, first on line 1" },
	{ "port: 1\n", "1: peers: is missing" },
	{ "peers:\n- {name: a, address: 192.0.2.1, adress6: fd00::1}\n",
	  "2: peers[0].adress6: unknown key; known keys are " HOST_KEYS },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  name: b\n",
	  "4: peers[0].name: duplicate key, first on line 2" },
	{ "peers:\n- {name: a, address: 192.0.2.1}\n- name: b\n",
	  "3: peers[1]: address is missing" },
	{ "peers:\n- {address: 192.0.2.1}\n", "2: peers[0]: name is missing" },
	{ "peers: [{}]\n", "1: peers[0]: name is missing" },
	{ "a-key-of-more-than-forty-four-characters-is-cut: 1\n",
	  "1: a-key-of-more-than-forty-four-characters-is-...: unknown key; known keys are " FILE_KEYS },
	{ "\303\251: 1\n", "1: ??: unknown key; known keys are " FILE_KEYS },
	{ "port: \"4789\"\n" P, "1: port: " PORT ", not \"4789\"" },
	{ "port: 4789.0\n" P, "1: port: " PORT ", not 4789.0" },
	{ "port: -1\n" P, "1: port: " PORT ", not -1" },
	{ "port: +1\n" P, "1: port: " PORT ", not +1" },
	{ "port: 0\n" P, "1: port: " PORT ", not 0" },
	{ "port: 65536\n" P, "1: port: " PORT ", not 65536" },
	{ "port: 04789\n" P, "1: port: " PORT ", not 04789" },
	{ "port: 0x\n" P, "1: port: " PORT ", not 0x" },
	{ "port: 1e3\n" P, "1: port: " PORT ", not 1e3" },
	{ "port: 99999999999999999999999\n" P,
	  "1: port: " PORT ", not 99999999999999999999999" },
	{ "port:\n" P, "1: port: " PORT ", not empty" },
	{ "port: [4789]\n" P, "1: port: " PORT ", not a list of 1" },
	{ "port: {}\n" P, "1: port: " PORT ", not an empty mapping" },
	{ "port: ~\n" P, "1: port: " PORT ", not ~" },
	{ "mtu: \"1400\"\n" P, "1: mtu: " MTU ", not \"1400\"" },
	{ "mtu: 575\n" P, "1: mtu: " MTU ", not 575" },
	{ "mtu: 65001\n" P, "1: mtu: " MTU ", not 65001" },
	{ "mtu: Auto\n" P, "1: mtu: " MTU ", not Auto" },
	{ "mtu: []\n" P, "1: mtu: " MTU ", not an empty list" },
	{ "vni: pairs\n" P, "1: vni: must be pair or index, not pairs" },
	{ "vni_salt: -1\n" P, "1: vni_salt: must be a number from 0 to 4294967295, not -1" },
	{ "vni_salt: 4294967296\n" P,
	  "1: vni_salt: must be a number from 0 to 4294967295, not 4294967296" },
	{ "guard: on\n" P, "1: guard: must be enforce, observe or off, not on" },
	{ "guard: [off]\n" P, "1: guard: must be enforce, observe or off, not a list of 1" },
	{ "fastpath: true\n" P, "1: fastpath: must be auto, on or off, not true" },
	{ "xdp: generic\n" P, "1: xdp: must be auto, on or off, not generic" },
	{ "clamp_mss: yes\n" P, "1: clamp_mss: must be true or false, not yes" },
	{ "clamp_mss: \"true\"\n" P, "1: clamp_mss: must be true or false, not \"true\"" },
	{ "clamp_mss: 1\n" P, "1: clamp_mss: must be true or false, not 1" },
	{ "mark: 0\n" P, "1: mark: " MARK ", not 0" },
	{ "mark: 3\n" P, "1: mark: " MARK ", not 3" },
	{ "mark: 0x100000000\n" P, "1: mark: " MARK ", not 0x100000000" },
	{ "mark: '1'\n" P, "1: mark: " MARK ", not \"1\"" },
	{ "mark: 0x40000000x\n" P, "1: mark: " MARK ", not 0x40000000x" },
	{ "bridge: \"\"\n" P, "1: bridge: " DEVICE ", not \"\"" },
	{ "bridge: abcdefghijklmnop\n" P, "1: bridge: " DEVICE ", not abcdefghijklmnop" },
	{ "bridge: a/b\n" P, "1: bridge: " DEVICE ", not a/b" },
	{ "bridge: \"a b\"\n" P, "1: bridge: " DEVICE ", not \"a b\"" },
	{ "bridge: br:0\n" P, "1: bridge: " DEVICE ", not br:0" },
	{ "bridge: br%d\n" P, "1: bridge: " DEVICE ", not br%d" },
	{ "bridge: .\n" P, "1: bridge: " DEVICE ", not ." },
	{ "bridge: default\n" P, "1: bridge: " DEVICE ", not default" },
	{ "bridge: br\303\251\n" P, "1: bridge: " DEVICE ", not br??" },
	{ "underlay:\n" P, "1: underlay: " DEVICE ", not empty" },
	{ "underlay: []\n" P,
	  "1: underlay: must be a device name, or a list of 1 to 16 of them, not an empty list" },
	{ "underlay: vxbr0\n" P, "1: underlay: vxbr0 is this overlay's own bridge" },
	{ "local: c\n" P, "1: local: must be the name of a peer in this file, not c" },
	{ "local: []\n" P,
	  "1: local: must be the name of a peer in this file, not an empty list" },
	{ "peers:\n", "1: peers: " PEERS ", not empty" },
	{ "peers: []\n", "1: peers: " PEERS ", not an empty list" },
	{ "peers: {}\n", "1: peers: " PEERS ", not an empty mapping" },
	{ "peers: alpha\n", "1: peers: " PEERS ", not alpha" },
	{ "peers: [alpha]\n",
	  "1: peers[0]: must be a mapping with the keys " HOST_KEYS ", not alpha" },
	{ "peers: [[a]]\n",
	  "1: peers[0]: must be a mapping with the keys " HOST_KEYS ", not a list of 1" },
	{ "peers: [~]\n", "1: peers[0]: must be a mapping with the keys " HOST_KEYS ", not ~" },
	{ "peers:\n- {name: '', address: 192.0.2.1}\n", "2: peers[0].name: " NAME ", not \"\"" },
	{ "peers:\n- {name: ., address: 192.0.2.1}\n", "2: peers[0].name: " NAME ", not ." },
	{ "peers:\n- {name: .., address: 192.0.2.1}\n", "2: peers[0].name: " NAME ", not .." },
	{ "peers:\n- {name: a b, address: 192.0.2.1}\n", "2: peers[0].name: " NAME ", not a b" },
	{ "peers:\n- {name: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, address: 192.0.2.1}\n",
	  "2: peers[0].name: " NAME ", not xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" },
	{ "peers:\n- {name: [a], address: 192.0.2.1}\n",
	  "2: peers[0].name: " NAME ", not a list of 1" },
	{ "peers:\n- {name: a, address: 192.0.2.1}\n- name: a\n  address: 192.0.2.2\n",
	  "3: peers[1].name: a is already the name of the host on line 2" },
	{ "peers:\n- {name: a, address: 192.0.2.1}\n- name: b\n  address: 192.0.2.1\n",
	  "4: peers[1].address: 192.0.2.1 is already on line 2, for a" },
	{ "peers:\n- {name: a, address: 192.0.2.1, address6: fd00::1}\n"
	  "- {name: b, address: 192.0.2.2, address6: fd00:0::1}\n",
	  "3: peers[1].address6: fd00::1 is already on line 2, for a" },
	{ "peers:\n- {name: a, address: 192.0.2.1, address6: fd00::1}\n"
	  "- {name: b, address: fd00::1}\n",
	  "3: peers[1].address: fd00::1 is already on line 2, for a" },
	{ "peers:\n- {name: a, address: 192.0.2.1, bridge_address: [10.0.0.1/24]}\n"
	  "- {name: b, address: 192.0.2.2, bridge_address: [fd01::1/64, 10.0.0.1/16]}\n",
	  "3: peers[1].bridge_address[1]: 10.0.0.1 is already on line 2, for a" },
	{ "peers:\n- {name: a, address: 192.0.2.1, bridge_address: [10.0.0.1/24, 10.0.0.1/16]}\n",
	  "2: peers[0].bridge_address[1]: 10.0.0.1 appears twice for a" },
	{ "peers:\n- {name: a, address: 192.0.2.1, bridge_address: [192.0.2.1/24]}\n",
	  "2: peers[0].bridge_address[0]: 192.0.2.1 appears twice for a" },
	{ "peers:\n- {name: a, address: 192.0.2.1}\n"
	  "- {name: b, address: 192.0.2.2, bridge_address: [192.0.2.1/24]}\n",
	  "3: peers[1].bridge_address[0]: 192.0.2.1 is already on line 2, for a" },
	{ "peers:\n- {name: a, address: \"\"}\n", "2: peers[0].address: " ADDRESS ", not \"\"" },
	{ "peers:\n- {name: a, address: \"alpha\"}\n",
	  "2: peers[0].address: " ADDRESS ", not \"alpha\"" },
	{ "peers:\n- {name: a, address: \"192.0.2\"}\n",
	  "2: peers[0].address: " ADDRESS ", not \"192.0.2\"" },
	{ "peers:\n- {name: a, address: \"192.0.2.256\"}\n",
	  "2: peers[0].address: " ADDRESS ", not \"192.0.2.256\"" },
	{ "peers:\n- {name: a, address: \"192.0.2.01\"}\n",
	  "2: peers[0].address: " ADDRESS ", not \"192.0.2.01\"" },
	{ "peers:\n- {name: a, address: \"192.0.2.1/24\"}\n",
	  "2: peers[0].address: " ADDRESS ", not \"192.0.2.1/24\"" },
	{ "peers:\n- {name: a, address: \"0.0.0.0\"}\n",
	  "2: peers[0].address: 0.0.0.0 is an unspecified address" },
	{ "peers:\n- {name: a, address: \"0.1.2.3\"}\n",
	  "2: peers[0].address: 0.1.2.3 is an unspecified address" },
	{ "peers:\n- {name: a, address: \"127.0.0.1\"}\n",
	  "2: peers[0].address: 127.0.0.1 is a loopback address" },
	{ "peers:\n- {name: a, address: \"224.0.0.1\"}\n",
	  "2: peers[0].address: 224.0.0.1 is a multicast address" },
	{ "peers:\n- {name: a, address: \"239.255.255.255\"}\n",
	  "2: peers[0].address: 239.255.255.255 is a multicast address" },
	{ "peers:\n- {name: a, address: \"255.255.255.255\"}\n",
	  "2: peers[0].address: 255.255.255.255 is the broadcast address" },
	{ "peers:\n- {name: a, address: \"::\"}\n",
	  "2: peers[0].address: :: is the unspecified address" },
	{ "peers:\n- {name: a, address: \"::1\"}\n",
	  "2: peers[0].address: ::1 is the loopback address" },
	{ "peers:\n- {name: a, address: \"ff02::1\"}\n",
	  "2: peers[0].address: ff02::1 is a multicast address" },
	{ "peers:\n- {name: a, address: \"fe80::1\"}\n",
	  "2: peers[0].address: fe80::1 is a link-local address, which is not unique across links" },
	{ "peers:\n- {name: a, address: \"fe80::1%eth0\"}\n",
	  "2: peers[0].address: " ADDRESS ", not \"fe80::1%eth0\"" },
	{ "peers:\n- {name: a, address: \"::ffff:192.0.2.1\"}\n",
	  "2: peers[0].address: ::ffff:192.0.2.1 is an IPv4-mapped IPv6 address; write the IPv4 address" },
	{ "peers:\n- {name: a, address: \"::ffff:c000:201\"}\n",
	  "2: peers[0].address: ::ffff:c000:201 is an IPv4-mapped IPv6 address; write the IPv4 address" },
	{ "peers:\n- {name: a, address: \"2001:db8::g\"}\n",
	  "2: peers[0].address: " ADDRESS ", not \"2001:db8::g\"" },
	{ "peers:\n- {name: a, address: \" 192.0.2.1\"}\n",
	  "2: peers[0].address: " ADDRESS ", not \" 192.0.2.1\"" },
	{ "peers:\n- {name: a, address: 3221225985}\n",
	  "2: peers[0].address: " ADDRESS ", not 3221225985" },
	{ "peers:\n- {name: a, address: [192.0.2.1]}\n",
	  "2: peers[0].address: " ADDRESS ", not a list of 1" },
	{ "peers:\n- {name: a, address: 192.0.2.1, address6: 192.0.2.2}\n",
	  "2: peers[0].address6: must be an IPv6 address, not 192.0.2.2" },
	{ "peers:\n- {name: a, address: fd00::1, address6: fd00::2}\n",
	  "2: peers[0].address6: requires address to be IPv4, but it is fd00::1" },
	{ "peers:\n- {name: a, address: 192.0.2.1, address6: ff02::1}\n",
	  "2: peers[0].address6: ff02::1 is a multicast address" },
	{ "peers:\n- {name: a, address: 192.0.2.1, address6: \"::ffff:1.2.3.4\"}\n",
	  "2: peers[0].address6: ::ffff:1.2.3.4 is an IPv4-mapped IPv6 address; write the IPv4 address" },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  bridge_address: 10.0.0.1/24\n",
	  "4: peers[0].bridge_address: must be a list of at most 64 addresses, such as "
	  "[203.0.113.3/24], not 10.0.0.1/24" },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  bridge_address: [10.0.0.1]\n",
	  "4: peers[0].bridge_address[0]: " PREFIX ", not 10.0.0.1" },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  bridge_address: [10.0.0.1/33]\n",
	  "4: peers[0].bridge_address[0]: " PREFIX ", not 10.0.0.1/33" },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  bridge_address: [10.0.0.1/0]\n",
	  "4: peers[0].bridge_address[0]: " PREFIX ", not 10.0.0.1/0" },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  bridge_address: [10.0.0.1/-1]\n",
	  "4: peers[0].bridge_address[0]: " PREFIX ", not 10.0.0.1/-1" },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  bridge_address: [10.0.0.1/24x]\n",
	  "4: peers[0].bridge_address[0]: " PREFIX ", not 10.0.0.1/24x" },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  bridge_address: [fd00::1/129]\n",
	  "4: peers[0].bridge_address[0]: " PREFIX ", not fd00::1/129" },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  bridge_address: [127.0.0.1/8]\n",
	  "4: peers[0].bridge_address[0]: 127.0.0.1/8 is a loopback address" },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  bridge_address: ['ff02::1/64']\n",
	  "4: peers[0].bridge_address[0]: ff02::1/64 is a multicast address" },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  bridge_address: [224.0.0.1/4]\n",
	  "4: peers[0].bridge_address[0]: 224.0.0.1/4 is a multicast address" },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  bridge_address: [[10.0.0.1/24]]\n",
	  "4: peers[0].bridge_address[0]: " PREFIX ", not a list of 1" },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  bridge_address: ['']\n",
	  "4: peers[0].bridge_address[0]: " PREFIX ", not \"\"" },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  bridge_address: [::/64]\n",
	  "4: not YAML: did not find expected node content" },
	{ "peers:\n- name: a\n  address: 192.0.2.1\n  bridge_address: [0.0.0.0/8]\n",
	  "4: peers[0].bridge_address[0]: 0.0.0.0/8 is an unspecified address" },
	{ "peers:\n- {name: a, address: 192.0.2.1}\n"
	  "- {name: b, address: 192.0.2.2, address6: fd00::2}\n- {name: c, address: fd00::3}\n"
	  "- {name: d, address: fd00::4}\n",
	  "4: peers[2].address: a has only IPv4 and c has only IPv6, so they cannot reach each "
	  "other" },
	{ "peers:\n- {name: a, address: fd00::3}\n"
	  "- {name: b, address: 192.0.2.2, address6: fd00::2}\n- {name: d, address: 192.0.2.4}\n",
	  "4: peers[2].address: d has only IPv4 and a has only IPv6, so they cannot reach each "
	  "other" },
};

/* Path of a file that is fine -> the refusal without the path. */
static const struct { const char *path, *want; } names[] = {
	{ "noext", ": " FILE_NAME },
	{ ".yaml", ": " FILE_NAME },
	{ "/x/a b.yaml", ": " FILE_NAME },
	{ "abcdefghijklmnop.yaml", ": " FILE_NAME },
	{ "a.b.yaml", ": " FILE_NAME },
	{ "/x/a.yml", ": " FILE_NAME },
	{ "/x/.yaml", ": " FILE_NAME },
	{ "", ": " FILE_NAME },
	{ "/x/", ": " FILE_NAME },
	{ "default.yaml", ": file name: the kernel does not accept default as a bridge "
	  "name; set another name with bridge:" },
};
/* clang-format on */

static void refuses(const char *path, const char *text, size_t len, const char *want)
{
	struct why why = { 0 };
	struct conf c;

	if (conf_parse(path, text, len, &c, &why) != -EINVAL)
		fail_msg("not refused: %s: %s", path, text);
	assert_string_equal(why.text, want);
	assert_true(why.bad_input);
}

static void wrong_files_are_refused(void **state)
{
	char want[600];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(want, sizeof(want), "vxbr0.yaml:%s", files[i].want);
		refuses("vxbr0.yaml", files[i].text, strlen(files[i].text), want);
	}
}

static void wrong_file_names_are_refused(void **state)
{
	char want[600];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(want, sizeof(want), "%s%s", names[i].path, names[i].want);
		refuses(names[i].path, P, strlen(P), want);
	}
}

static void a_long_path_does_not_hide_the_reason(void **state)
{
	char path[600], want[300];

	(void)state;
	snprintf(path, sizeof(path), "/%0500d/vxbr0.yaml", 0);
	snprintf(want, sizeof(want), "...%0189d/vxbr0.yaml:1: port: " PORT ", not 0", 0);
	refuses(path, "port: 0\n" P, 8 + strlen(P), want);
}

static void binary_garbage_is_refused(void **state)
{
	static const char nul[] = "port: 1\n\0mtu: 1400\n";

	(void)state;
	refuses("vxbr0.yaml", nul, sizeof(nul) - 1,
		"vxbr0.yaml:2: contains a NUL byte, so it is not a text file");
	refuses("vxbr0.yaml", "", 0, "vxbr0.yaml: peers: is missing because the file is empty");
}

static void too_many_hosts_are_refused(void **state)
{
	static char text[80000];

	(void)state;
	text[0] = '\0';
	text_add(text, sizeof(text), "port: 1\npeers:\n");
	for (unsigned i = 0; i <= VX_MAX_HOSTS; i++) {
		size_t at = strlen(text);

		snprintf(text + at, sizeof(text) - at, "- {name: h%u, address: 10.0.%u.%u}\n", i,
			 i / 250, i % 250 + 1);
	}
	refuses("vxbr0.yaml", text, strlen(text),
		"vxbr0.yaml:2: peers: " PEERS ", not a list of 1001");
}

static void more_than_a_mebibyte_is_refused(void **state)
{
	autofree char *text = malloc(CONF_MAX_SIZE + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '#', CONF_MAX_SIZE + 1);
	refuses("vxbr0.yaml", text, CONF_MAX_SIZE + 1, "vxbr0.yaml: larger than 1 MiB");
	refuses("vxbr0.yaml", text, CONF_MAX_SIZE,
		"vxbr0.yaml: peers: is missing because the file is empty");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_files_are_refused),
		cmocka_unit_test(wrong_file_names_are_refused),
		cmocka_unit_test(a_long_path_does_not_hide_the_reason),
		cmocka_unit_test(binary_garbage_is_refused),
		cmocka_unit_test(too_many_hosts_are_refused),
		cmocka_unit_test(more_than_a_mebibyte_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
