/* SPDX-License-Identifier: GPL-2.0 */
/* Results of iptables matches and targets for a partly known packet. Pure. */
#ifndef VXBPF_XT_MATCH_H
#define VXBPF_XT_MATCH_H

#include "base/util.h"

enum xt_fit { XT_FITS_NOT, XT_MAY_FIT, XT_FITS };

/* The first of its flow. */
struct xt_packet {
	uint8_t protocol;
	uint16_t dport; /* 0 = any */
	bool untracked;
};

enum xt_fit xt_match_fits(const char *name, unsigned revision, const void *info, size_t len,
			  const struct xt_packet *packet);
/* Does a packet go on behind that target? */
bool xt_target_goes_on(const char *name);

#endif
