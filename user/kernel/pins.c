// SPDX-License-Identifier: GPL-2.0
/* The pin tree; see pins.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "kernel/pins.h"
#include "kernel/pins_netns.h"

void pins_path(char path[PINS_PATH], const char *overlay, const char *fmt, ...)
{
	char folder[PINS_FOLDER];
	va_list args;
	int len;

	pins_folder(folder, overlay);
	len = snprintf(path, PINS_PATH, "%s/%s", pins_root(), folder);

	if (!fmt[0])
		return;
	path[len++] = '/';
	va_start(args, fmt);
	vsnprintf(path + len, PINS_PATH - (size_t)len, fmt, args);
	va_end(args);
	if (!path[len]) /* the folder itself */
		path[len - 1] = '\0';
}

/* It exists. */
static int check_folder(const char *path, struct why *why)
{
	struct stat st;

	if (lstat(path, &st))
		return why_set(why, -errno, "%s: cannot look at the folder: %s", path,
			       strerror(errno));
	if (S_ISDIR(st.st_mode) && st.st_uid == 0 && !(st.st_mode & 022))
		return 0;
	return why_set(why, -EPERM,
		       "%s: cannot use the folder: users other than root can change it; remove it, "
		       "or fix it with chown and chmod",
		       path);
}

int pins_check_root(struct why *why)
{
	return access(pins_root(), F_OK) ? 0 : check_folder(pins_root(), why);
}

/* out_made: was it not there before? NULL if nobody cares. */
static int make_folder(const char *path, bool *out_made, struct why *why)
{
	bool made = mkdir(path, 0700) == 0;

	if (out_made)
		*out_made = made;
	if (made)
		return 0;
	if (errno != EEXIST)
		return why_set(why, -errno, "%s: cannot create the folder: %s", path,
			       strerror(errno));
	return check_folder(path, why);
}

int pins_make(const char *overlay, unsigned layout, struct why *why)
{
	char paths[6][PINS_PATH];
	bool made[6] = { 0 };
	int err = make_folder(pins_root(), NULL, why);

	pins_path(paths[0], overlay, "%s", "");
	pins_path(paths[1], overlay, "links");
	pins_path(paths[2], overlay, "programs");
	pins_path(paths[3], overlay, "qdiscs");
	pins_path(paths[4], overlay, "netns_%llu", pins_netns());
	pins_path(paths[5], overlay, "layout_%u", layout); /* the last: with it the tree is whole */
	for (size_t i = 0; !err && i < ARRAY_LEN(paths); i++)
		err = make_folder(paths[i], &made[i], why);
	/* All or nothing. */
	for (size_t i = ARRAY_LEN(paths); err && i-- > 0;)
		if (made[i])
			rmdir(paths[i]);
	return err;
}

int pins_clear(const char *overlay, struct why *why)
{
	char path[PINS_PATH];

	pins_path(path, overlay, "%s", "");
	return pins_remove_below(path, "links", why);
}

int pins_remove(const char *overlay, struct why *why)
{
	char path[PINS_PATH];

	pins_path(path, overlay, "%s", "");
	return pins_remove_below(path, NULL, why);
}

void pins_forget_root(void)
{
	rmdir(pins_root());
}

/* True if `fd` is still what the path names: the last `down` may have taken the folder away. */
static bool same_folder(int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(pins_root(), &b) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

static int try_lock(int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

static int wait_for_lock(int fd)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	static bool said; /* once: the folder may change hands while we wait */

	for (int i = 0; !said && i < 20; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		nanosleep(&pause, NULL);
	}
	if (!said)
		fputs("vxbpf: waiting for another vxbpf that is changing this host\n", stderr);
	said = true;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int lock_root(int (*lock)(int fd), int *out_fd, struct why *why)
{
	for (;;) {
		autofd int fd = -1;
		bool made = false;
		int err = pins_mount(why);

		if (!err)
			err = make_folder(pins_root(), &made, why);
		if (err)
			return err;
		fd = open(pins_root(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			err = why_set(why, -errno, "%s: cannot open: %s", pins_root(),
				      strerror(errno));
		if (fd < 0 && made)
			pins_forget_root();
		if (fd < 0)
			return err;
		err = lock(fd);
		if (err)
			return why_set(why, err, "%s: cannot lock: %s", pins_root(),
				       strerror(-err));
		if (!same_folder(fd))
			continue;
		pins_sweep();
		*out_fd = take_fd(&fd);
		return 0;
	}
}

int pins_lock(int *out_fd, struct why *why)
{
	return lock_root(wait_for_lock, out_fd, why);
}

int pins_try_lock(int *out_fd, struct why *why)
{
	return lock_root(try_lock, out_fd, why);
}
