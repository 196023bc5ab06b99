// SPDX-License-Identifier: GPL-2.0
/* Bridges of ours that are not wanted any more stay while others use them; see plan.h. Pure. */
#include <string.h>

#include "base/ip.h"
#include "plan/plan.h"

#define USERS_NAMED 8

struct users {
	char text[USERS_NAMED * (IP_TEXT + 8)]; /* "c1, c2" */
	size_t n;
};

static void add_user(struct users *users, const char *name)
{
	if (users->n++ < USERS_NAMED)
		text_add(users->text, sizeof(users->text), "%s%s", users->n > 1 ? ", " : "", name);
}

/* Ports and addresses on it that are not ours. `down` may not know this host's name: of a tunnel that
 * lost its alias the group has to do. */
static void find_users(const struct link *bridge, const char *overlay, const struct links *links,
		       const struct addrs *addrs, struct users *users)
{
	char text[IP_TEXT + 4];

	for (size_t i = 0; i < links->n; i++) {
		const struct link *port = &links->v[i];

		if (port->master == bridge->ifindex && port->group != plan_group(overlay) &&
		    !plan_owns_tunnel(port, overlay, ""))
			add_user(users, port->name);
	}
	for (size_t i = 0; i < addrs->n; i++) {
		const struct addr *a = &addrs->v[i];

		ip_format_prefix(&a->prefix, text);
		if (a->ifindex == bridge->ifindex && a->proto != PLAN_ADDR_PROTO &&
		    !ip_is_link_local(&a->prefix.addr))
			add_user(users, text);
	}
}

void plan_used_bridges(const char *overlay, const char *wanted, const struct links *links,
		       const struct addrs *addrs, struct objs *out, struct verdicts *verdicts)
{
	for (size_t i = 0; i < links->n; i++) {
		const struct link *bridge = &links->v[i];
		struct users users = { 0 };

		if (!plan_owns_bridge(bridge, overlay) || !strcmp(bridge->name, wanted))
			continue;
		find_users(bridge, overlay, links, addrs, &users);
		if (!users.n)
			continue;
		if (users.n > USERS_NAMED)
			text_add(users.text, sizeof(users.text), " and %zu more",
				 users.n - USERS_NAMED);
		objs_add(out, OBJ_BRIDGE, "%s", bridge->name);
		verdicts_add(verdicts, VERDICT_BRIDGE, bridge->name,
			     "%s: the bridge stays because %s %s still on it", bridge->name,
			     users.text, users.n == 1 ? "is" : "are");
	}
}

void plan_nothing(const char *overlay, const struct links *links, const struct addrs *addrs,
		  struct objs *out, struct verdicts *verdicts)
{
	plan_used_bridges(overlay, "", links, addrs, out, verdicts);
}
