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
#include <linux/minmax.h>

#include "onsram_residency.h"

/**
 * struct onsram_placement - a tensor's way into the SPM
 * @res: tensor, not resident; for onsram_spm_resize(), resident
 * @begin: first byte of the extent that becomes resident, a multiple of the granule
 * @granules: of the extent
 * @fixed: place it at @start, else anywhere
 * @start: granule
 * @beside: granules that tensors sharing the place have beside it; by onsram_spm_share()
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
	u32 beside;
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

/** onsram_spm_clean_beside() - write back what is dirty outside @keep, as emit->room allows */
void onsram_spm_clean_beside(struct onsram_spm *spm, struct onsram_emit *emit,
			     struct onsram_residence *res, struct onsram_range keep);

/** onsram_place_of() - range of a resident */
struct onsram_range onsram_place_of(const struct onsram_residence *res);

/**
 * onsram_range_claim() - takes granules that a resident was just given over from whoever had them
 *
 * Who uses its place next waits for those who used them.
 */
void onsram_range_claim(struct onsram_spm *spm, struct onsram_emit *emit,
			struct onsram_residence *res, struct onsram_range what);
/** onsram_spm_account() - granules that a resident has got, or (less than 0) lost */
void onsram_spm_account(struct onsram_spm *spm, struct onsram_residence *res, s64 granules);
/** onsram_spm_vacate() - granules of a resident that it gives up */
void onsram_spm_vacate(struct onsram_spm *spm, struct onsram_residence *res,
		       struct onsram_range what);
/** onsram_spm_forget() - a resident that has given its place up is none any more */
void onsram_spm_forget(struct onsram_spm *spm, struct onsram_residence *res);

/**
 * onsram_spm_share() - a resident lets another tensor be placed where it lies
 * @res: resident; its users so far are waited for by those of the other one
 * @place: of the other tensor
 *
 * Until onsram_spm_hand_over(), or onsram_spm_unshare() where it was not placed: nothing
 * else may be placed before.
 *
 * Return: false where nothing of its place is wanted, or that would be zeroed
 */
bool onsram_spm_share(struct onsram_spm *spm, struct onsram_residence *res,
		      struct onsram_placement *place);
/** onsram_spm_unshare() - it has its place for itself again */
void onsram_spm_unshare(struct onsram_spm *spm, struct onsram_residence *res,
			const struct onsram_placement *place);
/** onsram_spm_hand_over() - it ends, without a write-back; @to keeps what they shared */
void onsram_spm_hand_over(struct onsram_spm *spm, struct onsram_residence *res,
			  const struct onsram_residence *to);

/** onsram_range_common() - what two ranges share; granules: 0: nothing */
static inline struct onsram_range onsram_range_common(struct onsram_range a, struct onsram_range b)
{
	u32 start = max(a.start, b.start), end = min(a.start + a.granules, b.start + b.granules);

	return (struct onsram_range) { start, end > start ? end - start : 0 };
}

/** onsram_range_is_zeroed() - would @res zero any of @part when it claims @what? */
bool onsram_range_is_zeroed(const struct onsram_spm *spm, const struct onsram_residence *res,
			    struct onsram_range what, struct onsram_range part);
/** onsram_range_use() - who claims granules of a resident next waits for its users, too */
void onsram_range_use(struct onsram_spm *spm, const struct onsram_residence *res,
		      struct onsram_range what);
/**
 * onsram_range_scrub() - zero what of @what is free and was another client's last
 *
 * So that no operation waits for it when it takes its places.
 */
void onsram_range_scrub(struct onsram_spm *spm, struct onsram_emit *emit,
			const struct onsram_residency_client *client, struct onsram_range what);
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
