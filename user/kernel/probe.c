// SPDX-License-Identifier: GPL-2.0
/* Asking peers through their tunnels; see probe.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include <bpf/bpf.h>

#include "kernel/bpfobj.h"
#include "kernel/probe.h"

#define MS 1000000ULL
#define STALE_NS 60000000000ULL /* the process that put it there has died */

enum {
	ETHERNET = 14,
	AT_ONCE = 64, /* then a moment's rest: their answers come as quickly */
};

uint64_t probing_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 * MS + (uint64_t)t.tv_nsec;
}

static void remove_stale(int map)
{
	struct vx_probe_key key, next, *last = NULL;
	struct vx_probe_answer answer;
	uint64_t now = probing_now();

	while (bpf_map_get_next_key(map, last, &next) == 0) {
		/* A key that is gone would start the walk again: the one before is removed. */
		if (last && bpf_map_lookup_elem(map, &key, &answer) == 0 &&
		    answer.sent_ns + STALE_NS < now)
			bpf_map_delete_elem(map, &key);
		key = next;
		last = &key;
	}
	if (last && bpf_map_lookup_elem(map, &key, &answer) == 0 && answer.sent_ns + STALE_NS < now)
		bpf_map_delete_elem(map, &key);
}

int probing_open(const char *overlay, struct probing *out, struct why *why)
{
	*out = probing_none();
	out->map = bpfobj_get_map(overlay, "probes");
	if (out->map == -ENOENT)
		return why_set(
			why, -ENOENT,
			"%s: probe: its programs do not support probes; run `vxbpf reload %s`",
			overlay, overlay);
	if (out->map < 0)
		return why_set(why, out->map, "%s: cannot open the pinned probes: %s", overlay,
			       strerror(-out->map));
	/* For no protocol: it never hears anything. */
	out->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (out->socket < 0)
		return why_set(why, -errno, "%s: probe: cannot open a packet socket: %s%s", overlay,
			       strerror(errno), errno == EPERM ? " (CAP_NET_RAW is missing)" : "");
	if (getrandom(&out->nonce, sizeof(out->nonce), 0) != sizeof(out->nonce))
		return why_set(why, -EIO, "%s: probe: cannot get a random number", overlay);
	remove_stale(out->map);
	return 0;
}

void probing_close(struct probing *p)
{
	close_fd(&p->map);
	close_fd(&p->socket);
	*p = probing_none();
}

static size_t write_frame(const struct probing *p, uint32_t sequence, unsigned size, uint8_t *frame)
{
	static const uint8_t macs[] = VX_PROBE_DST, from[] = VX_PROBE_SRC;
	const uint16_t type = htons(VX_PROBE_TYPE);
	const struct vx_probe probe = { .magic = htonl(VX_PROBE_MAGIC),
					.version = VX_PROBE_VERSION,
					.kind = VX_PROBE_REQUEST,
					.nonce = p->nonce,
					.sequence = htonl(sequence),
					.sent = htonl(size) };

	memset(frame, 0, ETHERNET + size);
	memcpy(frame, macs, sizeof(macs));
	memcpy(frame + 6, from, sizeof(from));
	memcpy(frame + 12, &type, sizeof(type));
	memcpy(frame + ETHERNET, &probe, sizeof(probe));
	return ETHERNET + size;
}

static struct vx_probe_key key_of(const struct probing *p, uint32_t vni, uint32_t sequence)
{
	return (struct vx_probe_key){ .nonce = p->nonce, .vni = vni, .sequence = sequence };
}

int probing_send(const struct probing *p, unsigned ifindex, uint32_t vni, uint32_t sequence,
		 unsigned size)
{
	struct vx_probe_key key = key_of(p, vni, sequence);
	const struct sockaddr_ll to = { .sll_family = AF_PACKET,
					.sll_protocol = htons(VX_PROBE_TYPE),
					.sll_ifindex = (int)ifindex,
					.sll_halen = 6,
					.sll_addr = VX_PROBE_DST };
	uint8_t frame[ETHERNET + PROBE_MAX];
	struct vx_probe_answer wanted = { 0 };
	size_t len;
	int err;

	if (size < PROBE_MIN || size > PROBE_MAX)
		return -EINVAL;
	len = write_frame(p, sequence, size, frame);
	wanted.sent_ns = probing_now();
	if (bpf_map_update_elem(p->map, &key, &wanted, BPF_ANY))
		return -errno;
	if (sendto(p->socket, frame, len, 0, (const struct sockaddr *)&to, sizeof(to)) >= 0)
		return 0;
	err = -errno;
	probing_forget(p, vni, sequence);
	return err;
}

