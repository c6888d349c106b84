/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places and granules of the SPM: allocation, ownership and the copies between SPM and DRAM.
 *
 * The mechanism under onsram_residency.h; same locking.
 */
#ifndef _ONSRAM_SPM_H_
#define _ONSRAM_SPM_H_

#include <linux/bits.h>
#include <linux/math.h>

#include "onsram_residency.h"

/**
 * struct onsram_placement - a tensor's way into the SPM
 * @res: tensor, not resident; for onsram_spm_resize(), resident
 * @begin: first byte of the extent that becomes resident, a multiple of the granule
 * @granules: of the extent
 * @fixed: place it at @start, else anywhere
 * @start: granule
 * @fetch: contents in DRAM are wanted
 * @may_evict: may this resident lose its place to @res? NULL: none may
 * @ctx: for @may_evict
 */
struct onsram_placement {
	struct onsram_residence *res;
	u64 begin;
	u32 granules;
	bool fixed;
	u32 start;
	bool fetch;
	bool (*may_evict)(const struct onsram_residence *victim, void *ctx);
	void *ctx;
};

/**
 * onsram_spm_place() - make a tensor resident, if it can be
 *
 * Nothing is evicted where that could not make enough room.
 */
void onsram_spm_place(struct onsram_spm *spm, struct onsram_emit *emit,
		      const struct onsram_placement *place);

/**
 * onsram_spm_resize() - give a resident another extent, of the same bytes in the same place
 *
 * What it gives up is written back where it is dirty, what it takes on is fetched where
 * @place says so; others that are in the way are evicted.  As far as emit->room and those
 * who may not be evicted allow: it may stay as it is, at either end.
 */
void onsram_spm_resize(struct onsram_spm *spm, struct onsram_emit *emit,
		       const struct onsram_placement *place);

/** onsram_place_of() - range of a resident */
struct onsram_range onsram_place_of(const struct onsram_residence *res);

/**
 * onsram_range_claim() - takes granules that a resident was just given over from whoever had them
 * @engine: that assigns them where they were another's
 *
 * Who uses its place next waits for those who used them.
 */
void onsram_range_claim(struct onsram_spm *spm, struct onsram_emit *emit, u32 engine,
			struct onsram_residence *res, struct onsram_range what);
/** onsram_range_leave() - granules of a resident that it has no more */
void onsram_range_leave(struct onsram_spm *spm, const struct onsram_residence *res,
			struct onsram_range what);
/**
 * onsram_spm_release_stale() - give granules nobody uses back to the staging window
 * @asid: any context that exists
 *
 * As far as emit->room allows.
 */
void onsram_spm_release_stale(struct onsram_spm *spm, struct onsram_emit *emit, u32 asid);

/** onsram_spm_abandon() - ends residency; what only the SPM had is lost since @stamp */
void onsram_spm_abandon(struct onsram_spm *spm, struct onsram_residence *res, u64 stamp);
/**
 * onsram_spm_distrust() - the device failed to carry an SPM_ASSIGN out
 *
 * Whose the range is and what it holds is not known: its next place is assigned
 * and scrubbed whoever it is for.
 */
void onsram_spm_distrust(struct onsram_spm *spm, u32 start, u32 granules);

/** onsram_residence_granules() - what the whole tensor takes */
static inline u32 onsram_residence_granules(const struct onsram_residence *res)
{
	return DIV_ROUND_UP(res->bytes, ONSRAM_SPM_GRANULE);
}

/** onsram_slot_uses() - does an operation use slot @s of the tensor's home, or of its place? */
static inline bool onsram_slot_uses(const struct onsram_action *action, u32 s,
				    enum onsram_location at)
{
	if (at == ONSRAM_PLACE)
		return action->resident & BIT(s);
	return !(action->resident & BIT(s)) || action->partial & BIT(s);
}

static inline bool onsram_is_resident(const struct onsram_residence *res)
{
	return res->state != DRM_ONSRAM_RESIDENCY_NONE;
}

/* An event, in a total of the device and of a client */
static inline void onsram_count(__u64 *device, __u64 *client)
{
	(*device)++;
	(*client)++;
}

#endif
