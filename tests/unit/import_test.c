// SPDX-License-Identifier: GPL-2.0
/* vxlansetup.sh -> a config with the same VNIs; what only a shell could know is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/import.h"
#include "plan/mesh.h"

static const char script[] =
	"#!/bin/bash\n"
	"# PORT=1 in a comment is nothing\n"
	"LOCALIP=192.0.2.7   # this host\n"
	"REMOTEIPS=(\n"
	"    192.0.2.9    # gamma, listed first\n"
	"    \"192.0.2.3\" '192.0.2.5'\n"
	"\n"
	"    # 192.0.2.99 is gone\n"
	"    192.0.2.1 )\n"
	"LOCAL_DEV=\"vmbr0\"\n"
	"BRIDGE_DEV=vxbr0; VXLAN_DEV='vxlan'\n"
	"\tPORT=4789\r\n"
	"DRYRUN=1\n"
	"\n"
	"function start {\n"
	"  for ((i=0; i<${#REMOTEIPS[@]}; i++)); do\n"
	"    echo \"PORT=$PORT\" 'LOCALIP=x'\n"
	"    run ip link add $VXLAN_DEV$i type vxlan id $i remote ${REMOTEIPS[$i]} "
	"local $LOCALIP dev $LOCAL_DEV dstport $PORT\n"
	"  done\n"
	"}\n"
	"if [ \"$PORT\" == 4789 ]; then start; fi\n";

static char *import(const char *text)
{
	struct why why = { 0 };
	char *yaml = NULL;

	if (import_script("vxlansetup.sh", text, strlen(text), &yaml, &why))
		fail_msg("%s", why.text);
	return yaml;
}

static void refuses(const char *text, const char *want)
{
	struct why why = { 0 };
	char *yaml = NULL;

	if (import_script("s.sh", text, strlen(text), &yaml, &why) != -EINVAL)
		fail_msg("taken: %s", text);
	assert_string_equal(why.text, want);
	assert_true(why.bad_input);
	assert_null(yaml);
}

static void this_host_keeps_the_vnis_of_its_script(void **state)
{
	static const char *const remotes[] = { "192.0.2.9", "192.0.2.3", "192.0.2.5", "192.0.2.1" };
	autofree char *yaml = import(script);
	struct why why = { 0 };
	struct vx_addr self;
	struct conf c;
	struct mesh m;

	(void)state;
	assert_int_equal(conf_parse("vxbr0.yaml", yaml, strlen(yaml), &c, &why), 0);
	assert_int_equal(c.port, 4789);
	assert_int_equal(c.vni_mode, VX_VNI_INDEX);
	assert_string_equal(c.bridge, "vxbr0");
	assert_string_equal(c.underlay, "");
	assert_non_null(strstr(yaml, "\n# underlay: \"vmbr0\"\n"));
	assert_non_null(strstr(yaml, "(vxlan0 and so on)"));
	assert_null(strstr(yaml, "bridge: "));
	assert_string_equal(c.hosts[0].name, "host-192-0-2-7");
	ip_parse("192.0.2.7", &self);
	assert_int_equal(mesh_build(&c, &self, 1, &m, &why), 0);
	assert_int_equal(m.n_peers, ARRAY_LEN(remotes));
	for (size_t i = 0; i < m.n_peers; i++) {
		char text[IP_TEXT];

		ip_format(&m.peers[i].remote, text);
		assert_string_equal(text, remotes[i]);
		assert_int_equal(m.peers[i].vni, i);
	}
	mesh_free(&m);
	conf_free(&c);
}

#define REST "BRIDGE_DEV=br7\nPORT=4790\n"

static void other_ways_of_writing_it_are_read(void **state)
{
	static const char *const texts[] = {
		"export LOCALIP=192.0.2.1\ndeclare -a REMOTEIPS=( 192.0.2.2 192.0.2.3 )\n" REST,
		"LOCALIP='192.0.2.1'\nREMOTEIPS=(192.0.2.2)\nREMOTEIPS+=(192.0.2.3)\n" REST,
		"LOCALIP=192.0.\"2.1\";REMOTEIPS=(192.0.2.2 \\\n 192.0.2.3); " REST,
		"readonly LOCALIP=192.0.2.1 # x\nREMOTEIPS=(192.0.2.2\n192.0.2.3\n)\n" REST
		"LOCALIPS=x\nMYPORT=$(x)\nPORTS=1\nREMOTEIPS_OLD=(1)",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		autofree char *yaml = import(texts[i]);

		assert_non_null(strstr(yaml,
				       "\nport: 4790\nvni: index\nbridge: \"br7\"\npeers:\n"
				       "  - { name: host-192-0-2-1, address: \"192.0.2.1\" }\n"
				       "  - { name: host-192-0-2-2, address: \"192.0.2.2\" }\n"
				       "  - { name: host-192-0-2-3, address: \"192.0.2.3\" }\n"));
	}
}

static void ipv6_hosts_get_names_that_fit(void **state)
{
	autofree char *yaml = import("LOCALIP=2001:DB8::1\n"
				     "REMOTEIPS=(2001:db8:1111:2222:3333:4444:5555:6666)\n" REST);

	(void)state;
	assert_non_null(strstr(yaml, "{ name: host-2001-db8--1, address: \"2001:db8::1\" }"));
	assert_non_null(strstr(yaml, "{ name: host-2a461630, address: "
				     "\"2001:db8:1111:2222:3333:4444:5555:6666\" }"));
}

#define L "LOCALIP=192.0.2.1\n"
#define R "REMOTEIPS=(192.0.2.2)\n"
#define B "BRIDGE_DEV=vxbr0\n"
#define COMPUTED "is computed by the script, which import does not run; write the literal value"

static const struct {
	const char *text, *want;
} wrong[] = {
	{ "", "s.sh: LOCALIP: is not set in this script" },
	{ "REMOTEIPS=(1)\n", "s.sh: LOCALIP: is not set in this script" },
	{ L B "PORT=1\n", "s.sh: REMOTEIPS: is not set in this script" },
	{ L R "PORT=1\n", "s.sh: BRIDGE_DEV: is not set in this script" },
	{ L R B, "s.sh: PORT: is not set in this script" },
	{ "LOCALIP=$(hostname -I)\n", "s.sh:1: LOCALIP: " COMPUTED },
	{ "\nLOCALIP=\"${1}\"\n", "s.sh:2: LOCALIP: " COMPUTED },
	{ "LOCALIP=`x`\n", "s.sh:1: LOCALIP: " COMPUTED },
	{ "LOCALIP=~/x\n",
	  "s.sh:1: LOCALIP: contains a character the shell would expand; write the literal value" },
	{ "LOCALIP=1\\2\n",
	  "s.sh:1: LOCALIP: contains a backslash or a nested quote; write the literal value" },
	{ "LOCALIP='1\"2'\n",
	  "s.sh:1: LOCALIP: contains a backslash or a nested quote; write the literal value" },
	{ "LOCALIP=\"192.0.2.1\n",
	  "s.sh:1: LOCALIP: has a quote that is not closed on the same line" },
	{ "LOCALIP='192.0.2.1",
	  "s.sh:1: LOCALIP: has a quote that is not closed on the same line" },
	{ "LOCALIP=\001\n", "s.sh:1: LOCALIP: contains a character that is not plain text" },
	{ "LOCALIP=(192.0.2.1)\n", "s.sh:1: LOCALIP: must be one value, not a list" },
	{ "LOCALIP=192.0.2.1 ./x\n",
	  "s.sh:1: LOCALIP: is followed by text that import does not support" },
	{ "LOCALIP=192.0.2.1 && x\n",
	  "s.sh:1: LOCALIP: is followed by text that import does not support" },
	{ L L, "s.sh:2: LOCALIP: is set a second time, first on line 1" },
	{ "LOCALIP+=x\n", "s.sh:1: LOCALIP: is extended in a way that import does not support" },
	{ "REMOTEIPS[0]=x\n",
	  "s.sh:1: REMOTEIPS: is set entry by entry; write it as one list in ( )" },
	{ "REMOTEIPS=(192.0.2.2\n192.0.2.3\n", "s.sh:1: REMOTEIPS: its list has no closing )" },
	{ "REMOTEIPS=(192.0.2.2\n$X)\n", "s.sh:2: REMOTEIPS: " COMPUTED },
	{ "REMOTEIPS=(192.0.2.2;)\n", "s.sh:1: REMOTEIPS: is not a plain list of words" },
	{ L "[ -z \"$1\" ] && PORT=2\n",
	  "s.sh:2: PORT: is set inside a command, which import does not run" },
	{ "local PORT=2\n", "s.sh:1: PORT: is set inside a command, which import does not run" },
	{ "x;REMOTEIPS+=(2)\n",
	  "s.sh:1: REMOTEIPS: is set inside a command, which import does not run" },
	{ "LOCALIP=\n" R REST, "s.sh:1: LOCALIP: must be an IP address, not \"\"" },
	{ "LOCALIP=alpha\n" R REST, "s.sh:1: LOCALIP: must be an IP address, not \"alpha\"" },
	{ "LOCALIP=127.0.0.1\n" R REST, "s.sh:1: LOCALIP: 127.0.0.1 is a loopback address" },
	{ L "REMOTEIPS=()\n" REST, "s.sh:2: REMOTEIPS: does not name a peer" },
	{ L "REMOTEIPS=(\n192.0.2.2\n224.0.0.1)\n" REST,
	  "s.sh:4: REMOTEIPS: 224.0.0.1 is a multicast address" },
	{ L "REMOTEIPS=(\n192.0.2.2\n192.0.2.2)\n" REST,
	  "s.sh:4: REMOTEIPS: 192.0.2.2 is listed twice" },
	{ L "REMOTEIPS=(192.0.2.2 192.0.2.1)\n" REST,
	  "s.sh:2: REMOTEIPS: 192.0.2.1 is LOCALIP, this host itself" },
	{ L "REMOTEIPS=(fd00::1)\n" REST,
	  "s.sh:2: REMOTEIPS: fd00::1 is not of the same IP version as LOCALIP" },
	{ L R B "PORT=0\n", "s.sh:4: PORT: must be a number from 1 to 65535, not \"0\"" },
	{ L R B "PORT=65536\n", "s.sh:4: PORT: must be a number from 1 to 65535, not \"65536\"" },
	{ L R B "PORT=+1\n", "s.sh:4: PORT: must be a number from 1 to 65535, not \"+1\"" },
	{ L R B "PORT=12x\n", "s.sh:4: PORT: must be a number from 1 to 65535, not \"12x\"" },
	{ L R "BRIDGE_DEV=a/b\nPORT=1\n",
	  "s.sh:3: BRIDGE_DEV: must be a device name, not \"a/b\"" },
	{ L R REST "LOCAL_DEV=\n", "s.sh:5: LOCAL_DEV: must be a device name, not \"\"" },
	{ L R "BRIDGE_DEV=vx-host-192\nPORT=1\nPORT=2",
	  "s.sh:5: PORT: is set a second time, first on line 4" },
};

static void what_is_missing_or_unclear_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		refuses(wrong[i].text, wrong[i].want);
}

static void binary_garbage_is_refused(void **state)
{
	struct why why = { 0 };
	char *yaml = NULL;

	(void)state;
	assert_int_equal(import_script("s.sh", "PORT=1\0\n", 8, &yaml, &why), -EINVAL);
	assert_string_equal(why.text, "s.sh: contains a NUL byte, so it is not a script");
}

static void more_peers_than_an_overlay_has_are_refused(void **state)
{
	static char text[40000];

	(void)state;
	text_add(text, sizeof(text), L REST "REMOTEIPS=(");
	for (unsigned i = 0; i < 1000; i++)
		text_add(text, sizeof(text), "10.0.%u.%u\n", i / 250, i % 250 + 1);
	refuses(text, "s.sh:1003: REMOTEIPS: has more entries than an overlay can have peers");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_host_keeps_the_vnis_of_its_script),
		cmocka_unit_test(other_ways_of_writing_it_are_read),
		cmocka_unit_test(ipv6_hosts_get_names_that_fit),
		cmocka_unit_test(what_is_missing_or_unclear_is_refused),
		cmocka_unit_test(binary_garbage_is_refused),
		cmocka_unit_test(more_peers_than_an_overlay_has_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
