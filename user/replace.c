// SPDX-License-Identifier: GPL-2.0
/* Replacing a file at one go; see replace.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "replace.h"

#define SUFFIX ".tmp" /* nothing that collects *.prom takes it */
#define PAUSE_MS 10

static int say(struct why *why, const char *path, const char *what, int err)
{
	return why_set(why, err, "%s: %s: %s", path, what, strerror(-err));
}

/* A symbolic link stays, and what it names is replaced. What is no file is left alone: a device or a
 * pipe would be gone for everybody. */
static int find_place(const char *path, char place[PATH_MAX], struct why *why)
{
	char real[PATH_MAX];
	struct stat st;

	if (strlen(path) + strlen(SUFFIX) >= PATH_MAX)
		return say(why, path, "write", -ENAMETOOLONG);
	text_copy(place, PATH_MAX, path);
	if (stat(path, &st)) {
		if (errno == ENOENT)
			return 0;
		return say(why, path, "write", -errno);
	}
	if (!S_ISREG(st.st_mode))
		return why_set(why, -EINVAL, "%s: write: it is there and no ordinary file", path);
	if (realpath(path, real))
		text_copy(place, PATH_MAX, real);
	return 0;
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
		       "%s: write: it is there and not ours: remove it, or choose a folder that "
		       "only root may change",
		       temp);
}

/* Who had it before may have renamed or removed it while we waited. */
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
			return why_set(why, err, "%s: write: another vxbpf is writing it", place);
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
	char *slash;
	autofd int fd = -1;

	text_copy(folder, sizeof(folder), place);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
	return err ? say(why, path, "sync its folder", err) : 0;
}
