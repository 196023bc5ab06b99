// SPDX-License-Identifier: GPL-2.0
/* The kernel's and other programs' files as text; see host.h. Pure. */
#include <netinet/in.h>
#include <string.h>

#include "diagnose/host.h"

/* An address as those files have it: 32-bit words in the machine's byte order. */
static bool parse_address(const char *hex, bool v6, struct vx_addr *out)
{
	uint32_t words[4];
	size_t n = v6 ? 4 : 1;

	if (strlen(hex) != n * 8)
		return false;
	for (size_t i = 0; i < n; i++)
		if (sscanf(hex + i * 8, "%8x", &words[i]) != 1)
			return false;
	*out = ip_from_raw(v6 ? AF_INET6 : AF_INET, words);
	return true;
}

size_t host_parse_udp(const char *text, bool v6, uint16_t port, struct host_bound *out, size_t max)
{
	size_t n = 0;

	for (; *text && n < max; text += strcspn(text, "\n"), text += *text == '\n') {
		unsigned long inode;
		unsigned bound;
		char hex[33];

		if (sscanf(text, " %*u: %32[0-9A-F]:%4x %*s %*s %*s %*s %*s %*s %*s %lu", hex,
			   &bound, &inode) != 3 ||
		    bound != port || !parse_address(hex, v6, &out[n].address))
			continue;
		out[n++].inode = inode;
	}
	return n;
}

/* The line after this one that begins alike, or NULL. */
static const char *line_of(const char *text, const char *protocol)
{
	size_t len = strlen(protocol);

	while (text && *text && (strncmp(text, protocol, len) != 0 || text[len] != ':')) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text && *text ? text : NULL;
}

bool host_parse_snmp(const char *text, const char *protocol, const char *name, uint64_t *out)
{
	const char *names = line_of(text, protocol);
	const char *end = names ? strchr(names, '\n') : NULL;
	const char *values = end ? line_of(end + 1, protocol) : NULL;

	while (names && values && names < end) {
		size_t len;

		names += strcspn(names, " \n");
		values += strcspn(values, " \n");
		if (*names != ' ' || *values != ' ')
			break;
		len = strcspn(++names, " \n");
		values++;
		if (len == strlen(name) && strncmp(names, name, len) == 0) {
			*out = strtoull(values, NULL, 10);
			return true;
		}
	}
	return false;
}

bool host_parse_line(const char *text, const char *name, char *value, size_t size)
{
	size_t len = strlen(name);

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		const char *at = text + len;

		if (strncmp(text, name, len) != 0 || !strchr(" \t=", *at) || !*at)
			continue;
		at += strspn(at, " \t=");
		snprintf(value, size, "%.*s", (int)strcspn(at, " \t\r\n"), at);
		return true;
	}
	return false;
}

bool host_parse_modules(const char *text, const char *module)
{
	char name[64];
	size_t len = (size_t)snprintf(name, sizeof(name), "/%s.ko", module);

	for (const char *at = text; (at = strstr(at, name)); at += len) {
		const char *end = at + len;
		const char *line = at;

		/* The file itself, plain or compressed, not one that needs it. */
		while (line > text && line[-1] != '\n')
			line--;
		if (!memchr(line, ' ', (size_t)(at - line)) && strchr(":.\n", *end))
			return true;
	}
	return false;
}
