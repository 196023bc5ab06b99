/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A place in a packet that cannot run off its end. Knows bytes between two pointers and no context
 * type, so the same code reads an skb, an xdp frame and a test's buffer.
 */
#ifndef VXBPF_CURSOR_H
#define VXBPF_CURSOR_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

enum { VX_REACH = 4095 }; /* no header of ours starts further in */

struct vx_cursor {
	__u8 *start;
	__u8 *pos;
	__u8 *end; /* of the bytes that can be read, not of the packet: the rest may be in fragments */
	__u32 off; /* of pos, from the packet's first byte */
};

/* The next `len` bytes, or NULL if they cannot be read; then nothing has moved. */
static __always_inline __u8 *cursor_take(struct vx_cursor *c, __u32 len)
{
	__u8 *at = c->pos;

	if (at + len > c->end)
		return NULL;
	c->pos = at + len;
	c->off += len;
	return at;
}

/*
 * The same number, of which the verifier no longer knows where it came from: a narrow store off an
 * 8-byte boundary is one it does not track (up to 6.18). Where paths meet again they are then one
 * path to it. Without this every chain of IP options and extension headers is a state of its own for
 * all that follows, and wire_in alone costs it 300,000 instructions.
 */
static __always_inline __u16 forget(__u16 value)
{
	volatile struct {
		__u16 aligned, not_aligned;
	} __attribute__((aligned(8))) slot;

	slot.not_aligned = value;
	return slot.not_aligned;
}

/* Steps over `len` bytes, a number read from the packet; false if that leads too far. */
static __always_inline bool cursor_jump(struct vx_cursor *c, __u32 len)
{
	__u64 off = forget((__u16)(c->off + len));

	if (off > VX_REACH)
		return false;
	/* The very register that was tested has to be the one that is added: 6.1 forgets its copies. */
	asm volatile("" : "+r"(off));
	if (c->start + off > c->end)
		return false;
	c->pos = c->start + off;
	c->off = (__u32)off;
	return true;
}

/*
 * One number at an address that may be odd: the host's sanitizers refuse a plain load, and the BPF
 * backend makes byte loads of a memcpy. Functions, as clang looks through a mere cast and finds the
 * bytes.
 */
#ifdef __bpf__
#define VX_LOAD_BODY(type, at) return *(const type __attribute__((may_alias)) *)(at)
#else
#define VX_LOAD_BODY(type, at)                                                                     \
	type value;                                                                                \
	__builtin_memcpy(&value, (at), sizeof(value));                                             \
	return value
#endif

static __always_inline __u8 load8(const void *at)
{
	VX_LOAD_BODY(__u8, at);
}

static __always_inline __u16 load16(const void *at)
{
	VX_LOAD_BODY(__u16, at);
}

static __always_inline __u32 load32(const void *at)
{
	VX_LOAD_BODY(__u32, at);
}

static __always_inline __u64 load64(const void *at)
{
	VX_LOAD_BODY(__u64, at);
}

#undef VX_LOAD_BODY

/* One field of a header that starts at `at`. */
#define vx_field(bits, header, at, field) load##bits((at) + offsetof(struct header, field))

#endif
