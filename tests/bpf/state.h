/* SPDX-License-Identifier: GPL-2.0 */
/* The whole state of all maps after a row, held against what the row says. Part of run.h. */
#ifndef VXBPF_TESTS_STATE_H
#define VXBPF_TESTS_STATE_H

static void assert_when(const char *what, __u64 then, int age, __u64 now)
{
	if (age == NOW ? then < now || then > coarse_now() : then != when(age, now))
		fail_msg("%s: time is off by %lld ns", what, (long long)(then - when(age, now)));
}

#define assert_sum(row, what, is, should)                                                          \
	do {                                                                                       \
		if ((is) != (should))                                                              \
			fail_msg("%s: %s is %llu, not %llu", (row)->name, what,                    \
				 (unsigned long long)(is), (unsigned long long)(should));          \
	} while (0)

static void check_counters(struct vxbpf_bpf *o, const struct row *row, __u64 now)
{
	int cpus = libbpf_num_possible_cpus();
	static struct vx_counters c[CPUS_MAX];
	__u32 key, *last = NULL;

	while (!bpf_map_get_next_key(bpf_map__fd(o->maps.counters), last, &key)) {
		static const struct sum none;
		const struct sum *rx =
			row->rx.vni && slot_of(row->rx.vni) == key ? &row->rx : &none;
		const struct sum *tx =
			row->tx.vni && slot_of(row->tx.vni) == key ? &row->tx : &none;
		struct vx_counters s = {};

		last = &key;
		bpf_map_lookup_elem(bpf_map__fd(o->maps.counters), &key, c);
		for (int i = 0; i < cpus; i++) {
			const __u64 *from = &c[i].rx_packets;
			__u64 *to = &s.rx_packets;

			for (size_t n = 0; n < 12; n++)
				to[n] += from[n];
		}
		assert_sum(row, "rx packets", s.rx_packets, rx->packets);
		assert_sum(row, "rx bytes", s.rx_bytes, rx->bytes);
		assert_sum(row, "rx bum", s.rx_bum_packets, rx->bum);
		assert_sum(row, "rx fast", s.rx_fast_packets, 0);
		assert_sum(row, "tx packets", s.tx_packets, tx->packets);
		assert_sum(row, "tx bytes", s.tx_bytes, tx->bytes);
		assert_sum(row, "tx bum", s.tx_bum_packets, tx->bum);
		assert_sum(row, "tx fast", s.tx_fast_packets, 0);
		assert_sum(row, "flood copies", s.flood_copies,
			   key == slot_of(GAMMA) ? row->flood : 0);
		assert_when("last rx", s.last_rx_ns, rx->packets ? NOW : 0, now);
		assert_when("last unicast tx", s.last_unicast_tx_ns,
			    tx->packets && !tx->group && !tx->bum ? NOW : 0, now);
		assert_when("last unknown tx", s.last_unknown_tx_ns,
			    tx->packets && !tx->group && tx->bum ? NOW : 0, now);
	}
}

static void check_drops(struct vxbpf_bpf *o, const struct row *row)
{
	int fd = bpf_map__fd(o->maps.drops), cpus = libbpf_num_possible_cpus(), entries = 0;
	struct vx_drop_key key, *last = NULL;
	static struct vx_drop d[CPUS_MAX];
	struct vx_drop s = {};

	while (!bpf_map_get_next_key(fd, last, &key)) {
		last = &key;
		entries++;
		assert_string_equal(key.peer, row->blame ? row->blame : "");
		assert_sum(row, "reason", key.reason, row->reason);
		bpf_map_lookup_elem(fd, &key, d);
		for (int i = 0; i < cpus; i++) {
			s.packets += d[i].packets;
			s.bytes += d[i].bytes;
		}
	}
	assert_sum(row, "drop entries", entries, row->reason ? 1 : 0);
	assert_sum(row, "dropped packets", s.packets, row->packets);
	assert_sum(row, "dropped bytes", s.bytes, row->bytes);
}

