// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recovery: hung engines and lost devices.
 *
 * A hung engine is reset behind the operations of the job it hung on: they
 * become NOPs where they stand, so that their semaphores still count, while the
 * placement actions between them, which move other tensors, still run.  So
 * nobody else's jobs fail and nobody else's tensors are lost.
 */

#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>

#include <drm/drm_drv.h>

#include "onsram_device.h"
#include "onsram_job.h"
#include "onsram_trace.h"

#define ONSRAM_ENGINE_RESET_US	(1 * USEC_PER_SEC)

void onsram_sched_stop(struct onsram_device *odev, struct drm_sched_job *bad)
{
	u32 e;

	for (e = 0; e < odev->nr_engines; e++)
		drm_sched_stop(&odev->engine[e].sched, bad);
}

static void onsram_sched_restart(struct drm_gpu_scheduler *sched)
{
	struct drm_sched_job *pos;

	/* drm_sched_stop() forgets the hardware fences, and start fails jobs without one */
	list_for_each_entry(pos, &sched->pending_list, list)
		if (!pos->s_fence->parent)
			pos->s_fence->parent = dma_fence_get(&to_onsram_job(pos)->fence->base);
	drm_sched_start(sched);
}

void onsram_sched_start(struct onsram_device *odev)
{
	u32 e;

	for (e = 0; e < odev->nr_engines; e++)
		onsram_sched_restart(&odev->engine[e].sched);
}

void onsram_residence_lost(struct onsram_residence *res)
{
	onsram_res_to_bo(res)->generation++;
}

static void onsram_engine_fail(struct onsram_engine *engine, int error)
{
	struct onsram_job *job;

	/* What completed before the loss is good */
	onsram_engine_poll(engine);

	mutex_lock(&engine->poll_lock);
	WRITE_ONCE(engine->done, engine->seq);
	engine->next = engine->tail;
	*engine->head = cpu_to_le32(engine->tail);
	for (;;) {
		spin_lock(&engine->lock);
		job = list_first_entry_or_null(&engine->jobs, struct onsram_job, link);
		if (job)
			list_del_init(&job->link);
		spin_unlock(&engine->lock);
		if (!job)
			break;
		if (!job->error)
			job->error = error;
		onsram_job_complete(job);
	}
	mutex_unlock(&engine->poll_lock);
	wake_up_all(&engine->idle_wait);
}

void onsram_device_fail(struct onsram_device *odev, int error)
{
	u32 e;

	for (e = 0; e < odev->nr_engines; e++)
		onsram_engine_fail(&odev->engine[e], error);
	mutex_lock(&odev->spm.lock);
	onsram_residency_reset(&odev->spm, onsram_residence_lost);
	odev->generation++;
	mutex_unlock(&odev->spm.lock);
	queue_work(onsram_wq, &odev->reap);
}

int onsram_device_reset(struct onsram_device *odev, struct drm_sched_job *bad, int error)
{
	int ret;

	onsram_sched_stop(odev, bad);
	onsram_device_stop(odev);
	onsram_device_fail(odev, error);
	ret = onsram_device_start(odev);
	onsram_sched_start(odev);
	return ret;
}

/* Does the engine wait for a semaphore that another one has yet to signal? */
static bool onsram_engine_waits(struct onsram_engine *engine, u32 head)
{
	const struct onsram_hw_cmd *cmd = &engine->ring[head & (engine->entries - 1)];

	return cmd->flags & ONSRAM_CMDF_WAIT &&
	       readq(engine->odev->regs + ONSRAM_REG_SEM(cmd->wait_sem)) < cmd->wait_value;
}

