// SPDX-License-Identifier: GPL-2.0
/* A config file from disk; all else about it is in conf.c. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/readfile.h"
#include "conf/conf.h"

/* Absolute, its folder without links. A link as the last part stays: the overlay has its name. */
static int absolute(const char *path, char out[PATH_MAX], struct why *why)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char folder[PATH_MAX] = ".", real[PATH_MAX];

	if (slash)
		text_copy(folder, sizeof(folder), path);
	if (slash && (size_t)(slash - path) < sizeof(folder))
		folder[slash == path ? 1 : slash - path] = '\0';
	if (!realpath(folder, real))
		return why_bad(why, "%s: cannot read: %s", path, strerror(errno));
	out[0] = '\0';
	text_add(out, PATH_MAX, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
	if (strlen(out) >= sizeof(((struct vx_overlay *)0)->config))
		return why_bad(why, "%s: cannot read: its absolute path is longer than %zu bytes",
			       path, sizeof(((struct vx_overlay *)0)->config) - 1);
	return 0;
}

int conf_load(const char *path, struct conf *out, struct why *why)
{
	char full[PATH_MAX];
	autofree char *text = NULL;
	size_t len;
	int err = absolute(path, full, why);

	if (!err)
		err = readfile(full, CONF_MAX_SIZE, &text, &len, why);
	if (!err)
		err = conf_parse(full, text, len, out, why);
	if (!err && gethostname(out->machine, sizeof(out->machine) - 1))
		out->machine[0] = '\0';
	return err;
}
