// SPDX-License-Identifier: GPL-2.0
/*
 * What vxbpf would do, without a kernel: golden CASE reads CASE.yaml (the config) and CASE.now (what
 * the kernel looks like, see now.h), plans as converge.c does, and prints the notes, then the steps
 * or the refusal. A case that makes no sense is said on stderr, exit code 2.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "now.h"
#include "plan/diff.h"
#include "plan/plan.h"
#include "reconcile/steps_print.h"

static const char *const maps[] = { "counters", "drops",   "fdb",     "overlay", "peers",
				    "ports",	"sources", "tunnels", "witness", NULL };
static const char *const progs[] = { "port_in",	 "tun_in",	"tun_out",  "wire_in", "wire_in_l3",
				     "wire_out", "wire_out_l3", "wire_xdp", NULL };

struct golden {
	struct now now;
	struct conf conf;
	struct objs observed;
	struct objs want;
	struct verdicts notes;
	struct steps steps;
	struct why why; /* of the plan: a refusal is a result */
};

static void golden_free(struct golden *g)
{
	steps_free(&g->steps);
	verdicts_free(&g->notes);
	objs_free(&g->want);
	objs_free(&g->observed);
	conf_free(&g->conf);
	now_free(&g->now);
}
#define autogolden __attribute__((cleanup(golden_free)))

static void mesh_cleanup(struct mesh *mesh)
{
	mesh_free(mesh);
}
#define automesh __attribute__((cleanup(mesh_cleanup)))

static char *read_text(const char *path)
{
	autofile FILE *f = fopen(path, "re");
	autofree char *text = calloc(1, CONF_MAX_SIZE);

	if (!f || !text || fread(text, 1, CONF_MAX_SIZE - 1, f) == 0) {
		fprintf(stderr, "%s: cannot be read or is empty\n", path);
		exit(2);
	}
	return take_ptr(text);
}

/* `file` beside the case, under the path that such a config would have on a host. */
static int read_conf(const struct now *now, const char *file, struct conf *out, struct why *why)
{
	autofree char *text = NULL;
	char path[PATH_MAX], as[PATH_MAX];
	const char *slash = strrchr(now->path, '/');

	snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash - now->path + 1) : 0, now->path,
		 file);
	snprintf(as, sizeof(as), "/etc/vxbpf/%s.yaml", now->overlay);
	text = read_text(path);
	return conf_parse(as, text, strlen(text), out, why);
}

/* converge.c's build_mesh and want_up, with a kernel of text. */
static int want_up(const struct now *now, const struct conf *conf, struct objs *observed,
		   struct objs *out, struct verdicts *notes, struct why *why)
{
	autofree struct vx_addr *locals = calloc(now->addrs.n + 1, sizeof(*locals));
	autofree struct route *routes = NULL;
	autofree bool *ipsec = NULL;
	automesh struct mesh mesh = { 0 };
	autoslots struct slots slots = { 0 };
	/* No case of theirs: iptables look at bridged frames. */
	const struct fastpath_facts fastpath = { .bridge_nf_call = true };
	struct plan_surroundings around = { .links = &now->links,
					    .fastpath = &fastpath,
					    .addrs = &now->addrs,
					    .tc_mode = now->tc_mode };
	const struct plan_built built = {
		.now = observed, .slots = &slots, .build = NOW_BUILD, .maps = maps, .progs = progs
	};
	struct plan_base base;
	int err;

	for (size_t i = 0; i < now->addrs.n; i++)
		locals[i] = now->addrs.v[i].prefix.addr;
	err = mesh_build(conf, locals, now->addrs.n, &mesh, why);
	if (err)
		return err;
	around.routes = routes = calloc(mesh.n_peers + 1, sizeof(*routes));
	around.ipsec = ipsec = calloc(mesh.n_peers + 1, sizeof(*ipsec));
	for (size_t i = 0; i < mesh.n_peers; i++) {
		routes[i] = now_route(now, &mesh.peers[i].remote);
		ipsec[i] = now_ipsec(now, &mesh.peers[i].remote);
	}
	slots_assign(&mesh, observed, &slots);
	err = plan_settle(conf, &mesh, &around, &base, notes, why);
	if (!err)
		plan_objects(conf, &mesh, &around, &built, &base, out, notes);
	return err;
}

