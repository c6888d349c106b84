/* SPDX-License-Identifier: MIT */
/* The range allocator's double: a sorted list, same meaning, no speed. */
#ifndef _SHIM_DRM_DRM_MM_H
#define _SHIM_DRM_DRM_MM_H

#include <errno.h>
#include <stdlib.h>

#include <linux/list.h>
#include <linux/types.h>

enum drm_mm_insert_mode {
	DRM_MM_INSERT_BEST,
};

struct drm_mm_node {
	u64 start;
	u64 size;
	struct list_head node_list;
	bool allocated;
};

struct drm_mm {
	u64 start;
	u64 end;
	struct list_head nodes;
};

#define drm_mm_for_each_node(entry, mm) \
	list_for_each_entry(entry, &(mm)->nodes, node_list)

#define drm_mm_for_each_node_safe(entry, next, mm) \
	list_for_each_entry_safe(entry, next, &(mm)->nodes, node_list)

#define drm_mm_for_each_node_in_range(entry, mm, from, to) \
	drm_mm_for_each_node(entry, mm) \
		if ((entry)->start + (entry)->size > (from) && (entry)->start < (to))

static inline bool drm_mm_node_allocated(const struct drm_mm_node *node)
{
	return node->allocated;
}

static inline void drm_mm_init(struct drm_mm *mm, u64 start, u64 size)
{
	mm->start = start;
	mm->end = start + size;
	INIT_LIST_HEAD(&mm->nodes);
}

static inline void drm_mm_takedown(struct drm_mm *mm)
{
	if (!list_empty(&mm->nodes))
		abort();
}

static inline int drm_mm_reserve_node(struct drm_mm *mm, struct drm_mm_node *node)
{
	struct list_head *before = &mm->nodes;
	struct drm_mm_node *other;

	if (node->allocated)
		abort();
	if (!node->size || node->start < mm->start || node->start + node->size > mm->end)
		return -ENOSPC;
	drm_mm_for_each_node(other, mm) {
		if (other->start < node->start + node->size && node->start < other->start + other->size)
			return -ENOSPC;
		if (other->start > node->start) {
			before = &other->node_list;
			break;
		}
	}
	list_add_tail(&node->node_list, before);
	node->allocated = true;
	return 0;
}

static inline int drm_mm_insert_node_generic(struct drm_mm *mm, struct drm_mm_node *node, u64 size,
					     u64 alignment, unsigned long color,
					     enum drm_mm_insert_mode mode)
{
	u64 hole = mm->start, best = U64_MAX, at = 0;
	struct drm_mm_node *other;

	if (alignment || color || mode != DRM_MM_INSERT_BEST)
		abort();
	drm_mm_for_each_node(other, mm) {
		if (other->start - hole >= size && other->start - hole < best) {
			best = other->start - hole;
			at = hole;
		}
		hole = other->start + other->size;
	}
	if (mm->end - hole >= size && mm->end - hole < best) {
		best = mm->end - hole;
		at = hole;
	}
	if (best == U64_MAX)
		return -ENOSPC;
	node->start = at;
	node->size = size;
	return drm_mm_reserve_node(mm, node);
}

static inline void drm_mm_remove_node(struct drm_mm_node *node)
{
	if (!node->allocated)
		abort();
	list_del_init(&node->node_list);
	node->allocated = false;
}

#endif