/* Turns what @job still has on the ring into NOPs, from @head on */
static void onsram_engine_skip(struct onsram_engine *engine, struct onsram_job *job, u32 head)
{
	struct onsram_device *odev = engine->odev;
	bool first = true;

	mutex_lock(&odev->spm.lock);
	for (; head != engine->tail; head++, first = false) {
		u32 i = head & (engine->entries - 1);
		struct onsram_hw_cmd *cmd = &engine->ring[i];
		struct onsram_slot *slot = &engine->slots[i];

		if (cmd->seq > job->last_seq)
			break;
		if (slot->kind != ONSRAM_PUSH_OP) {
			if (!first)
				continue;
			/* A placement action gets a second try before its tensor is given up */
			if (engine->retried != cmd->seq) {
				engine->retried = cmd->seq;
				break;
			}
			if (slot->bo)
				onsram_bo_lost(odev, slot->bo);
			else if (cmd->opcode == ONSRAM_CMD_SPM_ASSIGN)
				onsram_residency_distrust(&odev->spm, cmd->arg[0], cmd->arg[1],
							  onsram_residence_lost);
		}
		if (!job->error)
			job->error = -ETIMEDOUT;
		cmd->opcode = ONSRAM_CMD_NOP;
		memset(&cmd->attr, 0, sizeof(cmd->attr));
		memset(cmd->operand, 0, sizeof(cmd->operand));
	}
	mutex_unlock(&odev->spm.lock);
}

/* -EIO where the engine does not stop */
static int onsram_engine_recover(struct onsram_engine *engine)
{
	struct onsram_job *job;
	u32 value;
	int ret;

	onsram_coredump(engine, "hang");

	onsram_engine_write(engine, ONSRAM_ENG_CTRL, ONSRAM_ENG_RESET);
	ret = read_poll_timeout(onsram_engine_read, value, !(value & ONSRAM_ENG_BUSY), 10,
				ONSRAM_ENGINE_RESET_US, false, engine, ONSRAM_ENG_STATUS);
	if (ret)
		return -EIO;

	/* It may have moved on until the reset took hold */
	onsram_engine_poll(engine);

	spin_lock(&engine->lock);
	job = list_first_entry_or_null(&engine->jobs, struct onsram_job, link);
	spin_unlock(&engine->lock);
	if (job) {
		dev_err(engine->odev->drm.dev, "engine %u hung: context %u, commands %llu to %llu\n",
			engine->id, job->ctx->client.asid, job->first_seq, job->last_seq);
		onsram_engine_skip(engine, job, onsram_engine_read(engine, ONSRAM_ENG_HEAD));
	}
	trace_onsram_reset(engine->odev, engine->id, job ? job->last_seq : 0);
	dma_wmb();
	onsram_engine_write(engine, ONSRAM_ENG_CTRL, ONSRAM_ENG_ENABLE);
	onsram_engine_write(engine, ONSRAM_ENG_DOORBELL, READ_ONCE(engine->tail));
	return 0;
}

enum drm_gpu_sched_stat onsram_timedout_job(struct drm_sched_job *sched_job)
{
	struct onsram_engine *engine = container_of(sched_job->sched, struct onsram_engine, sched);
	struct onsram_device *odev = engine->odev;
	u32 head;
	int idx;

	mutex_lock(&odev->reset_lock);
	/* The scheduler has unlinked the job: whatever happens, stop puts it back */
	drm_sched_stop(&engine->sched, sched_job);
	if (!drm_dev_enter(&odev->drm, &idx)) {
		onsram_sched_restart(&engine->sched);
		mutex_unlock(&odev->reset_lock);
		return DRM_GPU_SCHED_STAT_ENODEV;
	}

	/* An interrupt that got lost is no hang */
	onsram_engine_poll(engine);
	head = onsram_engine_read(engine, ONSRAM_ENG_HEAD);
	if (list_empty_careful(&engine->jobs))
		goto restart;
	if (head != engine->progress || onsram_engine_waits(engine, head)) {
		engine->progress = head;
		goto restart;
	}
	if (onsram_engine_recover(engine)) {
		dev_err(odev->drm.dev, "engine %u does not stop: resetting the device\n",
			engine->id);
		onsram_sched_restart(&engine->sched);
		onsram_device_reset(odev, NULL, -EIO);
		goto out;
	}
restart:
	onsram_sched_restart(&engine->sched);
out:
	drm_dev_exit(idx);
	mutex_unlock(&odev->reset_lock);
	return DRM_GPU_SCHED_STAT_NOMINAL;
}
