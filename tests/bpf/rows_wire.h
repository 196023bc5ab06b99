/* SPDX-License-Identifier: GPL-2.0 */
/* Rows of the wire rooms: wire_in, wire_in_l3, wire_xdp, wire_out, wire_out_l3. Part of rooms_test.c. */
#ifndef VXBPF_TESTS_ROWS_WIRE_H
#define VXBPF_TESTS_ROWS_WIRE_H

#include "run.h"

/* Tables, a row as short as it can be. */
/* clang-format off */

/* Around the frame, then the frame. A TCP frame over IPv4 has 54 + n bytes, an ARP 42. */
#define W4(source, id, ...) { .ip = 4, .from = (source), .vni = (id), ##__VA_ARGS__ }
#define W6(source, id, ...) { .ip = 6, .from = (source), .vni = (id), ##__VA_ARGS__ }
#define T4(n, ...) { .ip = 4, .l4 = 't', .payload = (n), ##__VA_ARGS__ }
#define T6(n, ...) { .ip = 6, .l4 = 't', .payload = (n), ##__VA_ARGS__ }
#define U4(n, ...) { .ip = 4, .l4 = 'u', .payload = (n), ##__VA_ARGS__ }
#define U6(n, ...) { .ip = 6, .l4 = 'u', .payload = (n), ##__VA_ARGS__ }
#define ARP(...) { .src = 'a', ##__VA_ARGS__ }

#define IN .ifindex = UNDER
#define RX(id, packets, bytes, bum) .rx = { (id), (packets), (bytes), (bum) }
#define TX(id, packets, bytes, bum) .tx = { (id), (packets), (bytes), (bum) }
#define OBSERVED(why, who, n, len, id)                                                             \
	.reason = VX_REASON_##why, .blame = (who), .packets = (n), .bytes = (len), .vni = (id)
#define DROPPED(why, who, n, len, id) .drop = true, OBSERVED(why, who, n, len, id)
#define ACCEPTED .marked = true
#define KNOWN_B .before = { { 'b', 0, VX_AT_PORT, PORT1, .seen = 60000, .local = 60000 } }

