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

int onsram_spm_init(struct onsram_spm *spm, u64 bytes)
{
	if (bytes % ONSRAM_SPM_GRANULE || bytes < ONSRAM_STAGING_MIN || bytes > 1ull << 32)
		return -EINVAL;

	memset(spm, 0, sizeof(*spm));
	spm->granules = bytes / ONSRAM_SPM_GRANULE;
	spm->capacity = (bytes - ONSRAM_STAGING_MIN) / ONSRAM_SPM_GRANULE;
	spm->owner = kvcalloc(spm->granules, sizeof(*spm->owner), GFP_KERNEL);
	spm->stale = bitmap_zalloc(spm->granules, GFP_KERNEL);
	spm->assigned = bitmap_zalloc(spm->granules, GFP_KERNEL);
	if (!spm->owner || !spm->stale || !spm->assigned) {
		kvfree(spm->owner);
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

static int onsram_push_assign(struct onsram_emit *emit, u32 asid, u32 start, u32 granules,
			      u32 flags)
{
	struct onsram_hw_cmd cmd = {
		.opcode = ONSRAM_CMD_SPM_ASSIGN,
		.asid = asid,
		.arg[0] = (u64)start * ONSRAM_SPM_GRANULE,
		.arg[1] = (u64)granules * ONSRAM_SPM_GRANULE,
		.arg[2] = flags,
	};

	emit->room--;
	return emit->push(emit, &cmd, ONSRAM_PUSH_ASSIGN, NULL);
}

/*
 * The whole tensor as words: its home is mapped in pages and its range is
 * granules, so that rounding up to a word stays inside both.
 */
static int onsram_push_copy(struct onsram_emit *emit, struct onsram_residence *res,
			    enum onsram_push kind)
{
	struct onsram_hw_cmd cmd = {
		.opcode = ONSRAM_OP_COPY,
		.asid = res->client->asid,
	};
	u32 spm_slot = kind == ONSRAM_PUSH_FETCH ? 0 : 1;
	u32 s;

	for (s = 0; s < 2; s++) {
		struct onsram_view *view = &cmd.operand[s].view;

		view->dtype = ONSRAM_DTYPE_I32;
		view->rank = 1;
		view->dims[0] = DIV_ROUND_UP(res->bytes, sizeof(u32));
		view->strides[0] = 1;
	}
	cmd.operand[spm_slot].addr = ONSRAM_ADDR_SPM | onsram_residency_offset(res);
	cmd.operand[!spm_slot].addr = res->va;
	emit->room--;
	return emit->push(emit, &cmd, kind, res);
}

static int onsram_push_writeback(struct onsram_spm *spm, struct onsram_emit *emit,
				 struct onsram_residence *res)
{
	int ret;

	if (res->state != DRM_ONSRAM_RESIDENCY_DIRTY)
		return 0;
	if (!emit->room)
		return -ENOSPC;
	ret = onsram_push_copy(emit, res, ONSRAM_PUSH_WRITEBACK);
	if (ret)
		return ret;
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

int onsram_residency_clean(struct onsram_spm *spm, struct onsram_emit *emit,
			   struct onsram_residence *res)
{
	return onsram_push_writeback(spm, emit, res);
}

int onsram_residency_evict(struct onsram_spm *spm, struct onsram_emit *emit,
			   struct onsram_residence *res)
{
	int ret = onsram_push_writeback(spm, emit, res);

	if (!ret)
		onsram_residency_discard(spm, res);
	return ret;
}

/* A resident loses its place to another */
static int onsram_spm_displace(struct onsram_spm *spm, struct onsram_emit *emit,
			       struct onsram_residence *victim)
{
	onsram_count(&spm->stats.evictions, &victim->client->stats->evictions);
	return onsram_residency_evict(spm, emit, victim);
}

/* Takes the granules of a node that was just allocated over from whoever had them */
static int onsram_spm_claim(struct onsram_spm *spm, struct onsram_emit *emit,
			    struct onsram_residence *res)
{
	u32 start = res->node.start, end = start + res->node.size, id = res->client->id;
	bool assign = false, scrub = false;
	u32 g;
	int ret;

	for (g = start; g < end; g++) {
		if (!test_bit(g, spm->assigned) || spm->owner[g] != id)
			assign = true;
		if (spm->owner[g] && spm->owner[g] != id)
			scrub = true;
		if (__test_and_clear_bit(g, spm->stale))
			spm->nr_stale--;
	}
	if (!assign)
		return 0;
	ret = onsram_push_assign(emit, res->client->asid, start, end - start,
				 scrub ? ONSRAM_ASSIGN_SCRUB : 0);
	if (ret)
		return ret;
	if (scrub)
		onsram_count(&spm->stats.scrubs, &res->client->stats->scrubs);
	bitmap_set(spm->assigned, start, end - start);
	for (g = start; g < end; g++)
		spm->owner[g] = id;
	return 0;
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

int onsram_spm_place(struct onsram_spm *spm, struct onsram_emit *emit,
		     const struct onsram_placement *place)
{
	struct onsram_residence *res = place->res;
	u32 need = onsram_granules(res);
	u32 commands = place->fetch ? 2 : 1;
	int ret;

	if (emit->room < commands || res->bytes > (u64)spm->capacity * ONSRAM_SPM_GRANULE ||
	    !onsram_spm_feasible(spm, place, need))
		return 0;

	while (!onsram_spm_try(spm, place, need)) {
		struct onsram_residence *victim = NULL;

		if (emit->room <= commands)
			return 0;
		if (place->fixed)
			victim = onsram_spm_occupant(spm, place->start, place->start + need);
		if (!victim)
			victim = onsram_spm_victim(spm, place);
		if (WARN_ON_ONCE(!victim))
			return 0;
		ret = onsram_spm_displace(spm, emit, victim);
		if (ret)
			return ret;
	}

	onsram_spm_account(spm, res, need);
	/* the same contents as DRAM, or none: the operation that writes it makes it dirty */
	res->state = DRM_ONSRAM_RESIDENCY_CLEAN;

	ret = onsram_spm_claim(spm, emit, res);
	if (!ret && place->fetch) {
		ret = onsram_push_copy(emit, res, ONSRAM_PUSH_FETCH);
		if (!ret)
			onsram_count(&spm->stats.prefetches, &res->client->stats->prefetches);
	}
	if (ret)
		onsram_residency_discard(spm, res);
	return ret;
}

int onsram_residency_fetch(struct onsram_spm *spm, struct onsram_emit *emit,
			   struct onsram_residence *res)
{
	struct onsram_placement place = { .res = res, .fetch = true };

	if (onsram_is_resident(res))
		return 0;
	return onsram_spm_place(spm, emit, &place);
}

int onsram_spm_release_stale(struct onsram_spm *spm, struct onsram_emit *emit, u32 asid)
{
	unsigned long start = 0, end;
	int ret;

	while (spm->nr_stale && emit->room) {
		start = find_next_bit(spm->stale, spm->granules, start);
		end = find_next_zero_bit(spm->stale, spm->granules, start);
		ret = onsram_push_assign(emit, asid, start, end - start, ONSRAM_ASSIGN_RELEASE);
		if (ret)
			return ret;
		bitmap_clear(spm->stale, start, end - start);
		bitmap_clear(spm->assigned, start, end - start);
		spm->nr_stale -= end - start;
	}
	return 0;
}

void onsram_residency_drop_client(struct onsram_spm *spm,
				  const struct onsram_residency_client *client)
{
	struct onsram_residence *res, *next;

	list_for_each_entry_safe(res, next, &spm->lru, lru)
		if (res->client == client)
			onsram_residency_discard(spm, res);
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

void onsram_residency_reset(struct onsram_spm *spm, void (*lost)(struct onsram_residence *res))
{
	struct onsram_residence *res, *next;

	list_for_each_entry_safe(res, next, &spm->lru, lru)
		if (onsram_residency_discard(spm, res) && lost)
			lost(res);
	bitmap_zero(spm->stale, spm->granules);
	bitmap_zero(spm->assigned, spm->granules);
	memset(spm->owner, 0, spm->granules * sizeof(*spm->owner));
	spm->nr_stale = 0;
}

void onsram_residency_distrust(struct onsram_spm *spm, u64 offset, u64 bytes,
			       void (*lost)(struct onsram_residence *res))
{
	u32 start = offset / ONSRAM_SPM_GRANULE, end = start + bytes / ONSRAM_SPM_GRANULE;
	struct onsram_residence *res;
	u32 g;

	while ((res = onsram_spm_occupant(spm, start, end)))
		if (onsram_residency_discard(spm, res) && lost)
			lost(res);
	for (g = start; g < end; g++) {
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
