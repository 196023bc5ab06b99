// SPDX-License-Identifier: GPL-2.0
/* Whose a pin tree is, and of which layout; see pins_netns.h and pins.h. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "attach.h"
#include "pins.h"
#include "pins_netns.h"

unsigned long long pins_netns(void)
{
	autofd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned long long cookie = 0;
	socklen_t len = sizeof(cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		return 0;
	return cookie;
}

/* The namespace of this tree still has devices with our hooks. Of filters that cannot be told: they are taken
 * to be there. */
static bool is_hooked(const char *overlay)
{
	autonames struct names links = { 0 }, qdiscs = { 0 };
	char path[PINS_PATH];

	pins_path(path, overlay, "qdiscs");
	if (pins_list(path, &qdiscs) == 0 && qdiscs.n)
		return true;
	pins_path(path, overlay, "links");
	pins_list(path, &links);
	for (size_t i = 0; i < links.n; i++) {
		pins_path(path, overlay, "links/%s", links.v[i]);
		if (attach_link_lives(path))
			return true;
	}
	return false;
}

enum whose { OURS, OTHERS, NOBODYS };

/* What its folders say: a tree of an older build says nothing of namespaces and is ours. */
static int read_marks(const char *overlay, unsigned *out_layout, enum whose *out_whose)
{
	autonames struct names names = { 0 };
	unsigned long long netns = 0;
	char path[PINS_PATH];
	int err;

	*out_layout = 0;
	*out_whose = OURS;
	pins_path(path, overlay, "%s", "");
	err = pins_list(path, &names);
	if (err)
		return err;
	*out_layout = UINT32_MAX;
	for (size_t i = 0; i < names.n; i++) {
		sscanf(names.v[i], "layout_%u", out_layout);
		sscanf(names.v[i], "netns_%llu", &netns);
	}
	if (!*out_layout)
		*out_layout = UINT32_MAX;
	if (netns && netns != pins_netns())
		*out_whose = is_hooked(overlay) ? OTHERS : NOBODYS;
	return 0;
}

int pins_layout(const char *overlay, unsigned *out)
{
	enum whose whose;
	int err = read_marks(overlay, out, &whose);

	if (whose != OURS)
		*out = 0;
	return err == -ENOENT ? 0 : err;
}

void pins_sweep(void)
{
	autonames struct names names = { 0 };

	pins_list(pins_root(), &names);
	for (size_t i = 0; i < names.n; i++) {
		struct why ignored = { 0 };
		unsigned layout;
		enum whose whose;

		if (read_marks(names.v[i], &layout, &whose) == 0 && whose == NOBODYS)
			pins_remove(names.v[i], &ignored); /* then pins_make will say why not */
	}
}

int pins_check_netns(const char *overlay, struct why *why)
{
	char path[PINS_PATH];
	unsigned layout;
	enum whose whose;

	/* What cannot be read is said where it is read. */
	if (read_marks(overlay, &layout, &whose) || whose != OTHERS)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", pins_root(), overlay);
	return why_set(
		why, -EBUSY,
		"%s: it is up in another network namespace, with its pins in %s: take another "
		"name here, or mount a BPF file system for this namespace alone (if that one is "
		"gone: rm -r %s)",
		overlay, path, path);
}
