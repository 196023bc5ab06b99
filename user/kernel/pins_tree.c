// SPDX-License-Identifier: GPL-2.0
/* Places of pins, of any owner; see pins_tree.h. */
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "kernel/pins_tree.h"

#define BPFFS "/sys/fs/bpf"
#define FIRST "/proc/1/root" BPFFS /* that of process 1 */

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

/* A mount made here stays when this command has ended. True, too, if that cannot be told. */
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

int pins_mount(struct why *why)
{
	if (is_bpffs(BPFFS) || strncmp(pins_root(), FIRST, strlen(FIRST)) == 0)
		return 0;
	if (!mounts_stay())
		return why_set(
			why, -ENOENT,
			BPFFS
			": no BPF file system is mounted, and a mount made here would end with "
			"this mount namespace; run nsenter -t 1 -m mount -t bpf -o mode=0700 "
			"bpf " BPFFS);
	if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME,
		  "mode=0700") == 0)
		return 0;
	return why_set(why, -errno,
		       BPFFS ": cannot mount the BPF file system: %s; mount it manually with "
			     "%smount -t bpf -o mode=0700 bpf " BPFFS,
		       strerror(errno), errno == ENOENT ? "mount -t sysfs sysfs /sys; " : "");
}

int pins_remove_below(const char *path, const char *keep, struct why *why)
{
	autonames struct names names = { 0 };
	int err = pins_list(path, &names);

	if (err == -ENOENT)
		return 0;
	if (err)
		return why_set(why, err, "%s: cannot list: %s", path, strerror(-err));
	for (size_t i = 0; i < names.n; i++) {
		char child[PINS_PATH + 256];

		/* The owner's mark of the kept stays as well. */
		if (keep &&
		    (strcmp(names.v[i], keep) == 0 || strncmp(names.v[i], "netns_", 6) == 0))
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, names.v[i]);
		if (unlink(child) < 0 && errno == EISDIR)
			err = pins_remove_below(child, NULL, why);
		else if (access(child, F_OK) == 0)
			err = why_set(why, -EIO, "%s: cannot remove: it still exists", child);
		if (err)
			return err;
	}
	if (!keep && rmdir(path) < 0 && errno != ENOENT)
		return why_set(why, -errno, "%s: cannot remove: %s", path, strerror(errno));
	return 0;
}

void pins_remove_folder(const char *folder)
{
	struct why ignored = { 0 };
	char path[PINS_PATH];

	snprintf(path, sizeof(path), "%s/%s", pins_root(), folder);
	pins_remove_below(path, NULL, &ignored); /* leftovers do no harm */
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
			out_of_memory();
		names.v = grown;
		names.v[names.n] = strdup(entry->d_name);
		if (!names.v[names.n++])
			out_of_memory();
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
