// SPDX-License-Identifier: GPL-2.0-only
/*
 * Residency of an operation's operands: what each policy places and drops.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>

#include <linux/onsram_netlink.h>

#include "onsram_figure.h"
#include "onsram_plan.h"
#include "onsram_spm.h"
#include "onsram_validate.h"

/**
 * struct onsram_op_ctx - an operation on its way to the ring
 * @spm: memory
 * @emit: ring
 * @run: its job
 * @op: operation
 * @priority: what residents of the same client need to have more of to be safe from it
 * @outranks: may residents of other clients lose their place to it whatever their priority
 * @found: mask of slots that were resident before, and not fetched by its actions
 * @drop: mask of slots whose tensor gives its place up after it
 */
struct onsram_op_ctx {
	struct onsram_spm *spm;
	struct onsram_emit *emit;
	const struct onsram_residency_run *run;
	struct onsram_residency_op *op;
	u32 priority;
	bool outranks;
	u32 found;
	u32 drop;
};

static u32 onsram_slots_of(const struct onsram_residency_op *op, const struct onsram_residence *res)
{
	u32 s, mask = 0;

	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->res[s] == res)
			mask |= BIT(s);
	return mask;
}

static u32 onsram_resident_slots(const struct onsram_residency_op *op)
{
	u32 s, mask = 0;

	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->res[s] && onsram_is_resident(op->res[s]))
			mask |= BIT(s);
	return mask;
}

/* Are the contents that @res has before the operation wanted? */
static bool onsram_wants_contents(const struct onsram_residency_op *op,
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

/* A place that a plan chose: its other uses wait, even by operands of the operation */
static bool onsram_may_evict_fixed(const struct onsram_residence *victim, void *data)
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

static void onsram_start_interval(struct onsram_op_ctx *ctx, const struct onsram_plan_interval *iv)
{
	struct onsram_residence *res = ctx->run->tensor(ctx->run, iv->tensor);
	struct onsram_placement place = {
		.res = res,
		.fixed = true,
		.start = iv->offset / ONSRAM_SPM_GRANULE,
		.fetch = onsram_wants_contents(ctx->op, res),
		.may_evict = onsram_may_evict_fixed,
		.ctx = ctx,
	};

	/* Elsewhere it would be in the way of another interval */
	if (onsram_is_resident(res) && res->node.start != place.start) {
		if (!place.fetch)
			onsram_residency_discard(ctx->spm, res);
		else if (onsram_residency_evict(ctx->spm, ctx->emit, res))
			return;
	}
	if (!onsram_is_resident(res))
		onsram_place_one(ctx, &place);
	if (onsram_is_resident(res))
		res->held_by = ctx->spm->run;
}

static void onsram_place_static(struct onsram_op_ctx *ctx)
{
	const struct onsram_plan *plan = ctx->run->plan;
	u32 k, i = ctx->op->index;

	for (k = plan->start[i]; k < plan->start[i + 1]; k++)
		onsram_start_interval(ctx, &plan->interval[k]);
}

/* Without room for its write-back a tensor stays until somebody needs its place */
static void onsram_end_intervals(struct onsram_op_ctx *ctx)
{
	const struct onsram_plan *plan = ctx->run->plan;
	u32 k, i = ctx->op->index;

	for (k = plan->end[i]; k < plan->end[i + 1]; k++) {
		const struct onsram_plan_interval *iv = &plan->interval[plan->by_end[k]];
		struct onsram_residence *res = ctx->run->tensor(ctx->run, iv->tensor);

		res->held_by = 0;
		if (!(iv->flags & ONSRAM_INTERVAL_KEEP))
			onsram_residency_evict(ctx->spm, ctx->emit, res);
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
		onsram_place_static(ctx);
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

static void onsram_account_op(struct onsram_op_ctx *ctx)
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
		bytes = onsram_view_bytes(&op->cmd->operand[s].view);
		onsram_figure_add(&ctx->spm->stats.dram_avoided_bytes, bytes);
		onsram_figure_add(&client->stats->dram_avoided_bytes, bytes);
	}
}

static struct onsram_access *onsram_slot_access(const struct onsram_residency_op *op, u32 s)
{
	return &op->res[s]->access[op->resident & BIT(s) ? ONSRAM_PLACE : ONSRAM_HOME];
}

static void onsram_push_op(struct onsram_op_ctx *ctx)
{
	struct onsram_residency_op *op = ctx->op;
	struct onsram_action action = {
		.kind = ONSRAM_PUSH_OP,
		.engine = ctx->emit->engine,
		.born = op->born,
		.whole = op->writes_all || op->born & BIT(0),
	};
	struct onsram_hw_cmd cmd = *op->cmd;
	struct onsram_needs needs = {};
	u32 s;

	cmd.asid = ctx->run->client->asid;
	op->resident = onsram_resident_slots(op);
	action.resident = op->resident;
	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		if (op->resident & BIT(s))
			cmd.operand[s].addr = ONSRAM_ADDR_SPM |
				(onsram_residency_offset(op->res[s]) + op->offset[s]);
		if (op->res[s])
			onsram_needs_add(&needs, onsram_slot_access(op, s), !s);
	}
	onsram_order_push(&ctx->spm->order, ctx->emit, &cmd, &action, &needs);

	/* The output last: a write ends the list of reads */
	for (s = ONSRAM_MAX_OPERANDS; s-- > 0;) {
		if (op->res[s])
			onsram_access_mark(onsram_slot_access(op, s), &action, !s);
		if (op->resident & BIT(s))
			list_move_tail(&op->res[s]->lru, &ctx->spm->lru);
	}
	if (op->resident & BIT(0))
		op->res[0]->state = DRM_ONSRAM_RESIDENCY_DIRTY;
	onsram_account_op(ctx);
}

static void onsram_drop(struct onsram_op_ctx *ctx)
{
	struct onsram_residency_op *op = ctx->op;
	u32 s;

	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->res[s] && op->dies & BIT(s))
			onsram_residency_discard(ctx->spm, op->res[s]);
	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->res[s] && ctx->drop & BIT(s))
			onsram_residency_evict(ctx->spm, ctx->emit, op->res[s]);
	if (onsram_has_plan(ctx))
		onsram_end_intervals(ctx);
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
		.found = onsram_resident_slots(op),
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
