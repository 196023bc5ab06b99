/* SPDX-License-Identifier: GPL-2.0 */
/* Attributes of nf_tables' messages. Pure. */
#ifndef VXBPF_NFT_ATTR_H
#define VXBPF_NFT_ATTR_H

#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/util.h"

/* The last attribute of that type in a message or a nest, or NULL. */
static inline const struct nlattr *nft_attr(const struct nlmsghdr *msg, uint16_t type)
{
	const struct nlattr *attr, *last = NULL;

	mnl_attr_for_each (attr, msg, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == type)
			last = attr;
	return last;
}

static inline const struct nlattr *nft_nested(const struct nlattr *parent, uint16_t type)
{
	const struct nlattr *attr, *last = NULL;

	if (parent)
		mnl_attr_for_each_nested (attr, parent)
			if (mnl_attr_get_type(attr) == type)
				last = attr;
	return last;
}

/* Integers are big endian; an attribute that is not there reads as `none`. */
static inline uint32_t nft_number(const struct nlattr *attr, uint32_t none)
{
	return attr && mnl_attr_get_payload_len(attr) >= 4 ? be32toh(mnl_attr_get_u32(attr)) : none;
}

/* As much as fits, NUL-terminated, the rest zeros. */
static inline void nft_text(const struct nlattr *attr, char *to, size_t size)
{
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	memset(to, 0, size);
	if (len)
		memcpy(to, mnl_attr_get_payload(attr), len < size ? len : size - 1);
}

static inline uint8_t nft_family(const struct nlmsghdr *msg)
{
	return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(msg))->nfgen_family;
}

#endif
