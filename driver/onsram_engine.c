// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command rings: emission, completion and the engine's interrupt.
 */

#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/io-64-nonatomic-lo-hi.h>

#include <drm/drm_managed.h>

#include "onsram_compat.h"
#include "onsram_device.h"
#include "onsram_drv.h"

/* Write-backs and prefetches are a handful of commands each; plans have the rest of the ring */
#define ONSRAM_COPY_CREDITS	1024

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

	lockdep_assert_held(&odev->poll_lock);
	lockdep_assert_held(&odev->spm.lock);

	engine->tail = 0;
	engine->next = 0;
	engine->kicked = 0;
	engine->progress = 0;
	*engine->head = 0;

	/* Waits for what ended before the reset must not block */
	writeq(onsram_engine_seq(engine), odev->regs + ONSRAM_REG_SEM(engine->id));

	onsram_engine_write64(engine, ONSRAM_ENG_RING_BASE, engine->ring_dma);
	onsram_engine_write64(engine, ONSRAM_ENG_WIN_BASE, engine->windows_dma);
	onsram_engine_write64(engine, ONSRAM_ENG_CPL_BASE, engine->cpl_dma);
	onsram_engine_write64(engine, ONSRAM_ENG_HEAD_BASE, engine->head_dma);
	onsram_engine_write(engine, ONSRAM_ENG_RING_SIZE, engine->entries);
	onsram_engine_write(engine, ONSRAM_ENG_CTRL, ONSRAM_ENG_ENABLE);
}

u64 onsram_engine_seq(const struct onsram_engine *engine)
{
	return engine->odev->spm.order.seq[engine->id];
}

void onsram_engine_put(struct onsram_engine *engine, const struct onsram_hw_cmd *cmd,
		       const struct onsram_hw_windows *windows,
		       const struct onsram_action *action, struct onsram_job *job, u32 op)
{
	u32 i = engine->tail & (engine->entries - 1);

	lockdep_assert_held(&engine->odev->spm.lock);

	engine->ring[i] = *cmd;
	if (windows)
		engine->windows[i] = *windows;
	engine->cpl[i].status = ONSRAM_ST_NONE;
	engine->slots[i] = (struct onsram_slot) {
		.action = *action, .job = job, .op = op,
	};
	WRITE_ONCE(engine->tail, engine->tail + 1);
}

