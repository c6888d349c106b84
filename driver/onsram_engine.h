/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An engine: its command ring, completion records and jobs in flight.
 */
#ifndef _ONSRAM_ENGINE_H_
#define _ONSRAM_ENGINE_H_

#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <drm/gpu_scheduler.h>

#include "onsram_hwif.h"
#include "onsram_residency.h"

struct onsram_bo;
struct onsram_context;
struct onsram_device;
struct onsram_job;

/**
 * struct onsram_slot - what the driver knows of a command on the ring
 * @bo: tensor a placement action moves, or NULL
 * @op: index of the operation in its job, ONSRAM_SLOT_ACTION for placement and NOPs
 * @kind: enum onsram_push
 */
struct onsram_slot {
	struct onsram_bo *bo;
	u32 op;
	u32 kind;
};

#define ONSRAM_SLOT_ACTION U32_MAX

/**
 * struct onsram_engine - an engine
 * @odev: device
 * @id: index
 * @entries: ring size, a power of two
 * @ring: commands
 * @ring_dma: bus address of @ring
 * @cpl: completion records
 * @cpl_dma: bus address of @cpl
 * @head: free-running index the device writes back
 * @head_dma: bus address of @head
 * @slots: driver's view of each ring entry
 * @lock: guards @jobs
 * @poll_lock: completion records are consumed by one thread at a time; outside spm.lock
 * @next: free-running index of the next completion record; guarded by @poll_lock
 * @jobs: in flight, oldest first
 * @tail: free-running index of the next command; guarded by spm.lock
 * @seq: sequence of the last command put on the ring; guarded by spm.lock
 * @done: sequence of the last command whose completion was consumed
 * @spm_seq: last command that touched the SPM; guarded by spm.lock
 * @progress: head at the last look of the timeout handler, or when an idle engine was started
 * @retried: placement action that was tried again after a hang
 * @fence_context: of the jobs' hardware fences
 * @fence_seqno: last fence
 * @idle_wait: woken when @done moves
 * @irq: Linux interrupt
 * @sched: scheduler
 */
struct onsram_engine {
	struct onsram_device *odev;
	u32 id;
	u32 entries;
	struct onsram_hw_cmd *ring;
	dma_addr_t ring_dma;
	struct onsram_hw_cpl *cpl;
	dma_addr_t cpl_dma;
	__le32 *head;
	dma_addr_t head_dma;
	struct onsram_slot *slots;
	spinlock_t lock; /* jobs */
	struct mutex poll_lock; /* completion records */
	struct list_head jobs;
	u32 next;
	u32 tail;
	u64 seq;
	u64 done;
	u64 spm_seq;
	u32 progress;
	u64 retried;
	u64 fence_context;
	u64 fence_seqno;
	wait_queue_head_t idle_wait;
	int irq;
	struct drm_gpu_scheduler sched;
};

/** onsram_engine_init() - memory and scheduler of an engine, for as long as the DRM device lives */
int onsram_engine_init(struct onsram_device *odev, u32 id);

u32 onsram_engine_read(struct onsram_engine *engine, u32 reg);
void onsram_engine_write(struct onsram_engine *engine, u32 reg, u32 value);

/**
 * onsram_engine_start() - programs an empty ring after a device reset; spm.lock held or nobody
 * else there
 */
void onsram_engine_start(struct onsram_engine *engine);

/**
 * onsram_engine_push() - a copy of @cmd behind the ring's last; the device does not see it
 * before the kick
 */
void onsram_engine_push(struct onsram_engine *engine, const struct onsram_hw_cmd *cmd,
			enum onsram_push kind, u32 op, struct onsram_bo *bo);

/**
 * onsram_engine_barrier() - lets what follows start only when other engines are done with the
 * SPM
 */
void onsram_engine_barrier(struct onsram_engine *engine, struct onsram_context *ctx);

/**
 * onsram_engine_kick() - asks for an interrupt behind the last command and hands all to the
 * device
 */
void onsram_engine_kick(struct onsram_engine *engine);

/** onsram_engine_poll() - consumes completion records */
void onsram_engine_poll(struct onsram_engine *engine);

/** onsram_engine_done() - has the command with this sequence completed? */
static inline bool onsram_engine_done(struct onsram_engine *engine, u64 seq)
{
	return READ_ONCE(engine->done) >= seq;
}

irqreturn_t onsram_engine_irq(int irq, void *data);

#endif