static void check_witness(struct vxbpf_bpf *o, const struct row *row, const struct pkt_buf *b,
			  __u64 now)
{
	int fd = bpf_map__fd(o->maps.witness), entries = 0;
	struct vx_addr source = row->pkt.o.ip ? addr(row->pkt.o.from) : (struct vx_addr){};
	static const uint8_t none[12];
	const uint8_t *macs = row->blind ? none : b->data + b->frame_off;
	struct vx_reason_key key, *last = NULL;
	struct vx_witness w = {};

	while (!bpf_map_get_next_key(fd, last, &key)) {
		last = &key;
		entries++;
		assert_sum(row, "witness", key.reason, row->reason);
		bpf_map_lookup_elem(fd, &key, &w);
	}
	assert_sum(row, "witness entries", entries, row->reason ? 1 : 0);
	if (!row->reason)
		return;
	reasons_hit[row->reason] = true;
	assert_string_equal(w.peer, row->blame ? row->blame : "");
	assert_when("witness", w.time_ns, NOW, now);
	assert_memory_equal(w.dst_mac, macs, 6);
	assert_memory_equal(w.src_mac, macs + 6, 6);
	assert_sum(row, "witness from", w.from_ifindex, row->from);
	assert_sum(row, "witness to", w.to_ifindex, row->to);
	assert_sum(row, "witness vni", w.vni, row->vni);
	assert_memory_equal(&w.source, &source, sizeof(source));
}

static void check_ports(struct vxbpf_bpf *o, const struct row *row)
{
	int fd = bpf_map__fd(o->maps.ports), entries = 0;
	struct vx_ifindex key, *last = NULL;
	struct vx_port p;

	while (!bpf_map_get_next_key(fd, last, &key)) {
		bool blamed = row->port && row->port - 1 == key.ifindex;

		last = &key;
		entries++;
		bpf_map_lookup_elem(fd, &key, &p);
		assert_string_equal(p.name, key.ifindex ? "" : "vxbr0");
		assert_sum(row, "oversize", p.oversize, blamed ? row->packets : 0);
		assert_sum(row, "largest", p.largest, blamed ? row->largest : 0);
	}
	assert_sum(row, "ports", entries, row->port > 1 ? 2 : 1);
}

static void check_known(struct vxbpf_bpf *o, const struct row *row, const struct known *k,
			__u64 now)
{
	struct vx_fdb_key key = fdb_key(k);
	struct vx_fdb v;

	if (bpf_map_lookup_elem(bpf_map__fd(o->maps.fdb), &key, &v))
		fail_msg("%s: %c is not in the fdb", row->name, k->mac);
	assert_sum(row, "fdb place", v.place, k->place);
	assert_sum(row, "fdb ifindex", v.ifindex, k->ifindex);
	assert_sum(row, "fdb vni", v.vni, k->vni);
	assert_sum(row, "fdb moves", v.moves, k->moves);
	assert_when("fdb seen", v.seen_ns, k->seen, now);
	assert_when("fdb local", v.local_ns, k->local, now);
	assert_when("fdb contested", v.contested_ns, k->contested, now);
}

static void check_fdb(struct vxbpf_bpf *o, const struct row *row, __u64 now)
{
	int fd = bpf_map__fd(o->maps.fdb), entries = 0, expected = row->after.mac ? 1 : 0;
	struct vx_fdb_key key, *last = NULL;

	if (row->after.mac)
		check_known(o, row, &row->after, now);
	for (size_t i = 0; i < LEN(row->before) && row->before[i].mac; i++) {
		const struct known *k = &row->before[i];

		if (k->mac == row->after.mac && k->vlan == row->after.vlan)
			continue;
		check_known(o, row, k, now);
		expected++;
	}
	for (; !bpf_map_get_next_key(fd, last, &key); entries++)
		last = &key;
	assert_sum(row, "fdb entries", entries, expected);
}

#endif
