// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs: submission to the scheduler, emission onto a ring.
 */

#include <linux/dma-resv.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>

#include "onsram_account.h"
#include "onsram_compat.h"
#include "onsram_device.h"
#include "onsram_job.h"
#include "onsram_netlink.h"
#include "onsram_plan.h"
#include "onsram_trace.h"

/* Ring entries a job asks for: what its operations need, and room to move tensors */
#define ONSRAM_ACTIONS_PER_OP		3
#define ONSRAM_ACTIONS_PER_INTERVAL	3
#define ONSRAM_ACTIONS_MIN		64

static u32 onsram_job_entries(const struct onsram_job *job)
{
	u32 actions = job->nr_ops * ONSRAM_ACTIONS_PER_OP;

	if (job->plan)
		actions += job->plan->nr_intervals * ONSRAM_ACTIONS_PER_INTERVAL;
	return job->nr_ops + actions + ONSRAM_ACTIONS_MIN + ONSRAM_EMIT_WAITS;
}

static const char *onsram_fence_driver_name(struct dma_fence *fence)
{
	return "onsram";
}

static const char *onsram_fence_timeline_name(struct dma_fence *fence)
{
	struct onsram_fence *f = container_of(fence, struct onsram_fence, base);

	return f->engine->sched.name;
}

static const struct dma_fence_ops onsram_fence_ops = {
	.get_driver_name = onsram_fence_driver_name,
	.get_timeline_name = onsram_fence_timeline_name,
};

static void onsram_job_release(struct work_struct *work)
{
	onsram_job_free(container_of(work, struct onsram_job, release));
}

struct onsram_job *onsram_job_new(struct onsram_context *ctx, enum onsram_job_kind kind)
{
	struct onsram_device *odev = ctx->odev;
	struct onsram_policy policy;
	struct onsram_job *job;
	int ret;

	job = kzalloc(sizeof(*job), GFP_KERNEL);
	if (!job)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&job->link);
	INIT_LIST_HEAD(&job->died);
	INIT_WORK(&job->release, onsram_job_release);
	job->odev = odev;
	job->kind = kind;
	job->ctx = onsram_context_get(ctx);
	onsram_context_policy(ctx, &policy);
	job->policy = policy.kind;
	job->fallback = READ_ONCE(odev->fallback);

	/* Resuming may sleep and fail, which nothing behind arming may */
	ret = pm_runtime_resume_and_get(odev->drm.dev);
	if (ret < 0)
		goto err_free;
	job->powered = true;

	ret = -ENOMEM;
	job->fence = kzalloc(sizeof(*job->fence), GFP_KERNEL);
	if (!job->fence)
		goto err_free;
	spin_lock_init(&job->fence->lock);
	return job;

err_free:
	onsram_job_free(job);
	return ERR_PTR(ret);
}

void onsram_job_free(struct onsram_job *job)
{
	u32 i;

	if (job->base.s_fence)
		drm_sched_job_cleanup(&job->base);
	if (job->fence) {
		if (job->fence->engine)
			dma_fence_put(&job->fence->base);
		else
			kfree(job->fence);
	}
	if (!job->graph) {
		for (i = 0; i < job->nr_bos; i++)
			drm_gem_object_put(&job->bos[i]->base.base);
		kvfree(job->bos);
		kvfree(job->ops);
	} else {
		onsram_graph_put(job->graph);
	}
	bitmap_free(job->writes);
	kvfree(job->retired);
	onsram_died_free(&job->died);
	onsram_plan_put(job->plan);
	if (job->powered) {
		pm_runtime_mark_last_busy(job->odev->drm.dev);
		pm_runtime_put_autosuspend(job->odev->drm.dev);
	}
	onsram_uncharge(job->ctx, job->cost);
	onsram_context_put(job->ctx);
	kfree(job);
}

