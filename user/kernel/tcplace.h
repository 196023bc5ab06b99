/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where clsact filters can sit on a device, and what is in the way: an `ingress` qdisc takes filters of
 * either direction, and runs them all at ingress; into a block that devices share no filter of one device
 * can be put.
 */
#ifndef VXBPF_TCPLACE_H
#define VXBPF_TCPLACE_H

#include "kernel/link.h"

/* Fills in what others have on these devices (`struct link`'s tc) if tc_mode is "clsact". 0 or -errno. */
int links_ask_tc(struct nl *nl, const char *tc_mode, struct links *links);
/* From a message of RTM_GETQDISC. False: it is not about filters at ingress or egress. Pure. */
bool tcplace_parse(const struct nlmsghdr *msg, struct link_tc *out);

/* Why no filter can be put there, as a clause about the device ("its ingress qdisc ..."), or NULL. Pure. */
#define TCPLACE_WHY 96
const char *tcplace_blocked(const struct link_tc *tc, bool ingress, char why[TCPLACE_WHY]);

#endif
