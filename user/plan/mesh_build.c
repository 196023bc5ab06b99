// SPDX-License-Identifier: GPL-2.0
/* From the file to what this host needs; see mesh.h. Pure. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "plan/mesh.h"
#include "plan/mesh_vni.h"

#define PLAIN_OVERLAY "vxbr0" /* the one whose tunnels have readable names */

/* A tunnel's name and whose it is. */
struct tunnel {
	char ifname[VX_IF_LEN];
	const struct conf_host *host;
};

static void name_tunnel(const char *overlay, const char *peer, char ifname[VX_IF_LEN],
			char altname[MESH_ALTNAME])
{
	uint32_t hash;

	memset(ifname, 0, VX_IF_LEN);
	memset(altname, 0, MESH_ALTNAME);
	if (strcmp(overlay, PLAIN_OVERLAY) == 0 && strlen("vx-") + strlen(peer) < VX_IF_LEN) {
		text_add(ifname, VX_IF_LEN, "vx-%s", peer);
		return;
	}
	hash = fnv32(FNV32_INIT, overlay, strlen(overlay) + 1);
	hash = fnv32(hash, peer, strlen(peer));
	text_add(ifname, VX_IF_LEN, "vx-%08x", hash);
	text_add(altname, MESH_ALTNAME, "vx-%s-%s", overlay, peer);
}

static int by_ifname_then_line(const void *a, const void *b)
{
	const struct tunnel *x = a, *y = b;
	int diff = strcmp(x->ifname, y->ifname);

	return diff ? diff : (x->host > y->host) - (x->host < y->host);
}

/* Over all hosts, this one included, so that the same file is refused everywhere or nowhere. */
static int check_tunnels(const struct conf *conf, struct why *why)
{
	autofree struct tunnel *all = calloc(conf->n_hosts, sizeof(*all));
	char altname[MESH_ALTNAME];

	if (!all)
		return why_set(why, -ENOMEM, "%s: out of memory", conf->path);
	for (size_t i = 0; i < conf->n_hosts; i++) {
		const char *ifname = all[i].ifname;

		all[i].host = &conf->hosts[i];
		name_tunnel(conf->overlay, conf->hosts[i].name, all[i].ifname, altname);
		if (strcmp(ifname, conf->bridge) == 0 || conf_names_underlay(conf, ifname))
			return why_bad(why,
				       "%s:%u: %s: its tunnel name would be %s, which is the name "
				       "of the %s",
				       conf->path, conf->hosts[i].line, conf->hosts[i].name, ifname,
				       strcmp(ifname, conf->bridge) == 0 ? "bridge" : "underlay");
	}
	qsort(all, conf->n_hosts, sizeof(*all), by_ifname_then_line);
	for (size_t i = 1; i < conf->n_hosts; i++) {
		const struct tunnel *a = &all[i - 1], *b = &all[i];

		if (strcmp(a->ifname, b->ifname) == 0)
			return why_bad(why,
				       "%s:%u: %s: its tunnel name would be %s, as for %s on line "
				       "%u; rename one of them",
				       conf->path, b->host->line, b->host->name, b->ifname,
				       a->host->name, a->host->line);
	}
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return ip_compare(a, b);
}

static bool has(const struct vx_addr *sorted, size_t n, const struct vx_addr *addr)
{
	return ip_is_set(addr) && n && bsearch(addr, sorted, n, sizeof(*sorted), by_bytes);
}

