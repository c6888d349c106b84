/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ranges of the SPM: allocation, ownership and the copies between SPM and DRAM.
 *
 * The mechanism under onsram_residency.h; same locking.
 */
#ifndef _ONSRAM_SPM_H_
#define _ONSRAM_SPM_H_

#include "onsram_residency.h"

/**
 * struct onsram_placement - a tensor's way into the SPM
 * @res: tensor, not resident
 * @fixed: place it at @start, else anywhere
 * @start: granule
 * @fetch: its contents in DRAM are wanted
 * @may_evict: may this resident lose its place to @res? NULL: none may
 * @ctx: for @may_evict
 */
struct onsram_placement {
	struct onsram_residence *res;
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
