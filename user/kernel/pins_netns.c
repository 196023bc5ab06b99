// SPDX-License-Identifier: GPL-2.0
/* Owner and layout of a pin tree; see pins_netns.h. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/pins_link.h"
#include "kernel/pins_netns.h"

unsigned long long pins_netns(void)
{
	static unsigned long long cookie;
	socklen_t len = sizeof(cookie);
	autofd int fd = cookie ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		cookie = 0;
	return cookie;
}

/* All its hooks went with their devices. Filters do not show this, so a tree without links stays. */
static bool is_dead(const char *folder)
{
	autonames struct names links = { 0 }, qdiscs = { 0 };
	char path[PINS_PATH], link[PINS_PATH + 256];

	snprintf(path, sizeof(path), "%s/%s/qdiscs", pins_root(), folder);
	if (pins_list(path, &qdiscs) || qdiscs.n)
		return false;
	snprintf(path, sizeof(path), "%s/%s/links", pins_root(), folder);
	if (pins_list(path, &links) || !links.n)
		return false;
	for (size_t i = 0; i < links.n; i++) {
		snprintf(link, sizeof(link), "%s/%s", path, links.v[i]);
		if (pins_link_lives(link))
			return false;
	}
	return true;
}

/* Written in the tree `folder`: the layout, UINT32_MAX if it does not say, and the namespace, 0 if not. */
static int read_marks(const char *folder, unsigned *out_layout, unsigned long long *out_netns)
{
	autonames struct names names = { 0 };
	char path[PINS_PATH];
	int err;

	*out_layout = 0;
	*out_netns = 0;
	snprintf(path, sizeof(path), "%s/%s", pins_root(), folder);
	err = pins_list(path, &names);
	if (err)
		return err;
	for (size_t i = 0; i < names.n; i++) {
		sscanf(names.v[i], "layout_%u", out_layout);
		sscanf(names.v[i], "netns_%llu", out_netns);
	}
	if (!*out_layout)
		*out_layout = UINT32_MAX;
	return 0;
}

/* A tree without a mark is of an older build, or was being made or removed: anyone may take it. */
static bool is_ours(const char *folder)
{
	unsigned long long netns;
	unsigned layout;

	return read_marks(folder, &layout, &netns) || !netns || !pins_netns() ||
	       netns == pins_netns();
}

void pins_folder(char folder[PINS_FOLDER], const char *overlay)
{
	char mark[PINS_PATH];

	snprintf(folder, PINS_FOLDER, "%s", overlay);
	snprintf(mark, sizeof(mark), "%s/%s/netns_%llu", pins_root(), overlay, pins_netns());
	if (access(mark, F_OK) == 0) /* as nearly always */
		return;
	snprintf(folder, PINS_FOLDER, "%s@%llu", overlay, pins_netns());
	snprintf(mark, sizeof(mark), "%s/%s", pins_root(), folder);
	if (access(mark, F_OK) && is_ours(overlay))
		snprintf(folder, PINS_FOLDER, "%s", overlay);
}

int pins_overlays(struct names *out)
{
	int err = pins_list(pins_root(), out);
	size_t n = 0;

	for (size_t i = 0; i < out->n; i++) {
		char folder[PINS_FOLDER], *at = strchr(out->v[i], '@');

		if (at)
			*at = '\0';
		pins_folder(folder, out->v[i]);
		if (!strchr(folder, '@') == !at &&
		    (!at || strtoull(at + 1, NULL, 10) == pins_netns()))
			out->v[n++] = out->v[i];
		else
			free(out->v[i]);
	}
	out->n = n;
	return err;
}

int pins_layout(const char *overlay, unsigned *out)
{
	char folder[PINS_FOLDER];
	unsigned long long netns;
	int err;

	pins_folder(folder, overlay);
	err = read_marks(folder, out, &netns);
	return err == -ENOENT ? 0 : err;
}

void pins_sweep(void)
{
	autonames struct names names = { 0 };

	pins_list(pins_root(), &names);
	for (size_t i = 0; i < names.n; i++)
		if (!is_ours(names.v[i]) && is_dead(names.v[i]))
			pins_remove_folder(names.v[i]);
}
