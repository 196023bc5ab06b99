// SPDX-License-Identifier: GPL-2.0
/* Overlays that are up; see running.h. */
#include <errno.h>
#include <string.h>

#include "cmd/running.h"
#include "kernel/mapdump.h"
#include "kernel/pins.h"
#include "kernel/pins_overlay.h"

static int by_name(const void *a, const void *b)
{
	const struct running_peer *x = a, *y = b;

	return strverscmp(x->said.name, y->said.name);
}

static int read_peers(struct running *l, struct why *why)
{
	automapdump struct mapdump dump = { 0 };
	int err = mapdump_read(l->told.name, "peers", sizeof(struct vx_vni), sizeof(struct vx_peer),
			       &dump);

	l->peers = err ? NULL : calloc(dump.n + 1, sizeof(*l->peers));
	if (!l->peers)
		return why_set(why, err ? err : -ENOMEM, "%s: cannot read the pinned peers: %s",
			       l->told.name, strerror(err ? -err : ENOMEM));
	for (size_t i = 0; i < dump.n; i++) {
		struct running_peer *p = &l->peers[l->n_peers++];

		p->vni = ((const struct vx_vni *)mapdump_key(&dump, i))->vni;
		p->said = *(const struct vx_peer *)mapdump_value(&dump, i, 0);
		text_end(p->said.name);
		text_end(p->said.ifname);
		text_end(p->said.address);
		text_end(p->said.local_address);
	}
	if (l->n_peers)
		qsort(l->peers, l->n_peers, sizeof(*l->peers), by_name);
	return 0;
}

static int read_one(struct running_list *out, const char *overlay, struct why *why)
{
	struct running *grown = reallocarray(out->v, out->n + 1, sizeof(*out->v));

	if (!grown)
		return why_set(why, -ENOMEM, "%s: out of memory", overlay);
	out->v = grown;
	grown[out->n] = (struct running){ 0 };
	if (pinned_overlay(overlay, &grown[out->n].told))
		return -ENOENT;
	return read_peers(&grown[out->n++], why);
}

/* Those that are not wholly up are left out. */
static int read_all(struct running_list *out, struct why *why)
{
	autonames struct names names = { 0 };
	int err = pins_overlays(&names);

	if (err && err != -ENOENT)
		return why_set(why, err, "%s: cannot list: %s", pins_root(), strerror(-err));
	for (size_t i = 0; i < names.n; i++) {
		err = read_one(out, names.v[i], why);
		if (err && err != -ENOENT)
			return err;
	}
	return 0;
}

static int read_named(const struct command_args *args, struct running_list *out, struct why *why)
{
	autotargets struct command_targets targets = { 0 };
	int err = command_find_targets(args->arg, true, &targets, why);
	const struct command_target *t = targets.v;

	if (err)
		return err;
	err = read_one(out, t->overlay, why);
	if (err != -ENOENT)
		return err;
	if (access(t->path, F_OK))
		return why_bad(why, "%s: %s: the overlay is not up, and %s does not exist",
			       t->overlay, args->verb, t->path);
	return why_set(why, err, "%s: %s: the overlay is not up here; run `vxbpf up %s`",
		       t->overlay, args->verb, args->arg);
}

int running_list_read(const struct command_args *args, struct running_list *out, struct why *why)
{
	int err = command_need_rights(args->verb, why);

	if (!err)
		err = args->arg ? read_named(args, out, why) : read_all(out, why);
	if (!err && !out->n)
		err = why_set(why, -ENOENT, "%s: no overlay is up here; run `vxbpf up`",
			      args->verb);
	return err;
}

void running_list_free(struct running_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i].peers);
	free(list->v);
}

const struct running_peer *running_find_vni(const struct running *l, uint32_t vni)
{
	for (size_t i = 0; i < l->n_peers; i++)
		if (l->peers[i].vni == vni)
			return &l->peers[i];
	return NULL;
}