static int find_by_address(const struct conf *conf, const struct vx_addr *locals, size_t n_locals,
			   const struct conf_host **out, struct why *why)
{
	autofree struct vx_addr *sorted = calloc(n_locals + 1, sizeof(*sorted));
	const struct conf_host *self = NULL, *twin = NULL;

	if (!sorted)
		return why_set(why, -ENOMEM, "%s: out of memory", conf->path);
	if (n_locals)
		memcpy(sorted, locals, n_locals * sizeof(*sorted));
	qsort(sorted, n_locals, sizeof(*sorted), by_bytes);
	for (size_t i = 0; i < conf->n_hosts; i++) {
		const struct conf_host *host = &conf->hosts[i];

		if (!has(sorted, n_locals, conf_host_own(host)) &&
		    !has(sorted, n_locals, &host->address6))
			continue;
		/* Two private networks may have the same addresses. */
		if (strcmp(host->name, conf->machine) == 0) {
			self = host;
			twin = NULL;
			break;
		}
		if (!self)
			self = host;
		else if (!twin)
			twin = host;
	}
	if (twin)
		return why_bad(why,
			       "%s: peers: %s (line %u) and %s (line %u) both have an address of "
			       "this host; select one with local: NAME",
			       conf->path, self->name, self->line, twin->name, twin->line);
	if (!self)
		return why_bad(why,
			       "%s: peers: no peer has an address of this host; add this host, or "
			       "select a peer with local: NAME",
			       conf->path);
	*out = self;
	return 0;
}

static int find_self(const struct conf *conf, const struct vx_addr *locals, size_t n_locals,
		     const struct conf_host **out, struct why *why)
{
	if (!conf->local[0])
		return find_by_address(conf, locals, n_locals, out, why);
	for (size_t i = 0; i < conf->n_hosts; i++) {
		if (strcmp(conf->hosts[i].name, conf->local) == 0) {
			*out = &conf->hosts[i];
			return 0;
		}
	}
	return why_bad(why, "%s:%u: local: peer %s not found", conf->path, conf->local_line,
		       conf->local);
}

static unsigned max_overhead(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_hosts && conf->n_hosts > 1; i++) {
		if (!ip_is_v4(&conf->hosts[i].address))
			return MESH_OVERHEAD_V6;
	}
	return MESH_OVERHEAD_V4;
}

/* VNIs are those of the addresses the others know; here the packets carry what this host has. */
static void bind_tunnels(struct mesh *mesh)
{
	for (size_t i = 0; i < mesh->n_peers; i++)
		if (ip_equal(&mesh->peers[i].local, &mesh->self->address))
			mesh->peers[i].local = *conf_host_own(mesh->self);
}

static int fill_peers(const struct conf *conf, struct mesh *mesh, struct why *why)
{
	assert(mesh->self);
	for (size_t i = 0; i < conf->n_hosts; i++) {
		const struct conf_host *host = &conf->hosts[i];
		struct mesh_peer *p = &mesh->peers[mesh->n_peers];

		if (host == mesh->self)
			continue;
		if (!mesh_pair_addresses(mesh->self, host, &p->local, &p->remote))
			return why_bad(why, "%s:%u: %s and %s have no address family in common",
				       conf->path, host->line, mesh->self->name, host->name);
		p->host = host;
		p->vni = (uint32_t)mesh->n_peers++;
		name_tunnel(conf->overlay, host->name, p->ifname, p->altname);
	}
	return conf->vni_mode == VX_VNI_PAIR ? mesh_vni_assign(conf, mesh, why) : 0;
}

int mesh_build(const struct conf *conf, const struct vx_addr *locals, size_t n_locals,
	       struct mesh *out, struct why *why)
{
	__attribute__((cleanup(mesh_free))) struct mesh mesh = { 0 };
	int err = check_tunnels(conf, why);

	if (!err)
		err = find_self(conf, locals, n_locals, &mesh.self, why);
	if (err)
		return err;
	mesh.max_overhead = max_overhead(conf);
	mesh.peers = calloc(conf->n_hosts, sizeof(*mesh.peers));
	if (!mesh.peers)
		return why_set(why, -ENOMEM, "%s: out of memory", conf->path);
	err = fill_peers(conf, &mesh, why);
	if (err)
		return err;
	bind_tunnels(&mesh);
	*out = mesh;
	mesh.peers = NULL;
	return 0;
}

void mesh_free(struct mesh *mesh)
{
	free(mesh->peers);
	mesh->peers = NULL;
	mesh->n_peers = 0;
}
