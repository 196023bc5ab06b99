/* SPDX-License-Identifier: GPL-2.0 */
/*
 * clsact filters: whose they are, in which order they run, and ours among them. The lower priority runs
 * first; one priority has filters of one kind and protocol only; of two bpf filters in it the later one
 * runs first.
 */
#ifndef VXBPF_TCFILTER_H
#define VXBPF_TCFILTER_H

#include "kernel/nl.h"

/* Where those of ours sit that need not be first; and, in builds before this one, all of them. */
#define TCFILTER_LAST 0x7658U

struct tcfilter_place {
	int ifindex; /* or TCM_IFINDEX_MAGIC_BLOCK */
	uint32_t parent; /* the device's ingress or egress; or the block's index */
};

/* handle 0: the priority is taken, but this is not a filter. */
struct tcfilter {
	uint32_t priority;
	uint32_t handle;
	uint32_t prog_id; /* 0 = no BPF */
	uint16_t protocol;
	char kind[16];
	char name[32]; /* of a BPF filter, "" = none */
};

/* In the order they run. */
struct tcfilters {
	struct tcfilter *v;
	size_t n;
};
/* 0 with none where there is no clsact, or no such device any more. */
int tcfilters_read(struct nl *nl, const struct tcfilter_place *place, struct tcfilters *out);
void tcfilters_free(struct tcfilters *f);
#define autotcfilters __attribute__((cleanup(tcfilters_free)))
/* The lowest priority where a filter of ours can be: not one with another kind or protocol. 0 = none. Pure. */
uint32_t tcfilters_front(const struct tcfilters *f);
bool tcfilters_have(const struct tcfilters *f, uint32_t priority, uint32_t handle);

/* Where ours runs among those of others; and what matters while it moves there from another priority, when
 * a frame is seen twice or not at all: who gives frames a word (a mark) must miss none, and who takes it
 * off must see none twice. */
enum tc_order { TC_BEHIND, TC_FRONT_GIVES, TC_FRONT_TAKES };

/* One of ours, made or not. */
struct tcfilter_ours {
	struct nl *nl;
	struct tcfilter_place place;
	uint32_t handle;
	uint32_t old_handle; /* it had this one in builds before, at TCFILTER_LAST; 0 = the same */
	enum tc_order order;
	const char *name;
};

struct tcfilter_state {
	uint32_t prog_id; /* 0 = there is none */
	uint32_t priority;
	uint32_t front; /* the best there is now */
	unsigned copies; /* more than one: a run was killed while it moved it */
};
int tcfilter_query(const struct tcfilter_ours *ours, struct tcfilter_state *out);
bool tcfilter_is_placed(enum tc_order order, const struct tcfilter_state *state);

/* Sets the program, and the filter where it belongs. */
int tcfilter_put(const struct tcfilter_ours *ours, int prog_fd);
/* All copies; finding none is fine. */
int tcfilter_remove(const struct tcfilter_ours *ours);

#endif
