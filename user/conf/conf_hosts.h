/* SPDX-License-Identifier: GPL-2.0 */
/* The peers of the file: loaded rows -> hosts, and all that must hold between them. Pure. */
#ifndef VXBPF_CONF_HOSTS_H
#define VXBPF_CONF_HOSTS_H

#include "conf/conf_schema.h"

/* Fills conf->hosts from `raw`; `tree` says where each came from. Filled fields stay in *conf for
 * conf_free also after a failure. */
int conf_hosts_read(const struct conf_tree *tree, const struct conf_raw *raw, struct conf *conf,
		    struct why *why);

#endif
