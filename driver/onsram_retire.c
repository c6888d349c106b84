// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of commands and jobs: what became of tensors, totals, fences.
 */

#include "onsram_figure.h"
#include "onsram_job.h"
#include "onsram_netlink.h"
#include "onsram_trace.h"
#include "onsram_validate.h"

/* The tensor that the broken word at @addr belongs to */
static void onsram_retire_broken(struct onsram_job *job, struct onsram_engine *engine, u32 index,
				 u64 addr)
{
	const struct onsram_hw_windows *windows = &engine->windows[index];
	const struct onsram_action *action = &engine->slots[index].action;
	const struct onsram_hw_cmd *cmd = &engine->ring[index];
	const struct onsram_op *op = &job->ops[engine->slots[index].op];
	u32 s;

	addr &= ~ONSRAM_ADDR_SPM;
	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		struct onsram_extent in = {};

		if (!(action->resident & BIT(s)))
			continue;
		if (action->partial & BIT(s)) {
			in.begin = windows->slot[s].spm;
			in.end = in.begin + windows->slot[s].bytes;
		} else {
			in = onsram_extent_of_view(&cmd->operand[s].view,
						   cmd->operand[s].addr & ~ONSRAM_ADDR_SPM);
		}
		if ((s64)addr < in.begin || (s64)addr >= in.end)
			continue;
		onsram_residency_broken(&job->odev->spm, action, &op->bo[s]->res);
		break;
	}
}

/* Zeroing what another client left is not this one's doing: only the device's totals have it */
static void onsram_retire_account_scrub(struct onsram_job *job, const struct onsram_hw_cpl *cpl)
{
	onsram_figure_add(&job->scrub.time_ps, onsram_figure_less(cpl->end_ps, cpl->start_ps));
	onsram_figure_add(&job->scrub.spm_bytes, cpl->spm_bytes);
	onsram_figure_add(&job->scrub_fj, cpl->energy_fj);
}

static void onsram_retire_account(struct onsram_job *job, const struct onsram_hw_cmd *cmd,
				  const struct onsram_hw_cpl *cpl)
{
	struct drm_onsram_stats *acct = &job->acct;

	if (!job->started || cpl->start_ps < job->start_ps)
		job->start_ps = cpl->start_ps;
	job->started = true;
	job->end_ps = max(job->end_ps, cpl->end_ps);
	if (cmd->opcode == ONSRAM_CMD_SPM_ASSIGN && cmd->arg[2] & ONSRAM_ASSIGN_SCRUB) {
		onsram_retire_account_scrub(job, cpl);
		return;
	}
	onsram_figure_add(&acct->compute_ps, cpl->compute_ps);
	onsram_figure_add(&acct->dram_read_bytes, cpl->dram_read_bytes);
	onsram_figure_add(&acct->dram_write_bytes, cpl->dram_write_bytes);
	onsram_figure_add(&acct->spm_bytes, cpl->spm_bytes);
	onsram_figure_add(&acct->macs, cpl->macs);
	onsram_figure_add(&job->energy_fj, cpl->energy_fj);
}

static int onsram_retire_op(struct onsram_job *job, struct onsram_engine *engine, u32 index,
			    const struct onsram_hw_cpl *cpl, int error)
{
	struct onsram_residence *operands[ONSRAM_MAX_OPERANDS] = {};
	const struct onsram_slot *slot = &engine->slots[index];
	const struct onsram_op *op = &job->ops[slot->op];
	int ret;
	u32 s;

	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->bo[s])
			operands[s] = &op->bo[s]->res;
	if (cpl && error && cpl->status == ONSRAM_ST_ECC)
		onsram_retire_broken(job, engine, index, cpl->fault_addr);
	ret = onsram_retire(&job->odev->spm, &slot->action, operands, error);
	error = error ? error : ret;
	if (!error) {
		job->acct.ops++;
		if (job->retired)
			job->retired[slot->op].time_ps =
				onsram_figure_less(cpl->end_ps, cpl->start_ps);
	}
	return error;
}

/* Where in the SPM an operand is, and which bytes of its tensor */
static void onsram_retire_trace_operand(struct onsram_engine *engine, u32 index,
					const struct onsram_op *op, u32 s,
					struct onsram_trace_slots *slots)
{
	const struct onsram_hw_operand *operand = &engine->ring[index].operand[s];
	const struct onsram_hw_window *window = &engine->windows[index].slot[s];
	struct onsram_extent in;

	if (engine->slots[index].action.partial & BIT(s)) {
		slots->place[s] = window->spm;
		slots->begin[s] = window->va - operand->addr + op->offset[s];
		slots->bytes[s] = window->bytes;
		return;
	}
	in = onsram_extent_of_view(&operand->view, operand->addr & ~ONSRAM_ADDR_SPM);
	slots->place[s] = in.begin;
	slots->begin[s] = in.begin - (operand->addr & ~ONSRAM_ADDR_SPM) + op->offset[s];
	slots->bytes[s] = in.end - in.begin;
}

