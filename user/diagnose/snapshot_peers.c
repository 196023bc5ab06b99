// SPDX-License-Identifier: GPL-2.0
/*
 * Which peers are not reached, or do not hear us, as far as counters, routes and probes can tell; see
 * snapshot_say.h. Each peer gets the one sentence that explains most. Pure.
 */
#include <string.h>

#include "base/human.h"
#include "diagnose/snapshot_say.h"

/* Frames to a peer of which none was answered, before that is called one-way. */
#define ONE_WAY_FRAMES 5
/* Heard as late as its last odd VNI, or later: it has come round. */
#define COME_ROUND_NS 2000000000ULL

struct saying {
	const struct snapshot *s;
	struct verdicts *out;
};

/* The address of this host that the peer has to accept: with `bind:` not the one that the tunnel sends from. */
static const char *seen_address(const struct saying *a, const struct snapshot_peer *p)
{
	return p->local[0] && strcmp(p->local, a->s->told.address6) == 0 ? p->local
									 : a->s->told.address;
}

/* The remedy where nothing gets through. */
static void filtered(const struct saying *a, const struct snapshot_peer *p, char *text, size_t size)
{
	bool zero = strchr(p->address, ':') && a->s->told.vni_mode != VX_VNI_INDEX &&
		    !strstr(a->s->told.fastpath_why, "udp_checksum");

	if (a->s->filtered) {
		snprintf(text, size,
			 "this host's own firewall drops UDP port %u, see port_filtered; change "
			 "that first",
			 a->s->told.port);
		return;
	}
	snprintf(text, size,
		 "a firewall on the path probably blocks UDP port %u, or vxbpf is %s "
		 "running there; check that %s is up and accepts UDP port %u from %s",
		 a->s->told.port, p->sum.asked_ns ? "no longer" : "not", p->address,
		 a->s->told.port, seen_address(a, p));
	if (zero)
		text_add(text, size,
			 "; a path, or a plain VXLAN device there, may also drop IPv6 UDP without "
			 "checksum: then set `udp_checksum: on` and run `vxbpf restart`");
}

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

/* --- where the kernel would send */

static bool goes_astray(const struct snapshot *s, const struct snapshot_peer *p)
{
	if (p->route.missing || !p->route.device[0] || s->told.underlay[0])
		return false;
	return p->route.astray || (p->route.source[0] && strcmp(p->route.source, p->local) != 0);
}

static void say_route(const struct saying *a, const struct snapshot_peer *p)
{
	char source[VX_TEXT_LEN + 32] = "";

	if (p->route.source[0] && strcmp(p->route.source, p->local) != 0)
		snprintf(source, sizeof(source), "%ssource %s", p->route.astray ? " and " : " ",
			 p->route.source);
	if (p->route.astray)
		verdicts_add(a->out, VERDICT_ROUTE, p->name,
			     "%s: the route to %s uses device %s%s, but %s, this host's address in "
			     "the mesh, is on %s; fix the route, or set this host's address in the "
			     "config to one on the device of the route",
			     p->name, p->address, p->route.device, source, p->local, p->route.home);
	else
		verdicts_add(a->out, VERDICT_ROUTE, p->name,
			     "%s: the route to %s selects%s, but this host's address in the mesh "
			     "is %s and the tunnel sends from it; fix the route, or set the "
			     "route's address in the config",
			     p->name, p->address, source, p->local);
}

/* --- who numbers tunnels in another way */

static bool is_odd(const struct snapshot *s, const struct snapshot_peer *p)
{
	uint64_t then = p->other_vni_ns;

	if (p->probe.result == PROBE_ANSWERED)
		return false;
	if (!then || (s->now_ns > then && s->now_ns - then > SNAPSHOT_RECENT_NS))
		return false;
	return p->sum.last_rx_ns + COME_ROUND_NS < then;
}

static bool is_unheard(const struct snapshot_peer *p)
{
	return p->state == PEER_SILENT || p->probe.result == PROBE_UNANSWERED;
}

/* As the script numbers them nobody else does; of other numbers only trouble tells that they are not
 * another VXLAN's between the same hosts. */
static bool is_other_scheme(const struct snapshot *s, const struct snapshot_peer *p)
{
	if (!is_odd(s, p))
		return false;
	return (s->told.vni_mode == VX_VNI_PAIR && p->other_vni < s->n_peers) || is_unheard(p);
}

