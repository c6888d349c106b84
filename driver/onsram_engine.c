// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command rings: emission, completion and the engine's interrupt.
 */

#include <linux/dma-mapping.h>
#include <linux/io-64-nonatomic-lo-hi.h>

#include <drm/drm_managed.h>

#include "onsram_compat.h"
#include "onsram_device.h"
#include "onsram_drv.h"
#include "onsram_job.h"
#include "onsram_trace.h"

/* Write-backs and prefetches are a handful of commands each */
#define ONSRAM_COPY_RING	1024

u32 onsram_engine_read(struct onsram_engine *engine, u32 reg)
{
	return readl(engine->odev->regs + ONSRAM_REG_ENGINE(engine->id) + reg);
}

void onsram_engine_write(struct onsram_engine *engine, u32 reg, u32 value)
{
	writel(value, engine->odev->regs + ONSRAM_REG_ENGINE(engine->id) + reg);
}

static void onsram_engine_write64(struct onsram_engine *engine, u32 reg, u64 value)
{
	writeq(value, engine->odev->regs + ONSRAM_REG_ENGINE(engine->id) + reg);
}

void onsram_engine_start(struct onsram_engine *engine)
{
	struct onsram_device *odev = engine->odev;

	engine->tail = 0;
	engine->next = 0;
	engine->progress = 0;
	*engine->head = 0;

	/* Waits for what completed before the reset must not block */
	writeq(engine->seq, odev->regs + ONSRAM_REG_SEM(engine->id));

	onsram_engine_write64(engine, ONSRAM_ENG_RING_BASE, engine->ring_dma);
	onsram_engine_write64(engine, ONSRAM_ENG_CPL_BASE, engine->cpl_dma);
	onsram_engine_write64(engine, ONSRAM_ENG_HEAD_BASE, engine->head_dma);
	onsram_engine_write(engine, ONSRAM_ENG_RING_SIZE, engine->entries);
	onsram_engine_write(engine, ONSRAM_ENG_CTRL, ONSRAM_ENG_ENABLE);
}

static bool onsram_cmd_uses_spm(const struct onsram_hw_cmd *cmd, enum onsram_push kind)
{
	u32 i;

	if (kind != ONSRAM_PUSH_OP)
		return cmd->opcode != ONSRAM_CMD_NOP;
	for (i = 0; i < ONSRAM_MAX_OPERANDS; i++)
		if (cmd->operand[i].view.dtype != ONSRAM_DTYPE_NONE &&
		    cmd->operand[i].addr & ONSRAM_ADDR_SPM)
			return true;
	return false;
}

void onsram_engine_push(struct onsram_engine *engine, const struct onsram_hw_cmd *cmd,
			enum onsram_push kind, u32 op, struct onsram_bo *bo)
{
	u32 i = engine->tail & (engine->entries - 1);
	struct onsram_hw_cmd *slot = &engine->ring[i];

	lockdep_assert_held(&engine->odev->spm.lock);

	engine->seq++;
	*slot = *cmd;
	slot->seq = engine->seq;
	slot->flags |= ONSRAM_CMDF_SIGNAL;
	slot->signal_sem = engine->id;
	slot->signal_value = engine->seq;
	engine->cpl[i].status = ONSRAM_ST_NONE;
	engine->slots[i] = (struct onsram_slot) { .bo = bo, .op = op, .kind = kind };

	if (bo) {
		bo->action_engine = engine->id;
		bo->action_seq = engine->seq;
	}
	if (onsram_cmd_uses_spm(cmd, kind))
		engine->spm_seq = engine->seq;
	WRITE_ONCE(engine->tail, engine->tail + 1);
}

void onsram_engine_barrier(struct onsram_engine *engine, struct onsram_context *ctx)
{
	struct onsram_device *odev = engine->odev;
	bool copy = engine == onsram_copy_engine(odev);
	u32 e;

	for (e = 0; e < odev->nr_engines; e++) {
		struct onsram_engine *other = &odev->engine[e];
		u64 seq = copy ? other->seq : other->spm_seq;
		struct onsram_hw_cmd nop = {
			.opcode = ONSRAM_CMD_NOP,
			.flags = ONSRAM_CMDF_WAIT,
			.asid = ctx->client.asid,
			.wait_sem = e,
			.wait_value = seq,
		};

		if (other != engine && !onsram_engine_done(other, seq))
			onsram_engine_push(engine, &nop, ONSRAM_PUSH_ASSIGN,
					   ONSRAM_SLOT_ACTION, NULL);
	}
}

