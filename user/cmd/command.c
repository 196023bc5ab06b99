// SPDX-License-Identifier: GPL-2.0
/* Shared by commands: saying why, finding their overlays, asking for rights. */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/sanitize.h"
#include "cmd/command.h"
#include "kernel/pins.h"
#include "kernel/pins_overlay.h"

#define CONFIG_FOLDER "/etc/vxbpf"

int command_fail(const struct why *why)
{
	tell("%s", why->text);
	return why->bad_input ? EXIT_USAGE : EXIT_FAILED;
}

int command_number(const struct command_args *args, enum command_option option, unsigned min,
		   unsigned max, unsigned usual, unsigned *out, struct why *why)
{
	const char *text = args->given[option];
	unsigned long n;
	char *end;

	*out = usual;
	if (!text)
		return 0;
	n = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || n < min || n > max)
		return why_bad(why, "%s: '%s' is not a whole number between %u and %u", args->verb,
			       text, min, max);
	*out = (unsigned)n;
	return 0;
}

bool command_wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && no[0]) && !(term && strcmp(term, "dumb") == 0);
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t len = strlen(text), tail = strlen(suffix);

	return len > tail && strcmp(text + len - tail, suffix) == 0;
}

/* The name alone; the config decides whether it is a good one. */
void command_add_target(struct command_targets *targets, const char *overlay, const char *path)
{
	struct command_target *grown =
		reallocarray(targets->v, targets->n + 1, sizeof(*targets->v));

	if (!grown)
		out_of_memory();
	targets->v = grown;
	text_copy(grown[targets->n].overlay, sizeof(grown->overlay), overlay);
	text_copy(grown[targets->n].path, sizeof(grown->path), path);
	targets->n++;
}

static bool known(const struct command_targets *targets, const char *overlay)
{
	for (size_t i = 0; i < targets->n; i++)
		if (strcmp(targets->v[i].overlay, overlay) == 0)
			return true;
	return false;
}

static void add_file(struct command_targets *targets, const char *path)
{
	const char *slash = strrchr(path, '/');
	char name[PATH_MAX];

	text_copy(name, sizeof(name), slash ? slash + 1 : path);
	name[strlen(name) - strlen(".yaml")] = '\0';
	if (!known(targets, name))
		command_add_target(targets, name, path);
}

static void add_name(struct command_targets *targets, const char *name)
{
	struct vx_overlay o;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), CONFIG_FOLDER "/%s.yaml", name);
	/* One that is up knows which file it came from. */
	if (pinned_overlay(name, &o) == 0 && o.config[0])
		text_copy(path, sizeof(path), o.config);
	command_add_target(targets, name, path);
}

int command_find_targets(const char *arg, bool also_up, struct command_targets *out,
			 struct why *why)
{
	autonames struct names files = { 0 }, up = { 0 };
	int err;

	*out = (struct command_targets){ 0 };
	if (arg && has_suffix(arg, ".yaml")) {
		add_file(out, arg);
		/* Without also_up the file is read next, and says so itself, with its whole name. */
		if (also_up && !conf_is_overlay(out->v[0].overlay))
			return why_bad(why,
				       "%s: file name: must be OVERLAY.yaml, where OVERLAY is 1 to "
				       "15 letters, digits, '_' and '-'",
				       arg);
		return 0;
	}
	if (arg && !conf_is_overlay(arg))
		return why_bad(why,
			       "'%s': not an overlay: give a name of 1 to 15 letters, digits, '_' "
			       "and '-', or a path ending in .yaml",
			       arg);
	if (arg) {
		add_name(out, arg);
		return 0;
	}
	if (also_up) {
		err = pins_overlays(&up);
		if (err && err != -ENOENT && err != -EACCES)
			return why_set(why, err, "%s: cannot list: %s", pins_root(),
				       strerror(-err));
	}
	for (size_t i = 0; i < up.n; i++)
		add_name(out, up.v[i]);
	err = pins_list(CONFIG_FOLDER, &files);
	if (err && err != -ENOENT && !also_up)
		return why_bad(why, CONFIG_FOLDER ": cannot list: %s", strerror(-err));
	for (size_t i = 0; i < files.n; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), CONFIG_FOLDER "/%s", files.v[i]);
		if (has_suffix(path, ".yaml"))
			add_file(out, path);
	}
	if (!out->n && !also_up)
		return why_bad(why, CONFIG_FOLDER
			       ": no overlay was named, and this folder has no .yaml file");
	return 0;
}

void command_targets_free(struct command_targets *targets)
{
	free(targets->v);
	*targets = (struct command_targets){ 0 };
}

static bool has_capability(unsigned cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data))
		return false;
	return data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

/* The first user namespace has a number of its own in all kernels. */
#define FIRST_USER_NAMESPACE 0xeffffffdU

static bool in_user_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != FIRST_USER_NAMESPACE;
}

int command_need_loading(const char *verb, struct why *why)
{
	int err = command_need_rights(verb, why);

	if (err)
		return err;
	if (!has_capability(CAP_PERFMON) && !has_capability(CAP_SYS_ADMIN))
		return why_set(why, -EPERM, "%s: needs root: CAP_PERFMON is missing", verb);
	if (in_user_namespace())
		return why_set(why, -EPERM,
			       "%s: needs root of the host: the kernel does not load BPF programs "
			       "from a user namespace (such as a rootless container)",
			       verb);
	return 0;
}

int command_begin(const struct command_args *args, bool loading, struct nl **nl, int *lock,
		  struct why *why)
{
	int err = loading && !args->dry_run ? command_need_loading(args->verb, why)
					    : command_need_rights(args->verb, why);

	if (!err)
		err = nl_open(nl, why);
	if (!err && !args->dry_run)
		err = pins_lock(lock, why);
	return err;
}

int command_need_rights(const char *verb, struct why *why)
{
	bool net = has_capability(CAP_NET_ADMIN);
	bool bpf = has_capability(CAP_BPF) || has_capability(CAP_SYS_ADMIN);

	if (net && bpf)
		return pins_check_root(why);
	return why_set(why, -EPERM, "%s: needs root: %s missing", verb,
		       net   ? "CAP_BPF is"
		       : bpf ? "CAP_NET_ADMIN is"
			     : "CAP_NET_ADMIN and CAP_BPF are");
}