/* What waits in a queue takes memory, and nothing else bounds the queue */
static int onsram_job_charge(struct onsram_job *job)
{
	u64 cost = sizeof(*job) + sizeof(*job->fence) + sizeof(*job->base.s_fence) +
		   BITS_TO_LONGS(job->nr_bos) * sizeof(long);
	int ret = 0;

	if (!job->graph)
		cost += (u64)job->nr_ops * sizeof(*job->ops) +
			(u64)job->nr_bos * sizeof(*job->bos);
	if (job->retired)
		cost += (u64)job->nr_ops * sizeof(*job->retired);
	/* However full: what is dirty must reach its home */
	if (job->kind == ONSRAM_JOB_WRITEBACK)
		onsram_charge_anyway(job->ctx, cost);
	else
		ret = onsram_charge(job->ctx, cost);
	if (!ret)
		job->cost = cost;
	return ret;
}

int onsram_job_init(struct onsram_job *job, struct drm_file *file)
{
	struct onsram_engine *copy = onsram_copy_engine(job->odev);
	bool ops = job->kind == ONSRAM_JOB_OPS;
	u32 most = ops ? job->odev->engine[0].credits : copy->credits;
	u32 credits = min(most, onsram_job_entries(job));
	u32 i;
	int ret;

	job->writes = bitmap_zalloc(job->nr_bos, GFP_KERNEL);
	if (!job->writes)
		return -ENOMEM;
	for (i = 0; i < job->nr_ops; i++)
		__set_bit(job->ops[i].bo_index[0], job->writes);

	if (job->policy == DRM_ONSRAM_POLICY_AGENT && ops && !job->graph) {
		job->retired = kvcalloc(job->nr_ops, sizeof(*job->retired), GFP_KERNEL);
		if (!job->retired)
			return -ENOMEM;
	}

	ret = onsram_job_charge(job);
	if (ret)
		return ret;
	ret = onsram_sched_job_init(&job->base, ops ? &job->ctx->compute : &job->ctx->copy,
				    credits, job->ctx, file ? file->client_id : 0);
	if (ret)
		/* A failed init may have left a fence that was freed again */
		job->base.s_fence = NULL;
	return ret;
}

/* Called under spm.lock once per armed job: on the ring, or when it never got there */
static void onsram_job_unqueue(struct onsram_job *job)
{
	u32 i;

	job->queued = false;
	for (i = 0; i < job->nr_bos; i++) {
		struct onsram_bo *bo = job->bos[i];

		if (!--bo->queued && bo->pending_dead) {
			bo->pending_dead = false;
			onsram_residency_discard(&job->odev->spm, &bo->res);
		}
	}
}

/* A job that will not run: what it should have written is nowhere */
static void onsram_job_drop(struct onsram_job *job)
{
	struct onsram_spm *spm = &job->odev->spm;
	u32 i;

	mutex_lock(&spm->lock);
	if (job->queued) {
		for_each_set_bit(i, job->writes, job->nr_bos)
			onsram_residency_lose(spm, &job->bos[i]->res);
		onsram_job_unqueue(job);
	}
	mutex_unlock(&spm->lock);
}

/*
 * The first operation that writes a dead buffer gives it new contents: what it does
 * not write itself need not be kept. Called under submit_lock.
 */
static void onsram_job_revive(struct onsram_job *job)
{
	u32 i, s;

	for (i = 0; i < job->nr_ops; i++) {
		struct onsram_op *op = &job->ops[i];
		bool reads = false;

		if (!op->bo[0]->undefined)
			continue;
		op->bo[0]->undefined = false;
		for (s = 1; s < ONSRAM_MAX_OPERANDS; s++)
			reads |= op->bo[s] == op->bo[0];
		/* A graph's operations are shared by its runs */
		if (!job->graph && !reads)
			op->born |= BIT(0);
	}
}

/* Its operations' keys, and what died before them. Called under submit_lock */
static void onsram_job_enter_history(struct onsram_job *job)
{
	struct onsram_context *ctx = job->ctx;
	u32 i;

	for (i = 0; !job->graph && i < job->nr_ops; i++)
		onsram_op_enter_history(&job->ops[i], ctx->salt, ctx->history);
	if (!job->retired)
		return;
	list_splice_init(&ctx->died, &job->died);
	ctx->nr_died = 0;
}

struct dma_fence *onsram_job_push(struct onsram_job *job)
{
	struct onsram_device *odev = job->odev;
	struct drm_gem_object **objs = (struct drm_gem_object **)job->bos;
	struct ww_acquire_ctx ww;
	struct dma_fence *fence;
	u32 i;
	int ret, idx;