void onsram_engine_kick(struct onsram_engine *engine)
{
	engine->ring[(engine->tail - 1) & (engine->entries - 1)].flags |= ONSRAM_CMDF_IRQ;
	dma_wmb();
	onsram_engine_write(engine, ONSRAM_ENG_DOORBELL, engine->tail);
}

static int onsram_status_errno(u32 status)
{
	switch (status) {
	case ONSRAM_ST_OK:
		return 0;
	case ONSRAM_ST_BAD_COMMAND:
		return -EINVAL;
	case ONSRAM_ST_PAGE_FAULT:
	case ONSRAM_ST_WRITE_FAULT:
	case ONSRAM_ST_BAD_CONTEXT:
	case ONSRAM_ST_SPM_RANGE:
	case ONSRAM_ST_SPM_OWNER:
		return -EFAULT;
	default:
		return -EIO;
	}
}

/* What a failed command means for the tensors it moved or read from the SPM */
static void onsram_engine_damage(struct onsram_engine *engine, struct onsram_job *job,
				 const struct onsram_hw_cmd *cmd,
				 const struct onsram_slot *slot, u32 status)
{
	struct onsram_device *odev = engine->odev;
	struct onsram_spm *spm = &odev->spm;
	u32 i;

	mutex_lock(&spm->lock);
	if (slot->kind == ONSRAM_PUSH_WRITEBACK) {
		onsram_bo_lost(odev, slot->bo);
	} else if (slot->kind == ONSRAM_PUSH_FETCH) {
		onsram_residency_discard(spm, &slot->bo->res);
	} else if (cmd->opcode == ONSRAM_CMD_SPM_ASSIGN) {
		onsram_residency_distrust(spm, cmd->arg[0], cmd->arg[1], onsram_residence_lost);
	} else if (slot->kind == ONSRAM_PUSH_OP && job && status == ONSRAM_ST_ECC) {
		const struct onsram_op *op = &job->ops[slot->op];

		/* Which tensor the broken word belongs to only shows in the operands */
		for (i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
			struct onsram_bo *bo = op->bo[i];

			if (!bo || !(cmd->operand[i].addr & ONSRAM_ADDR_SPM))
				continue;
			if (bo->res.state == DRM_ONSRAM_RESIDENCY_DIRTY)
				onsram_bo_lost(odev, bo);
			else if (bo->res.state == DRM_ONSRAM_RESIDENCY_CLEAN)
				onsram_residency_discard(spm, &bo->res);
		}
	}
	mutex_unlock(&spm->lock);
}

/* Zeroing what another client left is not this one's doing: only the device's totals have it */
static void onsram_job_account_scrub(struct onsram_job *job, const struct onsram_hw_cpl *cpl)
{
	job->scrub.time_ps += cpl->end_ps - cpl->start_ps;
	job->scrub.spm_bytes += cpl->spm_bytes;
	job->scrub_fj += cpl->energy_fj;
}

static void onsram_job_account(struct onsram_job *job, const struct onsram_hw_cmd *cmd,
			       const struct onsram_hw_cpl *cpl)
{
	struct drm_onsram_stats *acct = &job->acct;

	if (cpl->seq == job->first_seq)
		job->start_ps = cpl->start_ps;
	job->end_ps = max(job->end_ps, cpl->end_ps);
	if (cmd->opcode == ONSRAM_CMD_SPM_ASSIGN && cmd->arg[2] & ONSRAM_ASSIGN_SCRUB) {
		onsram_job_account_scrub(job, cpl);
		return;
	}
	acct->compute_ps += cpl->compute_ps;
	acct->dram_read_bytes += cpl->dram_read_bytes;
	acct->dram_write_bytes += cpl->dram_write_bytes;
	acct->spm_bytes += cpl->spm_bytes;
	acct->macs += cpl->macs;
	job->energy_fj += cpl->energy_fj;
}

