/* SPDX-License-Identifier: GPL-2.0 */
/* Rows of the rooms at the bridge: tun_in, tun_out, port_in. Part of rooms_test.c. */
#ifndef VXBPF_TESTS_ROWS_TUNNEL_H
#define VXBPF_TESTS_ROWS_TUNNEL_H

#include "rows_wire.h"

/* Tables, a row as short as it can be. */
/* clang-format off */

#define F(...)                                                                                     \
	{                                                                                          \
		.i = __VA_ARGS__                                                                   \
	}
#define AT_PEER VX_AT_PEER
#define AT_PORT VX_AT_PORT

/* Out of beta's tunnel, seen by wire_in or not. */
#define FROM_BETA .ifindex = TUN_BETA, .ingress = TUN_BETA
#define SEEN FROM_BETA, .was_marked = true
#define LEARNT .after = { 'a', 0, AT_PEER, .vni = BETA, .seen = NOW }
#define BEFORE(...) .before = { { __VA_ARGS__ } }
#define AFTER(...) .after = { __VA_ARGS__ }

/* Into beta's tunnel, from a port of the bridge, the host or gamma's tunnel. */
#define TO_BETA(dev) .ifindex = TUN_BETA, .ingress = (dev), .from = (dev), .to = TUN_BETA
#define SENDER(dev) .after = { 'a', 0, AT_PORT, (dev), .seen = NOW, .local = NOW }
#define GROUP_TX(packets, bytes) .tx = { BETA, (packets), (bytes), (packets), true }
#define TOO_LARGE(dev, size, n, len)                                                               \
	TO_BETA(dev), DROPPED(OVERSIZE, "beta", n, len, BETA), .port = (dev) + 1, .largest = (size)

