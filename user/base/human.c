// SPDX-License-Identifier: GPL-2.0
/* Numbers as people read them; see human.h. Pure. */
#include <stdio.h>

#include "base/human.h"

/* One decimal below 100 of a unit, cut, not rounded: never more than there was. */
static void scale(uint64_t n, const char *const units[], char text[HUMAN_LEN])
{
	uint64_t unit = 1;
	unsigned u = 0;

	while (n / unit >= 1000 && units[u + 1]) {
		unit *= 1000;
		u++;
	}
	if (u && n / unit < 100)
		snprintf(text, HUMAN_LEN, "%u.%u%s", (unsigned)(n / unit),
			 (unsigned)(n % unit / (unit / 10)), units[u]);
	else
		snprintf(text, HUMAN_LEN, "%llu%s", (unsigned long long)(n / unit), units[u]);
}

void human_count(uint64_t n, char text[HUMAN_LEN])
{
	static const char *const units[] = { "", "k", "M", "G", "T", "P", "E", NULL };

	if (n < 10000)
		snprintf(text, HUMAN_LEN, "%u", (unsigned)n);
	else
		scale(n, units, text);
}

void human_bytes(uint64_t n, char text[HUMAN_LEN])
{
	static const char *const units[] = { " B", " kB", " MB", " GB", " TB", " PB", " EB", NULL };

	scale(n, units, text);
}

/* Below ten with a decimal: one packet in five seconds is not none. */
void human_rate(double per_second, char text[HUMAN_LEN])
{
	if (per_second < 0)
		snprintf(text, HUMAN_LEN, "-");
	else if (per_second > 0 && per_second < 0.1)
		snprintf(text, HUMAN_LEN, "<0.1");
	else if (per_second > 0 && per_second < 9.95)
		snprintf(text, HUMAN_LEN, "%.1f", per_second);
	else if (per_second < 1e18)
		human_count((uint64_t)(per_second + 0.5), text);
	else
		snprintf(text, HUMAN_LEN, ">999P");
}

void human_age(uint64_t age_ms, char text[HUMAN_LEN])
{
	uint64_t s = age_ms / 1000;

	if (s < 10)
		snprintf(text, HUMAN_LEN, "%u.%u s", (unsigned)s, (unsigned)(age_ms % 1000 / 100));
	else if (s < 120)
		snprintf(text, HUMAN_LEN, "%u s", (unsigned)s);
	else if (s < 7200)
		snprintf(text, HUMAN_LEN, "%u min", (unsigned)(s / 60));
	else if (s < 172800)
		snprintf(text, HUMAN_LEN, "%u h", (unsigned)(s / 3600));
	else
		snprintf(text, HUMAN_LEN, "%llu d", (unsigned long long)(s / 86400));
}