/* Whatever the outer family: `fam` names it, W builds it, `o` bytes are around the frame. */
#define BOTH_FAMILIES(fam, W, o, peer, name, id, other_id, stranger, elsewhere)                    \
	{ fam " peer", "wire_in", "e", { W(peer, id), T4(1) }, IN, ACCEPTED, RX(id, 1, 55, 1) },   \
	{ fam " peer, known MAC", "wire_in", "e", { W(peer, id), T4(1) }, IN, ACCEPTED,            \
	  RX(id, 1, 55, 0), KNOWN_B },                                                             \
	{ fam " peer broadcasts", "wire_in", "e", { W(peer, id), ARP(.dst = '*') }, IN, ACCEPTED,  \
	  RX(id, 1, 42, 1) },                                                                      \
	{ fam " peer multicasts", "wire_in", "e", { W(peer, id), U4(9, .dst = '+') }, IN,          \
	  ACCEPTED, RX(id, 1, 51, 1) },                                                            \
	{ fam " peer, observe", "wire_in", "o", { W(peer, id), T4(1) }, IN, ACCEPTED,              \
	  RX(id, 1, 55, 1) },                                                                      \
	{ fam " peer, off", "wire_in", "f", { W(peer, id), T4(1) }, IN, ACCEPTED,                  \
	  RX(id, 1, 55, 1) },                                                                      \
	{ fam " peer, index", "wire_in", "ei", { W(peer, id), T4(1) }, IN, ACCEPTED,               \
	  RX(id, 1, 55, 1) },                                                                      \
	{ fam " peer, marked before", "wire_in", "e", { W(peer, id), T4(1) }, IN,                  \
	  .was_marked = true, ACCEPTED, RX(id, 1, 55, 1) },                                        \
	{ fam " stranger", "wire_in", "e", { W(stranger, id), T4(1) }, IN, .from = UNDER,          \
	  DROPPED(UNKNOWN_SOURCE, NULL, 1, 55, id) },                                              \
	{ fam " stranger, observe", "wire_in", "o", { W(stranger, id), T4(1) }, IN, .from = UNDER, \
	  OBSERVED(UNKNOWN_SOURCE, NULL, 1, 55, id), .marked = true },                             \
	{ fam " stranger, off", "wire_in", "f", { W(stranger, id), T4(1) }, IN, ACCEPTED },        \
	{ fam " stranger, index", "wire_in", "ei", { W(stranger, id), T4(1) }, IN, .from = UNDER,  \
	  DROPPED(UNKNOWN_SOURCE, NULL, 1, 55, id) },                                              \
	{ fam " wrong VNI", "wire_in", "e", { W(peer, other_id), T4(1) }, IN, .from = UNDER,       \
	  DROPPED(WRONG_VNI, name, 1, 55, other_id) },                                             \
	{ fam " wrong VNI, observe", "wire_in", "o", { W(peer, other_id), T4(1) }, IN,             \
	  .from = UNDER, OBSERVED(WRONG_VNI, name, 1, 55, other_id), .marked = true },             \
	{ fam " wrong VNI, off", "wire_in", "f", { W(peer, other_id), T4(1) }, IN, ACCEPTED },     \
	{ fam " any VNI, index", "wire_in", "ei", { W(peer, other_id), T4(1) }, IN, ACCEPTED,      \
	  RX(id, 1, 55, 1) },                                                                      \
	{ fam " VNI not ours", "wire_in", "e", { W(stranger, STRANGE_VNI), T4(1) }, IN },          \
	{ fam " not to us", "wire_in", "e", { W(stranger, id, .to = elsewhere), T4(1) }, IN },     \
	{ fam " garbage not to us", "wire_in", "e",                                                \
	  { W(stranger, 0, .to = elsewhere, .raw = RAW(4)) }, IN },                                \
	{ fam " other port", "wire_in", "e", { W(stranger, id, .port = 8472), T4(1) }, IN },       \
	{ fam " not UDP", "wire_in", "e", { W(stranger, id, .proto = 6), T4(1) }, IN },            \
	{ fam " outer tag", "wire_in", "e", { W(stranger, id, .vlan = 5), T4(1) }, IN },           \
	{ fam " reserved bits", "wire_in", "e", { W(peer, id, .other_flags = true), T4(1) }, IN,   \
	  .from = UNDER, DROPPED(MALFORMED, name, 1, 55, id) },                                    \
	{ fam " reserved bits from a stranger", "wire_in", "e",                                    \
	  { W(stranger, id, .odd = 1), T4(1) }, IN, .from = UNDER,                                 \
	  DROPPED(MALFORMED, NULL, 1, 55, id) },                                                   \
	{ fam " reserved bits, observe", "wire_in", "o", { W(peer, id, .odd = 2), T4(1) }, IN,     \
	  .from = UNDER, OBSERVED(MALFORMED, name, 1, 55, id) },                                   \
	{ fam " reserved bits, off", "wire_in", "f", { W(peer, id, .odd = 4), T4(1) }, IN },       \
	{ fam " reserved bits behind the VNI", "wire_in", "e", { W(peer, id, .odd = 8), T4(1) },   \
	  IN, .from = UNDER, DROPPED(MALFORMED, name, 1, 55, id) },                                \
	{ fam " reserved bits, VNI not ours", "wire_in", "e",                                      \
	  { W(peer, STRANGE_VNI, .odd = 4), T4(1) }, IN },                                         \
	{ fam " xdp reserved bits", "wire_xdp", "e", { W(peer, id, .odd = 3), T4(1) },             \
	  .from = 1, DROPPED(MALFORMED, name, 1, 55, id) },                                        \
	{ fam " no I flag", "wire_in", "e", { W(stranger, id, .no_flag = true), T4(1) }, IN,       \
	  .from = UNDER, .blind = true, DROPPED(MALFORMED, NULL, 1, o + 55, 0) },                  \
	{ fam " no I flag from a peer", "wire_in", "e", { W(peer, id, .no_flag = true), T4(1) },   \
	  IN, .from = UNDER, .blind = true, DROPPED(MALFORMED, name, 1, o + 55, 0) },              \
	{ fam " no I flag, observe", "wire_in", "o", { W(peer, id, .no_flag = true), T4(1) }, IN,  \
	  .from = UNDER, .blind = true, OBSERVED(MALFORMED, name, 1, o + 55, 0) },                 \
	{ fam " no I flag, off", "wire_in", "f", { W(peer, id, .no_flag = true), T4(1) }, IN },    \
	{ fam " no payload", "wire_in", "e", { W(peer, 0, .raw = RAW(0)) }, IN, .from = UNDER,     \
	  .blind = true, DROPPED(MALFORMED, name, 1, o - 8, 0) },                                  \
	{ fam " VXLAN header only", "wire_in", "e", { W(peer, 0, .raw = RAW(8)) }, IN,             \
	  .from = UNDER, .blind = true, DROPPED(MALFORMED, name, 1, o, 0) },                       \
	{ fam " one byte short of a frame", "wire_in", "e", { W(peer, 0, .raw = RAW(21)) }, IN,    \
	  .from = UNDER, .blind = true, DROPPED(MALFORMED, name, 1, o + 13, 0) },                  \
	{ fam " smallest frame", "wire_in", "e", { W(peer, id), ARP(.payload = 1) }, IN, ACCEPTED, \
	  RX(id, 1, 15, 1) },                                                                      \
	{ fam " UDP longer than IP", "wire_in", "e", { W(peer, id, .udp_len = 1), T4(1) }, IN,     \
	  .from = UNDER, .blind = true, DROPPED(MALFORMED, name, 1, o + 55, 0) },                  \
	{ fam " UDP shorter than IP", "wire_in", "e", { W(peer, id, .udp_len = -3), T4(4) }, IN,   \
	  ACCEPTED, RX(id, 1, 55, 1) },                                                            \
	{ fam " IP longer than the packet", "wire_in", "e", { W(peer, id, .ip_len = 1), T4(1) },   \
	  IN, .from = UNDER, .blind = true, DROPPED(MALFORMED, name, 1, o + 55, 0) },              \
	{ fam " trailing bytes", "wire_in", "e", { W(peer, id), T4(1), .pad = 6 }, IN, ACCEPTED,   \
	  RX(id, 1, 55, 1) },                                                                      \
	{ fam " inner tag", "wire_in", "e", { W(peer, id), T4(1, .tag = 7) }, IN, ACCEPTED,        \
	  RX(id, 1, 59, 1) },                                                                      \
	{ fam " inner tag, known there", "wire_in", "e", { W(peer, id), T4(1, .tag = 7) }, IN,     \
	  ACCEPTED, RX(id, 1, 59, 0), .before = { { 'b', 7, VX_AT_PORT, PORT1, .seen = 9000 } } }, \
	{ fam " inner tag, known without it", "wire_in", "e", { W(peer, id), T4(1, .tag = 7) }, IN, \
	  ACCEPTED, RX(id, 1, 59, 0), .before = { { 'b', 0, VX_AT_PORT, PORT1, .seen = 9000 } } }, \
	{ fam " inner tag, known elsewhere", "wire_in", "e", { W(peer, id), T4(1, .tag = 8) }, IN, \
	  ACCEPTED, RX(id, 1, 59, 1), .before = { { 'b', 7, VX_AT_PORT, PORT1, .seen = 9000 } } }, \
	{ fam " cut in the frame", "wire_in", "e", { W(peer, id), T4(99), .keep = o + 14 }, IN,    \
	  .from = UNDER, .blind = true, DROPPED(MALFORMED, name, 1, o + 14, 0) },                  \
	{ fam " cut in VXLAN", "wire_in", "e", { W(peer, id), T4(99), .keep = o - 4 }, IN,         \
	  .from = UNDER, .blind = true, DROPPED(MALFORMED, name, 1, o - 4, 0) },                   \
	{ fam " cut in UDP", "wire_in", "e", { W(peer, id), T4(99), .keep = o - 9 }, IN },         \
	{ fam " xdp cut in IP", "wire_xdp", "e", { W(peer, id), T4(99), .keep = o - 17 } },        \
	{ fam " GSO TCP", "wire_in", "e", { W(peer, id), T4(2001) }, IN, .gso_size = 1000,         \
	  ACCEPTED, RX(id, 3, 2055 + 2 * 54, 3) },                                                 \
	{ fam " GSO TCP, lengths wrapped", "wire_in", "e",                                         \
	  { W(peer, id, .ip_len = -2000, .udp_len = -2050), T4(2000) }, IN, .gso_size = 1000,      \
	  ACCEPTED, RX(id, 2, 2054 + 54, 2) },                                                     \
	{ fam " GSO from a stranger", "wire_in", "e", { W(stranger, id), T4(2001) }, IN,           \
	  .gso_size = 1000, .from = UNDER, DROPPED(UNKNOWN_SOURCE, NULL, 3, 2055 + 2 * 54, id) },  \
	{ fam " xdp peer", "wire_xdp", "e", { W(peer, id), T4(1) } },                              \
	{ fam " xdp stranger", "wire_xdp", "e", { W(stranger, id), T4(1) }, .from = 1,             \
	  DROPPED(UNKNOWN_SOURCE, NULL, 1, 55, id) },                                              \
	{ fam " xdp stranger, observe", "wire_xdp", "o", { W(stranger, id), T4(1) } },             \
	{ fam " xdp stranger, off", "wire_xdp", "f", { W(stranger, id), T4(1) } },                 \
	{ fam " xdp wrong VNI", "wire_xdp", "e", { W(peer, other_id), T4(1) }, .from = 1,          \
	  DROPPED(WRONG_VNI, name, 1, 55, other_id) },                                             \
	{ fam " xdp any VNI, index", "wire_xdp", "ei", { W(peer, other_id), T4(1) } },             \
	{ fam " xdp no I flag", "wire_xdp", "e", { W(peer, id, .no_flag = true), T4(1) },          \
	  .from = 1, .blind = true, DROPPED(MALFORMED, name, 1, o + 55, 0) },                      \
	{ fam " xdp outer tag", "wire_xdp", "e", { W(stranger, id, .vlan = 5), T4(1) } },          \
	{ fam " xdp VNI not ours", "wire_xdp", "e", { W(stranger, STRANGE_VNI), T4(1) } },         \
	{ fam " xdp cut in UDP", "wire_xdp", "e", { W(stranger, id), T4(9), .keep = o - 9 } },     \
	{ fam " l3 peer", "wire_in_l3", "e", { W(peer, id, .bare = true), T4(1) }, IN, ACCEPTED,   \
	  RX(id, 1, 55, 1) },                                                                      \
	{ fam " l3 stranger", "wire_in_l3", "e", { W(stranger, id, .bare = true), T4(1) }, IN,     \
	  .from = UNDER, DROPPED(UNKNOWN_SOURCE, NULL, 1, 55, id) },                               \
	{ fam " l3 garbage", "wire_in_l3", "e", { W(peer, 0, .bare = true, .raw = RAW(9)) }, IN,   \
	  .from = UNDER, .blind = true, DROPPED(MALFORMED, name, 1, o - 14 + 1, 0) },              \
	{ fam " l3 with Ethernet", "wire_in_l3", "e", { W(stranger, id), T4(1) }, IN }

