/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ownership one can check by eye: cleanup attributes, take_*, and the one way to say why something
 * failed. 0 or -errno everywhere; only main.c and cmd_*.c print.
 */
#ifndef VXBPF_UTIL_H
#define VXBPF_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/* One sentence for the operator, without the leading "vxbpf: " and without a full stop:
 * "<object>: <what failed>: <why>". `bad_input` makes it exit code 2 instead of 1. */
struct why {
	char text[512];
	bool bad_input;
};

/* Fills `why` and returns `err` (a negative errno), so that "return why_set(...)" says it all. */
int why_set(struct why *why, int err, const char *fmt, ...) PRINTF(3, 4);
/* The same for input the user can mend: also sets bad_input; returns -EINVAL. */
int why_bad(struct why *why, const char *fmt, ...) PRINTF(2, 3);

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define autofree __attribute__((cleanup(free_ptr)))
#define autofd __attribute__((cleanup(close_fd)))
#define autofile __attribute__((cleanup(close_file)))

#define take_ptr(p)                                                                                \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* FNV-1a, the hash of design 1.3 and 1.5. Start with FNV32_INIT, feed bytes in order. */
#define FNV32_INIT 2166136261U
#define FNV64_INIT 14695981039346656037ULL
uint32_t fnv32(uint32_t hash, const void *bytes, size_t len);
uint64_t fnv64(uint64_t hash, const void *bytes, size_t len);

void mac_format(const uint8_t mac[6], char text[18]);
bool mac_parse(const char *text, uint8_t mac[6]);

/* Copies as much of `from` as fits; always NUL-terminated, rest zero-filled. */
void text_copy(char *to, size_t size, const char *from);
/* Ends the text in a char array where the array ends, if not before. */
#define text_end(array) ((array)[sizeof(array) - 1] = '\0')

/* One more element at the end of an array that grows in no other way, zeroed. `array` is the address of
 * the pointer to its first; elements may move. */
void *array_add(void *array, size_t *n, size_t size);

/* Sentences to be said later, in order. The texts are owned. */
struct notes {
	char **v;
	size_t n;
};
void notes_add(struct notes *notes, const char *fmt, ...) PRINTF(2, 3);
void notes_free(struct notes *notes);
#define autonotes __attribute__((cleanup(notes_free)))

/* Appends to a NUL-terminated text as far as it fits. */
void text_add(char *text, size_t size, const char *fmt, ...) PRINTF(3, 4);

/* For what is small and made before anything is touched, or only to print: nothing else can be done. */
__attribute__((noreturn)) void out_of_memory(void);

#endif
