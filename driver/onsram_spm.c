// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges of the SPM: allocation, ownership and the copies between SPM and DRAM.
 */
#include <linux/bitmap.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "onsram_spm.h"

static u32 onsram_granules(const struct onsram_residence *res)
{
	return DIV_ROUND_UP(res->bytes, ONSRAM_SPM_GRANULE);
}

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

u64 onsram_residency_bytes(const struct onsram_residence *res)
{
	return onsram_is_resident(res) ? res->node.size * ONSRAM_SPM_GRANULE : 0;
}

/* What was used in a range that is nobody's, for who uses it next */
static void onsram_range_needs(const struct onsram_spm *spm, u32 start, u32 granules,
			       struct onsram_needs *needs)
{
	u32 nr = spm->order.nr_engines, g, e;

	for (g = start; g < start + granules; g++)
		for (e = 0; e < nr; e++)
			needs->seq[e] = max(needs->seq[e], spm->used_by[g * nr + e]);
}

/* Who waits for @access has waited for all that used the range before */
static void onsram_range_mark(struct onsram_spm *spm, u32 start, u32 granules,
			      const struct onsram_access *access)
{
	u32 nr = spm->order.nr_engines, g, e;
	u64 *used = spm->used_by + start * nr;

	for (g = 0; g < granules; g++, used += nr) {
		for (e = 0; e < nr; e++)
			used[e] = access->read[e];
		used[access->writer] = max(used[access->writer], access->write);
	}
}

static void onsram_push_assign(struct onsram_spm *spm, struct onsram_emit *emit, u32 engine,
			       u32 asid, u32 start, u32 granules, u32 flags,
			       const struct onsram_needs *needs, struct onsram_access *access)
{
	struct onsram_hw_cmd cmd = {
		.opcode = ONSRAM_CMD_SPM_ASSIGN,
		.asid = asid,
		.arg[0] = (u64)start * ONSRAM_SPM_GRANULE,
		.arg[1] = (u64)granules * ONSRAM_SPM_GRANULE,
		.arg[2] = flags,
	};
	struct onsram_action action = {
		.kind = ONSRAM_PUSH_ASSIGN,
		.engine = engine,
		.start = start,
		.granules = granules,
	};

	emit->room--;
	onsram_order_push(&spm->order, emit, &cmd, &action, needs);
	onsram_access_mark(access, &action, true);
}

/*
 * The whole tensor as words: its home is mapped in pages and its range is
 * granules, so that rounding up to a word stays inside both.
 */
static void onsram_push_copy(struct onsram_spm *spm, struct onsram_emit *emit,
			     struct onsram_residence *res, enum onsram_push kind)
{
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
		view->dims[0] = DIV_ROUND_UP(res->bytes, sizeof(u32));
		view->strides[0] = 1;
	}
	cmd.operand[!fetch].addr = ONSRAM_ADDR_SPM | onsram_residency_offset(res);
	cmd.operand[fetch].addr = res->va;
	emit->room--;
	onsram_needs_add(&needs, from, false);
	onsram_needs_add(&needs, to, true);
	onsram_order_push(&spm->order, emit, &cmd, &action, &needs);
	onsram_access_mark(from, &action, false);
	onsram_access_mark(to, &action, true);
}

int onsram_residency_clean(struct onsram_spm *spm, struct onsram_emit *emit,
			   struct onsram_residence *res)
{
	if (res->state != DRM_ONSRAM_RESIDENCY_DIRTY)
		return 0;
	if (!emit->room)
		return -ENOSPC;
	onsram_push_copy(spm, emit, res, ONSRAM_PUSH_WRITEBACK);
	res->state = DRM_ONSRAM_RESIDENCY_CLEAN;
	onsram_count(&spm->stats.writebacks, &res->client->stats->writebacks);
	return 0;
}

