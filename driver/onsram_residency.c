// SPDX-License-Identifier: GPL-2.0-only
/*
 * Residency of an operation's operands: what each policy places and drops.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>

#include <linux/onsram_netlink.h>

#include "onsram_figure.h"
#include "onsram_residency_op.h"
#include "onsram_spm.h"
#include "onsram_validate.h"

u32 onsram_slots_of(const struct onsram_residency_op *op, const struct onsram_residence *res)
{
	u32 s, mask = 0;

	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->res[s] == res)
			mask |= BIT(s);
	return mask;
}

/* How much of an operand lies in the SPM */
enum onsram_share {
	ONSRAM_SHARE_NONE,
	ONSRAM_SHARE_PART,
	ONSRAM_SHARE_ALL,
};

static struct onsram_extent onsram_extent_of_slot(const struct onsram_residency_op *op, u32 s)
{
	return onsram_extent_of_view(&op->cmd->operand[s].view, op->offset[s]);
}

struct onsram_extent onsram_extent_in_place(const struct onsram_residence *res,
					    struct onsram_extent ext)
{
	s64 begin = res->begin, end = begin + onsram_residency_bytes(res);

	ext.begin = clamp(ext.begin, begin, end);
	ext.end = clamp(ext.end, begin, end);
	return ext;
}

static enum onsram_share onsram_share_of_slot(const struct onsram_residency_op *op, u32 s)
{
	const struct onsram_residence *res = op->res[s];
	struct onsram_extent all, in;

	if (!res || !onsram_is_resident(res))
		return ONSRAM_SHARE_NONE;
	if (onsram_residency_bytes(res) >= res->bytes)
		return ONSRAM_SHARE_ALL;
	all = onsram_extent_of_slot(op, s);
	in = onsram_extent_in_place(res, all);
	if (in.begin == in.end)
		return ONSRAM_SHARE_NONE;
	return in.begin == all.begin && in.end == all.end ? ONSRAM_SHARE_ALL : ONSRAM_SHARE_PART;
}

/* Slots used from the SPM; @partial, unless NULL: those of them used from DRAM as well */
static u32 onsram_resident_slots(const struct onsram_residency_op *op, u32 *partial)
{
	u32 s, resident = 0, part = 0;

	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		enum onsram_share share = onsram_share_of_slot(op, s);

		if (share != ONSRAM_SHARE_NONE)
			resident |= BIT(s);
		if (share == ONSRAM_SHARE_PART)
			part |= BIT(s);
	}
	if (partial)
		*partial = part;
	return resident;
}

bool onsram_wants_contents(const struct onsram_residency_op *op,
			   const struct onsram_residence *res)
{
	u32 slots = onsram_slots_of(op, res);

	if (slots & op->born)
		return false;
	return slots != BIT(0) || !op->writes_all;
}

static bool onsram_may_evict(const struct onsram_residence *victim, void *data)
{
	const struct onsram_op_ctx *ctx = data;

	if (victim->held_by == ctx->spm->run || onsram_slots_of(ctx->op, victim))
		return false;
	if (victim->priority <= ctx->priority)
		return true;
	return ctx->outranks && victim->client != ctx->run->client;
}

bool onsram_may_evict_fixed(const struct onsram_residence *victim, void *data)
{
	const struct onsram_op_ctx *ctx = data;

	return victim->held_by != ctx->spm->run;
}

static void onsram_place_one(struct onsram_op_ctx *ctx, const struct onsram_placement *place)
{
	onsram_spm_place(ctx->spm, ctx->emit, place);
	if (place->fetch)
		ctx->found &= ~onsram_slots_of(ctx->op, place->res);
}

static void onsram_place_lru(struct onsram_op_ctx *ctx)
{
	struct onsram_placement place = {
		.res = ctx->op->res[0],
		.granules = onsram_residence_granules(ctx->op->res[0]),
		.may_evict = onsram_may_evict,
		.ctx = ctx,
	};

	/* Priorities are the rules' business, and only among those who have any */
	ctx->outranks = true;
	if (!onsram_is_resident(place.res) && !onsram_wants_contents(ctx->op, place.res))
		onsram_place_one(ctx, &place);
}

