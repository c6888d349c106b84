/* SPDX-License-Identifier: MIT */
/* Reference counts, one thread. */
#ifndef _SHIM_LINUX_KREF_H
#define _SHIM_LINUX_KREF_H

struct kref {
	unsigned int count;
};

static inline void kref_init(struct kref *ref)
{
	ref->count = 1;
}

static inline void kref_get(struct kref *ref)
{
	ref->count++;
}

static inline int kref_put(struct kref *ref, void (*release)(struct kref *ref))
{
	if (--ref->count)
		return 0;
	release(ref);
	return 1;
}

#endif
