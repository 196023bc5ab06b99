// SPDX-License-Identifier: GPL-2.0
/* The surroundings in a .now file; see now.h. What is observed is in change.c. */
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>

#include "now.h"
#include "plan/plan.h"

static int bad(const struct now *now, const struct now_line *l, struct why *why, const char *what,
	       const char *word)
{
	return why_bad(why, "%s:%u: %s%s%s", now->path, l->no, what, word ? ": " : "",
		       word ? word : "");
}

static bool number(const char *word, uint32_t *out)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	*out = (uint32_t)n;
	return word[0] >= '0' && word[0] <= '9' && !*end && n <= UINT32_MAX;
}

struct link *now_add_link(struct now *now, const char *name)
{
	struct link *link;

	now->links.v = reallocarray(now->links.v, now->links.n + 1, sizeof(*now->links.v));
	if (!now->links.v)
		abort();
	link = &now->links.v[now->links.n++];
	*link = (struct link){ .type = ARPHRD_ETHER, .mtu = 1500, .flags = IFF_UP };
	text_copy(link->name, sizeof(link->name), name);
	return link;
}

/* --- link: options without a value, with a text, with a number */

static bool link_flag(struct link *link, const char *word)
{
	if (strcmp(word, "isolated") == 0)
		link->isolated = true;
	else if (strcmp(word, "stp") == 0)
		link->stp = true;
	else if (strcmp(word, "ingress") == 0)
		link->tc.ingress_only = true;
	else if (strcmp(word, "down") == 0)
		link->flags &= ~(unsigned)IFF_UP;
	else if (strcmp(word, "loopback") == 0)
		link->flags |= IFF_LOOPBACK;
	else
		return false;
	return true;
}

static bool link_text(struct now *now, struct link *link, const char *word, const char *value)
{
	const struct link *master;

	if (strcmp(word, "kind") == 0)
		text_copy(link->kind, sizeof(link->kind), value);
	else if (strcmp(word, "bus") == 0)
		text_copy(link->bus, sizeof(link->bus), value);
	else if (strcmp(word, "alias") == 0)
		text_copy(link->alias, sizeof(link->alias), value);
	else if (strcmp(word, "altname") == 0)
		link_add_altname(link, value);
	else if (strcmp(word, "remote") == 0 && ip_parse(value, &link->vxlan.remote))
		link->vxlan.v6 = !ip_is_v4(&link->vxlan.remote);
	else if (strcmp(word, "master") == 0 && (master = links_by_name(&now->links, value)))
		link->master = master->ifindex;
	else
		return false;
	return true;
}

static bool link_number(struct link *link, const char *word, const char *value)
{
	uint32_t n;

	if (!number(value, &n))
		return false;
	if (strcmp(word, "index") == 0)
		link->ifindex = (int)n;
	else if (strcmp(word, "xdp") == 0)
		link->xdp_prog = n;
	else if (strcmp(word, "block") == 0)
		link->tc.block_in = n;
	else if (strcmp(word, "mtu") == 0)
		link->mtu = n;
	else if (strcmp(word, "type") == 0)
		link->type = (uint16_t)n;
	else if (strcmp(word, "vni") == 0)
		link->vxlan.vni = n;
	else if (strcmp(word, "port") == 0)
		link->vxlan.port = (uint16_t)n;
	else
		return false;
	return true;
}

static int read_link(struct now *now, const struct now_line *l, struct why *why)
{
	struct link *link;

	if (l->n < 2 || links_by_name(&now->links, l->words[1]))
		return bad(now, l, why, "a link needs a name of its own", NULL);
	link = now_add_link(now, l->words[1]);
	for (size_t i = 2; i < l->n; i++) {
		if (link_flag(link, l->words[i]))
			continue;
		if (i + 1 == l->n || (!link_text(now, link, l->words[i], l->words[i + 1]) &&
				      !link_number(link, l->words[i], l->words[i + 1])))
			return bad(now, l, why, "link: cannot use", l->words[i]);
		i++;
	}
	link->is_port = link->master != 0;
	return link->ifindex ? 0 : bad(now, l, why, "a link needs an index", NULL);
}

static int read_addr(struct now *now, const struct now_line *l, struct why *why)
{
	const struct link *link = l->n > 2 ? links_by_name(&now->links, l->words[1]) : NULL;
	struct addr a = { .ifindex = link ? link->ifindex : 0 };
	uint32_t proto = 0;

	if (!link || !ip_parse_prefix(l->words[2], &a.prefix))
		return bad(now, l, why, "addr LINK PREFIX [proto N]", NULL);
	if (l->n > 3 &&
	    (l->n != 5 || strcmp(l->words[3], "proto") != 0 || !number(l->words[4], &proto)))
		return bad(now, l, why, "addr: cannot use", l->words[3]);
	a.proto = (uint8_t)proto;
	now->addrs.v = reallocarray(now->addrs.v, now->addrs.n + 1, sizeof(a));
	if (!now->addrs.v)
		abort();
	now->addrs.v[now->addrs.n++] = a;
	return 0;
}

