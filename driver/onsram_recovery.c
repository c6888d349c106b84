// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recovery: hung engines and lost devices.
 *
 * A hung engine is reset behind the operations of the job it hung on: they
 * become NOPs where they stand, so that their semaphores still count, while the
 * placement actions between them, which move other tensors, still run.  So
 * nobody else's jobs fail and nobody else's tensors are lost.
 */

#include <linux/dma-fence.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>

#include <drm/drm_drv.h>

#include "onsram_compat.h"
#include "onsram_device.h"
#include "onsram_job.h"
#include "onsram_trace.h"

void onsram_sched_stop(struct onsram_device *odev)
{
	u32 e;

	for (e = 0; e < odev->nr_engines; e++)
		drm_sched_stop(&odev->engine[e].sched, NULL);
}

static void onsram_sched_restart(struct drm_gpu_scheduler *sched)
{
	struct drm_sched_job *pos;

	/* drm_sched_stop() forgets the hardware fences, and start fails jobs without one */
	list_for_each_entry(pos, &sched->pending_list, list)
		if (!pos->s_fence->parent)
			pos->s_fence->parent = dma_fence_get(&to_onsram_job(pos)->fence->base);
	onsram_sched_go_on(sched);
}

void onsram_sched_start(struct onsram_device *odev)
{
	u32 e;

	for (e = 0; e < odev->nr_engines; e++)
		onsram_sched_restart(&odev->engine[e].sched);
}

void onsram_device_fail(struct onsram_device *odev, int error)
{
	onsram_device_abandon(odev, error);
	mutex_lock(&odev->spm.lock);
	onsram_residency_reset(&odev->spm);
	odev->generation++;
	mutex_unlock(&odev->spm.lock);
}

int onsram_device_reset(struct onsram_device *odev, int error)
{
	int ret;

	onsram_sched_stop(odev);
	onsram_device_stop(odev);
	onsram_device_fail(odev, error);
	ret = onsram_device_start(odev);
	onsram_sched_start(odev);
	return ret;
}

/*
 * Whom an engine waits for in the end: itself, if not for a semaphore.  What is pushed
 * waits only for what was pushed before, so this ends.
 */
static struct onsram_engine *onsram_engine_waits_for(struct onsram_engine *engine)
{
	struct onsram_device *odev = engine->odev;
	u32 head = onsram_engine_read(engine, ONSRAM_ENG_HEAD), n;

	for (n = 0; n < odev->nr_engines; n++) {
		const struct onsram_hw_cmd *cmd = &engine->ring[head & (engine->entries - 1)];

		if (head == READ_ONCE(engine->tail) || !(cmd->flags & ONSRAM_CMDF_WAIT) ||
		    readq(odev->regs + ONSRAM_REG_SEM(cmd->wait_sem)) >= cmd->wait_value)
			break;
		engine = &odev->engine[cmd->wait_sem];
		head = onsram_engine_read(engine, ONSRAM_ENG_HEAD);
	}
	return engine;
}

/* Has the engine stood at the same command for as long as it may? */
static bool onsram_engine_stands(struct onsram_engine *engine)
{
	u32 head = onsram_engine_read(engine, ONSRAM_ENG_HEAD);
	unsigned long may = msecs_to_jiffies(READ_ONCE(onsram_timeout_ms));

	if (head == READ_ONCE(engine->tail))
		return false;
	if (head != READ_ONCE(engine->progress)) {
		WRITE_ONCE(engine->progress, head);
		WRITE_ONCE(engine->progress_at, jiffies);
		return false;
	}
	/* The scheduler's clock was started a moment before the engine */
	return time_after_eq(jiffies, READ_ONCE(engine->progress_at) + may - may / 8);
}

static void onsram_slot_skip(struct onsram_engine *engine, u32 i)
{
	struct onsram_hw_cmd *cmd = &engine->ring[i];

	cmd->opcode = ONSRAM_CMD_NOP;
	cmd->flags &= ~ONSRAM_CMDF_WINDOWS;
	memset(&cmd->attr, 0, sizeof(cmd->attr));
	memset(cmd->operand, 0, sizeof(cmd->operand));
	engine->slots[i].skipped = true;
}

