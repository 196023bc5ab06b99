/* SPDX-License-Identifier: GPL-2.0 */
/* Dumps of nf_tables, message by message, into rules.h. Pure; nft_read.c reads. */
#ifndef VXBPF_NFT_TAKE_H
#define VXBPF_NFT_TAKE_H

#include <libmnl/libmnl.h>

#include "filters/rules.h"

/* NFT_MSG_NEWTABLE, NEWCHAIN, NEWSET, and then NEWRULE and NEWSETELEM. */
void nft_take(struct rules *r, const struct nlmsghdr *msg);

#endif