/* A place that a step chose; a tensor that is resident elsewhere is as good there */
static void onsram_place_step(struct onsram_op_ctx *ctx)
{
	struct onsram_residency_op *op = ctx->op;
	u32 s;

	ctx->drop |= op->rule->actions >> 8;
	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		struct onsram_placement place = {
			.res = op->res[s],
			.fixed = true,
			.start = op->rule->places[s] / ONSRAM_SPM_GRANULE,
			.may_evict = onsram_may_evict_fixed,
			.ctx = ctx,
		};

		if (!place.res || !(op->rule->actions & ONSRAM_RULE_HOLD(s)) ||
		    onsram_is_resident(place.res))
			continue;
		place.granules = onsram_residence_granules(place.res);
		place.fetch = onsram_wants_contents(op, place.res);
		onsram_place_one(ctx, &place);
	}
}

static void onsram_place_eager(struct onsram_op_ctx *ctx)
{
	struct onsram_residency_op *op = ctx->op;
	u32 s;

	ctx->priority = op->rule->priority;
	ctx->drop |= op->rule->actions >> 8;
	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		struct onsram_placement place = {
			.res = op->res[s],
			.ctx = ctx,
		};

		if (!place.res || !(op->rule->actions & ONSRAM_RULE_HOLD(s)))
			continue;
		place.granules = onsram_residence_granules(place.res);
		if (!onsram_is_resident(place.res)) {
			/* worth a fetch only for who uses it again, and for nobody's place */
			if (onsram_wants_contents(op, place.res))
				place.fetch = true;
			else
				place.may_evict = onsram_may_evict;
			if (place.fetch && (!s || op->dies & BIT(s)))
				continue;
			onsram_place_one(ctx, &place);
		}
		if (onsram_is_resident(place.res))
			place.res->priority = op->rule->priority;
	}
}

static bool onsram_has_plan(const struct onsram_op_ctx *ctx)
{
	return ctx->run->policy == DRM_ONSRAM_POLICY_AGENT && ctx->run->plan;
}

static void onsram_place(struct onsram_op_ctx *ctx)
{
	u32 policy = ctx->run->policy;

	if (onsram_has_plan(ctx)) {
		onsram_plan_place(ctx);
		return;
	}
	if (policy == DRM_ONSRAM_POLICY_AGENT && ctx->op->rule) {
		if (ctx->op->rule->state)
			onsram_place_step(ctx);
		else
			onsram_place_eager(ctx);
		return;
	}
	if (policy == DRM_ONSRAM_POLICY_AGENT) {
		onsram_count(&ctx->spm->stats.fallbacks, &ctx->run->client->stats->fallbacks);
		policy = ctx->run->fallback;
	}
	if (policy == DRM_ONSRAM_POLICY_LRU)
		onsram_place_lru(ctx);
	else
		ctx->drop |= GENMASK(ONSRAM_MAX_OPERANDS - 1, 0);
}

/* Bytes of the elements a view names, repeated ones once */
static u64 onsram_view_bytes(const struct onsram_view *view)
{
	u64 bytes = onsram_dtype_bytes(view->dtype);
	u32 d;

	for (d = 0; d < view->rank; d++)
		if (view->strides[d])
			bytes *= view->dims[d];
	return bytes;
}

/* Bytes of a slot that the SPM has, by the share of its extent: as the device counts them */
static u64 onsram_partial_bytes(const struct onsram_residency_op *op, u32 s)
{
	u64 bytes = onsram_view_bytes(&op->cmd->operand[s].view);
	struct onsram_extent all = onsram_extent_of_slot(op, s);
	struct onsram_extent in = onsram_extent_in_place(op->res[s], all);

	return mul_u64_u64_div_u64(bytes, in.end - in.begin, all.end - all.begin);
}

static void onsram_account_op(struct onsram_op_ctx *ctx, u32 partial)
{
	struct onsram_residency_client *client = ctx->run->client;
	struct onsram_residency_op *op = ctx->op;
	u32 s, hits = op->resident & (ctx->found | BIT(0));

	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		u64 bytes;

		if (!op->res[s])
			continue;
		if (!(hits & BIT(s))) {
			onsram_count(&ctx->spm->stats.misses, &client->stats->misses);
			continue;
		}
		onsram_count(&ctx->spm->stats.hits, &client->stats->hits);
		bytes = partial & BIT(s) ? onsram_partial_bytes(op, s) :
					   onsram_view_bytes(&op->cmd->operand[s].view);
		onsram_figure_add(&ctx->spm->stats.dram_avoided_bytes, bytes);
		onsram_figure_add(&client->stats->dram_avoided_bytes, bytes);
	}
}