	BUILD_BUG_ON(offsetof(struct onsram_bo, base.base) != 0);

	if (READ_ONCE(odev->wedged) || !drm_dev_enter(&odev->drm, &idx))
		return ERR_PTR(-ENODEV);
	ret = drm_gem_lock_reservations(objs, job->nr_bos, &ww);
	if (ret) {
		drm_dev_exit(idx);
		return ERR_PTR(ret == -EALREADY ? -EINVAL : ret);
	}
	mutex_lock(&odev->submit_lock);
	for (i = 0; !ret && i < job->nr_bos; i++) {
		ret = dma_resv_reserve_fences(objs[i]->resv, 1);
		if (!ret)
			ret = drm_sched_job_add_implicit_dependencies(&job->base, objs[i],
								      test_bit(i, job->writes));
	}
	if (ret) {
		fence = ERR_PTR(ret);
		goto out;
	}

	mutex_lock(&odev->spm.lock);
	for (i = 0; i < job->nr_bos; i++) {
		job->bos[i]->queued++;
		job->bos[i]->pending_dead = false;
	}
	job->queued = true;
	mutex_unlock(&odev->spm.lock);

	onsram_job_revive(job);
	onsram_job_enter_history(job);

	/* Looked at when a job starts: a changed parameter counts from the next one on */
	for (i = 0; i < odev->nr_engines; i++)
		odev->engine[i].sched.timeout = msecs_to_jiffies(READ_ONCE(onsram_timeout_ms));

	drm_sched_job_arm(&job->base);
	fence = dma_fence_get(&job->base.s_fence->finished);
	for (i = 0; i < job->nr_bos; i++)
		dma_resv_add_fence(objs[i]->resv, fence, test_bit(i, job->writes) ?
				   DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);
	trace_onsram_submit(odev, job->ctx->client.id, job->kind, job->nr_ops, job->nr_bos,
			    fence->context, fence->seqno);
	drm_gem_unlock_reservations(objs, job->nr_bos, &ww);
	drm_sched_entity_push_job(&job->base);
	mutex_unlock(&odev->submit_lock);
	drm_dev_exit(idx);
	return fence;

out:
	mutex_unlock(&odev->submit_lock);
	drm_gem_unlock_reservations(objs, job->nr_bos, &ww);
	drm_dev_exit(idx);
	return fence;
}

struct dma_fence *onsram_bo_job(struct onsram_bo *bo, enum onsram_job_kind kind)
{
	struct onsram_job *job = onsram_job_new(bo->ctx, kind);
	struct dma_fence *fence;
	int ret = -ENOMEM;

	if (IS_ERR(job))
		return ERR_CAST(job);
	job->bos = kvmalloc_array(1, sizeof(*job->bos), GFP_KERNEL);
	if (job->bos) {
		drm_gem_object_get(&bo->base.base);
		job->bos[0] = bo;
		job->nr_bos = 1;
		ret = onsram_job_init(job, NULL);
	}
	fence = ret ? ERR_PTR(ret) : onsram_job_push(job);
	if (IS_ERR(fence))
		onsram_job_free(job);
	return fence;
}

/* Emission: residency decides, this puts it on the ring */
struct onsram_job_emit {
	struct onsram_emit base;
	struct onsram_job *job;
	struct onsram_device *odev;
	u32 op;
};

static void onsram_job_emit(struct onsram_emit *emit, const struct onsram_hw_cmd *cmd,
			    const struct onsram_hw_windows *windows,
			    const struct onsram_action *action)
{
	struct onsram_job_emit *je = container_of(emit, struct onsram_job_emit, base);
	struct onsram_bo *bo = action->res ? onsram_res_to_bo(action->res) : NULL;
	/* Of a transfer, which moves words */
	u64 bytes = (u64)cmd->operand[0].view.dims[0] * sizeof(u32);

	if (action->kind == ONSRAM_PUSH_WRITEBACK)
		trace_onsram_writeback(je->odev, bo->id, cmd->operand[1].addr, bytes);
	else if (action->kind == ONSRAM_PUSH_FETCH)
		trace_onsram_prefetch(je->odev, bo->id, cmd->operand[0].addr, bytes);
	else if (action->kind == ONSRAM_PUSH_ASSIGN)
		trace_onsram_place(je->odev, cmd->asid, cmd->arg[0], cmd->arg[1], cmd->arg[2]);
	onsram_engine_put(&je->odev->engine[action->engine], cmd, windows, action, je->job,
			  je->op);
}