/* Workloads' forgeries: FORGED to the peer from us, by way of the host. */
#define FORGED(W, peer, id, us, ...) W(us, id, .to = peer, ##__VA_ARGS__)
#define OUT .ifindex = UNDER, .ingress = PORT1, .from = PORT1, .to = UNDER
#define BOTH_FAMILIES_OUT(fam, W, us, peer, name, id, other_id)                                    \
	{ fam " out by this host", "wire_out", "e", { FORGED(W, peer, id, us), T4(1) },            \
	  .ifindex = UNDER, .to = UNDER, DROPPED(NESTED, name, 1, 55, id) },                       \
	{ fam " out forged", "wire_out", "e", { FORGED(W, peer, id, us), T4(1) }, OUT,             \
	  DROPPED(NESTED, name, 1, 55, id) },                                                      \
	{ fam " out forged, observe", "wire_out", "o", { FORGED(W, peer, id, us), T4(1) }, OUT,    \
	  OBSERVED(NESTED, name, 1, 55, id) },                                                     \
	{ fam " out forged, off", "wire_out", "f", { FORGED(W, peer, id, us), T4(1) }, OUT },      \
	{ fam " out other VNI", "wire_out", "e", { FORGED(W, peer, STRANGE_VNI, us), T4(1) },      \
	  OUT },                                                                                   \
	{ fam " out other VNI, index", "wire_out", "ei",                                           \
	  { FORGED(W, peer, STRANGE_VNI, us), T4(1) }, OUT },                                      \
	{ fam " out reserved bits", "wire_out", "e", { FORGED(W, peer, id, us, .odd = 2), T4(1) }, \
	  OUT, DROPPED(NESTED, name, 1, 55, id) },                                                 \
	{ fam " out VNI of another pair", "wire_out", "e",                                         \
	  { FORGED(W, peer, other_id, us), T4(1) }, OUT },                                         \
	{ fam " out VNI of another pair, index", "wire_out", "ei",                                 \
	  { FORGED(W, peer, other_id, us), T4(1) }, OUT, DROPPED(NESTED, name, 1, 55, other_id) }, \
	{ fam " out from itself", "wire_out", "e", { FORGED(W, us, id, peer), T4(1) }, OUT },      \
	{ fam " out other port", "wire_out", "e", { FORGED(W, peer, id, us, .port = 53), T4(1) },  \
	  OUT },                                                                                   \
	{ fam " out no I flag", "wire_out", "e",                                                   \
	  { FORGED(W, peer, id, us, .no_flag = true), T4(1) }, OUT },                              \
	{ fam " out tagged", "wire_out", "e", { FORGED(W, peer, id, us, .vlan = 5), T4(1) },       \
	  OUT },                                                                                   \
	{ fam " out GSO", "wire_out", "e", { FORGED(W, peer, id, us), U4(2001) }, OUT,             \
	  .gso_size = 1000, .gso_segs = 2, .wire_add = 200,                                        \
	  DROPPED(NESTED, name, 3, 2043 + 2 * 42, id) },                                           \
	{ fam " out l3 forged", "wire_out_l3", "e",                                                \
	  { FORGED(W, peer, id, us, .bare = true), T4(1) }, OUT,                                   \
	  DROPPED(NESTED, name, 1, 55, id) },                                                      \
	{ fam " out l3 by this host", "wire_out_l3", "e",                                          \
	  { FORGED(W, peer, id, us, .bare = true), T4(1) }, .ifindex = UNDER, .to = UNDER,         \
	  DROPPED(NESTED, name, 1, 55, id) }

