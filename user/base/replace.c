// SPDX-License-Identifier: GPL-2.0
/* Replacing a file atomically; see replace.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/replace.h"

#define SUFFIX ".tmp" /* nothing that collects *.prom takes it */
#define PAUSE_MS 10
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
	int err = strlen(path) + strlen(SUFFIX) < PATH_MAX ? 0 : -ENAMETOOLONG;
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

/* In a folder that others may write to it might be theirs, or a second name of anything. */
static bool is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	       st.st_uid == geteuid();
}

static int refuse(const char *temp, struct why *why)
{
	return why_set(why, -EPERM,
		       "%s: cannot write: another user may control this file; remove it or choose "
		       "a folder that only root can change",
		       temp);
}

/* The previous holder may have renamed or removed it while we waited. */
static bool is_still_there(int fd, const char *temp)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && lstat(temp, &b) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

static int lock(int fd, unsigned *wait_ms)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000 };

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (*wait_ms < PAUSE_MS)
			return -EBUSY;
		*wait_ms -= PAUSE_MS;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* The temporary file, locked, with whatever a killed writer has left in it. */
static int open_temp(const char *place, const char *temp, unsigned wait_ms, int *out_fd,
		     struct why *why)
{
	for (;;) {
		autofd int fd =
			open(temp, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
		int err;

		if (fd < 0 && errno != ELOOP)
			return say(why, place, "write", -errno);
		if (fd < 0)
			return refuse(temp, why);
		err = lock(fd, &wait_ms);
		if (err == -EBUSY)
			return why_set(why, err, "%s: cannot write: another vxbpf is writing it",
				       place);
		if (err)
			return say(why, temp, "lock", err);
		if (!is_still_there(fd, temp))
			continue;
		if (!is_ours(fd))
			return refuse(temp, why);
		*out_fd = take_fd(&fd);
		return 0;
	}
}

static int fill(int fd, const char *text)
{
	size_t left = strlen(text);

	if (ftruncate(fd, 0) || fchmod(fd, 0644))
		return -errno;
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

int replace_file(const char *path, const char *text, unsigned wait_ms, struct why *why)
{
	char place[PATH_MAX], temp[PATH_MAX + sizeof(SUFFIX)];
	autofd int fd = -1;
	int err = find_place(path, place, why);

	if (err)
		return err;
	snprintf(temp, sizeof(temp), "%s" SUFFIX, place);
	err = open_temp(place, temp, wait_ms, &fd, why);
	if (err)
		return err;
	err = fill(fd, text);
	if (!err && rename(temp, place))
		err = -errno;
	if (err) {
		unlink(temp); /* before the lock goes with fd */
		return say(why, path, "write", err);
	}
	err = sync_folder(place);
	return err ? say(why, path, "sync its folder to disk", err) : 0;
}
