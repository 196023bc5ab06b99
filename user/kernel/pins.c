// SPDX-License-Identifier: GPL-2.0
/* The pin tree; see pins.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "kernel/pins.h"
#include "kernel/pins_netns.h"

#define BPFFS "/sys/fs/bpf"
#define FIRST "/proc/1/root" BPFFS /* that of process 1 */

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

/* What is mounted here stays when this command has ended. True, too, if that cannot be told. */
static bool mounts_stay(void)
{
	struct stat here, first;

	return stat("/proc/self/ns/mnt", &here) || stat("/proc/1/ns/mnt", &first) ||
	       (here.st_dev == first.st_dev && here.st_ino == first.st_ino);
}

const char *pins_root(void)
{
	static const char *root;

	if (!root)
		root = !is_bpffs(BPFFS) && !mounts_stay() && is_bpffs(FIRST) ? FIRST "/vxbpf"
									     : BPFFS "/vxbpf";
	return root;
}

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

int pins_mount(struct why *why)
{
	if (is_bpffs(BPFFS) || strncmp(pins_root(), FIRST, strlen(FIRST)) == 0)
		return 0;
	if (!mounts_stay())
		return why_set(
			why, -ENOENT,
			BPFFS ": no BPF file system is mounted, and one mounted here ends with "
			      "this mount namespace: run: nsenter -t 1 -m mount -t bpf bpf " BPFFS);
	if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME,
		  "mode=0700") == 0)
		return 0;
	return why_set(why, -errno,
		       BPFFS
		       ": mount the BPF file system: %s; do it by hand: %smount -t bpf bpf " BPFFS,
		       strerror(errno), errno == ENOENT ? "mount -t sysfs sysfs /sys; " : "");
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

		/* Whose the kept is stays as well. */
		if (keep &&
		    (strcmp(names.v[i], keep) == 0 || strncmp(names.v[i], "netns_", 6) == 0))
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

void pins_remove_folder(const char *folder)
{
	struct why ignored = { 0 };
	char path[PINS_PATH];

	snprintf(path, sizeof(path), "%s/%s", pins_root(), folder);
	remove_below(path, NULL, &ignored); /* what stays is in nobody's way */
}

void pins_forget_root(void)
{
	rmdir(pins_root());
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int pins_list(const char *path, struct names *out)
{
	DIR *dir = opendir(path);
	struct names names = { 0 };
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
		names_free(&names);
	else if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), compare_names);
	if (!err)
		*out = names;
	return err;
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
			err = why_set(why, -errno, "%s: open: %s", pins_root(), strerror(errno));
		if (fd < 0 && made)
			pins_forget_root();
		if (fd < 0)
			return err;
		err = lock(fd);
		if (err)
			return why_set(why, err, "%s: lock: %s", pins_root(), strerror(-err));
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
