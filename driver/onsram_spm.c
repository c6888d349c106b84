// SPDX-License-Identifier: GPL-2.0-only
/*
 * Places in the SPM: allocation, extents and the copies between SPM and DRAM.
 */
#include <linux/bitmap.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "onsram_spm.h"

static struct onsram_residence *onsram_node_residence(const struct drm_mm_node *node)
{
	return container_of(node, struct onsram_residence, node);
}

int onsram_spm_init(struct onsram_spm *spm, u64 bytes, u32 nr_engines)
{
	if (bytes % ONSRAM_SPM_GRANULE || bytes < ONSRAM_STAGING_MIN || bytes > 1ull << 32)
		return -EINVAL;

	memset(spm, 0, sizeof(*spm));
	spm->granules = bytes / ONSRAM_SPM_GRANULE;
	spm->capacity = (bytes - ONSRAM_STAGING_MIN) / ONSRAM_SPM_GRANULE;
	spm->owner = kvcalloc(spm->granules, sizeof(*spm->owner), GFP_KERNEL);
	spm->stale = bitmap_zalloc(spm->granules, GFP_KERNEL);
	spm->assigned = bitmap_zalloc(spm->granules, GFP_KERNEL);
	spm->used_by = kvcalloc(spm->granules, nr_engines * sizeof(*spm->used_by), GFP_KERNEL);
	spm->order.nr_engines = nr_engines;
	spm->order.stamp = 1;
	if (!spm->owner || !spm->stale || !spm->assigned || !spm->used_by) {
		kvfree(spm->owner);
		kvfree(spm->used_by);
		bitmap_free(spm->stale);
		bitmap_free(spm->assigned);
		return -ENOMEM;
	}
	INIT_LIST_HEAD(&spm->lru);
	drm_mm_init(&spm->mm, 0, spm->granules);
	mutex_init(&spm->lock);
	return 0;
}

void onsram_spm_fini(struct onsram_spm *spm)
{
	drm_mm_takedown(&spm->mm);
	mutex_destroy(&spm->lock);
	kvfree(spm->owner);
	kvfree(spm->used_by);
	bitmap_free(spm->stale);
	bitmap_free(spm->assigned);
}

void onsram_residence_init(struct onsram_residence *res, struct onsram_residency_client *client,
			   u64 va, u64 bytes)
{
	memset(res, 0, sizeof(*res));
	INIT_LIST_HEAD(&res->lru);
	res->client = client;
	res->va = va;
	res->bytes = bytes;
}

u64 onsram_residency_offset(const struct onsram_residence *res)
{
	return res->node.start * ONSRAM_SPM_GRANULE;
}

struct onsram_range onsram_place_of(const struct onsram_residence *res)
{
	return (struct onsram_range) { res->node.start, res->node.size };
}

u64 onsram_residency_bytes(const struct onsram_residence *res)
{
	return onsram_is_resident(res) ? res->node.size * ONSRAM_SPM_GRANULE : 0;
}

/*
 * A part of a resident as words: its home is mapped in pages and its range is
 * granules, so that rounding up to a word stays inside both.
 */
static void onsram_push_copy(struct onsram_spm *spm, struct onsram_emit *emit,
			     struct onsram_residence *res, struct onsram_range what,
			     enum onsram_push kind)
{
	u64 begin = res->begin + (u64)(what.start - res->node.start) * ONSRAM_SPM_GRANULE;
	u64 bytes = min((u64)what.granules * ONSRAM_SPM_GRANULE, res->bytes - begin);
	struct onsram_hw_cmd cmd = {
		.opcode = ONSRAM_OP_COPY,
		.asid = res->client->asid,
	};
	struct onsram_action action = {
		.kind = kind,
		.engine = emit->mover,
		.res = res,
	};
	bool fetch = kind == ONSRAM_PUSH_FETCH;
	struct onsram_access *from = &res->access[fetch ? ONSRAM_HOME : ONSRAM_PLACE];
	struct onsram_access *to = &res->access[fetch ? ONSRAM_PLACE : ONSRAM_HOME];
	struct onsram_needs needs = {};
	u32 s;