bool onsram_residency_discard(struct onsram_spm *spm, struct onsram_residence *res)
{
	bool dirty = res->state == DRM_ONSRAM_RESIDENCY_DIRTY;
	u32 start = res->node.start, n = res->node.size;

	if (!onsram_is_resident(res))
		return false;
	onsram_range_mark(spm, start, n, &res->access[ONSRAM_PLACE]);
	bitmap_set(spm->stale, start, n);
	spm->nr_stale += n;
	drm_mm_remove_node(&res->node);
	list_del_init(&res->lru);
	spm->resident--;
	spm->used -= n;
	spm->stats.resident_bytes -= (u64)n * ONSRAM_SPM_GRANULE;
	res->client->stats->resident_bytes -= (u64)n * ONSRAM_SPM_GRANULE;
	res->state = DRM_ONSRAM_RESIDENCY_NONE;
	res->priority = 0;
	res->held_by = 0;
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

/* Takes the granules of a node that was just allocated over from whoever had them */
static void onsram_spm_claim(struct onsram_spm *spm, struct onsram_emit *emit, u32 engine,
			     struct onsram_residence *res)
{
	u32 start = res->node.start, end = start + res->node.size, id = res->client->id;
	struct onsram_access *access = &res->access[ONSRAM_PLACE];
	bool assign = false, scrub = false;
	struct onsram_needs needs = {};
	u32 g;

	onsram_range_needs(spm, start, end - start, &needs);
	/* What is known of contents is known of one place at a time */
	onsram_needs_add(&needs, access, true);
	memset(access, 0, sizeof(*access));
	memcpy(access->read, needs.seq, sizeof(access->read));

	for (g = start; g < end; g++) {
		if (!test_bit(g, spm->assigned) || spm->owner[g] != id)
			assign = true;
		if (spm->owner[g] && spm->owner[g] != id)
			scrub = true;
		if (__test_and_clear_bit(g, spm->stale))
			spm->nr_stale--;
	}
	if (!assign)
		return;
	onsram_push_assign(spm, emit, engine, res->client->asid, start, end - start,
			   scrub ? ONSRAM_ASSIGN_SCRUB : 0, &needs, access);
	if (scrub)
		onsram_count(&spm->stats.scrubs, &res->client->stats->scrubs);
	bitmap_set(spm->assigned, start, end - start);
	for (g = start; g < end; g++)
		spm->owner[g] = id;
}

/* Would @place fit if everything that may be evicted were? */
static bool onsram_spm_feasible(struct onsram_spm *spm, const struct onsram_placement *place,
				u32 need)
{
	u32 stay = 0, gap_start = 0;
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
		if (best && res->priority >= best->priority)
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

static void onsram_spm_account(struct onsram_spm *spm, struct onsram_residence *res, u32 granules)
{
	struct drm_onsram_stats *all = &spm->stats, *own = res->client->stats;

	list_add_tail(&res->lru, &spm->lru);
	spm->resident++;
	spm->used += granules;
	all->resident_bytes += (u64)granules * ONSRAM_SPM_GRANULE;
	all->peak_bytes = max(all->peak_bytes, all->resident_bytes);
	own->resident_bytes += (u64)granules * ONSRAM_SPM_GRANULE;
	own->peak_bytes = max(own->peak_bytes, own->resident_bytes);
}

void onsram_spm_place(struct onsram_spm *spm, struct onsram_emit *emit,
		      const struct onsram_placement *place)
{
	struct onsram_residence *res = place->res;
	u32 need = onsram_granules(res);
	u32 commands = place->fetch ? 2 : 1;

	if (emit->room < commands || res->bytes > (u64)spm->capacity * ONSRAM_SPM_GRANULE ||
	    !onsram_spm_feasible(spm, place, need))
		return;

	while (!onsram_spm_try(spm, place, need)) {
		struct onsram_residence *victim = NULL;

		if (emit->room <= commands)
			return;
		if (place->fixed)
			victim = onsram_spm_occupant(spm, place->start, place->start + need);
		if (!victim)
			victim = onsram_spm_victim(spm, place);
		if (WARN_ON_ONCE(!victim))
			return;
		onsram_count(&spm->stats.evictions, &victim->client->stats->evictions);
		onsram_residency_evict(spm, emit, victim);
	}

	onsram_spm_account(spm, res, need);
	/* the same contents as DRAM, or none: the operation that writes it makes it dirty */
	res->state = DRM_ONSRAM_RESIDENCY_CLEAN;

	onsram_spm_claim(spm, emit, place->fetch ? emit->mover : emit->engine, res);
	if (place->fetch) {
		onsram_push_copy(spm, emit, res, ONSRAM_PUSH_FETCH);
		onsram_count(&spm->stats.prefetches, &res->client->stats->prefetches);
	}
}

void onsram_residency_fetch(struct onsram_spm *spm, struct onsram_emit *emit,
			    struct onsram_residence *res)
{
	struct onsram_placement place = { .res = res, .fetch = true };

	if (!onsram_is_resident(res))
		onsram_spm_place(spm, emit, &place);
}

void onsram_spm_release_stale(struct onsram_spm *spm, struct onsram_emit *emit, u32 asid)
{
	unsigned long start = 0, end;

	while (spm->nr_stale && emit->room) {
		struct onsram_access access = {};
		struct onsram_needs needs = {};

		start = find_next_bit(spm->stale, spm->granules, start);
		end = find_next_zero_bit(spm->stale, spm->granules, start);
		onsram_range_needs(spm, start, end - start, &needs);
		onsram_push_assign(spm, emit, emit->engine, asid, start, end - start,
				   ONSRAM_ASSIGN_RELEASE, &needs, &access);
		onsram_range_mark(spm, start, end - start, &access);
		bitmap_clear(spm->stale, start, end - start);
		bitmap_clear(spm->assigned, start, end - start);
		spm->nr_stale -= end - start;
	}
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