static void onsram_engine_consume(struct onsram_engine *engine, u32 index)
{
	u32 i = index & (engine->entries - 1);
	const struct onsram_hw_cmd *cmd = &engine->ring[i];
	const struct onsram_hw_cpl *cpl = &engine->cpl[i];
	const struct onsram_slot *slot = &engine->slots[i];
	u32 status = READ_ONCE(cpl->status);
	struct onsram_job *job;
	int error;

	spin_lock(&engine->lock);
	job = list_first_entry_or_null(&engine->jobs, struct onsram_job, link);
	spin_unlock(&engine->lock);
	if (job && (cmd->seq < job->first_seq || cmd->seq > job->last_seq))
		job = NULL;

	error = cpl->seq == cmd->seq ? onsram_status_errno(status) : -EIO;
	if (error) {
		dev_err_ratelimited(engine->odev->drm.dev,
				    "engine %u: command %llu (opcode %#x, context %u) failed with status %u at %#llx\n",
				    engine->id, cmd->seq, cmd->opcode, cmd->asid,
				    status, cpl->fault_addr);
		onsram_engine_damage(engine, job, cmd, slot, status);
	}

	if (job) {
		/* Writing back is what another tensor suffers from, not this job */
		if (error && !job->error &&
		    (slot->kind != ONSRAM_PUSH_WRITEBACK || job->kind != ONSRAM_JOB_OPS))
			job->error = error;
		if (!error)
			onsram_job_account(job, cmd, cpl);
		if (slot->op != ONSRAM_SLOT_ACTION) {
			job->acct.ops += !error;
			if (job->retired && !error)
				job->retired[slot->op].time_ps = cpl->end_ps - cpl->start_ps;
		}
	}

	WRITE_ONCE(engine->done, cmd->seq);
	if (job && cmd->seq == job->last_seq) {
		spin_lock(&engine->lock);
		list_del_init(&job->link);
		spin_unlock(&engine->lock);
		onsram_job_complete(job);
	}
}

void onsram_engine_poll(struct onsram_engine *engine)
{
	struct onsram_device *odev = engine->odev;
	u32 head, pending;

	mutex_lock(&engine->poll_lock);
	head = le32_to_cpu(READ_ONCE(*engine->head));
	pending = READ_ONCE(engine->tail) - engine->next;
	if (head - engine->next > pending) {
		dev_err_ratelimited(odev->drm.dev, "engine %u: head %u is outside the ring\n",
				    engine->id, head);
		head = engine->next;
	}
	/* The device writes a record before the head that covers it */
	dma_rmb();
	while (engine->next != head) {
		onsram_engine_consume(engine, engine->next);
		engine->next++;
		engine->progress = engine->next;
	}
	mutex_unlock(&engine->poll_lock);

	wake_up_all(&engine->idle_wait);
	if (!list_empty_careful(&odev->zombies))
		queue_work(onsram_wq, &odev->reap);
}

irqreturn_t onsram_engine_irq(int irq, void *data)
{
	struct onsram_engine *engine = data;

	writel(BIT(engine->id), engine->odev->regs + ONSRAM_REG_INTR_STATUS);
	onsram_engine_poll(engine);
	return IRQ_HANDLED;
}

/* Files may outlive the device, and their entities need the scheduler */
static void onsram_engine_fini(struct drm_device *drm, void *data)
{
	struct onsram_engine *engine = data;

	drm_sched_fini(&engine->sched);
}

int onsram_engine_init(struct onsram_device *odev, u32 id)
{
	struct onsram_engine *engine = &odev->engine[id];
	bool copy = id == odev->nr_engines - 1;
	struct device *dev = odev->drm.dev;
	int ret;

	engine->odev = odev;
	engine->id = id;
	odev->sched[id] = &engine->sched;
	engine->entries = copy ? ONSRAM_COPY_RING : ONSRAM_RING_MAX;
	spin_lock_init(&engine->lock);
	INIT_LIST_HEAD(&engine->jobs);
	init_waitqueue_head(&engine->idle_wait);
	engine->fence_context = dma_fence_context_alloc(1);
	ret = drmm_mutex_init(&odev->drm, &engine->poll_lock);
	if (ret)
		return ret;

	engine->ring = onsram_dma_alloc(odev, engine->entries * sizeof(*engine->ring),
					&engine->ring_dma);
	engine->cpl = onsram_dma_alloc(odev, engine->entries * sizeof(*engine->cpl),
				       &engine->cpl_dma);
	engine->head = onsram_dma_alloc(odev, sizeof(u64), &engine->head_dma);
	engine->slots = drmm_kcalloc(&odev->drm, engine->entries, sizeof(*engine->slots),
				     GFP_KERNEL);
	if (!engine->ring || !engine->cpl || !engine->head || !engine->slots)
		return -ENOMEM;

	ret = onsram_sched_init(&engine->sched, &onsram_sched_ops, engine->entries - 1,
				msecs_to_jiffies(onsram_timeout_ms), odev->tdr_wq,
				copy ? "onsram-copy" : "onsram-compute", dev);
	if (ret)
		return ret;
	return drmm_add_action_or_reset(&odev->drm, onsram_engine_fini, engine);
}
