// SPDX-License-Identifier: GPL-2.0
/* vxbpf who: where has the overlay seen this MAC or IP address? Changes nothing. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/ip.h"
#include "cmd/command.h"
#include "cmd/who.h"
#include "kernel/link.h"

struct asked {
	bool is_ip;
	struct vx_addr ip;
	char text[IP_TEXT]; /* of the address */
	uint8_t mac[6];
};

/* Six pairs of hexadecimal digits with the same ':' or '-' between them. */
static bool read_mac(const char *text, uint8_t mac[6])
{
	if (strlen(text) != 17)
		return false;
	for (int i = 0; i < 17; i++)
		if (i % 3 == 2 ? text[i] != text[2] || (text[i] != ':' && text[i] != '-')
			       : !isxdigit((unsigned char)text[i]))
			return false;
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)strtoul(text + 3 * i, NULL, 16);
	return true;
}

static int read_subject(const char *subject, struct asked *out, struct why *why)
{
	if (!subject)
		return why_bad(why, "who: missing MAC or IP address; see `vxbpf help who`");
	out->is_ip = ip_parse(subject, &out->ip);
	if (out->is_ip)
		ip_format(&out->ip, out->text);
	else if (!read_mac(subject, out->mac))
		return why_bad(why, "%s: who: not a MAC or IP address", subject);
	return 0;
}

static int find(const struct asked *asked, const struct running_list *lives, struct whos *places,
		struct who_owners *owners, struct why *why)
{
	autonl struct nl *nl = NULL;
	int err = nl_open(&nl, why);

	for (size_t i = 0; !err && i < lives->n; i++) {
		if (asked->is_ip)
			err = who_find_ip(nl, &lives->v[i], &asked->ip, owners, why);
		else
			err = who_find_mac(nl, &lives->v[i], asked->mac, places, why);
	}
	for (size_t i = 0; !err && i < owners->n; i++)
		err = who_find_mac(nl, owners->v[i].live, owners->v[i].mac, places, why);
	return err;
}

static void print(const struct asked *asked, const struct running_list *lives,
		  const struct whos *places, const struct who_owners *owners)
{
	autofree char *text =
		asked->is_ip ? who_owners_text(owners, asked->text, places->now_ns) : NULL;

	if (text)
		fputs(text, stdout);
	for (size_t i = 0; i < places->n; i++) {
		autofree char *line = who_text(&places->v[i], places->now_ns, lives->n > 1);

		if (!line)
			out_of_memory();
		puts(line);
	}
}

static int not_found(const char *subject, bool is_ip, struct why *why)
{
	if (!is_ip)
		return why_set(why, -ENOENT,
			       "%s: who: not found: neither vxbpf nor the bridge has seen a frame "
			       "from it; retry once it has sent one",
			       subject);
	return why_set(why, -ENOENT,
		       "%s: who: not found: the bridge has no neighbour entry for it, and no "
		       "recent TCP or UDP flow used it; ping it, then retry",
		       subject);
}

int cmd_who(const struct command_args *args)
{
	autorunning struct running_list lives = { 0 };
	struct who_owners owners = { 0 };
	struct whos places = { 0 };
	struct asked asked = { 0 };
	struct why why = { 0 };
	struct timespec t;
	int err = read_subject(args->subject, &asked, &why);

	if (!err)
		err = running_list_read(args, &lives, &why);
	clock_gettime(CLOCK_MONOTONIC, &t);
	places.now_ns = (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
	if (!err)
		err = find(&asked, &lives, &places, &owners, &why);
	if (!err && args->json) {
		autofree char *text = who_json(&places, &owners, asked.text);

		puts(text ? text : "[]");
	} else if (!err) {
		print(&asked, &lives, &places, &owners);
	}
	if (!err && !places.n && !owners.n)
		err = not_found(args->subject, asked.is_ip, &why);
	free(places.v);
	free(owners.v);
	return err ? command_fail(&why) : EXIT_FINE;
}
