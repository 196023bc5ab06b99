/* SPDX-License-Identifier: GPL-2.0 */
/* The peers of the file: nodes of the tree -> hosts, and all that must hold between them. Pure. */
#ifndef VXBPF_CONF_HOSTS_H
#define VXBPF_CONF_HOSTS_H

#include "conf/conf_schema.h"

/* Fills conf->hosts from a checked tree. Filled fields stay in *conf for conf_free also after a failure. */
int conf_hosts_read(const struct conf_tree *tree, struct conf *conf, struct why *why);

#endif