static void onsram_needs_slot(struct onsram_needs *needs, const struct onsram_action *action,
			      u32 s, const struct onsram_residence *res)
{
	enum onsram_location at;

	for (at = 0; at < ONSRAM_LOCATIONS; at++)
		if (onsram_slot_uses(action, s, at))
			onsram_needs_add(needs, &res->access[at], !s);
}

static void onsram_mark_slot(const struct onsram_action *action, u32 s,
			     struct onsram_residence *res)
{
	enum onsram_location at;

	for (at = 0; at < ONSRAM_LOCATIONS; at++)
		if (onsram_slot_uses(action, s, at))
			onsram_access_mark(&res->access[at], action, !s);
}

/* Where the device finds an operand of which only a part is in the SPM */
static struct onsram_hw_window onsram_window_of(const struct onsram_residence *res)
{
	return (struct onsram_hw_window) {
		.va = res->va + res->begin,
		.bytes = onsram_residency_bytes(res),
		.spm = onsram_residency_offset(res),
	};
}

static void onsram_push_op(struct onsram_op_ctx *ctx)
{
	struct onsram_residency_op *op = ctx->op;
	struct onsram_hw_windows windows;
	struct onsram_action action = {
		.kind = ONSRAM_PUSH_OP,
		.engine = ctx->emit->engine,
		.born = op->born,
		.whole = op->writes_all || op->born & BIT(0),
	};
	struct onsram_hw_cmd cmd = *op->cmd;
	struct onsram_needs needs = ctx->needs;
	u32 s;

	cmd.asid = ctx->run->client->asid;
	op->resident = onsram_resident_slots(op, &action.partial);
	action.resident = op->resident;
	if (action.partial)
		memset(&windows, 0, sizeof(windows));
	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		if (action.partial & BIT(s))
			windows.slot[s] = onsram_window_of(op->res[s]);
		else if (op->resident & BIT(s))
			cmd.operand[s].addr = ONSRAM_ADDR_SPM |
				(onsram_residency_offset(op->res[s]) + op->offset[s] -
				 op->res[s]->begin);
		if (op->res[s])
			onsram_needs_slot(&needs, &action, s, op->res[s]);
	}
	onsram_order_push(&ctx->spm->order, ctx->emit, &cmd, action.partial ? &windows : NULL,
			  &action, &needs);

	/* The output last: a write ends the list of reads */
	for (s = ONSRAM_MAX_OPERANDS; s-- > 0;) {
		if (op->res[s])
			onsram_mark_slot(&action, s, op->res[s]);
		if (op->resident & BIT(s))
			list_move_tail(&op->res[s]->lru, &ctx->spm->lru);
	}
	if (op->resident & BIT(0)) {
		op->res[0]->state = DRM_ONSRAM_RESIDENCY_DIRTY;
		op->res[0]->dirty = onsram_place_of(op->res[0]);
	}
	onsram_account_op(ctx, action.partial);
}

static void onsram_drop(struct onsram_op_ctx *ctx)
{
	struct onsram_residency_op *op = ctx->op;
	u32 s;

	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (ctx->overwritten & BIT(s))
			onsram_spm_hand_over(ctx->spm, op->res[s], op->res[0]);
	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->res[s] && op->dies & BIT(s))
			onsram_residency_discard(ctx->spm, op->res[s]);
	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->res[s] && ctx->drop & BIT(s))
			onsram_residency_evict(ctx->spm, ctx->emit, op->res[s]);
	if (onsram_has_plan(ctx))
		onsram_plan_drop(ctx);
}

static bool onsram_uses_staging(const struct onsram_hw_cmd *cmd)
{
	return cmd->opcode == ONSRAM_OP_GEMM || cmd->opcode == ONSRAM_OP_CONV;
}

void onsram_residency_op(struct onsram_spm *spm, struct onsram_emit *emit,
			 const struct onsram_residency_run *run, struct onsram_residency_op *op)
{
	struct onsram_op_ctx ctx = {
		.spm = spm,
		.emit = emit,
		.run = run,
		.op = op,
		.found = onsram_resident_slots(op, NULL),
	};

	/* what a job before this one held, held until its end */
	if (!op->index)
		spm->run++;

	onsram_place(&ctx);
	if (onsram_uses_staging(op->cmd))
		onsram_spm_release_stale(spm, emit, run->client->asid);
	onsram_push_op(&ctx);
	onsram_drop(&ctx);
}