	for (s = 0; s < 2; s++) {
		struct onsram_view *view = &cmd.operand[s].view;

		view->dtype = ONSRAM_DTYPE_I32;
		view->rank = 1;
		view->dims[0] = DIV_ROUND_UP(bytes, sizeof(u32));
		view->strides[0] = 1;
	}
	cmd.operand[!fetch].addr = ONSRAM_ADDR_SPM | (u64)what.start * ONSRAM_SPM_GRANULE;
	cmd.operand[fetch].addr = res->va + begin;
	/* What the home of a dirty part holds does not count: where all is dirty, no more does */
	action.part = fetch ? what.granules != res->node.size :
			      res->dirty.granules != onsram_residence_granules(res);
	emit->room--;
	onsram_needs_add(&needs, from, false);
	onsram_needs_add(&needs, to, true);
	/* Nor before the operations in front of it are through: its time is what the plan says */
	needs.seq[emit->engine] = spm->order.seq[emit->engine];
	onsram_order_push(&spm->order, emit, &cmd, NULL, &action, &needs);
	onsram_access_mark(from, &action, false);
	onsram_access_mark(to, &action, true);
}

/* @what: at an end of what is dirty, or all of it */
static void onsram_spm_write_back(struct onsram_spm *spm, struct onsram_emit *emit,
				  struct onsram_residence *res, struct onsram_range what)
{
	onsram_push_copy(spm, emit, res, what, ONSRAM_PUSH_WRITEBACK);
	onsram_count(&spm->stats.writebacks, &res->client->stats->writebacks);
	if (what.start == res->dirty.start)
		res->dirty.start += what.granules;
	res->dirty.granules -= what.granules;
	if (!res->dirty.granules)
		res->state = DRM_ONSRAM_RESIDENCY_CLEAN;
}

int onsram_residency_clean(struct onsram_spm *spm, struct onsram_emit *emit,
			   struct onsram_residence *res)
{
	if (res->state != DRM_ONSRAM_RESIDENCY_DIRTY)
		return 0;
	if (!emit->room)
		return -ENOSPC;
	onsram_spm_write_back(spm, emit, res, res->dirty);
	return 0;
}

void onsram_spm_account(struct onsram_spm *spm, struct onsram_residence *res, s64 granules)
{
	struct drm_onsram_stats *all = &spm->stats, *own = res->client->stats;
	s64 bytes = granules * ONSRAM_SPM_GRANULE;

	spm->used += granules;
	all->resident_bytes += bytes;
	all->peak_bytes = max(all->peak_bytes, all->resident_bytes);
	own->resident_bytes += bytes;
	own->peak_bytes = max(own->peak_bytes, own->resident_bytes);
}

void onsram_spm_vacate(struct onsram_spm *spm, struct onsram_residence *res,
		       struct onsram_range what)
{
	onsram_range_leave(spm, res, what);
	onsram_spm_account(spm, res, -(s64)what.granules);
}

void onsram_spm_forget(struct onsram_spm *spm, struct onsram_residence *res)
{
	list_del_init(&res->lru);
	spm->resident--;
	res->state = DRM_ONSRAM_RESIDENCY_NONE;
	res->priority = 0;
	res->held_by = 0;
}

bool onsram_residency_discard(struct onsram_spm *spm, struct onsram_residence *res)
{
	bool dirty = res->state == DRM_ONSRAM_RESIDENCY_DIRTY;

	if (!onsram_is_resident(res))
		return false;
	onsram_spm_vacate(spm, res, onsram_place_of(res));
	drm_mm_remove_node(&res->node);
	onsram_spm_forget(spm, res);
	return dirty;
}