/* What was wanted once is there now: without what only a plan knows. */
static int observe_wanted(struct golden *g, struct why *why)
{
	autoverdicts struct verdicts unsaid = { 0 };
	struct objs nothing = { 0 };
	struct conf other = { 0 };
	int err = 0;

	if (g->now.wanted_by)
		err = read_conf(&g->now, g->now.wanted_by, &other, why);
	else if (!g->now.like_wanted)
		return 0;
	if (!err)
		err = want_up(&g->now, g->now.wanted_by ? &other : &g->conf, &nothing, &g->observed,
			      &unsaid, why);
	conf_free(&other);
	for (size_t i = 0; i < g->observed.n; i++) {
		free(g->observed.v[i]->note);
		g->observed.v[i]->note = NULL;
		g->observed.v[i]->optional = false;
	}
	return err;
}

/* Our addresses on the bridge are both surroundings and objects. */
static void observe_addrs(struct golden *g)
{
	for (size_t i = 0; i < g->now.addrs.n; i++) {
		const struct addr *a = &g->now.addrs.v[i];
		const struct link *link = links_by_index(&g->now.links, a->ifindex);
		char text[IP_TEXT + 4];

		ip_format_prefix(&a->prefix, text);
		if (a->proto != PLAN_ADDR_PROTO || objs_find(&g->observed, OBJ_ADDR, text))
			continue;
		obj_parent(objs_add(&g->observed, OBJ_ADDR, "%s", text), link->name);
	}
}

static void fill_tunnel(struct link *link, const struct obj *o)
{
	text_copy(link->kind, sizeof(link->kind), "vxlan");
	text_copy(link->altname, sizeof(link->altname), obj_get_text(o, F_ALTNAME));
	link->group = (uint32_t)obj_get_num(o, F_GROUP);
	link->mtu = (uint32_t)obj_get_num(o, F_MTU);
	link->vxlan.vni = (uint32_t)obj_get_num(o, F_VNI);
	link->vxlan.port = (uint16_t)obj_get_num(o, F_PORT);
	if (ip_parse(obj_get_text(o, F_REMOTE), &link->vxlan.remote))
		link->vxlan.v6 = !ip_is_v4(&link->vxlan.remote);
}

/* Observed devices are surroundings, too, unless a `link` line has said how they look. */
static void show_devices(struct golden *g)
{
	for (size_t i = 0; i < g->observed.n; i++) {
		const struct obj *o = g->observed.v[i];
		const struct link *master;
		struct link *link;

		if ((o->kind == OBJ_MEMBER || o->kind == OBJ_BRIDGE || o->kind == OBJ_TUNNEL) &&
		    !links_by_name(&g->now.links, o->key)) {
			link = now_add_link(&g->now, o->key);
			link->ifindex = 1000 + (int)i;
			mac_parse(obj_get_text(o, F_MAC), link->mac);
			text_copy(link->alias, sizeof(link->alias), obj_get_text(o, F_ALIAS));
			text_copy(link->kind, sizeof(link->kind), "bridge");
			if (o->kind == OBJ_TUNNEL)
				fill_tunnel(link, o);
		}
		if (o->kind != OBJ_MEMBER)
			continue;
		master = links_by_name(&g->now.links, obj_get_text(o, F_MASTER));
		link = (struct link *)links_by_name(&g->now.links, o->key);
		link->master = master ? master->ifindex : 0;
		link->is_port = master != NULL;
		link->isolated = obj_get_num(o, F_ISOLATED);
	}
}

