// SPDX-License-Identifier: GPL-2.0-only
/*
 * Residency of a graph's tensors as its plan has it: extents that come, grow,
 * shrink and leave, and the operations that wait for their transfers.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/types.h>

#include <linux/onsram_netlink.h>

#include "onsram_plan.h"
#include "onsram_residency_op.h"
#include "onsram_spm.h"

/* Does @res lie where @ext puts the same bytes? */
static bool onsram_is_continued(const struct onsram_residence *res,
				const struct onsram_plan_extent *ext)
{
	return onsram_residency_offset(res) - res->begin == ext->offset - ext->begin &&
	       res->begin < ext->begin + ext->bytes &&
	       ext->begin < res->begin + onsram_residency_bytes(res);
}

/* Brings @res to where it can take the place's extent on. Return: whether it could be */
static bool onsram_prepare_extent(struct onsram_op_ctx *ctx, struct onsram_residence *res,
				  const struct onsram_plan_extent *ext, bool fetch)
{
	if (!onsram_is_resident(res))
		return true;
	/* What is overwritten need not move */
	if (!fetch)
		onsram_residency_discard(ctx->spm, res);
	else if (!onsram_is_continued(res, ext))
		/* Elsewhere it would be in the way of another interval */
		return !onsram_residency_evict(ctx->spm, ctx->emit, res);
	return true;
}

/* Is it an input's first slot, and the end of the tensor's life in a place of its plan? */
static bool onsram_is_ending(const struct onsram_op_ctx *ctx, u32 s)
{
	const struct onsram_residence *res = ctx->op->res[s];

	return res && ctx->op->dies & BIT(s) && onsram_is_resident(res) &&
	       res->held_by == ctx->spm->run &&
	       !(onsram_slots_of(ctx->op, res) & GENMASK(s - 1, 0));
}

/* Places the output over inputs that die, which are read before it is written */
static void onsram_place_over(struct onsram_op_ctx *ctx, struct onsram_placement *place)
{
	struct onsram_residency_op *op = ctx->op;
	u32 s;

	for (s = 1; s < ONSRAM_MAX_OPERANDS; s++)
		if (onsram_is_ending(ctx, s) && onsram_spm_share(ctx->spm, op->res[s], place))
			ctx->overwritten |= BIT(s);
	onsram_spm_place(ctx->spm, ctx->emit, place);
	if (onsram_is_resident(place->res))
		return;
	for (s = 1; s < ONSRAM_MAX_OPERANDS; s++)
		if (ctx->overwritten & BIT(s))
			onsram_spm_unshare(ctx->spm, op->res[s], place);
	ctx->overwritten = 0;
}

static void onsram_start_extent(struct onsram_op_ctx *ctx, struct onsram_residence *res,
				const struct onsram_plan_extent *ext, bool fetch, bool overwrite)
{
	struct onsram_placement place = {
		.res = res,
		.begin = ext->begin,
		.granules = ext->bytes / ONSRAM_SPM_GRANULE,
		.fixed = true,
		.start = ext->offset / ONSRAM_SPM_GRANULE,
		.fetch = fetch,
		.may_evict = onsram_may_evict_fixed,
		.ctx = ctx,
	};
	u64 prefetches = ctx->spm->stats.prefetches;

	if (!onsram_is_resident(res) || res->begin != ext->begin ||
	    onsram_residency_bytes(res) != ext->bytes ||
	    onsram_residency_offset(res) != ext->offset) {
		if (!onsram_prepare_extent(ctx, res, ext, fetch))
			return;
		if (onsram_is_resident(res))
			onsram_spm_resize(ctx->spm, ctx->emit, &place);
		else if (overwrite)
			onsram_place_over(ctx, &place);
		else
			onsram_spm_place(ctx->spm, ctx->emit, &place);
		if (ctx->spm->stats.prefetches != prefetches)
			ctx->found &= ~onsram_slots_of(ctx->op, res);
	}
	if (onsram_is_resident(res))
		res->held_by = ctx->spm->run;
}

/* A tensor is held to less from now on, which it may already be */
static void onsram_shrink_extent(struct onsram_op_ctx *ctx, struct onsram_residence *res,
				 const struct onsram_plan_extent *ext)
{
	struct onsram_extent in = { .begin = ext->begin, .end = ext->begin + ext->bytes };
	struct onsram_placement place = { .res = res };

	in = onsram_extent_in_place(res, in);
	place.begin = in.begin;
	place.granules = (in.end - in.begin) / ONSRAM_SPM_GRANULE;
	place.start = res->node.start + (in.begin - res->begin) / ONSRAM_SPM_GRANULE;
	onsram_spm_resize(ctx->spm, ctx->emit, &place);
}

