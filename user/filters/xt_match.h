/* SPDX-License-Identifier: GPL-2.0 */
/* Matches and targets of iptables and ebtables, in the words of rule.h. Pure. */
#ifndef VXBPF_XT_MATCH_H
#define VXBPF_XT_MATCH_H

#include "filters/rule.h"

/* info: the kernel's own structure of that revision. Adds to what is in `out`. */
void xt_match_ask(const char *name, unsigned revision, const void *info, size_t len,
		  const struct rule_packet *packet, struct rule_answer *out);
/* Any but the jumps and verdicts of a legacy table, which xt_table.c reads. */
void xt_target_ask(const char *name, unsigned revision, const void *info, size_t len,
		   const struct rule_packet *packet, struct rule_answer *out);

#endif