int onsram_residency_evict(struct onsram_spm *spm, struct onsram_emit *emit,
			   struct onsram_residence *res)
{
	int ret = onsram_residency_clean(spm, emit, res);

	if (!ret)
		onsram_residency_discard(spm, res);
	return ret;
}

/* Would @place fit if everything that may be evicted were? */
static bool onsram_spm_feasible(struct onsram_spm *spm, const struct onsram_placement *place,
				u32 need)
{
	u32 stay = place->beside, gap_start = 0;
	struct drm_mm_node *node;
	bool fits = false;

	drm_mm_for_each_node(node, &spm->mm) {
		if (place->may_evict && place->may_evict(onsram_node_residence(node), place->ctx))
			continue;
		stay += node->size;
		if (place->fixed)
			fits |= place->start >= gap_start && place->start + need <= node->start;
		else
			fits |= node->start - gap_start >= need;
		gap_start = node->start + node->size;
	}
	if (place->fixed)
		fits |= place->start >= gap_start && place->start + need <= spm->granules;
	else
		fits |= spm->granules - gap_start >= need;
	return fits && stay + need <= spm->capacity;
}

static struct onsram_residence *onsram_spm_occupant(struct onsram_spm *spm, u32 start, u32 end)
{
	struct drm_mm_node *node;

	drm_mm_for_each_node_in_range(node, &spm->mm, start, end)
		return onsram_node_residence(node);
	return NULL;
}

/* Least priority first, among those least recently used */
static struct onsram_residence *onsram_spm_victim(struct onsram_spm *spm,
						  const struct onsram_placement *place)
{
	struct onsram_residence *res, *best = NULL;

	list_for_each_entry(res, &spm->lru, lru) {
		if (res == place->res || (best && res->priority >= best->priority))
			continue;
		if (place->may_evict && place->may_evict(res, place->ctx))
			best = res;
	}
	return best;
}

static bool onsram_spm_try(struct onsram_spm *spm, const struct onsram_placement *place, u32 need)
{
	struct drm_mm_node *node = &place->res->node;

	if (spm->used + need > spm->capacity)
		return false;
	if (!place->fixed)
		return !drm_mm_insert_node_generic(&spm->mm, node, need, 0, 0, DRM_MM_INSERT_BEST);
	node->start = place->start;
	node->size = need;
	return !drm_mm_reserve_node(&spm->mm, node);
}

/* Makes what was just accounted for usable */
static void onsram_spm_fill(struct onsram_spm *spm, struct onsram_emit *emit,
			    struct onsram_residence *res, struct onsram_range what, bool fetch)
{
	onsram_range_claim(spm, emit, res, what);
	if (!fetch)
		return;
	onsram_push_copy(spm, emit, res, what, ONSRAM_PUSH_FETCH);
	onsram_count(&spm->stats.prefetches, &res->client->stats->prefetches);
}

/* Return: whether somebody else lost a place that is in the way */
static bool onsram_spm_make_room(struct onsram_spm *spm, struct onsram_emit *emit,
				 const struct onsram_placement *place,
				 struct onsram_residence *victim)
{
	if (!victim)
		victim = onsram_spm_victim(spm, place);
	if (WARN_ON_ONCE(!victim))
		return false;
	onsram_count(&spm->stats.evictions, &victim->client->stats->evictions);
	return !onsram_residency_evict(spm, emit, victim);
}