static void say_other_scheme(const struct saying *a, const struct snapshot_peer *p)
{
	bool pair = a->s->told.vni_mode == VX_VNI_PAIR;

	if (pair && p->other_vni < a->s->n_peers)
		verdicts_add(a->out, VERDICT_PEER_VNI, p->name,
			     "%s sends VNI %u, as vxlansetup.sh and `vni: index` assign it, but "
			     "this host expects %u; run `vxbpf up` there with this config, or set "
			     "`vni: index` in it until all hosts have moved",
			     p->name, p->other_vni, p->vni);
	else
		verdicts_add(a->out, VERDICT_PEER_VNI, p->name,
			     "%s sends VNI %u, which no tunnel here accepts (expected %u), so its "
			     "config has other names, addresses, `vni:` or `vni_salt:`; copy the "
			     "same config to both hosts and run `vxbpf up`",
			     p->name, p->other_vni, p->vni);
}

/* --- who is not heard */

static void say_silent(const struct saying *a, const struct snapshot_peer *p)
{
	char sent[HUMAN_LEN], age[HUMAN_LEN], what[160], probes[64] = "", todo[400];

	filtered(a, p, todo, sizeof(todo));
	human_count(p->sum.tx_packets, sent);
	if (p->last_seen_ms < 0) {
		snprintf(what, sizeof(what), "we sent %s frame%s and never received any", sent,
			 p->sum.tx_packets == 1 ? "" : "s");
	} else {
		human_age((uint64_t)p->last_seen_ms, age);
		snprintf(what, sizeof(what), "we sent %s frame%s and have received none for %s",
			 sent, p->sum.tx_packets == 1 ? "" : "s", age);
	}
	if (p->probe.result == PROBE_UNANSWERED)
		snprintf(probes, sizeof(probes), ", nor an answer to %u probe%s", p->probe.sent,
			 plural(p->probe.sent));
	verdicts_add(a->out, VERDICT_PEER_SILENT, p->name, "%s: %s%s; %s", p->name, what, probes,
		     todo);
}

static bool is_quiet(const struct snapshot_peer *p)
{
	return p->state == PEER_SILENT && p->probe.result == PROBE_ANSWERED;
}

static void say_quiet(const struct saying *a, const struct snapshot_peer *p)
{
	verdicts_add(a->out, VERDICT_PEER_QUIET, p->name,
		     "%s: the peer answers probes, so the tunnel works, but nothing behind it "
		     "answers our frames; check the container there, its address and its firewall; "
		     "normal for one-way streams",
		     p->name);
}

static void say_unreachable(const struct saying *a, const struct snapshot_peer *p)
{
	char todo[400];

	filtered(a, p, todo, sizeof(todo));
	verdicts_add(a->out, VERDICT_PEER_UNREACHABLE, p->name,
		     "%s: no answer to %u probe%s (no traffic from this peer now); %s", p->name,
		     p->probe.sent, plural(p->probe.sent), todo);
}

/* Unicast went both ways, and no probe or answer ever came from there: no program of ours is at that end. The
 * kernel's own device, OVS and scripts carry traffic as well, but do not answer. */
static bool is_plain(const struct snapshot_peer *p)
{
	const struct vx_counters *n = &p->sum;

	return p->state == PEER_UP && p->probe.result == PROBE_UNANSWERED && !n->asked_ns &&
	       n->rx_packets > n->rx_bum_packets && n->tx_packets > n->tx_bum_packets;
}

/* A peer that receives us answers some unicast, at least by ARP. One that does not still sends
 * broadcasts. */
static bool is_one_way(const struct snapshot_peer *p)
{
	const struct vx_counters *n = &p->sum;

	if (p->state != PEER_UP || p->probe.result == PROBE_ANSWERED || is_plain(p))
		return false;
	if (p->probe.result == PROBE_UNANSWERED)
		return true;
	return n->rx_packets && n->rx_packets == n->rx_bum_packets &&
	       n->tx_packets >= n->tx_bum_packets + ONE_WAY_FRAMES;
}

static void say_one_way(const struct saying *a, const struct snapshot_peer *p)
{
	char proof[128], sent[HUMAN_LEN];

	human_count(p->sum.tx_packets - p->sum.tx_bum_packets, sent);
	if (p->probe.result == PROBE_UNANSWERED)
		snprintf(proof, sizeof(proof), "it answers none of %u probe%s", p->probe.sent,
			 plural(p->probe.sent));
	else
		snprintf(proof, sizeof(proof),
			 "only its broadcasts arrive, and no answer to our %s frames", sent);
	verdicts_add(
		a->out, VERDICT_PEER_ONE_WAY, p->name,
		"%s: we receive from it, but it does not seem to receive from us (%s); check that "
		"%s accepts UDP port %u from %s and that no firewall on the path blocks it",
		p->name, proof, p->address, a->s->told.port, seen_address(a, p));
}

