// SPDX-License-Identifier: GPL-2.0
/* The settings of a vxlansetup.sh -> YAML; see import.h. Pure. */
#include <errno.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/import.h"
#include "conf/import_bash.h"

#define DEFAULT_OVERLAY "vxbr0"
#define HOST_NAME 33

enum setting { LOCALIP, REMOTEIPS, LOCAL_DEV, BRIDGE_DEV, VXLAN_DEV, PORT, SETTINGS };

struct settings {
	struct bash_var vars[SETTINGS];
	struct vx_addr hosts[BASH_WORDS + 1];
	size_t n_hosts;
	unsigned port;
};

static void settings_clean(struct settings *s)
{
	bash_free(s->vars, SETTINGS);
}

/* Why the order of the list matters, for the reader of the new file. */
static const char header[] =
	"# Made by `vxbpf import` from a vxlansetup.sh. Save it as /etc/vxbpf/" DEFAULT_OVERLAY
	".yaml,\n# the same file on every host, and give the hosts better names.\n#\n# `vni: "
	"index` assigns VNIs as the script does: on each host a peer's VNI is its index,\n# from "
	"0, in the list without that host itself. The list below has this host first and its\n# "
	"peers in the script's order, so this host keeps the VNIs its script assigned. The script "
	"of\n# every other host has its own order, but one file for all hosts needs one common "
	"order; use\n# this one and keep it. Frames still arrive where a script's VNIs differ from "
	"it, because this\n# mode accepts any of the VNIs from any listed peer. You can therefore "
	"move host by host.\n# After the last one, remove the line. The default `vni: pair` gives "
	"each pair of hosts one\n# VNI for both directions, disables learning and allows the fast "
	"path.\n";

/* An address as a name: host-192-0-2-1. One too long for a name is hashed. */
static void name_host(const struct vx_addr *addr, char name[HOST_NAME])
{
	char text[IP_TEXT];

	ip_format(addr, text);
	if (strlen("host-") + strlen(text) >= HOST_NAME) {
		snprintf(name, HOST_NAME, "host-%08x", fnv32(FNV32_INIT, text, strlen(text)));
		return;
	}
	for (char *c = text; *c; c++) {
		if (*c == '.' || *c == ':')
			*c = '-';
	}
	name[0] = '\0';
	text_add(name, HOST_NAME, "host-%s", text);
}

static int read_address(const char *path, const struct bash_var *var, const struct bash_word *word,
			struct vx_addr *out, struct why *why)
{
	const char *fault;

	if (!ip_parse(word->text, out))
		return why_bad(why, "%.200s:%u: %s: must be an IP address, not \"%s\"", path,
			       word->line, var->name, word->text);
	fault = conf_address_fault(out);
	if (fault)
		return why_bad(why, "%.200s:%u: %s: %s is %s", path, word->line, var->name,
			       word->text, fault);
	return 0;
}

/* This host first, then its peers as the script numbers them: see `header`. */
static int read_addresses(const char *path, struct settings *s, struct why *why)
{
	const struct bash_var *remotes = &s->vars[REMOTEIPS];
	int err = read_address(path, &s->vars[LOCALIP], s->vars[LOCALIP].words, &s->hosts[0], why);

	if (!err && !remotes->n_words)
		return why_bad(why, "%.200s:%u: %s: does not name a peer", path, remotes->line,
			       remotes->name);
	for (size_t i = 0; i < remotes->n_words && !err; i++) {
		const struct bash_word *word = &remotes->words[i];
		struct vx_addr *addr = &s->hosts[i + 1];
		const char *wrong = NULL;

		err = read_address(path, remotes, word, addr, why);
		if (!err && ip_is_v4(addr) != ip_is_v4(&s->hosts[0]))
			wrong = "is not of the same IP version as LOCALIP";
		for (size_t k = 0; k <= i && !err && !wrong; k++) {
			if (ip_equal(addr, &s->hosts[k]))
				wrong = k ? "is listed twice" : "is LOCALIP, this host itself";
		}
		if (wrong)
			err = why_bad(why, "%.200s:%u: %s: %s %s", path, word->line, remotes->name,
				      word->text, wrong);
	}
	s->n_hosts = remotes->n_words + 1;
	return err;
}

