// SPDX-License-Identifier: GPL-2.0
/* Replacing a file atomically; see replace.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/replace.h"

#define SUFFIX ".tmp" /* nothing that collects *.prom takes it */
#define RANDOM "XXXXXX" /* for mkostemp */
#define TRIES 5 /* that a sweep by another writer, or another user of the folder, spoils */
#define LINKS_MAX 40 /* as many as the kernel would follow */

static int say(struct why *why, const char *path, const char *what, int err)
{
	return why_set(why, err, "%s: cannot %s: %s", path, what, strerror(-err));
}

static void folder_of(const char *place, char folder[PATH_MAX])
{
	char *slash;

	text_copy(folder, PATH_MAX, place);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	else
		text_copy(folder, PATH_MAX, ".");
}

/* A link that others may have planted would lend them our right to replace any file. */
static bool may_follow(const char *place, const struct stat *link)
{
	char folder[PATH_MAX];
	struct stat st;

	folder_of(place, folder);
	return link->st_uid == geteuid() && stat(folder, &st) == 0 && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* A link's target is relative to its folder. */
static int follow(char place[PATH_MAX])
{
	char says[PATH_MAX], folder[PATH_MAX];
	ssize_t n = readlink(place, says, sizeof(says) - 1);

	if (n < 0)
		return -errno;
	says[n] = '\0';
	folder_of(place, folder);
	n = says[0] == '/' ? snprintf(place, PATH_MAX, "%s", says)
			   : snprintf(place, PATH_MAX, "%s/%s", folder, says);
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* A symbolic link of ours stays, and its target is replaced. Anything but a regular file is left alone:
 * a device or a pipe would be lost for everybody. */
static int find_place(const char *path, char place[PATH_MAX], struct why *why)
{
	struct stat st;
	int err = strlen(path) + strlen(SUFFIX RANDOM) < PATH_MAX ? 0 : -ENAMETOOLONG;
	bool link;

	text_copy(place, PATH_MAX, path);
	for (int links = 0; !err; links++) {
		if (lstat(place, &st)) {
			err = -errno;
			break;
		}
		link = S_ISLNK(st.st_mode);
		if (link && !may_follow(place, &st))
			return why_set(
				why, -EPERM,
				"%s: cannot write: not following a symbolic link that another user "
				"owns or can change; remove it or choose another file",
				place);
		/* The end of it first: some, such as /dev/stdout's, do not hold a path. */
		if ((!link || stat(place, &st) == 0) && !S_ISREG(st.st_mode))
			return why_set(why, -EINVAL,
				       "%s: cannot write: it exists and is not a regular file",
				       path);
		if (!link)
			return 0;
		err = links < LINKS_MAX ? follow(place) : -ELOOP;
	}
	return err == -ENOENT ? 0 : say(why, path, "write", err);
}

/* Its writer was killed: nobody holds the lock, which others cannot take as long as the file is only ours to open. */
static bool is_left_over(const char *temp)
{
	autofd int fd = open(temp, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* NAME.tmp is what builds before this one made. */
static bool is_temp(const char *name, const char *base)
{
	size_t len = strlen(base);

	if (strncmp(name, base, len) != 0 || strncmp(name + len, SUFFIX, strlen(SUFFIX)) != 0)
		return false;
	name += len + strlen(SUFFIX);
	return !name[0] || (strlen(name) == strlen(RANDOM) && !strchr(name, '.'));
}

static void sweep(const char *place)
{
	char folder[PATH_MAX], temp[PATH_MAX + NAME_MAX + 2];
	const char *slash = strrchr(place, '/'), *base = slash ? slash + 1 : place;
	const struct dirent *entry;
	DIR *dir;

	folder_of(place, folder);
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		if (!is_temp(entry->d_name, base))
			continue;
		snprintf(temp, sizeof(temp), "%s/%s", folder, entry->d_name);
		if (is_left_over(temp))
			unlink(temp);
	}
	if (dir)
		closedir(dir);
}

static int fill(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno != EINTR)
			return -errno;
		text += n > 0 ? n : 0;
		left -= n > 0 ? (size_t)n : 0;
	}
	return fsync(fd) ? -errno : 0;
}

/* The new name is on the disk when the folder is. Some file systems cannot be asked. */
static int sync_folder(const char *place)
{
	char folder[PATH_MAX];
	autofd int fd = -1;

	folder_of(place, folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fsync(fd) && errno != EINVAL && errno != ENOTSUP ? -errno : 0;
}

/* A name nobody knows beforehand, locked. -EWOULDBLOCK or -ENOENT: a sweep came between the two. */
static int write_beside(const char *place, const char *text)
{
	char temp[PATH_MAX + sizeof(SUFFIX RANDOM)];
	autofd int fd = -1;
	int err;

	snprintf(temp, sizeof(temp), "%s" SUFFIX RANDOM, place);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = flock(fd, LOCK_EX | LOCK_NB) ? -errno : fill(fd, text);
	if (!err && (fchmod(fd, 0644) || rename(temp, place)))
		err = -errno;
	if (err)
		unlink(temp);
	return err;
}

int replace_file(const char *path, const char *text, struct why *why)
{
	char place[PATH_MAX];
	int err = find_place(path, place, why);

	if (err)
		return err;
	sweep(place);
	err = write_beside(place, text);
	for (unsigned n = 1; (err == -EWOULDBLOCK || err == -ENOENT) && n < TRIES; n++)
		err = write_beside(place, text);
	if (err)
		return say(why, path, "write", err);
	err = sync_folder(place);
	return err ? say(why, path, "sync its folder to disk", err) : 0;
}