static void say_mtu(const struct saying *a, const struct snapshot_peer *p)
{
	uint32_t ours = a->s->told.mtu, theirs = p->probe.mtu;

	verdicts_add(a->out, VERDICT_PEER_MTU, p->name,
		     "%s: the overlay's MTU is %u there and %u here, so packets larger than %u "
		     "bytes are lost; copy the same config to both hosts, with `mtu:` as a number "
		     "if path MTUs differ",
		     p->name, theirs, ours, theirs < ours ? theirs : ours);
}

/* --- all of them */

/* Others keep packets from our programs at its tunnel, or at the underlay. */
static bool is_kept(const struct snapshot *s, const struct snapshot_peer *p)
{
	for (size_t i = 0; i < s->fronts.n; i++) {
		const struct in_front *f = &s->fronts.v[i];
		bool mine = !f->device[0] || strcmp(f->device, p->ifname) == 0;

		for (size_t k = 0; k < s->n_devices && !mine; k++)
			mine = strcmp(f->device, s->devices[k].ifname) == 0;
		if (f->kept && mine)
			return true;
	}
	return false;
}

static bool is_silent(const struct snapshot *s, const struct snapshot_peer *p)
{
	return p->state == PEER_SILENT && p->probe.result != PROBE_ANSWERED && !p->route.missing &&
	       !is_other_scheme(s, p) && !is_kept(s, p);
}

/* Nothing else says yet why it may not answer. */
static bool is_unexplained(const struct snapshot *s, const struct snapshot_peer *p)
{
	return !s->filtered && !is_kept(s, p) && !p->route.missing && !p->route.astray &&
	       !is_other_scheme(s, p) && (!s->looked || p->route.home[0]);
}

static bool is_unreachable(const struct snapshot *s, const struct snapshot_peer *p)
{
	return (p->state == PEER_IDLE || p->state == PEER_NEVER) &&
	       p->probe.result == PROBE_UNANSWERED && is_unexplained(s, p);
}

static bool of_quiet(const struct snapshot *s, const struct snapshot_peer *p)
{
	(void)s;
	return is_quiet(p);
}

static bool of_one_way(const struct snapshot *s, const struct snapshot_peer *p)
{
	return is_one_way(p) && is_unexplained(s, p);
}

static bool has_other_mtu(const struct snapshot *s, const struct snapshot_peer *p)
{
	return p->probe.result == PROBE_ANSWERED && p->probe.mtu && p->probe.mtu != s->told.mtu;
}

void snapshot_say_peers(const struct snapshot *s, struct verdicts *out)
{
	static const struct {
		enum verdict_id id;
		bool (*is)(const struct snapshot *s, const struct snapshot_peer *p);
		void (*say)(const struct saying *a, const struct snapshot_peer *p);
		const char *more; /* after "3 more peers" */
	} rows[] = {
		{ VERDICT_ROUTE, goes_astray, say_route, "have such a route" },
		{ VERDICT_PEER_VNI, is_other_scheme, say_other_scheme, "also have other VNIs" },
		{ VERDICT_PEER_SILENT, is_silent, say_silent, "are also silent" },
		{ VERDICT_PEER_QUIET, of_quiet, say_quiet, "are also quiet" },
		{ VERDICT_PEER_UNREACHABLE, is_unreachable, say_unreachable,
		  "do not answer probes either" },
		{ VERDICT_PEER_ONE_WAY, of_one_way, say_one_way,
		  "do not seem to receive from us either" },
		{ VERDICT_PEER_MTU, has_other_mtu, say_mtu, "also have another MTU" },
	};
	const struct saying a = { s, out };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = 0;

		for (size_t k = 0; k < s->n_peers; k++)
			if (rows[i].is(s, &s->peers[k]) && n++ < SAY_MAX)
				rows[i].say(&a, &s->peers[k]);
		if (n > SAY_MAX)
			verdicts_add(out, rows[i].id, "", "%zu more peers %s", n - SAY_MAX,
				     rows[i].more);
	}
}

void snapshot_say_plain(const struct snapshot *s, struct verdicts *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_peers; i++) {
		const struct snapshot_peer *p = &s->peers[i];

		if (is_plain(p) && is_unexplained(s, p) && n++ < SAY_MAX)
			verdicts_add(
				out, VERDICT_PEER_PLAIN, p->name,
				"%s: unicast arrives from it and goes to it, but it never "
				"answered a probe; it is probably a plain VTEP (a kernel VXLAN "
				"device, OVS, a script), which is fine; if vxbpf runs there, "
				"check that its firewall accepts UDP port %u from %s",
				p->name, s->told.port, p->local);
	}
	if (n > SAY_MAX)
		verdicts_add(out, VERDICT_PEER_PLAIN, "", "%zu more peers are probably plain VTEPs",
			     n - SAY_MAX);
}