struct onsram_job_run {
	struct onsram_residency_run base;
	struct onsram_job *job;
};

static struct onsram_residence *onsram_job_tensor(const struct onsram_residency_run *run, u32 index)
{
	return &container_of(run, struct onsram_job_run, base)->job->bos[index]->res;
}

static void onsram_job_emit_op(struct onsram_job_run *run, struct onsram_job_emit *je)
{
	struct onsram_job *job = run->job;
	struct onsram_spm *spm = &job->odev->spm;
	const struct onsram_op *op = &job->ops[je->op];
	u64 evictions = spm->stats.evictions, fallbacks = spm->stats.fallbacks;
	struct onsram_residency_op rop = {
		.cmd = &op->cmd,
		.index = je->op,
		.writes_all = op->writes_all,
		.born = op->born,
		.dies = op->dies,
	};
	struct onsram_rule_what rule;
	u32 i, used = 0;

	for (i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
		rop.offset[i] = op->offset[i];
		if (op->bo[i]) {
			rop.res[i] = &op->bo[i]->res;
			used |= BIT(i);
		}
	}
	if (job->policy == DRM_ONSRAM_POLICY_AGENT && !job->graph)
		rop.rule = onsram_rule_lookup(job->ctx, op, &rule) ? &rule : NULL;

	onsram_residency_op(spm, &je->base, &run->base, &rop);

	trace_onsram_op(job->odev, job->ctx->client.id, op->cmd.opcode,
			onsram_engine_seq(job->engine),
			rop.resident, used & ~rop.resident);
	if (spm->stats.evictions != evictions)
		trace_onsram_evict(job->odev, job->ctx->client.id,
				   spm->stats.evictions - evictions);
	if (spm->stats.fallbacks != fallbacks)
		trace_onsram_fallback(job->odev, job->ctx->client.id, je->op, job->policy);
	if (job->retired)
		job->retired[je->op].resident = rop.resident;
}

/*
 * Can the copy engine carry what the job moves?  Not with less room than that, beside
 * what jobs of its own may need, nor in a queue behind another engine's transfers, which
 * wait for that one's operations.
 */
static bool onsram_copy_can_carry(const struct onsram_job *job, u32 room)
{
	const struct onsram_engine *copy = onsram_copy_engine(job->odev);
	u32 used = copy->tail - copy->next;

	if (used && copy->carries_for != job->engine->id)
		return false;
	return used + copy->credits + ONSRAM_EMIT_WAITS + room < copy->entries;
}

static void onsram_job_wait_for(struct onsram_job_emit *je, const struct onsram_needs *needs)
{
	struct onsram_hw_cmd nop = {
		.opcode = ONSRAM_CMD_NOP,
		.asid = je->job->ctx->client.asid,
	};
	struct onsram_action action = { .kind = ONSRAM_PUSH_WAIT, .engine = je->base.engine };

	onsram_order_push(&je->odev->spm.order, &je->base, &nop, NULL, &action, needs);
}

static void onsram_job_emit_ops(struct onsram_job_emit *je)
{
	struct onsram_job *job = je->job;
	struct onsram_job_run run = {
		.base.client = &job->ctx->client,
		.base.policy = job->policy,
		.base.fallback = job->fallback,
		.base.plan = job->plan,
		.base.tensor = onsram_job_tensor,
		.job = job,
	};

	for (; je->op < job->nr_ops; je->op++)
		onsram_job_emit_op(&run, je);
}

/*
 * A plan's transfers are on the copy engine's ring.  They start behind the first
 * command of the job, so that both rings are complete before anything of it runs, and
 * it is over when they are.
 */