/* The first `n` bytes of IP payload as a first fragment, `o` bytes with the headers in front of it, of a
 * packet as in FORGED. Less than 30 show no frame's addresses, less than 16 no VNI. */
#define PIECE(W, o, first, n, ...) { W(__VA_ARGS__, first, .ip_len = (n) - 71), T4(1), .keep = (o) + (n) }
#define HIDDEN(who, len, id) .blind = true, DROPPED(NESTED, who, 1, len, id)
#define HIDING(fam, W, o, first, us, peer, elsewhere, other, name, id)                             \
	{ fam " out 8 bytes", "wire_out", "e", PIECE(W, o, first, 8, us, id, .to = peer,           \
	  .udp_len = 9), OUT, HIDDEN(name, (o) + 8, id) },                                         \
	{ fam " out 8 bytes, observe", "wire_out", "o", PIECE(W, o, first, 8, us, id, .to = peer,  \
	  .udp_len = 9), OUT, .blind = true, OBSERVED(NESTED, name, 1, (o) + 8, id) },             \
	{ fam " out 8 bytes, off", "wire_out", "f", PIECE(W, o, first, 8, us, id, .to = peer,      \
	  .udp_len = 9), OUT },                                                                    \
	{ fam " out 8 bytes, index", "wire_out", "ei", PIECE(W, o, first, 8, us, id, .to = peer,   \
	  .udp_len = 9), OUT, HIDDEN(name, (o) + 8, id) },                                         \
	{ fam " out 8 bytes by this host", "wire_out", "e", PIECE(W, o, first, 8, us, id,          \
	  .to = peer, .udp_len = 9), .ifindex = UNDER, .to = UNDER, HIDDEN(name, (o) + 8, id) },   \
	{ fam " out 16 bytes, other VNI", "wire_out", "e", PIECE(W, o, first, 16, us, STRANGE_VNI, \
	  .to = peer, .udp_len = 9), OUT, HIDDEN(name, (o) + 16, id) },                            \
	{ fam " out 24 bytes", "wire_out", "e", PIECE(W, o, first, 24, us, id, .to = peer,         \
	  .udp_len = 9), OUT, HIDDEN(name, (o) + 24, id) },                                        \
	{ fam " out 32 bytes", "wire_out", "e", PIECE(W, o, first, 32, us, id, .to = peer,         \
	  .udp_len = 9), OUT, DROPPED(NESTED, name, 1, 64, id) },                                  \
	{ fam " out 32 bytes, other VNI", "wire_out", "e", PIECE(W, o, first, 32, us, STRANGE_VNI, \
	  .to = peer, .udp_len = 9), OUT },                                                        \
	{ fam " out 8 bytes, other port", "wire_out", "e", PIECE(W, o, first, 8, us, id,           \
	  .to = peer, .port = 53), OUT },                                                          \
	{ fam " out 8 bytes, not UDP", "wire_out", "e", PIECE(W, o, first, 8, us, id, .to = peer,  \
	  .proto = 6), OUT },                                                                      \
	{ fam " out 8 bytes to no peer", "wire_out", "e", PIECE(W, o, first, 8, us, id,            \
	  .to = elsewhere), OUT },                                                                 \
	{ fam " out 8 bytes not from us", "wire_out", "e", PIECE(W, o, first, 8, other, id,        \
	  .to = peer), OUT }

