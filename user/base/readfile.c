// SPDX-License-Identifier: GPL-2.0
/* Reads a small text file whole; see readfile.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/readfile.h"

static int refuse_errno(const char *path, struct why *why)
{
	return why_bad(why, "%s: cannot read: %s", path, strerror(errno));
}

static int refuse_kind(const char *path, const struct stat *st, size_t max, struct why *why)
{
	if (S_ISDIR(st->st_mode))
		return why_bad(why, "%s: cannot read: is a directory", path);
	if (!S_ISREG(st->st_mode))
		return why_bad(why, "%s: cannot read: not a regular file", path);
	if (st->st_size > (off_t)max)
		return why_bad(why, "%s: cannot read: larger than %zu bytes", path, max);
	return 0;
}

int readfile(const char *path, size_t max, char **out, size_t *out_len, struct why *why)
{
	autofree char *text = NULL;
	size_t len = 0;
	ssize_t n = 1;
	autofd int fd = -1;
	struct stat st;
	int err;

	/* Looked at before it is opened, and again after, in case it was changed in between. */
	if (stat(path, &st))
		return refuse_errno(path, why);
	err = refuse_kind(path, &st, max, why);
	if (err)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st))
		return refuse_errno(path, why);
	err = refuse_kind(path, &st, max, why);
	if (err)
		return err;
	text = malloc(max + 2);
	if (!text)
		return why_set(why, -ENOMEM, "%s: out of memory", path);
	while (n > 0 && len <= max) {
		n = read(fd, text + len, max + 1 - len);
		if (n < 0)
			return refuse_errno(path, why);
		len += (size_t)n;
	}
	if (len > max)
		return why_bad(why, "%s: cannot read: larger than %zu bytes", path, max);
	text[len] = '\0';
	*out = take_ptr(text);
	*out_len = len;
	return 0;
}
