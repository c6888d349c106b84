/* SPDX-License-Identifier: MIT */
/* Kernel types in user space, on top of the exported ones. */
#ifndef _SHIM_LINUX_TYPES_H
#define _SHIM_LINUX_TYPES_H

#include_next <linux/types.h>

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#define U32_MAX		UINT32_MAX
#define U64_MAX		((u64)UINT64_MAX)
#define S64_MAX		((s64)INT64_MAX)

#define fallthrough	__attribute__((__fallthrough__))

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#endif