static int read_route(struct now *now, const struct now_line *l, struct why *why)
{
	struct now_route r = { 0 };
	size_t i = 2;

	while (i + 1 < l->n && strcmp(l->words[i], "dev") == 0) {
		const struct link *link = links_by_name(&now->links, l->words[i + 1]);

		if (!link || r.route.n == ARRAY_LEN(r.route.ifindex))
			break;
		r.route.ifindex[r.route.n++] = link->ifindex;
		i += 2;
	}
	if (!r.route.n || (strcmp(l->words[1], "default") != 0 && !ip_parse(l->words[1], &r.to)))
		return bad(now, l, why, "route ADDRESS|default dev LINK [dev LINK]... [mtu N]",
			   NULL);
	if (i < l->n && (l->n != i + 2 || strcmp(l->words[i], "mtu") != 0 ||
			 !number(l->words[i + 1], &r.route.mtu)))
		return bad(now, l, why, "route: cannot use", l->words[i]);
	route_narrow(&now->links, true, &r.route);
	now->routes = reallocarray(now->routes, now->n_routes + 1, sizeof(r));
	if (!now->routes)
		abort();
	now->routes[now->n_routes++] = r;
	return 0;
}

struct route now_route(const struct now *now, const struct vx_addr *to)
{
	struct route best = { .err = -ENETUNREACH };

	for (size_t i = 0; i < now->n_routes; i++) {
		if (ip_equal(&now->routes[i].to, to))
			return now->routes[i].route;
		if (!ip_is_set(&now->routes[i].to))
			best = now->routes[i].route;
	}
	return best;
}

static int read_ipsec(struct now *now, const struct now_line *l, struct why *why)
{
	struct vx_addr peer;

	if (l->n != 2 || !ip_parse(l->words[1], &peer))
		return bad(now, l, why, "ipsec ADDRESS", NULL);
	now->ipsec = reallocarray(now->ipsec, now->n_ipsec + 1, sizeof(peer));
	if (!now->ipsec)
		abort();
	now->ipsec[now->n_ipsec++] = peer;
	return 0;
}

bool now_ipsec(const struct now *now, const struct vx_addr *to)
{
	for (size_t i = 0; i < now->n_ipsec; i++)
		if (ip_equal(&now->ipsec[i], to))
			return true;
	return false;
}

/* --- lines of one word and a value */

static int read_now(struct now *now, const struct now_line *l, struct why *why)
{
	if (l->n == 3 && strcmp(l->words[1], "like") == 0 && strcmp(l->words[2], "wanted") == 0)
		now->like_wanted = true;
	else if (l->n == 4 && strcmp(l->words[1], "wanted") == 0 && strcmp(l->words[2], "by") == 0)
		now->wanted_by = l->words[3];
	else
		return bad(now, l, why, "now like wanted | now wanted by FILE.yaml", NULL);
	return 0;
}

static int read_line(struct now *now, const struct now_line *l, struct why *why)
{
	const char *word = l->words[0], *value = l->n == 2 ? l->words[1] : "";

	if (strcmp(word, "link") == 0)
		return read_link(now, l, why);
	if (strcmp(word, "addr") == 0)
		return read_addr(now, l, why);
	if (strcmp(word, "route") == 0)
		return read_route(now, l, why);
	if (strcmp(word, "ipsec") == 0)
		return read_ipsec(now, l, why);
	if (strcmp(word, "now") == 0)
		return read_now(now, l, why);
	if (strcmp(word, "down") == 0 && l->n == 1)
		now->down = true;
	else if (strcmp(word, "overlay") == 0 && value[0])
		now->overlay = value;
	else if (strcmp(word, "config") == 0 && value[0])
		now->config = value;
	else if (strcmp(word, "tc") == 0 &&
		 (strcmp(value, "tcx") == 0 || strcmp(value, "clsact") == 0))
		now->tc_mode = value;
	else
		return bad(now, l, why, "cannot use", word);
	return 0;
}

static bool is_change(const struct now_line *l)
{
	static const char *const words[] = { "forget", "set", "add", "blob", "build" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(l->words[0], words[i]) == 0)
			return true;
	return false;
}

static int split(struct now *now, struct why *why)
{
	char *rest = now->text, *line;

	for (unsigned no = 1; (line = strsep(&rest, "\n")); no++) {
		struct now_line l = { .no = no };
		char *word;

		if (line[0] == '#')
			continue;
		while ((word = strsep(&line, " \t"))) {
			if (word[0] && l.n == NOW_WORDS)
				return bad(now, &l, why, "too many words", NULL);
			if (word[0])
				l.words[l.n++] = word;
		}
		if (!l.n)
			continue;
		now->lines = reallocarray(now->lines, now->n_lines + 1, sizeof(l));
		if (!now->lines)
			abort();
		now->lines[now->n_lines++] = l;
	}
	return 0;
}

int now_read(const char *path, char *text, struct now *out, struct why *why)
{
	int err;

	*out = (struct now){ .path = path, .text = text, .overlay = "vxbr0", .tc_mode = "tcx" };
	err = split(out, why);
	while (!err && out->changes < out->n_lines && !is_change(&out->lines[out->changes]))
		err = read_line(out, &out->lines[out->changes++], why);
	return err;
}

void now_free(struct now *now)
{
	free(now->text);
	free(now->lines);
	free(now->links.v);
	free(now->addrs.v);
	free(now->routes);
	free(now->ipsec);
	*now = (struct now){ 0 };
}
