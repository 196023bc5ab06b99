// SPDX-License-Identifier: GPL-2.0
/* The pin tree; see pins.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "pins.h"

void pins_path(char path[PINS_PATH], const char *overlay, const char *fmt, ...)
{
	va_list args;
	int len = snprintf(path, PINS_PATH, PINS_ROOT "/%s", overlay);

	if (!fmt[0])
		return;
	path[len++] = '/';
	va_start(args, fmt);
	vsnprintf(path + len, PINS_PATH - (size_t)len, fmt, args);
	va_end(args);
	if (!path[len]) /* the folder itself */
		path[len - 1] = '\0';
}

bool pins_mounted(void)
{
	struct statfs fs;

	return statfs(PINS_BPFFS, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

int pins_mount(struct why *why)
{
	if (pins_mounted())
		return 0;
	if (mount("bpf", PINS_BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME,
		  "mode=0700") == 0)
		return 0;
	return why_set(why, -errno,
		       PINS_BPFFS
		       ": mount the BPF file system: %s; do it by hand: mount -t bpf bpf %s",
		       strerror(errno), PINS_BPFFS);
}

/* out_made: was it not there before? NULL if nobody cares. */
static int make_folder(const char *path, bool *out_made, struct why *why)
{
	bool made = mkdir(path, 0700) == 0;
	struct stat st;

	if (out_made)
		*out_made = made;
	if (made)
		return 0;
	if (errno != EEXIST || lstat(path, &st))
		return why_set(why, -errno, "%s: make the folder: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode) && st.st_uid == 0 && !(st.st_mode & 022))
		return 0;
	return why_set(why, -EPERM,
		       "%s: use the folder: others than root may change it: remove it, or chown "
		       "and chmod it",
		       path);
}

int pins_make(const char *overlay, unsigned layout, struct why *why)
{
	char paths[5][PINS_PATH];
	bool made[5] = { 0 };
	int err = make_folder(PINS_ROOT, NULL, why);

	pins_path(paths[0], overlay, "%s", "");
	pins_path(paths[1], overlay, "links");
	pins_path(paths[2], overlay, "programs");
	pins_path(paths[3], overlay, "qdiscs");
	pins_path(paths[4], overlay, "layout_%u", layout);
	for (size_t i = 0; !err && i < ARRAY_LEN(paths); i++)
		err = make_folder(paths[i], &made[i], why);
	/* All or nothing. */
	for (size_t i = ARRAY_LEN(paths); err && i-- > 0;)
		if (made[i])
			rmdir(paths[i]);
	return err;
}

/* Files, then folders, below `path` and `path` itself; `keep` is a name at the top to leave. */
static int remove_below(const char *path, const char *keep, struct why *why)
{
	autonames struct names names = { 0 };
	int err = pins_list(path, &names);

	if (err == -ENOENT)
		return 0;
	if (err)
		return why_set(why, err, "%s: list: %s", path, strerror(-err));
	for (size_t i = 0; i < names.n; i++) {
		char child[PINS_PATH + 256];

		if (keep && strcmp(names.v[i], keep) == 0)
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, names.v[i]);
		if (unlink(child) < 0 && errno == EISDIR)
			err = remove_below(child, NULL, why);
		else if (access(child, F_OK) == 0)
			err = why_set(why, -EIO, "%s: remove: it is still there", child);
		if (err)
			return err;
	}
	if (!keep && rmdir(path) < 0 && errno != ENOENT)
		return why_set(why, -errno, "%s: remove: %s", path, strerror(errno));
	return 0;
}

int pins_clear(const char *overlay, struct why *why)
{
	char path[PINS_PATH];

	pins_path(path, overlay, "%s", "");
	return remove_below(path, "links", why);
}

int pins_remove(const char *overlay, struct why *why)
{
	char path[PINS_PATH];

	pins_path(path, overlay, "%s", "");
	return remove_below(path, NULL, why);
}

void pins_forget_root(void)
{
	rmdir(PINS_ROOT);
}

int pins_layout(const char *overlay, unsigned *out)
{
	autonames struct names names = { 0 };
	char path[PINS_PATH];
	int err;

	pins_path(path, overlay, "%s", "");
	err = pins_list(path, &names);
	*out = 0;
	for (size_t i = 0; i < names.n; i++)
		if (sscanf(names.v[i], "layout_%u", out) == 1 && *out)
			return 0;
	if (!err)
		*out = UINT32_MAX;
	return err == -ENOENT ? 0 : err;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int pins_list(const char *path, struct names *out)
{
	DIR *dir = opendir(path);
	autonames struct names names = { 0 };
	struct dirent *entry;
	int err;

	if (!dir)
		return -errno;
	while (errno = 0, (entry = readdir(dir))) {
		char **grown;

		if (entry->d_name[0] == '.')
			continue;
		grown = reallocarray(names.v, names.n + 1, sizeof(*names.v));
		if (!grown)
			abort();
		names.v = grown;
		names.v[names.n] = strdup(entry->d_name);
		if (!names.v[names.n++])
			abort();
	}
	err = -errno;
	closedir(dir);
	if (err)
		return err;
	if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), compare_names);
	out->n = names.n;
	names.n = 0;
	out->v = take_ptr(names.v);
	return 0;
}

void names_free(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
	*names = (struct names){ 0 };
}

/* True if `fd` is still what the path names: the last `down` may have taken the folder away. */
static bool same_folder(int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(PINS_ROOT, &b) == 0 && a.st_ino == b.st_ino &&
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
		fputs("vxbpf: another vxbpf is changing this host: waiting for it\n", stderr);
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
		int err = pins_mount(why);

		if (!err)
			err = make_folder(PINS_ROOT, NULL, why);
		if (err)
			return err;
		fd = open(PINS_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return why_set(why, -errno, PINS_ROOT ": open: %s", strerror(errno));
		err = lock(fd);
		if (err)
			return why_set(why, err, PINS_ROOT ": lock: %s", strerror(-err));
		if (!same_folder(fd))
			continue;
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
