// SPDX-License-Identifier: GPL-2.0
/* IP addresses and prefixes as values; see ip.h. Pure. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/ip.h"
#include "base/util.h"

static const uint8_t v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

bool ip_is_set(const struct vx_addr *a)
{
	static const struct vx_addr zero;

	return memcmp(a, &zero, sizeof(zero)) != 0;
}

bool ip_is_v4(const struct vx_addr *a)
{
	return memcmp(a->bytes, v4_mapped, sizeof(v4_mapped)) == 0;
}

bool ip_is_link_local(const struct vx_addr *a)
{
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

bool ip_equal(const struct vx_addr *a, const struct vx_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

int ip_compare(const struct vx_addr *a, const struct vx_addr *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool ip_parse(const char *text, struct vx_addr *out)
{
	uint8_t raw[16];

	if (inet_pton(AF_INET, text, raw) == 1) {
		*out = ip_from_raw(AF_INET, raw);
		return true;
	}
	if (inet_pton(AF_INET6, text, raw) != 1 || memcmp(raw, v4_mapped, sizeof(v4_mapped)) == 0)
		return false;
	*out = ip_from_raw(AF_INET6, raw);
	return true;
}

bool ip_parse_prefix(const char *text, struct ip_prefix *out)
{
	char addr[IP_TEXT];
	const char *slash = strchr(text, '/');
	struct ip_prefix p;
	unsigned long bits;
	char *end;

	if (!slash || (size_t)(slash - text) >= sizeof(addr) || !isdigit((unsigned char)slash[1]))
		return false;
	text_copy(addr, (size_t)(slash - text) + 1, text);
	bits = strtoul(slash + 1, &end, 10);
	if (*end || !ip_parse(addr, &p.addr) || bits > ip_raw_len(&p.addr) * 8)
		return false;
	p.bits = (unsigned)bits;
	*out = p;
	return true;
}

void ip_format(const struct vx_addr *a, char text[IP_TEXT])
{
	if (!ip_is_set(a) || !inet_ntop(ip_family(a), ip_raw(a), text, IP_TEXT))
		text[0] = '\0';
}

void ip_format_prefix(const struct ip_prefix *p, char text[IP_TEXT + 4])
{
	char addr[IP_TEXT];

	ip_format(&p->addr, addr);
	snprintf(text, IP_TEXT + 4, "%s/%u", addr, p->bits);
}

struct vx_addr ip_from_raw(int family, const void *raw)
{
	struct vx_addr a = { 0 };

	if (family == AF_INET) {
		memcpy(a.bytes, v4_mapped, sizeof(v4_mapped));
		memcpy(a.bytes + 12, raw, 4);
	} else {
		memcpy(a.bytes, raw, 16);
	}
	return a;
}

int ip_family(const struct vx_addr *a)
{
	return ip_is_v4(a) ? AF_INET : AF_INET6;
}

bool ip_in_prefix(const struct vx_addr *addr, const struct ip_prefix *prefix)
{
	const uint8_t *a = ip_raw(addr), *b = ip_raw(&prefix->addr);
	unsigned bits = prefix->bits;
	uint8_t mask = (uint8_t)(0xff00 >> bits % 8);

	return ip_family(addr) == ip_family(&prefix->addr) && bits <= ip_raw_len(addr) * 8 &&
	       memcmp(a, b, bits / 8) == 0 &&
	       (bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0);
}

size_t ip_raw_len(const struct vx_addr *a)
{
	return ip_is_v4(a) ? 4 : 16;
}

const void *ip_raw(const struct vx_addr *a)
{
	return ip_is_v4(a) ? a->bytes + 12 : a->bytes;
}
