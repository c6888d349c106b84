/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls from user space: which ones a client of the node can make, and what
 * they have in common.
 */
#ifndef _ONSRAM_IOCTL_H_
#define _ONSRAM_IOCTL_H_

#include <linux/types.h>

struct file;

/**
 * onsram_ioctl() - the node's ioctl: the driver's calls, and those of the DRM core that a client
 * of an accelerator needs; ENOTTY for another subsystem's, EOPNOTSUPP for any other of the core's
 */
long onsram_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
/** onsram_compat_ioctl() - likewise for 32-bit processes; NULL where the kernel has none */
#ifdef CONFIG_COMPAT
long onsram_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
#else
#define onsram_compat_ioctl NULL
#endif

/**
 * onsram_copy_array() - copies @nr structures of @size from user space, where they are @stride
 * apart; EINVAL for a stride that is too short or odd, E2BIG for one beyond
 * DRM_ONSRAM_MAX_STRIDE and unless the rest is zero.  To be freed by kvfree()
 */
void *onsram_copy_array(u64 user, u32 nr, u32 stride, size_t size);

#endif
