// SPDX-License-Identifier: GPL-2.0
/* Programs around an overlay: who holds its port, who manages its devices; see host.h. Impure edge. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/readfile.h"
#include "diagnose/host.h"

#define SOCKETS_MAX 8

/* Calls back for each process of this network namespace until told to stop. */
typedef bool (*process_fn)(const char *pid, void *ctx);

static bool same_namespace(const char *pid)
{
	char path[64];
	struct stat ours, theirs;

	snprintf(path, sizeof(path), "/proc/%.16s/ns/net", pid);
	return stat("/proc/self/ns/net", &ours) == 0 && stat(path, &theirs) == 0 &&
	       ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static void each_process(process_fn fn, void *ctx)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	bool go_on = true;

	while (proc && go_on && (entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			go_on = fn(entry->d_name, ctx);
	if (proc)
		closedir(proc);
}

static void read_comm(const char *pid, char comm[32])
{
	autofree char *text = NULL;
	struct why why;
	char path[64];
	size_t len;

	comm[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	if (readfile(path, 64, &text, &len, &why))
		return;
	text[strcspn(text, "\n")] = '\0';
	text_copy(comm, 32, text);
}

/* --- sockets */

struct bounds {
	struct host_bound v[SOCKETS_MAX];
	size_t n;
	struct host_facts *out;
};

static void see_fd(const struct bounds *b, const char *pid, unsigned long inode)
{
	for (size_t i = 0; i < b->n; i++) {
		struct host_facts *out = b->out;
		struct host_socket *s;
		char comm[32];

		if (b->v[i].inode != inode || out->n_sockets == SOCKETS_MAX)
			continue;
		out->sockets = out->sockets ? out->sockets : calloc(SOCKETS_MAX, sizeof(*s));
		if (!out->sockets)
			out_of_memory();
		s = &out->sockets[out->n_sockets++];
		read_comm(pid, comm);
		snprintf(s->process, sizeof(s->process), "%s (pid %.10s)", comm, pid);
		ip_format(&b->v[i].address, s->address);
	}
}

static bool see_fds(const char *pid, void *ctx)
{
	const struct bounds *b = ctx;
	const struct dirent *entry;
	char path[64], to[64];
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	fds = opendir(path);
	while (fds && (entry = readdir(fds))) {
		ssize_t len = readlinkat(dirfd(fds), entry->d_name, to, sizeof(to) - 1);
		unsigned long inode;

		to[len > 0 ? len : 0] = '\0';
		if (sscanf(to, "socket:[%lu]", &inode) == 1)
			see_fd(b, pid, inode);
	}
	if (fds)
		closedir(fds);
	return b->out->n_sockets < b->n;
}

/* Not worth a look while all tunnels are up: then the port is the kernel's. */
static bool all_tunnels_run(const struct snapshot *s, const struct host_facts *facts)
{
	for (size_t i = 0; i < facts->n_members; i++)
		if (facts->members[i].ours && !facts->members[i].up)
			return false;
	return s->up;
}

/* Line by line: any user may open sockets, and so make the file as long as he likes. */
static void read_bounds(const char *path, bool v6, uint16_t port, struct bounds *b)
{
	FILE *f = fopen(path, "re");
	char line[512];

	while (f && b->n < SOCKETS_MAX && fgets(line, sizeof(line), f))
		b->n += host_parse_udp(line, v6, port, b->v + b->n, SOCKETS_MAX - b->n);
	if (f)
		fclose(f);
}

void host_read_sockets(const struct snapshot *s, struct host_facts *out)
{
	struct bounds b = { .out = out };

	if (!s->told.port || all_tunnels_run(s, out))
		return;
	read_bounds("/proc/net/udp", false, (uint16_t)s->told.port, &b);
	read_bounds("/proc/net/udp6", true, (uint16_t)s->told.port, &b);
	if (b.n)
		each_process(see_fds, &b);
}

/* --- managers of devices */

static const struct manager {
	const char *comm; /* as much of it as the kernel keeps */
	const char *file; /* one per device, by ifindex */
	const char *key;
	const char * not ; /* what it says of a device it leaves alone */
	const char *nor;
} managers[HOST_MANAGERS] = {
	[HOST_NETWORKD] = { "systemd-network", "/run/systemd/netif/links/%d", "ADMIN_STATE",
			    "unmanaged", "linger" },
	[HOST_NETWORKMANAGER] = { "NetworkManager", "/run/NetworkManager/devices/%d", "managed",
				  "false", "unknown" },
};

static bool is_managed(const struct manager *m, int ifindex)
{
	autofree char *text = NULL;
	struct why why;
	char path[64], value[32];
	size_t len;

	snprintf(path, sizeof(path), m->file, ifindex);
	return readfile(path, 65536, &text, &len, &why) == 0 &&
	       host_parse_line(text, m->key, value, sizeof(value)) && strcmp(value, m->not ) != 0 &&
	       strcmp(value, m->nor) != 0 && strcmp(value, "pending") != 0 &&
	       strcmp(value, "initialized") != 0;
}

struct looking {
	const char *comm;
	bool found;
};

static bool see_daemon(const char *pid, void *ctx)
{
	struct looking *l = ctx;
	char comm[32];

	read_comm(pid, comm);
	l->found = strcmp(comm, l->comm) == 0 && same_namespace(pid);
	return !l->found;
}

/* Its files about devices of another namespace, or from before it was stopped, do not count. */
static bool is_running(const char *comm)
{
	struct looking l = { .comm = comm };

	each_process(see_daemon, &l);
	return l.found;
}

void host_read_managers(const struct links *ours, struct host_facts *out)
{
	for (size_t m = 0; m < HOST_MANAGERS; m++) {
		size_t i = 0;

		while (i < ours->n && !is_managed(&managers[m], ours->v[i].ifindex))
			i++;
		if (i < ours->n && is_running(managers[m].comm))
			text_copy(out->managed[m], VX_IF_LEN, ours->v[i].name);
	}
}