void onsram_spm_place(struct onsram_spm *spm, struct onsram_emit *emit,
		      const struct onsram_placement *place)
{
	struct onsram_residence *res = place->res;
	u32 need = place->granules, commands = place->fetch ? 2 : 1;
	struct onsram_access *access = &res->access[ONSRAM_PLACE];
	struct onsram_needs needs = {};

	if (emit->room < commands || need > spm->capacity ||
	    !onsram_spm_feasible(spm, place, need))
		return;

	while (!onsram_spm_try(spm, place, need)) {
		struct onsram_residence *victim = NULL;

		if (emit->room <= commands)
			return;
		if (place->fixed)
			victim = onsram_spm_occupant(spm, place->start, place->start + need);
		if (!onsram_spm_make_room(spm, emit, place, victim))
			return;
	}

	onsram_spm_account(spm, res, need);
	list_add_tail(&res->lru, &spm->lru);
	spm->resident++;
	res->begin = place->begin;
	/* the same contents as DRAM, or none: the operation that writes it makes it dirty */
	res->state = DRM_ONSRAM_RESIDENCY_CLEAN;

	/* What is known of contents is known of one place at a time */
	onsram_needs_add(&needs, access, true);
	memset(access, 0, sizeof(*access));
	memcpy(access->read, needs.seq, sizeof(access->read));
	onsram_spm_fill(spm, emit, res, onsram_place_of(res), place->fetch);
}

/* The range that a resident has from now on, around what it had or within it */
static void onsram_spm_reseat(struct onsram_spm *spm, struct onsram_residence *res, u32 start,
			      u32 end)
{
	struct drm_mm_node *node = &res->node;

	res->begin += ((s64)start - (s64)node->start) * ONSRAM_SPM_GRANULE;
	drm_mm_remove_node(node);
	node->start = start;
	node->size = end - start;
	WARN_ON_ONCE(drm_mm_reserve_node(&spm->mm, node));
}

/* Return: whether DRAM has what granules at an end of a resident hold */
static bool onsram_spm_clean_end(struct onsram_spm *spm, struct onsram_emit *emit,
				 struct onsram_residence *res, struct onsram_range what)
{
	u32 start = max(what.start, res->dirty.start);
	u32 end = min(what.start + what.granules, res->dirty.start + res->dirty.granules);

	if (res->state != DRM_ONSRAM_RESIDENCY_DIRTY || start >= end)
		return true;
	if (!emit->room)
		return false;
	onsram_spm_write_back(spm, emit, res, (struct onsram_range) { start, end - start });
	return true;
}

void onsram_spm_clean_beside(struct onsram_spm *spm, struct onsram_emit *emit,
			     struct onsram_residence *res, struct onsram_range keep)
{
	u32 had = res->node.start, had_end = had + res->node.size;
	u32 end = keep.start + keep.granules;

	if (had < keep.start)
		onsram_spm_clean_end(spm, emit, res,
				     (struct onsram_range) { had, keep.start - had });
	if (had_end > end)
		onsram_spm_clean_end(spm, emit, res, (struct onsram_range) { end, had_end - end });
}

/* Return: whether granules at an end of a resident could be given up */
static bool onsram_spm_trim(struct onsram_spm *spm, struct onsram_emit *emit,
			    struct onsram_residence *res, struct onsram_range what)
{
	if (!onsram_spm_clean_end(spm, emit, res, what))
		return false;
	onsram_spm_vacate(spm, res, what);
	return true;
}

/* Return: whether granules beside a resident are free now, for as many as they are */
static bool onsram_spm_clear(struct onsram_spm *spm, struct onsram_emit *emit,
			     const struct onsram_placement *place, struct onsram_range what)
{
	u32 commands = place->fetch ? 2 : 1;
	struct onsram_residence *other;

	if (emit->room < commands || what.start + what.granules > spm->granules)
		return false;
	for (;;) {
		other = onsram_spm_occupant(spm, what.start, what.start + what.granules);
		if (!other && spm->used + what.granules <= spm->capacity)
			return true;
		if (!other)
			other = onsram_spm_victim(spm, place);
		if (!other || emit->room <= commands ||
		    !place->may_evict(other, place->ctx) ||
		    !onsram_spm_make_room(spm, emit, place, other))
			return false;
	}
}