/* What observe.c and observe_pins.c would not report: devices without our mark, and what is in a
 * tree that is not there or of another layout. */
static void hide(struct golden *g, const char *host)
{
	const struct obj *tree = objs_find(&g->observed, OBJ_TREE, g->now.overlay);
	static const char *const pinned[] = { "map", "program", "hook", "clsact", "filter" };

	for (size_t i = 0; i < g->now.links.n; i++) {
		const struct link *link = &g->now.links.v[i];

		if (!plan_owns_tunnel(link, g->now.overlay, host)) {
			now_forget(&g->observed, "tunnel", link->name);
			now_forget(&g->observed, "member", link->name);
		}
		if (!plan_owns_bridge(link, g->now.overlay)) {
			now_forget(&g->observed, "bridge", link->name);
			now_forget(&g->observed, "setup", link->name);
		}
	}
	if (!tree || obj_get_num(tree, F_LAYOUT) != VX_LAYOUT)
		now_forget(&g->observed, "entry", "*");
	for (size_t i = 0; !tree && i < ARRAY_LEN(pinned); i++)
		now_forget(&g->observed, pinned[i], "*");
}

/* The name of this host, as observe.c would have it from the mesh or from the entry `overlay`. */
static void own_name(const struct golden *g, char name[VX_NAME_LEN])
{
	struct vx_addr local;

	text_copy(name, VX_NAME_LEN, g->conf.local);
	for (size_t i = 0; i < g->now.addrs.n * g->conf.n_hosts; i++) {
		const struct conf_host *host = &g->conf.hosts[i % g->conf.n_hosts];

		local = g->now.addrs.v[i / g->conf.n_hosts].prefix.addr;
		if (!name[0] &&
		    (ip_equal(&host->address, &local) || ip_equal(&host->address6, &local)))
			text_copy(name, VX_NAME_LEN, host->name);
	}
}

/* 0, -EINVAL for a case that makes no sense; a refusal is in g->why. */
static int plan_case(struct golden *g, const char *config, struct why *why)
{
	char name[VX_NAME_LEN];
	int err = read_conf(&g->now, g->now.config ? g->now.config : config, &g->conf, &g->why);

	if (err)
		return 0;
	own_name(g, name);
	err = observe_wanted(g, why);
	if (!err)
		err = now_change(&g->now, &g->observed, why);
	if (err)
		return err;
	observe_addrs(g);
	show_devices(g);
	hide(g, name);
	if (g->now.down)
		plan_nothing(g->now.overlay, &g->now.links, &g->now.addrs, &g->want, &g->notes);
	else
		err = want_up(&g->now, &g->conf, &g->observed, &g->want, &g->notes, &g->why);
	if (!err)
		diff_make(&g->want, &g->observed, &g->steps, &g->why);
	return 0;
}

static void say(const struct golden *g)
{
	for (size_t i = 0; i < g->notes.n; i++)
		printf("note: %s\n", g->notes.v[i].text);
	if (g->why.text[0])
		printf("%s: %s\n", g->why.bad_input ? "bad input" : "refused", g->why.text);
	else
		steps_print(&g->steps);
}

int main(int argc, char **argv)
{
	autogolden struct golden g = { 0 };
	char path[PATH_MAX], config[PATH_MAX];
	struct why why = { 0 };
	int err;

	if (argc != 2) {
		fputs("usage: golden CASE\n", stderr);
		return 2;
	}
	snprintf(path, sizeof(path), "%s.now", argv[1]);
	snprintf(config, sizeof(config), "%s.yaml",
		 strrchr(argv[1], '/') ? strrchr(argv[1], '/') + 1 : argv[1]);
	err = now_read(path, read_text(path), &g.now, &why);
	if (!err)
		err = plan_case(&g, config, &why);
	if (err) {
		fprintf(stderr, "%s\n", why.text);
		return 2;
	}
	say(&g);
	return 0;
}
