// SPDX-License-Identifier: GPL-2.0-only
/*
 * A place that passes from an operation's input to its output: the device reads
 * all inputs before it writes, so that the output may lie over what dies with it.
 */
#include <linux/bug.h>

#include "onsram_spm.h"

static struct onsram_range onsram_range_of(const struct onsram_placement *place)
{
	return (struct onsram_range) { place->start, place->granules };
}

bool onsram_spm_share(struct onsram_spm *spm, struct onsram_residence *res,
		      struct onsram_placement *place)
{
	struct onsram_range want = onsram_range_of(place);
	struct onsram_range both = onsram_range_common(onsram_place_of(res), want);

	if (!both.granules || onsram_range_is_zeroed(spm, place->res, want, both))
		return false;
	drm_mm_remove_node(&res->node);
	onsram_range_use(spm, res, both);
	onsram_spm_account(spm, res, -(s64)both.granules);
	place->beside += res->node.size - both.granules;
	return true;
}

void onsram_spm_unshare(struct onsram_spm *spm, struct onsram_residence *res,
			const struct onsram_placement *place)
{
	struct onsram_range want = onsram_range_of(place);
	struct onsram_range both = onsram_range_common(onsram_place_of(res), want);

	WARN_ON_ONCE(drm_mm_reserve_node(&spm->mm, &res->node));
	onsram_spm_account(spm, res, both.granules);
}

void onsram_spm_hand_over(struct onsram_spm *spm, struct onsram_residence *res,
			  const struct onsram_residence *to)
{
	struct onsram_range all = onsram_place_of(res);
	struct onsram_range both = onsram_range_common(all, onsram_place_of(to));
	u32 end = all.start + all.granules, shared = both.start + both.granules;

	if (all.start < both.start)
		onsram_spm_vacate(spm, res, (struct onsram_range) {
			all.start, both.start - all.start
		});
	if (shared < end)
		onsram_spm_vacate(spm, res, (struct onsram_range) { shared, end - shared });
	onsram_spm_forget(spm, res);
}
