// SPDX-License-Identifier: GPL-2.0-only
/*
 * Granules of the SPM: whose they are, and who used them last.
 */
#include <linux/bitmap.h>
#include <linux/minmax.h>

#include "onsram_spm.h"

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

static void onsram_push_assign(struct onsram_spm *spm, struct onsram_emit *emit, u32 asid,
			       u32 start, u32 granules, u32 flags,
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
		.engine = emit->engine,
		.start = start,
		.granules = granules,
	};

	emit->room--;
	onsram_order_push(&spm->order, emit, &cmd, NULL, &action, needs);
	/* What is written there waits for it; what is read there was written behind it */
	onsram_access_mark(access, &action, false);
}

/* Of a range the granules from the first to the last one that are not @id's yet */
static struct onsram_range onsram_range_strange(const struct onsram_spm *spm, u32 id,
						struct onsram_range what, bool *scrub)
{
	u32 start = what.start + what.granules, end = what.start, g;

	*scrub = false;
	for (g = what.start; g < what.start + what.granules; g++) {
		*scrub |= spm->owner[g] && spm->owner[g] != id;
		if (test_bit(g, spm->assigned) && spm->owner[g] == id)
			continue;
		start = min(start, g);
		end = g + 1;
	}
	return (struct onsram_range) { start, end > start ? end - start : 0 };
}

bool onsram_range_is_zeroed(const struct onsram_spm *spm, const struct onsram_residence *res,
			    struct onsram_range what, struct onsram_range part)
{
	struct onsram_range strange;
	bool scrub;

	strange = onsram_range_strange(spm, res->client->id, what, &scrub);
	return scrub && onsram_range_common(strange, part).granules;
}

void onsram_range_claim(struct onsram_spm *spm, struct onsram_emit *emit,
			struct onsram_residence *res, struct onsram_range what)
{
	u32 start = what.start, end = start + what.granules, id = res->client->id, g, e;
	struct onsram_access *access = &res->access[ONSRAM_PLACE];
	struct onsram_needs needs = {};
	struct onsram_range strange;
	bool scrub;

	onsram_range_needs(spm, start, end - start, &needs);
	for (e = 0; e < spm->order.nr_engines; e++)
		access->read[e] = max(access->read[e], needs.seq[e]);

	for (g = start; g < end; g++)
		if (__test_and_clear_bit(g, spm->stale))
			spm->nr_stale--;
	strange = onsram_range_strange(spm, id, what, &scrub);
	if (!strange.granules)
		return;
	start = strange.start;
	end = start + strange.granules;
	onsram_push_assign(spm, emit, res->client->asid, start, end - start,
			   scrub ? ONSRAM_ASSIGN_SCRUB : 0, &needs, access);
	if (scrub)
		onsram_count(&spm->stats.scrubs, &res->client->stats->scrubs);
	bitmap_set(spm->assigned, start, end - start);
	for (g = start; g < end; g++)
		spm->owner[g] = id;
}

void onsram_range_use(struct onsram_spm *spm, const struct onsram_residence *res,
		      struct onsram_range what)
{
	onsram_range_mark(spm, what.start, what.granules, &res->access[ONSRAM_PLACE]);
}

/* Is a granule free, and may it hold what another client left? */
static bool onsram_granule_is_foreign(const struct onsram_spm *spm, u32 g, u32 id)
{
	return spm->owner[g] && spm->owner[g] != id &&
	       (!test_bit(g, spm->assigned) || test_bit(g, spm->stale));
}

void onsram_range_scrub(struct onsram_spm *spm, struct onsram_emit *emit,
			const struct onsram_residency_client *client, struct onsram_range what)
{
	u32 g = what.start, end = what.start + what.granules, start;

	while (g < end && emit->room) {
		struct onsram_access access = {};
		struct onsram_needs needs = {};

		start = g;
		while (g < end && onsram_granule_is_foreign(spm, g, client->id)) {
			spm->owner[g] = client->id;
			if (!__test_and_set_bit(g, spm->stale))
				spm->nr_stale++;
			__set_bit(g++, spm->assigned);
		}
		if (g == start) {
			g++;
			continue;
		}
		onsram_range_needs(spm, start, g - start, &needs);
		onsram_push_assign(spm, emit, client->asid, start, g - start, ONSRAM_ASSIGN_SCRUB,
				   &needs, &access);
		onsram_range_mark(spm, start, g - start, &access);
		onsram_count(&spm->stats.scrubs, &client->stats->scrubs);
	}
}

void onsram_range_leave(struct onsram_spm *spm, const struct onsram_residence *res,
			struct onsram_range what)
{
	onsram_range_use(spm, res, what);
	bitmap_set(spm->stale, what.start, what.granules);
	spm->nr_stale += what.granules;
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
		onsram_push_assign(spm, emit, asid, start, end - start,
				   ONSRAM_ASSIGN_RELEASE, &needs, &access);
		onsram_range_mark(spm, start, end - start, &access);
		bitmap_clear(spm->stale, start, end - start);
		bitmap_clear(spm->assigned, start, end - start);
		spm->nr_stale -= end - start;
	}
}