static const struct row tunnel_rows[] = {
	/* The mark, and what comes without it. */
	{ "seen", "tun_in", "e", F(T4(1)), SEEN, LEARNT },
	{ "seen, observe", "tun_in", "o", F(T4(1)), SEEN, LEARNT },
	{ "seen, off", "tun_in", "f", F(T4(1)), SEEN, LEARNT },
	{ "seen, IPsec", "tun_in", "e", F(T4(1)), .ifindex = TUN_DELTA, .was_marked = true,
	  AFTER('a', 0, AT_PEER, .vni = DELTA, .seen = NOW) },
	{ "unseen", "tun_in", "e", F(T4(1)), FROM_BETA, .from = TUN_BETA,
	  DROPPED(UNGUARDED, NULL, 1, 55, BETA) },
	{ "unseen broadcast", "tun_in", "e", F(ARP(.dst = '*')), FROM_BETA, .from = TUN_BETA,
	  DROPPED(UNGUARDED, NULL, 1, 42, BETA) },
	{ "unseen, index", "tun_in", "ei", F(T4(1)), FROM_BETA, .from = TUN_BETA,
	  DROPPED(UNGUARDED, NULL, 1, 55, BETA) },
	{ "unseen GSO", "tun_in", "e", F(T4(2001)), FROM_BETA, .from = TUN_BETA, .gso_size = 1000,
	  DROPPED(UNGUARDED, NULL, 3, 2055 + 2 * 54, BETA) },
	{ "unseen, observe", "tun_in", "o", F(T4(1)), FROM_BETA, .from = TUN_BETA, LEARNT,
	  OBSERVED(UNGUARDED, NULL, 1, 55, BETA) },
	{ "unseen, off", "tun_in", "f", F(T4(1)), FROM_BETA, LEARNT },
	{ "unseen, IPsec", "tun_in", "e", F(T4(1)), .ifindex = TUN_DELTA, RX(DELTA, 1, 55, 1),
	  AFTER('a', 0, AT_PEER, .vni = DELTA, .seen = NOW) },
	{ "unseen GSO, IPsec", "tun_in", "e", F(T6(2001)), .ifindex = TUN_DELTA, .gso_size = 1000,
	  RX(DELTA, 3, 2075 + 2 * 74, 3), AFTER('a', 0, AT_PEER, .vni = DELTA, .seen = NOW) },
	{ "unseen, IPsec, off", "tun_in", "f", F(T4(1)), .ifindex = TUN_DELTA, RX(DELTA, 1, 55, 0),
	  .before = { { 'b', 0, AT_PORT, PORT1, .seen = 9000 } },
	  AFTER('a', 0, AT_PEER, .vni = DELTA, .seen = NOW) },
	{ "no tunnel of ours", "tun_in", "e", F(T4(1)), .ifindex = FOREIGN },
	{ "no tunnel of ours, marked", "tun_in", "e", F(T4(1)), .ifindex = FOREIGN,
	  .was_marked = true },

	/* Learning at a peer. */
	{ "peer's tag", "tun_in", "e", F(T4(1, .tag = 7)), SEEN,
	  AFTER('a', 7, AT_PEER, .vni = BETA, .seen = NOW) },
	{ "peer's outer tag", "tun_in", "e", F(T4(1, .tag = 7, .outer_tag = 9)), SEEN,
	  AFTER('a', 9, AT_PEER, .vni = BETA, .seen = NOW) },
	{ "peer's group source", "tun_in", "e", F(T4(1, .src = '+')), SEEN },
	{ "peer's zero source", "tun_in", "e", F(T4(1, .src = '0')), SEEN },
	{ "peer again", "tun_in", "e", F(T4(1)), SEEN,
	  BEFORE('a', 0, AT_PEER, .vni = BETA, .seen = 20) },
	{ "peer again, later", "tun_in", "e", F(T4(1)), SEEN,
	  BEFORE('a', 0, AT_PEER, .vni = BETA, .moves = 4, .seen = 500),
	  AFTER('a', 0, AT_PEER, .vni = BETA, .moves = 4, .seen = NOW) },
	{ "from peer to peer", "tun_in", "e", F(T4(1)), SEEN,
	  BEFORE('a', 0, AT_PEER, .vni = GAMMA, .moves = 4, .seen = 20),
	  AFTER('a', 0, AT_PEER, .vni = BETA, .moves = 5, .seen = NOW) },
	{ "from port to peer, long after", "tun_in", "e", F(T4(1)), SEEN,
	  BEFORE('a', 0, AT_PORT, PORT1, .seen = 2100, .local = 2100),
	  AFTER('a', 0, AT_PEER, PORT1, BETA, 1, .seen = NOW, .local = 2100) },

	/* Migrations and loops. */
	{ "from port to peer", "tun_in", "e", F(T4(1)), SEEN, .from = TUN_BETA, .to = PORT1,
	  BEFORE('a', 0, AT_PORT, PORT1, .seen = 100, .local = 100),
	  OBSERVED(LOOP, "beta", 1, 55, BETA),
	  AFTER('a', 0, AT_PEER, PORT1, BETA, 1, .seen = NOW, .local = 100) },
	{ "from port to peer, off", "tun_in", "f", F(T4(1)), SEEN, .from = TUN_BETA, .to = PORT1,
	  BEFORE('a', 0, AT_PORT, PORT1, .seen = 1900, .local = 1900),
	  OBSERVED(LOOP, "beta", 1, 55, BETA),
	  AFTER('a', 0, AT_PEER, PORT1, BETA, 1, .seen = NOW, .local = 1900) },
	{ "second frame from there", "tun_in", "e", F(T4(1)), SEEN, .from = TUN_BETA, .to = PORT1,
	  BEFORE('a', 0, AT_PEER, PORT1, BETA, 1, .seen = 20, .local = 1000),
	  OBSERVED(LOOP, "beta", 1, 55, BETA) },
	{ "contested", "tun_in", "e", F(T4(1)), SEEN, .from = TUN_BETA, .to = PORT1,
	  BEFORE('a', 0, AT_PORT, PORT1, BETA, 2, .seen = 50, .local = 50, .contested = 50),
	  DROPPED(LOOP, "beta", 1, 55, BETA) },
	{ "contested, observe", "tun_in", "o", F(T4(1)), SEEN, .from = TUN_BETA, .to = PORT1,
	  BEFORE('a', 0, AT_PORT, PORT1, BETA, 2, .seen = 50, .local = 50, .contested = 50),
	  DROPPED(LOOP, "beta", 1, 55, BETA) },
	{ "contested GSO", "tun_in", "e", F(T4(2001)), SEEN, .from = TUN_BETA, .to = PORT1,
	  .gso_size = 1000,
	  BEFORE('a', 0, AT_PORT, PORT1, BETA, 2, .seen = 50, .local = 50, .contested = 50),
	  DROPPED(LOOP, "beta", 3, 2055 + 2 * 54, BETA) },
	{ "contested long ago", "tun_in", "e", F(T4(1)), SEEN, .from = TUN_BETA, .to = PORT1,
	  BEFORE('a', 0, AT_PORT, PORT1, BETA, 2, .seen = 50, .local = 50, .contested = 2100),
	  OBSERVED(LOOP, "beta", 1, 55, BETA),
	  AFTER('a', 0, AT_PEER, PORT1, BETA, 3, .seen = NOW, .local = 50, .contested = 2100) },
	{ "contested, port silent", "tun_in", "e", F(T4(1)), SEEN,
	  BEFORE('a', 0, AT_PORT, PORT1, BETA, 2, .seen = 2100, .local = 2100, .contested = 2100),
	  AFTER('a', 0, AT_PEER, PORT1, BETA, 3, .seen = NOW, .local = 2100, .contested = 2100) },
	{ "other VLAN's port", "tun_in", "e", F(T4(1, .tag = 7)), SEEN,
	  BEFORE('a', 0, AT_PORT, PORT1, .seen = 50, .local = 50),
	  AFTER('a', 7, AT_PEER, .vni = BETA, .seen = NOW) },

	/* Into a tunnel. */
	{ "port sends", "tun_out", "e", F(T4(1)), TO_BETA(PORT1), TX(BETA, 1, 55, 1),
	  SENDER(PORT1) },
	{ "port sends, off", "tun_out", "f", F(T4(1)), TO_BETA(PORT1), TX(BETA, 1, 55, 1),
	  SENDER(PORT1) },
	{ "port sends, mark stays", "tun_out", "e", F(T4(1)), TO_BETA(PORT1), .was_marked = true,
	  .marked = true, TX(BETA, 1, 55, 1), SENDER(PORT1) },
	{ "port sends to known", "tun_out", "e", F(T4(1)), TO_BETA(PORT1), TX(BETA, 1, 55, 0),
	  BEFORE('b', 0, AT_PEER, .vni = BETA, .seen = 9000), SENDER(PORT1) },
	{ "port broadcasts", "tun_out", "e", F(ARP(.dst = '*')), TO_BETA(PORT1), GROUP_TX(1, 42),
	  SENDER(PORT1) },
	{ "host sends", "tun_out", "e", F(T4(1)), TO_BETA(0), TX(BETA, 1, 55, 1), SENDER(0) },
	{ "host sends, port_in knew", "tun_out", "e", F(T4(1)), TO_BETA(0), TX(BETA, 1, 55, 1),
	  BEFORE('a', 0, AT_PORT, BRIDGE, .seen = 20, .local = 20) },
	{ "host routes, port_in knew", "tun_out", "e", F(T4(1)), TO_BETA(FOREIGN),
	  TX(BETA, 1, 55, 1), BEFORE('a', 0, AT_PORT, BRIDGE, .seen = 20, .local = 20) },
	{ "port without hook moves", "tun_out", "e", F(T4(1)), TO_BETA(PORT2), TX(BETA, 1, 55, 1),
	  BEFORE('a', 0, AT_PORT, PORT1, .seen = 500, .local = 500),
	  AFTER('a', 0, AT_PORT, PORT2, .moves = 1, .seen = NOW, .local = NOW) },
	{ "tagged port sends", "tun_out", "e", F(T4(1, .tag = 7)), TO_BETA(PORT1),
	  TX(BETA, 1, 59, 1), AFTER('a', 7, AT_PORT, PORT1, .seen = NOW, .local = NOW) },
	{ "sends GSO", "tun_out", "e", F(T4(2001)), TO_BETA(PORT1), .gso_size = 1000,
	  TX(BETA, 3, 2055 + 2 * 54, 3), SENDER(PORT1) },
	{ "sends GSO UDP6", "tun_out", "e", F(U6(2001)), TO_BETA(PORT1), .gso_size = 1000,
	  TX(BETA, 3, 2063 + 2 * 62, 3), SENDER(PORT1) },
	{ "sends GSO unknown", "tun_out", "e", F({ .ip = 4, .l4 = 's', .payload = 2001 }),
	  TO_BETA(PORT1), .gso_size = 1000, .gso_segs = 3, .wire_add = 100,
	  TX(BETA, 3, 2047 + 100, 3), SENDER(PORT1) },
	{ "not a tunnel", "tun_out", "e", F(T4(1)), .ifindex = FOREIGN, .ingress = PORT1,
	  SENDER(PORT1) },
	{ "sender was contested", "tun_out", "e", F(T4(1)), TO_BETA(PORT1), TX(BETA, 1, 55, 1),
	  BEFORE('a', 0, AT_PEER, PORT1, GAMMA, 1, .seen = 30, .local = 90),
	  AFTER('a', 0, AT_PORT, PORT1, GAMMA, 2, .seen = NOW, .local = NOW, .contested = NOW) },

	/* Split horizon. */
	{ "broadcast between tunnels", "tun_out", "e", F(ARP(.dst = '*')), TO_BETA(TUN_GAMMA),
	  .drop = true, .flood = 1 },
	{ "broadcast between tunnels, off", "tun_out", "f", F(ARP(.dst = '*')), TO_BETA(TUN_GAMMA),
	  .drop = true, .flood = 1 },
	{ "GSO multicast between tunnels", "tun_out", "e", F(U4(2001, .dst = '+')),
	  TO_BETA(TUN_GAMMA), .gso_size = 1000, .drop = true, .flood = 3 },
	{ "flood of a local one", "tun_out", "e", F(T4(1)), TO_BETA(TUN_GAMMA),
	  BEFORE('b', 0, AT_PORT, PORT1, .seen = 9000), .drop = true, .flood = 1 },
	{ "flood of another peer's", "tun_out", "e", F(T4(1)), TO_BETA(TUN_GAMMA),
	  BEFORE('b', 0, AT_PEER, .vni = DELTA, .seen = 9000), .drop = true, .flood = 1 },
	{ "unicast between tunnels", "tun_out", "e", F(T4(1)), TO_BETA(TUN_GAMMA),
	  DROPPED(LOOP, "gamma", 1, 55, GAMMA) },
	{ "unicast between tunnels, off", "tun_out", "f", F(T4(1)), TO_BETA(TUN_GAMMA),
	  DROPPED(LOOP, "gamma", 1, 55, GAMMA) },
	{ "unicast between tunnels, observe", "tun_out", "o", F(T4(1)), TO_BETA(TUN_GAMMA),
	  DROPPED(LOOP, "gamma", 1, 55, GAMMA) },
	{ "unicast to that peer", "tun_out", "e", F(T4(1)), TO_BETA(TUN_GAMMA),
	  BEFORE('b', 0, AT_PEER, .vni = BETA, .seen = 9000),
	  DROPPED(LOOP, "gamma", 1, 55, GAMMA) },
	{ "from a tunnel to no tunnel of ours", "tun_out", "e", F(T4(1)), .ifindex = FOREIGN,
	  .ingress = TUN_GAMMA, .from = TUN_GAMMA, .to = FOREIGN,
	  DROPPED(LOOP, "gamma", 1, 55, GAMMA) },

	/* The MTU, 1450. */
	{ "1449", "tun_out", "e", F(T4(1409)), TO_BETA(PORT1), TX(BETA, 1, 1463, 1),
	  SENDER(PORT1) },
	{ "1450", "tun_out", "e", F(T4(1410)), TO_BETA(PORT1), TX(BETA, 1, 1464, 1),
	  SENDER(PORT1) },
	{ "1451", "tun_out", "e", F(T4(1411)), TOO_LARGE(PORT1, 1451, 1, 1465) },
	{ "1451, off", "tun_out", "f", F(T4(1411)), TOO_LARGE(PORT1, 1451, 1, 1465) },
	{ "1450 by IPv6", "tun_out", "e", F(U6(1402)), TO_BETA(PORT1), TX(BETA, 1, 1464, 1),
	  SENDER(PORT1) },
	{ "1451 by IPv6", "tun_out", "e", F(U6(1403)), TOO_LARGE(PORT1, 1451, 1, 1465) },
	{ "1450 and a tag", "tun_out", "e", F(T4(1410, .tag = 7)), TO_BETA(PORT1),
	  TX(BETA, 1, 1468, 1), AFTER('a', 7, AT_PORT, PORT1, .seen = NOW, .local = NOW) },
	{ "1451 and a tag", "tun_out", "e", F(T4(1411, .tag = 7)),
	  TOO_LARGE(PORT1, 1451, 1, 1469) },
	{ "1450 and two tags", "tun_out", "e", F(T4(1410, .tag = 7, .outer_tag = 9)),
	  TO_BETA(PORT1), TX(BETA, 1, 1472, 1),
	  AFTER('a', 9, AT_PORT, PORT1, .seen = NOW, .local = NOW) },
	{ "1450 of ARP", "tun_out", "e", F(ARP(.payload = 1450)), TO_BETA(PORT1),
	  TX(BETA, 1, 1464, 1), SENDER(PORT1) },
	{ "1451 of ARP", "tun_out", "e", F(ARP(.payload = 1451)), TOO_LARGE(PORT1, 1451, 1, 1465) },
	{ "1451 by the host", "tun_out", "e", F(T4(1411)), TOO_LARGE(0, 1451, 1, 1465) },
	{ "1451 broadcast", "tun_out", "e", F(T4(1411, .dst = '*')),
	  TOO_LARGE(PORT1, 1451, 1, 1465) },
	{ "segments of 1450", "tun_out", "e", F(T4(2800, .tcp_options = 3)), TO_BETA(PORT1),
	  .gso_size = 1398, TX(BETA, 3, 2866 + 2 * 66, 3), SENDER(PORT1) },
	{ "segments of 1451", "tun_out", "e", F(T4(2800, .tcp_options = 3)), .gso_size = 1399,
	  TOO_LARGE(PORT1, 1451, 3, 2866 + 2 * 66) },
	{ "segments of 1451 by IPv6", "tun_out", "e", F(U6(2800, .ext = "d")), .gso_size = 1387,
	  TOO_LARGE(PORT1, 1451, 3, 2878 + 2 * 78) },
	{ "one small segment", "tun_out", "e", F(T4(100)), .gso_size = 1460, TO_BETA(PORT1),
	  TX(BETA, 1, 154, 1), SENDER(PORT1) },
	{ "segments of anything", "tun_out", "e", F({ .ip = 4, .l4 = 's', .payload = 2801 }),
	  .gso_size = 0xffff, .gso_segs = 2, TO_BETA(PORT1), TX(BETA, 2, 2847, 2), SENDER(PORT1) },
	{ "segments of unknown headers", "tun_out", "e", F({ .ip = 4, .l4 = 's', .payload = 2801 }),
	  .gso_size = 1431, .gso_segs = 2, TOO_LARGE(PORT1, 1451, 2, 2847) },

	/* Learning at a port. */
	{ "port's first", "port_in", "e", F(T4(1)), .ifindex = PORT1, SENDER(PORT1) },
	{ "port's first, off", "port_in", "f", F(T4(1)), .ifindex = PORT1, SENDER(PORT1) },
	{ "bridge's own", "port_in", "e", F(ARP(.dst = '*')), .ifindex = BRIDGE, SENDER(BRIDGE) },
	{ "port's mark stays", "port_in", "e", F(T4(1)), .ifindex = PORT1, .was_marked = true,
	  .marked = true, SENDER(PORT1) },
	{ "port's tag", "port_in", "e", F(T4(1, .tag = 7)), .ifindex = PORT1,
	  AFTER('a', 7, AT_PORT, PORT1, .seen = NOW, .local = NOW) },
	{ "port's priority tag", "port_in", "e", F(T4(1, .tag = 0x1000)), .ifindex = PORT1,
	  SENDER(PORT1) },
	{ "port's group source", "port_in", "e", F(T4(1, .src = '*')), .ifindex = PORT1 },
	{ "port's cut tag", "port_in", "e", { .i = T4(1, .tag = 7), .keep = 15 }, .ifindex = PORT1,
	  SENDER(PORT1) },
	{ "port again", "port_in", "e", F(T4(1)), .ifindex = PORT1,
	  BEFORE('a', 0, AT_PORT, PORT1, .seen = 20, .local = 20) },
	{ "port again, later", "port_in", "e", F(T4(1)), .ifindex = PORT1,
	  BEFORE('a', 0, AT_PORT, PORT1, .moves = 2, .seen = 500, .local = 500),
	  AFTER('a', 0, AT_PORT, PORT1, .moves = 2, .seen = NOW, .local = NOW) },
	{ "from port to port", "port_in", "e", F(T4(1)), .ifindex = PORT2,
	  BEFORE('a', 0, AT_PORT, PORT1, .seen = 20, .local = 20),
	  AFTER('a', 0, AT_PORT, PORT2, .moves = 1, .seen = NOW, .local = NOW) },
	{ "from peer to port", "port_in", "e", F(T4(1)), .ifindex = PORT1,
	  BEFORE('a', 0, AT_PEER, .vni = BETA, .seen = 20),
	  AFTER('a', 0, AT_PORT, PORT1, BETA, 1, .seen = NOW, .local = NOW) },
	{ "port, peer, port", "port_in", "e", F(T4(1)), .ifindex = PORT1,
	  BEFORE('a', 0, AT_PEER, PORT1, BETA, 1, .seen = 20, .local = 90),
	  AFTER('a', 0, AT_PORT, PORT1, BETA, 2, .seen = NOW, .local = NOW, .contested = NOW) },
	{ "port, peer for long, port", "port_in", "e", F(T4(1)), .ifindex = PORT1,
	  BEFORE('a', 0, AT_PEER, PORT1, BETA, 1, .seen = 20, .local = 2100),
	  AFTER('a', 0, AT_PORT, PORT1, BETA, 2, .seen = NOW, .local = NOW) },
	{ "port, peer long ago, port", "port_in", "e", F(T4(1)), .ifindex = PORT1,
	  BEFORE('a', 0, AT_PEER, PORT1, BETA, 1, .seen = 2100, .local = 2200),
	  AFTER('a', 0, AT_PORT, PORT1, BETA, 2, .seen = NOW, .local = NOW) },
};

/* clang-format on */

#endif