void onsram_engine_kick(struct onsram_engine *engine)
{
	if (engine->kicked == engine->tail)
		return;
	if (engine->kicked == engine->next) {
		u32 first = engine->ring[engine->kicked & (engine->entries - 1)].flags;

		/* What waits for others has not started: its time runs from when it is looked at */
		WRITE_ONCE(engine->progress, engine->kicked - !!(first & ONSRAM_CMDF_WAIT));
		WRITE_ONCE(engine->progress_at, jiffies);
	}
	engine->kicked = engine->tail;
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

static void onsram_engine_retire(struct onsram_engine *engine, struct list_head *ended)
{
	u32 i = engine->next & (engine->entries - 1);
	const struct onsram_hw_cmd *cmd = &engine->ring[i];
	const struct onsram_hw_cpl *cpl = &engine->cpl[i];
	u32 status = READ_ONCE(cpl->status);
	int error;

	error = cpl->seq == cmd->seq ? onsram_status_errno(status) : -EIO;
	if (error)
		dev_err_ratelimited(engine->odev->drm.dev,
				    "engine %u: command %llu (opcode %#x, context %u) failed with status %u at %#llx\n",
				    engine->id, cmd->seq, cmd->opcode, cmd->asid,
				    status, cpl->fault_addr);
	engine->odev->ring_ops->retire(engine, i, cpl, error, ended);
	engine->next++;
}

/* What of an engine has completed, and depends on nothing that is not accounted for */
static bool onsram_engine_drain(struct onsram_engine *engine, struct list_head *ended)
{
	struct onsram_order *order = &engine->odev->spm.order;
	u32 head = le32_to_cpu(READ_ONCE(*engine->head)), before = engine->next;

	if (head - engine->next > engine->tail - engine->next) {
		dev_err_ratelimited(engine->odev->drm.dev, "engine %u: head %u is outside the ring\n",
				    engine->id, head);
		return false;
	}
	/* The device writes a record before the head that covers it */
	dma_rmb();
	while (engine->next != head) {
		u32 i = engine->next & (engine->entries - 1);

		if (!onsram_order_ready(order, &engine->ring[i]))
			break;
		onsram_engine_retire(engine, ended);
	}
	return engine->next != before;
}

static void onsram_device_drain_all(struct onsram_device *odev, struct list_head *ended)
{
	bool moved = true;
	u32 e;

	while (moved) {
		moved = false;
		for (e = 0; e < odev->nr_engines; e++)
			moved |= onsram_engine_drain(&odev->engine[e], ended);
	}
}

static void onsram_device_retire(struct onsram_device *odev, bool all, int error)
{
	bool signalling = dma_fence_begin_signalling();
	LIST_HEAD(ended);
	u32 e;

	mutex_lock(&odev->poll_lock);
	mutex_lock(&odev->spm.lock);
	onsram_device_drain_all(odev, &ended);
	for (e = 0; all && e < odev->nr_engines; e++) {
		struct onsram_engine *engine = &odev->engine[e];

		for (; engine->next != engine->tail; engine->next++)
			odev->ring_ops->retire(engine, engine->next & (engine->entries - 1), NULL,
					       error, &ended);
		*engine->head = cpu_to_le32(engine->tail);
		engine->kicked = engine->tail;
	}
	mutex_unlock(&odev->spm.lock);
	/* Fences signal in the order of their numbers, so under poll_lock */
	odev->ring_ops->finish(odev, &ended);
	mutex_unlock(&odev->poll_lock);
	dma_fence_end_signalling(signalling);

	wake_up_all(&odev->idle_wait);
	if (!list_empty_careful(&odev->zombies))
		queue_work(onsram_wq, &odev->reap);
}

void onsram_device_poll(struct onsram_device *odev)
{
	onsram_device_retire(odev, false, 0);
}

void onsram_device_abandon(struct onsram_device *odev, int error)
{
	onsram_device_retire(odev, true, error);
}

irqreturn_t onsram_engine_irq(int irq, void *data)
{
	struct onsram_engine *engine = data;

	writel(BIT(engine->id), engine->odev->regs + ONSRAM_REG_INTR_STATUS);
	onsram_device_poll(engine->odev);
	return IRQ_HANDLED;
}

/* Files may outlive the device, and their entities need the scheduler */
static void onsram_engine_fini(struct drm_device *drm, void *data)
{
	struct onsram_engine *engine = data;

	drm_sched_fini(&engine->sched);
}

int onsram_engine_init(struct onsram_device *odev, u32 id,
		       const struct drm_sched_backend_ops *sched_ops)
{
	struct onsram_engine *engine = &odev->engine[id];
	bool copy = id == odev->nr_engines - 1;
	struct device *dev = odev->drm.dev;
	int ret;

	engine->odev = odev;
	engine->id = id;
	odev->sched[id] = &engine->sched;
	engine->entries = ONSRAM_RING_MAX;
	engine->credits = copy ? ONSRAM_COPY_CREDITS : engine->entries - 1;
	INIT_LIST_HEAD(&engine->jobs);
	engine->fence_context = dma_fence_context_alloc(1);

	engine->ring = onsram_dma_alloc(odev, engine->entries * sizeof(*engine->ring),
					&engine->ring_dma);
	engine->windows = onsram_dma_alloc(odev, engine->entries * sizeof(*engine->windows),
					   &engine->windows_dma);
	engine->cpl = onsram_dma_alloc(odev, engine->entries * sizeof(*engine->cpl),
				       &engine->cpl_dma);
	engine->head = onsram_dma_alloc(odev, sizeof(u64), &engine->head_dma);
	engine->slots = drmm_kcalloc(&odev->drm, engine->entries, sizeof(*engine->slots),
				     GFP_KERNEL);
	if (!engine->ring || !engine->windows || !engine->cpl || !engine->head || !engine->slots)
		return -ENOMEM;

	ret = onsram_sched_init(&engine->sched, sched_ops, engine->credits,
				msecs_to_jiffies(onsram_timeout_ms), odev->tdr_wq,
				copy ? "onsram-copy" : "onsram-compute", dev);
	if (ret)
		return ret;
	return drmm_add_action_or_reset(&odev->drm, onsram_engine_fini, engine);
}
