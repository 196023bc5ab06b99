// SPDX-License-Identifier: GPL-2.0
/* vxbpf ping: does a peer answer through its tunnel, how fast, and packets of which size arrive there? */
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>

#include "base/ip.h"
#include "cmd/command.h"
#include "cmd/ping.h"
#include "cmd/running.h"
#include "kernel/link.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

bool ping_interrupted(void)
{
	return interrupted;
}

static void hear_interrupts(void)
{
	struct sigaction act = { .sa_handler = on_interrupt };

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
}

static bool is_called(const struct running_peer *p, const char *subject)
{
	struct vx_addr addr;

	return strcmp(p->said.name, subject) == 0 ||
	       (ip_parse(subject, &addr) && ip_equal(&addr, &p->said.remote));
}

static void unknown_peer(const char *subject, const struct running_list *list, struct why *why)
{
	char names[400] = "", more[] = "...";

	for (size_t i = 0; i < list->n; i++) {
		const struct vx_overlay *o = &list->v[i].told;

		if (strcmp(o->local, subject) == 0 || strcmp(o->address, subject) == 0 ||
		    strcmp(o->address6, subject) == 0) {
			why_bad(why, "%s: ping: this is the local host, not a peer", subject);
			return;
		}
		for (size_t k = 0; k < list->v[i].n_peers; k++)
			text_add(names, sizeof(names), "%s%s", names[0] ? ", " : "",
				 list->v[i].peers[k].said.name);
	}
	if (strlen(names) == sizeof(names) - 1)
		memcpy(names + sizeof(names) - sizeof(more), more, sizeof(more));
	why_bad(why, "%s: ping: peer not found; the peers are %s", subject,
		names[0] ? names : "none");
}

/* The one peer of that name or address, of those overlays; NULL: *why says why not. */
static const struct running_peer *find_peer(const char *subject, const struct running_list *list,
					    const struct running **out_overlay, struct why *why)
{
	const struct running_peer *found = NULL;
	char overlays[200] = "";
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct running *l = &list->v[i];

		for (size_t k = 0; k < l->n_peers; k++) {
			if (!is_called(&l->peers[k], subject))
				continue;
			*out_overlay = l;
			found = &l->peers[k];
			text_add(overlays, sizeof(overlays), "%s%s", n++ ? " and in " : "",
				 l->told.name);
		}
	}
	if (!found)
		unknown_peer(subject, list, why);
	if (n < 2)
		return found;
	why_bad(why, "%s: ping: it is a peer in %s; name the overlay", subject, overlays);
	return NULL;
}

/* Without it the tunnel sends nothing. */
static int need_own_address(const struct running_peer *peer, struct why *why)
{
	autonl struct nl *nl = NULL;
	struct addrs addrs = { 0 };
	const struct addr *own;
	int err = nl_open(&nl, why);

	if (!err)
		err = addrs_read(nl, &addrs, why);
	own = err ? NULL : addrs_find(&addrs, &peer->said.local);
	if (!err && (!own || own->duplicate))
		err = why_set(why, -EADDRNOTAVAIL,
			      "%s: ping: %s this host's address %s%s, so the tunnel sends nothing; "
			      "see `vxbpf check`",
			      peer->said.name, own ? "another machine has" : "no device has",
			      peer->said.local_address, own ? " too" : " now");
	free(addrs.v);
	return err;
}

static int start(const char *subject, const struct running_list *list, struct ping *p,
		 struct why *why)
{
	const struct running *overlay = NULL;
	const struct running_peer *peer = find_peer(subject, list, &overlay, why);
	int err;

	if (!peer || !overlay)
		return -EINVAL;
	if (overlay->told.vni_mode == VX_VNI_INDEX)
		return why_set(why, -EOPNOTSUPP,
			       "%s: ping: not supported with `vni: index`: a VNI does not identify "
			       "the pair of hosts",
			       overlay->told.name);
	p->overlay = &overlay->told;
	p->peer = &peer->said;
	p->vni = peer->vni;
	p->overhead = ip_is_v4(&peer->said.remote) ? 50 : 70;
	p->ifindex = if_nametoindex(peer->said.ifname);
	if (!p->ifindex)
		return why_set(why, -ENODEV,
			       "%s: ping: its tunnel %s does not exist; run `vxbpf up %s`",
			       peer->said.name, peer->said.ifname, overlay->told.name);
	err = need_own_address(peer, why);
	return err ? err : probing_open(overlay->told.name, &p->probing, why);
}

int cmd_ping(const struct command_args *args)
{
	autorunning struct running_list list = { 0 };
	struct ping p = { .probing = probing_none() };
	struct why why = { 0 };
	int err;

	if (!args->subject) {
		why_bad(&why, "ping: missing PEER; see `vxbpf help ping`");
		return command_fail(&why);
	}
	err = command_number(args, OPTION_COUNT, 1, 1000000, 4, &p.count, &why);
	if (!err)
		err = command_number(args, OPTION_SIZE, PROBE_MIN, PROBE_MAX, PROBE_SIZE, &p.size,
				     &why);
	p.sized = args->given[OPTION_SIZE];
	if (!err)
		err = running_list_read(args, &list, &why);
	if (!err)
		err = start(args->subject, &list, &p, &why);
	if (!err) {
		hear_interrupts();
		err = ping_run(&p, &why);
	}
	probing_close(&p.probing);
	if (err)
		return command_fail(&why);
	return p.answered ? EXIT_FINE : EXIT_FAILED;
}