static int read_port(const char *path, struct settings *s, struct why *why)
{
	const struct bash_word *word = s->vars[PORT].words;
	unsigned long port;
	char *end;

	port = strtoul(word->text, &end, 10);
	if (word->text[0] < '1' || word->text[0] > '9' || *end || port > 65535)
		return why_bad(why, "%.200s:%u: %s: must be a number from 1 to 65535, not \"%s\"",
			       path, word->line, s->vars[PORT].name, word->text);
	s->port = (unsigned)port;
	return 0;
}

static int read_devices(const char *path, const struct settings *s, struct why *why)
{
	static const enum setting devices[] = { BRIDGE_DEV, LOCAL_DEV, VXLAN_DEV };

	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		const struct bash_var *var = &s->vars[devices[i]];

		if (var->line && !conf_is_device(var->words[0].text))
			return why_bad(why, "%.200s:%u: %s: must be a device name, not \"%s\"",
				       path, var->line, var->name, var->words[0].text);
	}
	return 0;
}

static void print_yaml(FILE *f, const struct settings *s)
{
	const char *bridge = s->vars[BRIDGE_DEV].words[0].text;

	fprintf(f, "%sport: %u\nvni: index\n", header, s->port);
	if (strcmp(bridge, DEFAULT_OVERLAY) != 0)
		fprintf(f, "bridge: \"%s\"\n", bridge);
	if (s->vars[LOCAL_DEV].line)
		fprintf(f,
			"# The script bound its tunnels to one device. vxbpf follows the routes "
			"unless you uncomment\n# the next line; every host then needs a device of "
			"this name.\n# underlay: \"%s\"\n",
			s->vars[LOCAL_DEV].words[0].text);
	if (s->vars[VXLAN_DEV].line)
		fprintf(f,
			"# The script's devices (%s0 and so on) use the same VNIs; run its `stop` "
			"before `vxbpf up`.\n",
			s->vars[VXLAN_DEV].words[0].text);
	fprintf(f, "peers:\n");
	for (size_t i = 0; i < s->n_hosts; i++) {
		char name[HOST_NAME], text[IP_TEXT];

		name_host(&s->hosts[i], name);
		ip_format(&s->hosts[i], text);
		fprintf(f, "  - { name: %s, address: \"%s\" }\n", name, text);
	}
}

/* The last word on whether these settings make an overlay is the config's own parser. */
static int check_yaml(const char *path, const char *yaml, size_t len, struct why *why)
{
	struct conf conf;
	struct why inner = { 0 };
	int err = conf_parse(DEFAULT_OVERLAY ".yaml", yaml, len, &conf, &inner);

	if (err) {
		why->bad_input = inner.bad_input;
		return why_set(why, err, "%.200s: its settings are not a valid overlay: %s", path,
			       inner.text);
	}
	conf_free(&conf);
	return 0;
}

static int read_settings(const char *path, const char *text, size_t len, struct settings *s,
			 struct why *why)
{
	int err = bash_read(path, text, len, s->vars, SETTINGS, why);

	if (!err)
		err = read_addresses(path, s, why);
	if (!err)
		err = read_port(path, s, why);
	return err ? err : read_devices(path, s, why);
}

int import_script(const char *path, const char *text, size_t len, char **out, struct why *why)
{
	__attribute__((cleanup(settings_clean))) struct settings
		s = { .vars = {
			      [LOCALIP] = { .name = "LOCALIP", .required = true },
			      [REMOTEIPS] = { .name = "REMOTEIPS",
					      .required = true,
					      .array = true },
			      [LOCAL_DEV] = { .name = "LOCAL_DEV" },
			      [BRIDGE_DEV] = { .name = "BRIDGE_DEV", .required = true },
			      [VXLAN_DEV] = { .name = "VXLAN_DEV" },
			      [PORT] = { .name = "PORT", .required = true },
		      } };
	autofree char *yaml = NULL;
	size_t yaml_len = 0;
	FILE *f;
	int err = read_settings(path, text, len, &s, why);

	if (err)
		return err;
	f = open_memstream(&yaml, &yaml_len);
	if (!f)
		return why_set(why, -ENOMEM, "%.200s: out of memory", path);
	print_yaml(f, &s);
	if (fclose(f))
		return why_set(why, -ENOMEM, "%.200s: out of memory", path);
	err = check_yaml(path, yaml, yaml_len, why);
	if (err)
		return err;
	*out = take_ptr(yaml);
	return 0;
}
