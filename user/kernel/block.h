/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared tc blocks: every tunnel's clsact names the same two blocks, and one filter in each runs
 * tun_in and tun_out for all of them. A block lives as long as a qdisc refers to it.
 */
#ifndef VXBPF_BLOCK_H
#define VXBPF_BLOCK_H

#include "kernel/tcfilter.h"

/* The overlay's block for "tun_in" (ingress) or "tun_out" (egress). */
uint32_t block_index(const char *overlay, const char *room);

/* A message of a batch: give the device its clsact with both blocks. */
void block_put_qdisc(struct nl *nl, const char *overlay, unsigned ifindex, size_t tag);
/* Calls fn for each device whose clsact has this overlay's blocks. */
int block_each_qdisc(struct nl *nl, const char *overlay, void (*fn)(void *ctx, unsigned ifindex),
		     void *ctx);
/* Is a filter with this handle one of the overlay's, in its blocks or on a device? */
bool block_is_filter(const char *overlay, uint32_t handle);
/* The filter in the block of "tun_in" or "tun_out". */
struct tcfilter_ours block_filter(struct nl *nl, const char *overlay, const char *room);

#endif