static void onsram_retire_trace(struct onsram_engine *engine, const struct onsram_job *job,
				u32 index, const struct onsram_hw_cpl *cpl, int error)
{
	const struct onsram_action *action = &engine->slots[index].action;
	const struct onsram_hw_cmd *cmd = &engine->ring[index];
	u64 flags = action->kind == ONSRAM_PUSH_ASSIGN ? cmd->arg[2] : 0;
	u32 s, from = action->kind == ONSRAM_PUSH_WRITEBACK ? 1 : 0;
	struct onsram_trace_slots slots = {};

	if (action->kind == ONSRAM_PUSH_ASSIGN) {
		slots.place[0] = cmd->arg[0];
		slots.bytes[0] = cmd->arg[1];
	} else if (action->kind == ONSRAM_PUSH_WRITEBACK || action->kind == ONSRAM_PUSH_FETCH) {
		slots.place[0] = cmd->operand[from].addr & ~ONSRAM_ADDR_SPM;
		slots.bytes[0] = (u64)cmd->operand[0].view.dims[0] * sizeof(u32);
	} else if (action->kind == ONSRAM_PUSH_OP && job) {
		for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
			if (action->resident & BIT(s))
				onsram_retire_trace_operand(engine, index,
							    &job->ops[engine->slots[index].op], s,
							    &slots);
	}
	trace_onsram_command(engine, job ? job->ctx->client.id : 0, action, flags, &slots, cpl,
			     error);
}

static void onsram_job_retire(struct onsram_engine *engine, u32 index,
			      const struct onsram_hw_cpl *cpl, int error, struct list_head *ended)
{
	const struct onsram_slot *slot = &engine->slots[index];
	const struct onsram_action *action = &slot->action;
	struct onsram_job *job = slot->job;

	/*
	 * A record that is not the command's has no numbers to trust.  What only waits takes
	 * no time, and may have been through long before the rest began.
	 */
	if (job && cpl && cpl->seq == action->seq && action->kind != ONSRAM_PUSH_WAIT)
		onsram_retire_account(job, &engine->ring[index], cpl);
	if (slot->skipped && !error)
		error = -ETIMEDOUT;
	if (action->kind != ONSRAM_PUSH_OP)
		onsram_retire(&engine->odev->spm, action, NULL, error);
	else if (!WARN_ON_ONCE(!job))
		error = onsram_retire_op(job, engine, index, cpl, error);

	/* Writing back is what another tensor suffers from, not this job */
	if (job && error && !job->error &&
	    (action->kind != ONSRAM_PUSH_WRITEBACK || job->kind != ONSRAM_JOB_OPS))
		job->error = error;
	if (trace_onsram_command_enabled() && cpl && cpl->seq == action->seq)
		onsram_retire_trace(engine, job, index, cpl, error);
	if (job && engine == job->engine && action->seq == job->last_seq)
		list_move_tail(&job->link, ended);
}

static void onsram_stats_add(struct drm_onsram_stats *to, const struct onsram_job *job)
{
	const struct drm_onsram_stats *acct = &job->acct;

	onsram_figure_add(&to->time_ps,
			  onsram_figure_less(onsram_figure_less(job->end_ps, job->start_ps),
					     job->scrub.time_ps));
	onsram_figure_add(&to->compute_ps, acct->compute_ps);
	onsram_figure_add(&to->dram_read_bytes, acct->dram_read_bytes);
	onsram_figure_add(&to->dram_write_bytes, acct->dram_write_bytes);
	onsram_figure_add(&to->spm_bytes, acct->spm_bytes);
	onsram_figure_add(&to->macs, acct->macs);
	to->ops += acct->ops;
	to->jobs += job->kind == ONSRAM_JOB_OPS && !job->error;
	to->errors += job->kind == ONSRAM_JOB_OPS && job->error;
}

/* To the policy agent */
static void onsram_job_report(struct onsram_job *job)
{
	struct onsram_died *died;
	u32 i;

	list_for_each_entry(died, &job->died, link)
		onsram_nl_died(job->ctx, &died->what);
	for (i = 0; job->retired && i < job->nr_ops; i++)
		if (job->retired[i].time_ps)
			onsram_nl_op_retired(job->ctx, &job->ops[i], job->retired[i].resident,
					     job->retired[i].time_ps);
}

static void onsram_job_finish_one(struct onsram_job *job)
{
	struct onsram_device *odev = job->odev;
	struct onsram_context *ctx = job->ctx;
	u64 busy = onsram_figure_less(job->end_ps, job->start_ps);
	struct dma_fence *fence;

	spin_lock(&odev->stats_lock);
	onsram_stats_add(&ctx->stats, job);
	onsram_stats_add(&odev->spm.stats, job);
	onsram_figure_add(&odev->spm.stats.time_ps, job->scrub.time_ps);
	onsram_figure_add(&odev->spm.stats.spm_bytes, job->scrub.spm_bytes);
	onsram_figure_add(&ctx->energy_fj, job->energy_fj);
	onsram_figure_add(&odev->energy_fj, job->energy_fj);
	onsram_figure_add(&odev->energy_fj, job->scrub_fj);
	onsram_figure_add(&ctx->busy_ps[job->engine->id], busy);
	onsram_figure_add(&odev->busy_ps[job->engine->id], busy);
	spin_unlock(&odev->stats_lock);

	if (!ctx->gone)
		onsram_job_report(job);
	trace_onsram_complete(odev, ctx->client.id, job->engine->id, job->last_seq, busy,
			      job->error);

	/* Signalling may free the job */
	fence = dma_fence_get(&job->fence->base);
	if (job->error)
		dma_fence_set_error(fence, job->error);
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

static void onsram_job_finish(struct onsram_device *odev, struct list_head *ended)
{
	struct onsram_job *job, *next;

	list_for_each_entry_safe(job, next, ended, link) {
		list_del_init(&job->link);
		onsram_job_finish_one(job);
	}
}

const struct onsram_ring_ops onsram_job_ring_ops = {
	.retire = onsram_job_retire,
	.finish = onsram_job_finish,
};
