#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes vni.vectors: tests/unit/vni_vectors.py > tests/unit/vni.vectors

VNIs worked out from the text of the design alone, so that mesh_test.c compares two programs and not
one with itself. Nothing here may be copied from user/plan/mesh_vni.c, nor the other way round.
"""
import ipaddress


def fnv(data, h=2166136261):
    for byte in data:
        h = ((h ^ byte) * 16777619) & 0xFFFFFFFF
    return h


def vni(overlay, salt, a, b, attempt=0):
    low, high = sorted((ipaddress.ip_address(a), ipaddress.ip_address(b)), key=lambda x: x.packed)
    text = b"\0".join(str(x).encode() for x in (overlay, salt, low, high))
    if attempt:
        text += b"\0" + str(attempt).encode()
    h = fnv(text)
    v = (h >> 24) ^ (h & 0xFFFFFF)
    return v + 4096 if v < 4096 else v


def mesh(overlay, salt, addresses):
    """{(earlier, later): VNI} of all pairs, and how many had to give way."""
    used = [set() for _ in addresses]
    result, gave_way = {}, 0
    for later, b in enumerate(addresses):
        for earlier, a in enumerate(addresses[:later]):
            attempt = 0
            while (v := vni(overlay, salt, a, b, attempt)) in used[earlier] or v in used[later]:
                attempt += 1
            gave_way += attempt > 0
            used[earlier].add(v)
            used[later].add(v)
            result[earlier, later] = v
    return result, gave_way


def mesh_1000():
    """One FNV over the VNIs in decimal, each with a newline, as three of the hosts see them."""
    hosts = ["10.%d.%d.%d" % (i // 250, i % 250, 255 - i % 200) for i in range(1000)]
    result, gave_way = mesh("vxbr0", 7, hosts)
    for self in 0, 500, 999:
        vnis = (result[min(self, i), max(self, i)] for i in range(1000) if i != self)
        print("MESH(%d, 0x%08xU)" % (self, fnv(b"".join(b"%d\n" % v for v in vnis))))
    print("GAVE_WAY(%d)" % gave_way)


def main():
    print("/* SPDX-License-Identifier: GPL-2.0 */")
    print("/* Made by vni_vectors.py, which says how. PAIR: overlay, salt, addresses, attempt, VNI. */")
    pairs = [
        ("vxbr0", 0, "192.0.2.1", "192.0.2.2"),
        ("vxbr0", 0, "192.0.2.2", "192.0.2.1"),
        ("vxbr0", 1, "192.0.2.1", "192.0.2.2"),
        ("vxbr0", 4294967295, "192.0.2.1", "192.0.2.2"),
        ("blue", 0, "192.0.2.1", "192.0.2.2"),
        ("abcdefghijklmno", 0, "10.0.0.1", "9.255.255.255"),
        ("vxbr0", 0, "192.0.2.10", "192.0.2.9"),
        ("vxbr0", 0, "2001:db8::1", "2001:db8::2"),
        ("vxbr0", 0, "2001:db8::10", "2001:db8::9"),
        ("vxbr0", 0, "2001:db8:0:1::", "2001:db8:0:0:1::"),
        ("a-_9", 42, "fd00::1", "fd12:3456:789a:1:1:1:1:1"),
        ("vxbr0", 0, "10.0.0.0", "10.0.86.0"),  # below 4096 before the addition
    ]
    for overlay, salt, a, b in pairs:
        for attempt in 0, 1, 2, 10:
            v = vni(overlay, salt, a, b, attempt)
            print('PAIR("%s", %dU, "%s", "%s", %d, %d)' % (overlay, salt, a, b, attempt, v))
    mesh_1000()


if __name__ == "__main__":
    main()
