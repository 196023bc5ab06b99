/* SPDX-License-Identifier: GPL-2.0 */
/* IP addresses and prefixes as values: struct vx_addr (IPv4 is v4-mapped) and text. Pure. */
#ifndef VXBPF_IP_H
#define VXBPF_IP_H

#include <stdbool.h>
#include <stddef.h>

#include "vxbpf/abi.h"

#define IP_TEXT VX_TEXT_LEN

struct ip_prefix {
	struct vx_addr addr;
	unsigned bits; /* of the address's own family: 0..32 or 0..128 */
};

bool ip_is_set(const struct vx_addr *a); /* false for all-zero bytes */
bool ip_is_v4(const struct vx_addr *a);
bool ip_is_link_local(const struct vx_addr *a); /* of IPv6 */
bool ip_equal(const struct vx_addr *a, const struct vx_addr *b);
int ip_compare(const struct vx_addr *a, const struct vx_addr *b); /* bytes, as memcmp */
/* Strict: no zone, no leading or trailing space. False if it is not an address. */
bool ip_parse(const char *text, struct vx_addr *out);
bool ip_parse_prefix(const char *text, struct ip_prefix *out);
/* Canonical text (RFC 5952 for IPv6, dotted quad for IPv4). */
void ip_format(const struct vx_addr *a, char text[IP_TEXT]);
void ip_format_prefix(const struct ip_prefix *p, char text[IP_TEXT + 4]);
/* Raw bytes as the kernel has them: 4 (AF_INET) or 16 (AF_INET6) bytes in network order. */
struct vx_addr ip_from_raw(int family, const void *raw);
int ip_family(const struct vx_addr *a); /* AF_INET or AF_INET6 */
size_t ip_raw_len(const struct vx_addr *a); /* 4 or 16 */
bool ip_in_prefix(const struct vx_addr *addr, const struct ip_prefix *prefix);
const void *ip_raw(const struct vx_addr *a); /* points into `a` */

#endif
