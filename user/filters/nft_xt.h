/* SPDX-License-Identifier: GPL-2.0 */
/* The matches and targets of today's ebtables that nf_tables has no expression for. Pure. */
#ifndef VXBPF_NFT_XT_H
#define VXBPF_NFT_XT_H

#include <stdbool.h>
#include <stddef.h>

/* NULL: it looks at the flow alone; else what it does besides, or "" for one that is not known. */
const char *nft_xt_match(const char *name, const void *info, size_t len);
/* A verdict, or a word in a log? */
bool nft_xt_target_is_plain(const char *name);

#endif