static void onsram_job_emit_plan(struct onsram_job_emit *je)
{
	struct onsram_engine *copy = onsram_copy_engine(je->odev);
	struct onsram_needs needs = {};
	u64 seq = onsram_engine_seq(copy);

	je->base.mover = copy->id;
	copy->carries_for = je->base.engine;
	onsram_job_wait_for(je, &needs);
	onsram_job_emit_ops(je);
	if (onsram_engine_seq(copy) != seq)
		needs.seq[copy->id] = onsram_engine_seq(copy);
	onsram_job_wait_for(je, &needs);
	onsram_engine_kick(copy);
}

static int onsram_job_emit_all(struct onsram_job *job)
{
	struct onsram_spm *spm = &job->odev->spm;
	struct onsram_job_emit je = {
		.base.push = onsram_job_emit,
		.base.engine = job->engine->id,
		.base.mover = job->engine->id,
		/* Waits, a first and a last NOP are not the residency's to spend */
		.base.room = job->base.credits - job->nr_ops - ONSRAM_EMIT_WAITS - 2,
		.base.waits = ONSRAM_EMIT_WAITS,
		.job = job,
		.odev = job->odev,
	};
	const struct onsram_needs needs = {};
	int ret = 0;

	switch (job->kind) {
	case ONSRAM_JOB_WRITEBACK:
		ret = onsram_residency_clean(spm, &je.base, &job->bos[0]->res);
		break;
	case ONSRAM_JOB_PREFETCH:
		onsram_residency_fetch(spm, &je.base, &job->bos[0]->res);
		break;
	case ONSRAM_JOB_OPS:
		if (job->plan && onsram_copy_can_carry(job, je.base.room))
			onsram_job_emit_plan(&je);
		else
			onsram_job_emit_ops(&je);
		break;
	}
	if (onsram_engine_seq(job->engine) < job->first_seq)
		onsram_job_wait_for(&je, &needs);
	return ret;
}

static void onsram_job_start(struct onsram_job *job, struct onsram_engine *engine)
{
	struct onsram_device *odev = job->odev;

	mutex_lock(&odev->spm.lock);
	job->engine = engine;
	job->fence->engine = engine;
	dma_fence_init(&job->fence->base, &onsram_fence_ops, &job->fence->lock,
		       engine->fence_context, ++engine->fence_seqno);
	job->first_seq = onsram_engine_seq(engine) + 1;
	job->error = onsram_job_emit_all(job);
	job->last_seq = onsram_engine_seq(engine);
	onsram_job_unqueue(job);
	list_add_tail(&job->link, &engine->jobs);
	trace_onsram_run(odev, job->ctx->client.id, engine->id, job->first_seq, job->last_seq);
	onsram_engine_kick(engine);
	mutex_unlock(&odev->spm.lock);
}

static struct dma_fence *onsram_run_job(struct drm_sched_job *sched_job)
{
	struct onsram_job *job = to_onsram_job(sched_job);
	struct onsram_engine *engine = container_of(sched_job->sched, struct onsram_engine, sched);
	struct onsram_device *odev = job->odev;
	struct dma_fence *fence = ERR_PTR(-ENODEV);
	bool signalling = dma_fence_begin_signalling();
	int idx;

	if (sched_job->s_fence->finished.error) {
		onsram_job_drop(job);
		fence = NULL;
	} else if (!READ_ONCE(odev->wedged) && drm_dev_enter(&odev->drm, &idx)) {
		onsram_job_start(job, engine);
		fence = dma_fence_get(&job->fence->base);
		drm_dev_exit(idx);
	} else {
		onsram_job_drop(job);
	}
	dma_fence_end_signalling(signalling);
	return fence;
}

/*
 * The scheduler runs this beside run_job: what may wait for memory, as letting go
 * of buffers may, is left to others.
 */
static void onsram_free_job(struct drm_sched_job *sched_job)
{
	struct onsram_job *job = to_onsram_job(sched_job);
	bool signalling = dma_fence_begin_signalling();

	onsram_job_drop(job);
	drm_sched_job_cleanup(sched_job);
	queue_work(onsram_wq, &job->release);
	dma_fence_end_signalling(signalling);
}

const struct drm_sched_backend_ops onsram_sched_ops = {
	.run_job = onsram_run_job,
	.timedout_job = onsram_timedout_job,
	.free_job = onsram_free_job,
};