static void onsram_spm_extend(struct onsram_spm *spm, struct onsram_emit *emit,
			      const struct onsram_placement *place, struct onsram_range what)
{
	struct onsram_residence *res = place->res;
	u32 start = res->node.start, end = start + res->node.size;

	if (!onsram_spm_clear(spm, emit, place, what))
		return;
	onsram_spm_reseat(spm, res, min(start, what.start), max(end, what.start + what.granules));
	onsram_spm_account(spm, res, what.granules);
	onsram_spm_fill(spm, emit, res, what, place->fetch);
}

void onsram_spm_resize(struct onsram_spm *spm, struct onsram_emit *emit,
		       const struct onsram_placement *place)
{
	struct onsram_residence *res = place->res;
	u32 start = place->start, end = start + place->granules;
	u32 had = res->node.start, had_end = had + res->node.size;

	if (had < start &&
	    onsram_spm_trim(spm, emit, res, (struct onsram_range) { had, start - had }))
		onsram_spm_reseat(spm, res, start, had_end);
	had = res->node.start;
	if (had_end > end &&
	    onsram_spm_trim(spm, emit, res, (struct onsram_range) { end, had_end - end }))
		onsram_spm_reseat(spm, res, had, end);
	if (had > start)
		onsram_spm_extend(spm, emit, place, (struct onsram_range) { start, had - start });
	if (had_end < end)
		onsram_spm_extend(spm, emit, place,
				  (struct onsram_range) { had_end, end - had_end });
}

void onsram_residency_fetch(struct onsram_spm *spm, struct onsram_emit *emit,
			    struct onsram_residence *res)
{
	struct onsram_placement place = {
		.res = res,
		.granules = onsram_residence_granules(res),
		.fetch = true,
	};

	if (!onsram_is_resident(res))
		onsram_spm_place(spm, emit, &place);
}

int onsram_residency_drop_all(struct onsram_spm *spm, struct onsram_emit *emit)
{
	struct onsram_residence *res, *next;
	int ret;

	list_for_each_entry_safe(res, next, &spm->lru, lru) {
		ret = onsram_residency_evict(spm, emit, res);
		if (ret)
			return ret;
	}
	return 0;
}

void onsram_residency_reset(struct onsram_spm *spm)
{
	struct onsram_residence *res, *next;

	list_for_each_entry_safe(res, next, &spm->lru, lru)
		onsram_spm_abandon(spm, res, spm->order.stamp);
	bitmap_zero(spm->stale, spm->granules);
	bitmap_zero(spm->assigned, spm->granules);
	memset(spm->owner, 0, spm->granules * sizeof(*spm->owner));
	spm->nr_stale = 0;
}

void onsram_spm_distrust(struct onsram_spm *spm, u32 start, u32 granules)
{
	struct onsram_residence *res;
	u32 g;

	while ((res = onsram_spm_occupant(spm, start, start + granules)))
		onsram_spm_abandon(spm, res, spm->order.stamp);
	for (g = start; g < start + granules; g++) {
		if (!__test_and_set_bit(g, spm->stale))
			spm->nr_stale++;
		__set_bit(g, spm->assigned);
		spm->owner[g] = ONSRAM_OWNER_UNKNOWN;
	}
}

u64 onsram_spm_largest_free(struct onsram_spm *spm)
{
	u32 largest = 0, gap_start = 0;
	struct drm_mm_node *node;

	drm_mm_for_each_node(node, &spm->mm) {
		largest = max_t(u32, largest, node->start - gap_start);
		gap_start = node->start + node->size;
	}
	largest = max(largest, spm->granules - gap_start);
	return (u64)min(largest, spm->capacity - spm->used) * ONSRAM_SPM_GRANULE;
}

void onsram_spm_for_each(struct onsram_spm *spm,
			 void (*fn)(const struct onsram_residence *res, void *data), void *data)
{
	struct drm_mm_node *node;

	drm_mm_for_each_node(node, &spm->mm)
		fn(onsram_node_residence(node), data);
}