/* Calls @fn for what an event happens to at operation @i */
static void onsram_plan_for_each(struct onsram_op_ctx *ctx, enum onsram_plan_event event, u32 i,
				 void (*fn)(struct onsram_op_ctx *ctx,
					    const struct onsram_plan_interval *iv,
					    const struct onsram_plan_extent *ext))
{
	const struct onsram_plan_index *index = &ctx->run->plan->event[event];
	u32 k;

	for (k = index->at[i]; k < index->at[i + 1]; k++)
		fn(ctx, &ctx->run->plan->interval[index->which[k]], &index->extent[k]);
}

static void onsram_reserve_interval(struct onsram_op_ctx *ctx,
				    const struct onsram_plan_interval *iv,
				    const struct onsram_plan_extent *ext)
{
	struct onsram_residence *res = ctx->run->tensor(ctx->run, iv->tensor);

	onsram_start_extent(ctx, res, ext,
			    iv->first_op > ctx->op->index || onsram_wants_contents(ctx->op, res),
			    iv->flags & ONSRAM_INTERVAL_OVERWRITE);
}

/* Waits for what is to be there from operation @i on, also where it does not use it yet */
static void onsram_await_fetches(struct onsram_op_ctx *ctx, u32 i)
{
	const struct onsram_plan *plan = ctx->run->plan;
	const struct onsram_plan_index *first = &plan->event[ONSRAM_PLAN_FIRST];
	u32 k;

	for (k = first->at[i]; k < first->at[i + 1]; k++) {
		u32 tensor = plan->interval[first->which[k]].tensor;
		struct onsram_residence *res = ctx->run->tensor(ctx->run, tensor);

		if (onsram_is_resident(res))
			onsram_needs_add(&ctx->needs, &res->access[ONSRAM_PLACE], false);
	}
}

/* Without room on the ring it stays dirty until its place is given up */
static void onsram_last_of_interval(struct onsram_op_ctx *ctx,
				    const struct onsram_plan_interval *iv,
				    const struct onsram_plan_extent *ext)
{
	struct onsram_residence *res = ctx->run->tensor(ctx->run, iv->tensor);

	if (iv->flags & ONSRAM_INTERVAL_KEEP || !onsram_is_resident(res))
		return;
	if (ext->bytes && onsram_is_continued(res, ext))
		onsram_spm_clean_beside(ctx->spm, ctx->emit, res,
					(struct onsram_range) {
						ext->offset / ONSRAM_SPM_GRANULE,
						ext->bytes / ONSRAM_SPM_GRANULE,
					});
	else
		onsram_residency_clean(ctx->spm, ctx->emit, res);
}

/* Without room for its write-back a tensor stays until somebody needs its place */
static void onsram_release_interval(struct onsram_op_ctx *ctx,
				    const struct onsram_plan_interval *iv,
				    const struct onsram_plan_extent *ext)
{
	struct onsram_residence *res = ctx->run->tensor(ctx->run, iv->tensor);

	if (!ext->bytes)
		res->held_by = 0;
	if (iv->flags & ONSRAM_INTERVAL_KEEP || !onsram_is_resident(res))
		return;
	if (ext->bytes && onsram_is_continued(res, ext))
		onsram_shrink_extent(ctx, res, ext);
	else
		onsram_residency_evict(ctx->spm, ctx->emit, res);
	onsram_needs_add(&ctx->needs, &res->access[ONSRAM_PLACE], true);
}

void onsram_plan_place(struct onsram_op_ctx *ctx)
{
	const struct onsram_plan *plan = ctx->run->plan;
	u32 i = ctx->op->index;

	/* In front of all that it would stand in the way of */
	if (!i)
		onsram_range_scrub(ctx->spm, ctx->emit, ctx->run->client, (struct onsram_range) {
			plan->low / ONSRAM_SPM_GRANULE,
			(plan->high - plan->low) / ONSRAM_SPM_GRANULE,
		});
	onsram_plan_for_each(ctx, ONSRAM_PLAN_RELEASE, i, onsram_release_interval);
	onsram_plan_for_each(ctx, ONSRAM_PLAN_RESERVE, i, onsram_reserve_interval);
	onsram_await_fetches(ctx, i);
}

void onsram_plan_drop(struct onsram_op_ctx *ctx)
{
	u32 i = ctx->op->index;

	onsram_plan_for_each(ctx, ONSRAM_PLAN_LAST, i, onsram_last_of_interval);
	if (i + 1 == ctx->run->plan->nr_ops)
		onsram_plan_for_each(ctx, ONSRAM_PLAN_RELEASE, i + 1, onsram_release_interval);
}
