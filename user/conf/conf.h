/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The config file as a value (design 1.2). conf_parse is pure: text in, struct or one sentence out.
 * Every refusal names file, line and key: "<path>:<line>: <key>: <why>".
 */
#ifndef VXBPF_CONF_H
#define VXBPF_CONF_H

#include <limits.h>
#include <string.h>

#include "base/ip.h"
#include "base/util.h"

#define CONF_MAX_UNDERLAYS 16
#define CONF_MAX_SIZE (1U << 20) /* bytes of a config file */

enum conf_switch { CONF_AUTO, CONF_ON, CONF_OFF };

struct conf_host {
	char name[VX_NAME_LEN];
	struct vx_addr address; /* IPv4 or IPv6 */
	struct vx_addr bind; /* what the host itself has in its place (1:1 NAT), or unset */
	struct vx_addr address6; /* IPv6 beside an IPv4 `address`, or unset */
	struct ip_prefix *bridge_address;
	size_t n_bridge_address;
	unsigned line; /* of its first key, for messages */
};

struct conf {
	char path[PATH_MAX]; /* as given to conf_parse; conf_load makes it absolute */
	char overlay[VX_IF_LEN]; /* file name without .yaml */
	char bridge[VX_IF_LEN];
	uint16_t port;
	uint32_t mtu; /* bytes, largest inner IP packet; 0 = auto */
	unsigned mtu_line; /* 0 = not in the file */
	unsigned underlay_line;
	enum vx_vni_mode vni_mode;
	uint32_t vni_salt;
	enum vx_guard guard;
	enum conf_switch fastpath;
	enum conf_switch xdp;
	bool clamp_mss;
	enum conf_switch udp_checksum;
	uint32_t mark;
	char underlay[VX_IF_LEN]; /* if it names just one; the tunnels are bound to it */
	char underlays[CONF_MAX_UNDERLAYS]
		      [VX_IF_LEN]; /* all it names; none: any device the routes say */
	size_t n_underlays;
	char machine[VX_NAME_LEN]; /* the host name here; conf_load fills it in */
	char local[VX_NAME_LEN]; /* "" = found by address */
	unsigned local_line;
	struct conf_host *hosts; /* in file order */
	size_t n_hosts;
};

/* `path` gives the overlay its name and appears in messages; nothing is read. On success the
 * caller owns *out and ends it with conf_free; on failure *out is untouched, -EINVAL. */
int conf_parse(const char *path, const char *text, size_t len, struct conf *out, struct why *why);
/* Can both be up here? */
int conf_check_beside(const struct conf *conf, const struct conf *other, struct why *why);
void conf_free(struct conf *conf);

/* The one impure function here (conf_load.c): reads a regular file of at most 1 MiB and parses it.
 * -EINVAL with why->bad_input for anything the user can mend, missing and unreadable included. */
int conf_load(const char *path, struct conf *out, struct why *why);

/* "enforce", "pair", "auto", ...: the words of the file. */
const char *conf_guard_name(enum vx_guard guard);
const char *conf_vni_mode_name(enum vx_vni_mode mode);
const char *conf_switch_name(enum conf_switch s);

/* The address that a host itself has where the others send to its `address`. */
static inline const struct vx_addr *conf_host_own(const struct conf_host *host)
{
	return ip_is_set(&host->bind) ? &host->bind : &host->address;
}

/* Do tunnels that are made now send outer UDP checksums? */
static inline bool conf_sends_checksum(const struct conf *conf)
{
	return conf->udp_checksum == CONF_ON ||
	       (conf->udp_checksum == CONF_AUTO && conf->vni_mode == VX_VNI_INDEX);
}

/* Is it one of those that `underlay:` names? */
static inline bool conf_names_underlay(const struct conf *conf, const char *ifname)
{
	for (size_t i = 0; i < conf->n_underlays; i++)
		if (strcmp(conf->underlays[i], ifname) == 0)
			return true;
	return false;
}

/* May an overlay be called so? */
bool conf_is_overlay(const char *name);
/* A device name that the kernel accepts unchanged. */
bool conf_is_device(const char *text);
/* Why no host can be reached by this address ("a multicast address"), NULL if it can. */
const char *conf_address_fault(const struct vx_addr *addr);

#endif