/* GSO sums by the frame's kind: `n` segments of `headers` each; 1000 bytes of payload a segment. */
#define GSO(kind, frame, len, headers, n)                                                          \
	{ "GSO " kind, "wire_in", "e", { W4(BETA4, BETA), frame }, IN, .gso_size = 1000, ACCEPTED, \
	  RX(BETA, n, (len) + ((n)-1) * (headers), n) }

static const struct row wire_rows[] = {
	BOTH_FAMILIES("v4", W4, 50, BETA4, "beta", BETA, DELTA, STRANGER4, OTHER4),
	BOTH_FAMILIES("v6", W6, 70, GAMMA6, "gamma", GAMMA, ETA, STRANGER6, OTHER6),
	BOTH_FAMILIES_OUT("v4", W4, PKT_LOCAL4, BETA4, "beta", BETA, DELTA),
	BOTH_FAMILIES_OUT("v6", W6, PKT_LOCAL6, GAMMA6, "gamma", GAMMA, ETA),
	HIDING("v4", W4, 34, .fragment = 'f', PKT_LOCAL4, BETA4, OTHER4, STRANGER4, "beta", BETA),
	HIDING("v6", W6, 62, .ext = "f", PKT_LOCAL6, GAMMA6, OTHER6, STRANGER6, "gamma", GAMMA),
	{ "v6 out 8 bytes, UDP length 0", "wire_out", "e", PIECE(W6, 62, .ext = "f", 8, PKT_LOCAL6,
	  GAMMA, .to = GAMMA6, .udp_len = -71), OUT, HIDDEN("gamma", 70, GAMMA) },
	{ "v6 out first fragment, UDP length 0", "wire_out", "e",
	  { FORGED(W6, GAMMA6, GAMMA, PKT_LOCAL6, .ext = "f", .udp_len = -71), T4(1) }, OUT,
	  DROPPED(NESTED, "gamma", 1, 55, GAMMA) },
	{ "v6 first fragment, UDP length 0", "wire_in", "e",
	  { W6(GAMMA6, GAMMA, .ext = "f", .udp_len = -71), T4(1) }, IN, ACCEPTED,
	  RX(GAMMA, 1, 55, 1) },
	{ "v4 out 8 bytes, whole", "wire_out", "e", PIECE(W4, 34, .options = 0, 8, PKT_LOCAL4, BETA,
	  .to = BETA4, .udp_len = -63), OUT },
	{ "v4 out l3 8 bytes", "wire_out_l3", "e", PIECE(W4, 20, .fragment = 'f', 8, PKT_LOCAL4,
	  BETA, .to = BETA4, .udp_len = 9, .bare = true), OUT, HIDDEN("beta", 28, BETA) },
	{ "v6 out l3 8 bytes", "wire_out_l3", "e", PIECE(W6, 48, .ext = "f", 8, PKT_LOCAL6,
	  GAMMA, .to = GAMMA6, .udp_len = 9, .bare = true), OUT, HIDDEN("gamma", 56, GAMMA) },

	{ "VNI of a v4 pair over v6", "wire_in", "e", { W6(STRANGER6, BETA), T4(1) }, IN },
	{ "VNI of a v6 pair over v4", "wire_in", "ei", { W4(STRANGER4, GAMMA), T4(1) }, IN },
	{ "v4 options", "wire_in", "e", { W4(BETA4, BETA, .options = 10), T4(1) }, IN, ACCEPTED,
	  RX(BETA, 1, 55, 1) },
	{ "v4 options from a stranger", "wire_in", "e",
	  { W4(STRANGER4, BETA, .options = 3), T4(1) }, IN, .from = UNDER,
	  DROPPED(UNKNOWN_SOURCE, NULL, 1, 55, BETA) },
	{ "v4 options cut", "wire_in", "e",
	  { W4(STRANGER4, BETA, .options = 10), T4(1), .keep = 60 }, IN },
	{ "v4 not a v4", "wire_in", "e", { W4(STRANGER4, BETA, .version = 5), T4(1) }, IN },
	{ "v4 header too short", "wire_in", "e", { W4(STRANGER4, BETA, .ihl = 4), T4(1) }, IN },
	{ "v4 in a v6 type", "wire_in", "e", { W4(STRANGER4, BETA, .ethertype = 0x86dd), T4(1) },
	  IN },
	{ "v4 first fragment", "wire_in", "e",
	  { W4(BETA4, BETA, .fragment = 'f', .udp_len = 945), T4(1) }, IN, ACCEPTED,
	  RX(BETA, 1, 1000, 1) },
	{ "v4 first fragment from a stranger", "wire_in", "e",
	  { W4(STRANGER4, BETA, .fragment = 'f', .udp_len = 945), T4(1) }, IN, .from = UNDER,
	  DROPPED(UNKNOWN_SOURCE, NULL, 1, 1000, BETA) },
	{ "v4 first fragment without VXLAN", "wire_in", "e",
	  { W4(STRANGER4, BETA, .fragment = 'f', .udp_len = 99, .raw = RAW(0)) }, IN },
	{ "v4 first fragment of nothing", "wire_in", "e",
	  { W4(BETA4, BETA, .fragment = 'f', .raw = RAW(8)) }, IN, .from = UNDER, .blind = true,
	  DROPPED(MALFORMED, "beta", 1, 50, 0) },
	{ "v4 later fragment", "wire_in", "e", { W4(STRANGER4, BETA, .fragment = 'l'), T4(1) },
	  IN },
	{ "v4 UDP length 0", "wire_in", "e", { W4(BETA4, BETA, .udp_len = -71), T4(1) }, IN,
	  .from = UNDER, .blind = true, DROPPED(MALFORMED, "beta", 1, 105, 0) },
	{ "v4 xdp later fragment", "wire_xdp", "e",
	  { W4(STRANGER4, BETA, .fragment = 'l'), T4(1) } },
	{ "v4 xdp options", "wire_xdp", "e", { W4(STRANGER4, BETA, .options = 10), T4(1) },
	  .from = 1, DROPPED(UNKNOWN_SOURCE, NULL, 1, 55, BETA) },
	{ "v4 out later fragment", "wire_out", "e",
	  { FORGED(W4, BETA4, BETA, PKT_LOCAL4, .fragment = 'l'), T4(1) }, OUT },
	{ "v4 out first fragment", "wire_out", "e",
	  { FORGED(W4, BETA4, BETA, PKT_LOCAL4, .fragment = 'f', .udp_len = 945), T4(1) }, OUT,
	  DROPPED(NESTED, "beta", 1, 1000, BETA) },

	{ "v6 options", "wire_in", "e", { W6(GAMMA6, GAMMA, .ext = "hd"), T4(1) }, IN, ACCEPTED,
	  RX(GAMMA, 1, 55, 1) },
	{ "v6 options from a stranger", "wire_in", "e",
	  { W6(STRANGER6, GAMMA, .ext = "hdra"), T4(1) }, IN, .from = UNDER,
	  DROPPED(UNKNOWN_SOURCE, NULL, 1, 55, GAMMA) },
	{ "v6 options cut", "wire_in", "e",
	  { W6(STRANGER6, GAMMA, .ext = "hd"), T4(1), .keep = 80 }, IN },
	{ "v6 too many headers", "wire_in", "e", { W6(STRANGER6, GAMMA, .ext = "hdrdd"), T4(1) },
	  IN },
	{ "v6 unknown header", "wire_in", "e", { W6(STRANGER6, GAMMA, .ext = "x"), T4(1) }, IN },
	{ "v6 not a v6", "wire_in", "e", { W6(STRANGER6, GAMMA, .version = 4), T4(1) }, IN },
	{ "v6 first fragment", "wire_in", "e",
	  { W6(GAMMA6, GAMMA, .ext = "f", .udp_len = 945), T4(1) }, IN, ACCEPTED,
	  RX(GAMMA, 1, 1000, 1) },
	{ "v6 first fragment from a stranger", "wire_in", "e",
	  { W6(STRANGER6, GAMMA, .ext = "df", .udp_len = 945), T4(1) }, IN, .from = UNDER,
	  DROPPED(UNKNOWN_SOURCE, NULL, 1, 1000, GAMMA) },
	{ "v6 first fragment without VXLAN", "wire_in", "e",
	  { W6(STRANGER6, GAMMA, .ext = "f", .udp_len = 99, .raw = RAW(0)) }, IN },
	{ "v6 later fragment", "wire_in", "e", { W6(STRANGER6, GAMMA, .ext = "l"), T4(1) }, IN },
	{ "v6 only fragment", "wire_in", "e", { W6(GAMMA6, GAMMA, .ext = "a"), T4(1) }, IN,
	  ACCEPTED, RX(GAMMA, 1, 55, 1) },
	{ "v6 UDP length 0", "wire_in", "e", { W6(GAMMA6, GAMMA, .udp_len = -71), T4(1) }, IN,
	  ACCEPTED, RX(GAMMA, 1, 55, 1) },
	{ "v6 jumbo", "wire_in", "e",
	  { W6(GAMMA6, GAMMA, .ext = "h", .jumbo = true, .udp_len = -71), T4(1) }, IN, ACCEPTED,
	  RX(GAMMA, 1, 55, 1) },
	{ "v6 payload 0", "wire_in", "e", { W6(GAMMA6, GAMMA, .jumbo = true), T4(1) }, IN,
	  .from = UNDER, .blind = true, DROPPED(MALFORMED, "gamma", 1, 125, 0) },
	{ "v6 out options", "wire_out", "e",
	  { FORGED(W6, GAMMA6, GAMMA, PKT_LOCAL6, .ext = "hd"), T4(1) }, OUT,
	  DROPPED(NESTED, "gamma", 1, 55, GAMMA) },
	{ "v6 xdp first fragment", "wire_xdp", "e",
	  { W6(STRANGER6, GAMMA, .ext = "f", .udp_len = 945), T4(1) }, .from = 1,
	  DROPPED(UNKNOWN_SOURCE, NULL, 1, 1000, GAMMA) },
	/* Counted at tun_in, where it comes out even if all that was seen here was ESP. */
	{ "IPsec peer in clear", "wire_in", "e", { W4(DELTA4, DELTA), T4(1) }, IN, ACCEPTED },
	{ "ESP of a peer", "wire_in", "e", { W4(DELTA4, DELTA, .proto = 50), T4(1) }, IN, ACCEPTED },
	{ "AH of a peer", "wire_in", "e", { W4(DELTA4, DELTA, .proto = 51), T4(1) }, IN, ACCEPTED },
	{ "ESP of a peer without a policy yet", "wire_in", "e", { W6(GAMMA6, GAMMA, .proto = 50), T4(1) },
	  IN, ACCEPTED },
	{ "ESP in UDP of a peer", "wire_in", "e", { W4(DELTA4, DELTA, .port = 4500), T4(1) }, IN,
	  ACCEPTED },
	{ "ESP of a peer, l3", "wire_in_l3", "e", { W4(DELTA4, DELTA, .proto = 50, .bare = true), T4(1) },
	  IN, ACCEPTED },
	{ "ESP of a stranger", "wire_in", "e", { W4(STRANGER4, DELTA, .proto = 50), T4(1) }, IN },
	{ "ESP in UDP of a stranger", "wire_in", "e", { W4(STRANGER4, DELTA, .port = 4500), T4(1) }, IN },
	{ "ESP to another address", "wire_in", "e", { W4(DELTA4, DELTA, .to = OTHER4, .proto = 50),
	  T4(1) }, IN },
	{ "TCP of a peer", "wire_in", "e", { W4(DELTA4, DELTA, .proto = 6), T4(1) }, IN },
	{ "ARP on the wire", "wire_in", "e", { .i = ARP(.dst = '*') }, IN },
	{ "IPv4 on the wire", "wire_in", "e", { .i = T4(1) }, IN },
	{ "ARP out", "wire_out", "e", { .i = ARP(.dst = '*') }, OUT },
	{ "ARP at XDP", "wire_xdp", "e", { .i = ARP(.dst = '*') } },

	GSO("TCP4", T4(2000), 2054, 54, 2),
	GSO("TCP4, one byte more", T4(2001), 2055, 54, 3),
	GSO("TCP4 options", T4(2001, .options = 10, .tcp_options = 10), 2135, 134, 3),
	GSO("TCP4 timestamps", T4(2500, .tcp_options = 3), 2566, 66, 3),
	GSO("TCP4 tag", T4(2001, .tag = 7), 2059, 58, 3),
	GSO("TCP4 two tags", T4(2001, .tag = 7, .outer_tag = 8), 2063, 62, 3),
	GSO("TCP4 one segment", T4(999), 1053, 54, 1),
	GSO("TCP4 nothing", T4(0), 54, 54, 1),
	GSO("TCP6", T6(2001), 2075, 74, 3),
	GSO("TCP6 headers", T6(2001, .ext = "hd"), 2107, 106, 3),
	GSO("UDP4", U4(2001), 2043, 42, 3),
	GSO("UDP4 options", U4(2001, .options = 2), 2051, 50, 3),
	GSO("UDP6", U6(2001), 2063, 62, 3),
	GSO("UDP6 header", U6(2001, .ext = "d"), 2079, 78, 3),
	{ "GSO SCTP", "wire_in", "e", { W4(BETA4, BETA), { .ip = 4, .l4 = 's', .payload = 2000 } },
	  IN, .gso_size = 0xffff, .gso_segs = 4, ACCEPTED, RX(BETA, 4, 2046, 4) },
	{ "GSO unknown", "wire_in", "e", { W4(BETA4, BETA), ARP(.payload = 2000) }, IN,
	  .gso_size = 1000, ACCEPTED, RX(BETA, 1, 2014, 1) },
};

/* clang-format on */

#endif