bool probing_look(const struct probing *p, uint32_t vni, uint32_t sequence,
		  struct vx_probe_answer *out)
{
	struct vx_probe_key key = key_of(p, vni, sequence);

	return bpf_map_lookup_elem(p->map, &key, out) == 0 && out->answered_ns;
}

void probing_forget(const struct probing *p, uint32_t vni, uint32_t sequence)
{
	struct vx_probe_key key = key_of(p, vni, sequence);

	bpf_map_delete_elem(p->map, &key);
}

bool probing_rest(uint64_t since, uint64_t until)
{
	uint64_t now = probing_now(), ns = now - since < 50 * MS ? MS : 10 * MS;
	struct timespec t = { 0 };

	if (now >= until)
		return true;
	if (ns > until - now)
		ns = until - now;
	t.tv_nsec = (long)ns;
	return nanosleep(&t, NULL) == 0;
}

/* --- many at once */

/* Targets of one overlay, which stand together. */
struct asking {
	struct probing p;
	struct probe_target *list;
	size_t n;
	unsigned *ifindex; /* 0 = it has no tunnel */
	size_t waiting;
};

static void send_round(struct asking *a, uint32_t sequence)
{
	size_t sent = 0;

	for (size_t i = 0; i < a->n; i++) {
		struct probe_target *t = &a->list[i];

		if (t->answered || !a->ifindex[i])
			continue;
		t->err = probing_send(&a->p, a->ifindex[i], t->vni, sequence, PROBE_SIZE);
		if (++sent % AT_ONCE == 0)
			probing_rest(0, probing_now() + MS);
	}
}

static void look_round(struct asking *a, uint32_t sequences)
{
	for (size_t i = 0; i < a->n; i++) {
		struct probe_target *t = &a->list[i];
		struct vx_probe_answer answer;

		for (uint32_t s = 1; !t->answered && a->ifindex[i] && s <= sequences; s++) {
			if (!probing_look(&a->p, t->vni, s, &answer))
				continue;
			t->answered = true;
			t->err = 0;
			t->rtt_ns = answer.answered_ns - answer.sent_ns;
			t->mtu = answer.mtu;
			a->waiting--;
		}
	}
}

static void ask(struct asking *a, unsigned timeout_ms)
{
	uint64_t start = probing_now(), step = timeout_ms * MS / PROBE_TRIES;

	for (uint32_t s = 1; s <= PROBE_TRIES && a->waiting; s++) {
		uint64_t since, until = start + s * step;

		send_round(a, s);
		since = probing_now();
		look_round(a, s);
		while (a->waiting && probing_now() < until && probing_rest(since, until))
			look_round(a, s);
	}
	for (size_t i = 0; i < a->n; i++)
		for (uint32_t s = 1; a->ifindex[i] && s <= PROBE_TRIES; s++)
			probing_forget(&a->p, a->list[i].vni, s);
}

static int ask_overlay(struct probe_target *list, size_t n, unsigned timeout_ms, struct why *why)
{
	autoprobing struct probing p = probing_none();
	autofree unsigned *ifindex = calloc(n, sizeof(*ifindex));
	struct asking a = { .list = list, .n = n, .ifindex = ifindex };
	int err = probing_open(list->overlay, &p, why);

	if (err)
		return err;
	if (!ifindex)
		return why_set(why, -ENOMEM, "%s: probe: out of memory", list->overlay);
	a.p = p;
	for (size_t i = 0; i < n; i++) {
		list[i].answered = false;
		ifindex[i] = if_nametoindex(list[i].ifname);
		list[i].err = ifindex[i] ? 0 : -ENODEV;
		a.waiting += ifindex[i] != 0;
	}
	ask(&a, timeout_ms);
	return 0;
}

int probe_peers(struct probe_target *list, size_t n, unsigned timeout_ms, struct why *why)
{
	int err = 0;

	for (size_t i = 0, next; !err && i < n; i = next) {
		for (next = i; next < n && strcmp(list[next].overlay, list[i].overlay) == 0;)
			next++;
		err = ask_overlay(&list[i], next - i, timeout_ms, why);
	}
	return err;
}