/* Turns the command at @head into a NOP: with an operation, all that its job has left */
static void onsram_engine_skip(struct onsram_engine *engine, u32 head)
{
	const struct onsram_slot *slot = &engine->slots[head & (engine->entries - 1)];
	struct onsram_job *job;
	u64 last;

	if (slot->action.kind != ONSRAM_PUSH_OP) {
		/* A placement action gets a second try before its tensor is given up */
		if (engine->retried == slot->action.seq)
			onsram_slot_skip(engine, head & (engine->entries - 1));
		engine->retried = slot->action.seq;
		return;
	}
	job = list_first_entry(&engine->jobs, struct onsram_job, link);
	last = job->last_seq;
	for (; head != engine->tail; head++) {
		u32 i = head & (engine->entries - 1);

		if (engine->slots[i].action.seq > last)
			break;
		if (engine->slots[i].action.kind == ONSRAM_PUSH_OP)
			onsram_slot_skip(engine, i);
	}
}

/* -EIO where the engine does not stop */
static int onsram_engine_recover(struct onsram_engine *engine)
{
	struct onsram_device *odev = engine->odev;
	u32 head;

	onsram_coredump(engine, "hang");
	onsram_engine_write(engine, ONSRAM_ENG_CTRL, ONSRAM_ENG_RESET);
	if (onsram_engine_wait_stopped(engine))
		return -EIO;

	/* It may have moved on until the reset took hold */
	onsram_device_poll(odev);

	mutex_lock(&odev->spm.lock);
	head = onsram_engine_read(engine, ONSRAM_ENG_HEAD);
	if (head != engine->tail) {
		const struct onsram_hw_cmd *cmd = &engine->ring[head & (engine->entries - 1)];

		dev_err(odev->drm.dev, "engine %u hung: context %u, command %llu (opcode %#x)\n",
			engine->id, cmd->asid, cmd->seq, cmd->opcode);
		trace_onsram_reset(odev, engine->id, cmd->seq);
		onsram_engine_skip(engine, head);
	}
	WRITE_ONCE(engine->progress, head);
	WRITE_ONCE(engine->progress_at, jiffies);
	dma_wmb();
	onsram_engine_write(engine, ONSRAM_ENG_CTRL, ONSRAM_ENG_ENABLE);
	onsram_engine_write(engine, ONSRAM_ENG_DOORBELL, engine->kicked);
	mutex_unlock(&odev->spm.lock);
	return 0;
}

/* -EIO where only a device reset can help */
static int onsram_engine_look(struct onsram_engine *engine)
{
	bool signalling = dma_fence_begin_signalling();
	int ret = 0;

	/* An interrupt that got lost is no hang */
	onsram_device_poll(engine->odev);
	engine = onsram_engine_waits_for(engine);
	if (onsram_engine_stands(engine))
		ret = onsram_engine_recover(engine);
	if (ret)
		dev_err(engine->odev->drm.dev, "engine %u does not stop: resetting the device\n",
			engine->id);
	dma_fence_end_signalling(signalling);
	return ret;
}

enum drm_gpu_sched_stat onsram_timedout_job(struct drm_sched_job *sched_job)
{
	struct onsram_engine *engine = container_of(sched_job->sched, struct onsram_engine, sched);
	struct onsram_device *odev = engine->odev;
	int ret, idx;

	mutex_lock(&odev->reset_lock);
	/* The scheduler has unlinked the job: whatever happens, stop puts it back */
	drm_sched_stop(&engine->sched, sched_job);
	if (!drm_dev_enter(&odev->drm, &idx)) {
		onsram_sched_restart(&engine->sched);
		mutex_unlock(&odev->reset_lock);
		return DRM_GPU_SCHED_STAT_ENODEV;
	}
	ret = onsram_engine_look(engine);
	onsram_sched_restart(&engine->sched);
	if (ret)
		onsram_device_reset(odev, -EIO);
	drm_dev_exit(idx);
	mutex_unlock(&odev->reset_lock);
	return ONSRAM_SCHED_STAT_HANDLED;
}
