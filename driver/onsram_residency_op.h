/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An operation while residency places and drops for it.
 */
#ifndef _ONSRAM_RESIDENCY_OP_H_
#define _ONSRAM_RESIDENCY_OP_H_

#include "onsram_residency.h"
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
 * @overwritten: mask of slots whose tensor lets the output lie where it does; of each its first
 * @needs: what it waits for beside what it uses: transfers that a plan wants to be through
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
	u32 overwritten;
	struct onsram_needs needs;
};

/** onsram_slots_of() - mask of the operation's slots that name a tensor */
u32 onsram_slots_of(const struct onsram_residency_op *op, const struct onsram_residence *res);
/** onsram_wants_contents() - are the contents that @res has before the operation wanted? */
bool onsram_wants_contents(const struct onsram_residency_op *op,
			   const struct onsram_residence *res);
/** onsram_extent_in_place() - what the SPM has of a tensor's bytes */
struct onsram_extent onsram_extent_in_place(const struct onsram_residence *res,
					    struct onsram_extent ext);
/**
 * onsram_may_evict_fixed() - a place that was chosen: its other uses wait, even by operands of
 * the operation.  @data: struct onsram_op_ctx
 */
bool onsram_may_evict_fixed(const struct onsram_residence *victim, void *data);

/** onsram_plan_place() - what the run's plan wants in front of the operation */
void onsram_plan_place(struct onsram_op_ctx *ctx);
/** onsram_plan_drop() - what it wants behind the operation */
void onsram_plan_drop(struct onsram_op_ctx *ctx);

#endif
