/* SPDX-License-Identifier: MIT */
/* Allocation; unit_allocs_left makes it fail. */
#ifndef _SHIM_LINUX_SLAB_H
#define _SHIM_LINUX_SLAB_H

#include <stdlib.h>

#include <linux/types.h>

#define GFP_KERNEL	0

/* Allocations that still succeed; negative: all do */
extern int unit_allocs_left;

static inline void *kvcalloc(size_t n, size_t size, int gfp)
{
	(void)gfp;
	if (!unit_allocs_left)
		return NULL;
	if (unit_allocs_left > 0)
		unit_allocs_left--;
	return calloc(n ? n : 1, size);
}

#define kvmalloc_array(n, size, gfp)	kvcalloc(n, size, gfp)
#define kzalloc(size, gfp)		kvcalloc(1, size, gfp)
#define kvfree(p)			free(p)
#define kfree(p)			free(p)

#endif
