// SPDX-License-Identifier: GPL-2.0
/* Problems of config, hooks and fast path, in plain sentences; see snapshot_say.h. Pure. */
#include <string.h>

#include "diagnose/snapshot_say.h"

struct saying {
	const struct snapshot *s;
	struct verdicts *out;
	char up[PATH_MAX + 16]; /* the command that mends most of it */
};

/* "vxbpf up vxbr0", or by path where the file is not where names are looked up. */
static void up_command(const struct snapshot *s, char *text, size_t size)
{
	char usual[64];

	snprintf(usual, sizeof(usual), "/etc/vxbpf/%s.yaml", s->told.name);
	snprintf(text, size, "vxbpf up %s", strcmp(s->path, usual) == 0 ? s->told.name : s->path);
}

static void say_down(const struct saying *a)
{
	const struct snapshot *s = a->s;

	if (s->fault[0])
		verdicts_add(a->out, VERDICT_CONFIG, "", "not up, and the config cannot be %s: %s",
			     s->unmet ? "applied now" : "used", s->fault);
	else if (s->layout == VX_LAYOUT)
		verdicts_add(a->out, VERDICT_NOT_UP, "", "not up, only half set up; run `%s`",
			     a->up);
	else
		verdicts_add(a->out, VERDICT_NOT_UP, "", "not up; run `%s`", a->up);
}

/* "3 things differ from the config (~ setup vxbr0 mtu 1400 -> 1450; ...): run `vxbpf up vxbr0`" */
static void say_drift(const struct saying *a)
{
	const struct snapshot *s = a->s;
	char steps[SNAPSHOT_STEPS * 160] = "", list[PATH_MAX + 64] = "";

	for (size_t i = 0; i < s->steps.n; i++)
		text_add(steps, sizeof(steps), "%s%.150s", i ? "; " : " (", s->steps.v[i]);
	if (s->steps.n && s->drift > s->steps.n)
		text_add(steps, sizeof(steps), "; and %zu more", s->drift - s->steps.n);
	if (s->steps.n)
		text_add(steps, sizeof(steps), ")");
	if (s->drift > s->steps.n)
		snprintf(list, sizeof(list), " (`%s --dry-run` lists %s)", a->up,
			 s->drift == 1 ? "it" : "them");
	verdicts_add(a->out, VERDICT_DRIFT, "", "%zu %s from the config%s; run `%s`%s", s->drift,
		     s->drift == 1 ? "thing differs" : "things differ", steps, a->up, list);
}

static void say_config(const struct saying *a)
{
	const struct snapshot *s = a->s;
	char advice[PATH_MAX + 64] = "";

	if (!s->unmet)
		snprintf(advice, sizeof(advice), "; correct it and run `%s`", a->up);

	if (s->layout && s->layout != VX_LAYOUT)
		verdicts_add(a->out, VERDICT_LAYOUT, "",
			     "another version of vxbpf made the pins in /sys/fs/bpf/vxbpf/%s, so "
			     "its counters cannot be read; run `%s` to recreate them",
			     s->told.name, a->up);
	else if (!s->up)
		say_down(a);
	if (!s->up)
		return;
	if (s->fault[0])
		verdicts_add(a->out, VERDICT_CONFIG, "",
			     "still runs with its previous config, because the config cannot be "
			     "%s: %s%s",
			     s->unmet ? "applied now" : "used", s->fault, advice);
	if (s->drift)
		say_drift(a);
}

/* The plan has reported ports that it cannot hook. */
static bool is_told(const struct snapshot *s, const char *ifname)
{
	for (size_t i = 0; i < s->notes.n; i++)
		if (s->notes.v[i].id == VERDICT_UNHOOKED &&
		    strcmp(s->notes.v[i].about, ifname) == 0)
			return true;
	return false;
}

static void say_unhooked(const struct saying *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->s->n_ports; i++)
		if (!a->s->ports[i].hooked && !is_told(a->s, a->s->ports[i].ifname) &&
		    n++ < SAY_MAX)
			verdicts_add(a->out, VERDICT_UNHOOKED, a->s->ports[i].ifname,
				     "%s: has no vxbpf program, so only the kernel handles its "
				     "frames; run `%s`",
				     a->s->ports[i].ifname, a->up);
	if (n > SAY_MAX)
		verdicts_add(a->out, VERDICT_UNHOOKED, "", "%zu more %s no vxbpf program",
			     n - SAY_MAX, n == SAY_MAX + 1 ? "port has" : "ports have");
}

/* The plan has reported XDP programs of others. */
static void say_xdp(const struct saying *a)
{
	for (size_t i = 0; i < a->s->n_devices; i++) {
		const struct snapshot_device *d = &a->s->devices[i];

		if (d->xdp_wanted && strcmp(a->s->told.xdp, "on") == 0)
			verdicts_add(a->out, VERDICT_XDP, d->ifname,
				     "%s: has no vxbpf XDP program, so the guard uses TC there; "
				     "run `vxbpf up` to see the reason, or set `xdp: auto`",
				     d->ifname);
	}
}

/* One device after the other, until there are enough. */
static void say_slow(const struct saying *a, const char *ifname, const char *why, size_t n)
{
	if (n < SAY_MAX)
		verdicts_add(a->out, VERDICT_FASTPATH, ifname,
			     "%s: not accelerated because %s; remove that, or set `fastpath: off`",
			     ifname, why);
	else if (n == SAY_MAX)
		verdicts_add(a->out, VERDICT_FASTPATH, "",
			     "more devices are not accelerated; `vxbpf status` lists them");
}

/* Works as well, only slower: said by `check` alone, where the config would have it otherwise. */
static void say_fastpath(const struct saying *a)
{
	const struct snapshot *s = a->s;
	size_t n = 0;

	if (!s->looked || strcmp(s->told.fastpath, "auto") != 0 || s->told.vni_mode == VX_VNI_INDEX)
		return;
	if (s->told.fastpath_why[0]) {
		verdicts_add(a->out, VERDICT_FASTPATH, "",
			     "the fast path is off because %s; remove that if nothing needs it, or "
			     "set `fastpath: off`",
			     s->told.fastpath_why);
		return;
	}
	for (size_t i = 0; i < s->n_ports; i++)
		if (s->ports[i].kept_out)
			say_slow(a, s->ports[i].ifname, s->ports[i].why, n++);
}

void snapshot_say(const struct snapshot *s, struct verdicts *out)
{
	struct saying a = { .s = s, .out = out };

	up_command(s, a.up, sizeof(a.up));
	say_config(&a);
	for (size_t i = 0; i < s->notes.n; i++)
		verdicts_copy(out, &s->notes.v[i]);
	in_front_say(&s->fronts, out);
	if (!s->up)
		return;
	say_unhooked(&a);
	snapshot_say_peers(s, out);
	say_xdp(&a);
	say_fastpath(&a);
	snapshot_say_drops(s, out);
}

void snapshot_say_isolated(const struct snapshot *s, struct verdicts *out)
{
	const struct snapshot_port *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < s->n_ports; i++) {
		if (!s->ports[i].isolated)
			continue;
		first = first ? first : &s->ports[i];
		n++;
	}
	if (!first)
		return;
	verdicts_add(out, VERDICT_ISOLATED, first->ifname,
		     "%s%s isolated from the other isolated ports of this host only; isolated "
		     "ports of other hosts still reach %s, so use firewall rules in the containers "
		     "to keep those apart",
		     first->ifname, n > 1 ? " and more ports are" : " is", n > 1 ? "them" : "it");
}
