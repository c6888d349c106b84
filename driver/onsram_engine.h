/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An engine: its command ring, completion records and jobs in flight.
 */
#ifndef _ONSRAM_ENGINE_H_
#define _ONSRAM_ENGINE_H_

#include <linux/interrupt.h>
#include <linux/list.h>

#include <drm/gpu_scheduler.h>

#include "onsram_hwif.h"
#include "onsram_order.h"

struct onsram_device;
struct onsram_job;
struct onsram_engine;

/**
 * struct onsram_slot - what the driver knows of a command on the ring
 * @action: what it is for
 * @job: that it is part of, in flight until all of its commands have ended; or NULL
 * @op: OP: index of the operation in its job
 * @skipped: it was given up for a NOP
 */
struct onsram_slot {
	struct onsram_action action;
	struct onsram_job *job;
	u32 op;
	bool skipped;
};

/** struct onsram_trace_slots - per operand: SPM offset, the tensor's byte there, how many */
struct onsram_trace_slots {
	u64 place[ONSRAM_MAX_OPERANDS];
	u64 begin[ONSRAM_MAX_OPERANDS];
	u64 bytes[ONSRAM_MAX_OPERANDS];
};

/**
 * struct onsram_ring_ops - what becomes of commands that end
 * @retire: a command has ended.  @cpl is its record, NULL where the ring was given up; @error
 *	0 or what went wrong.  What is complete with it is put on @ended.  poll_lock and
 *	spm.lock are held
 * @finish: takes what @retire listed.  poll_lock is held
 */
struct onsram_ring_ops {
	void (*retire)(struct onsram_engine *engine, u32 index, const struct onsram_hw_cpl *cpl,
		       int error, struct list_head *ended);
	void (*finish)(struct onsram_device *odev, struct list_head *ended);
};

/**
 * struct onsram_engine - an engine
 * @odev: device
 * @id: index
 * @entries: ring size, a power of two
 * @credits: of them, what its own jobs may have; the rest is for other engines' transfers
 * @carries_for: of the copy engine: engine whose plan's transfers it had last
 * @ring: commands
 * @ring_dma: bus address of @ring
 * @windows: which parts of the commands' operands are in the SPM
 * @windows_dma: bus address of @windows
 * @cpl: completion records
 * @cpl_dma: bus address of @cpl
 * @head: free-running index the device writes back
 * @head_dma: bus address of @head
 * @slots: driver's view of each ring entry
 * @jobs: in flight, oldest first; guarded by spm.lock
 * @next: free-running index of the next command to retire; guarded by poll_lock and spm.lock
 * @tail: free-running index of the next command; guarded by spm.lock
 * @kicked: @tail that the device knows; guarded by spm.lock
 * @progress: head that was seen last, by the timeout handler or when an idle engine was
 *	started
 * @progress_at: when it was first seen, jiffies
 * @retried: placement action that was tried again after a hang
 * @fence_context: of the jobs' hardware fences
 * @fence_seqno: last fence
 * @irq: Linux interrupt
 * @sched: scheduler
 */
struct onsram_engine {
	struct onsram_device *odev;
	u32 id;
	u32 entries;
	u32 credits;
	u32 carries_for;
	struct onsram_hw_cmd *ring;
	dma_addr_t ring_dma;
	struct onsram_hw_windows *windows;
	dma_addr_t windows_dma;
	struct onsram_hw_cpl *cpl;
	dma_addr_t cpl_dma;
	__le32 *head;
	dma_addr_t head_dma;
	struct onsram_slot *slots;
	struct list_head jobs;
	u32 next;
	u32 tail;
	u32 kicked;
	u32 progress;
	unsigned long progress_at;
	u64 retried;
	u64 fence_context;
	u64 fence_seqno;
	int irq;
	struct drm_gpu_scheduler sched;
};

/** onsram_engine_init() - memory and scheduler of an engine, for as long as the DRM device lives */
int onsram_engine_init(struct onsram_device *odev, u32 id,
		       const struct drm_sched_backend_ops *sched_ops);

u32 onsram_engine_read(struct onsram_engine *engine, u32 reg);
void onsram_engine_write(struct onsram_engine *engine, u32 reg, u32 value);

/**
 * onsram_engine_start() - programs an empty ring after a device reset; poll_lock and spm.lock
 * held, every command retired
 */
void onsram_engine_start(struct onsram_engine *engine);

/**
 * onsram_engine_put() - a copy of a command behind the ring's last; the device does not see
 * it before the kick.  @windows: its operands', or NULL; @job: whose, or NULL; @op: index of the
 * operation in its job
 */
void onsram_engine_put(struct onsram_engine *engine, const struct onsram_hw_cmd *cmd,
		       const struct onsram_hw_windows *windows,
		       const struct onsram_action *action, struct onsram_job *job, u32 op);

/**
 * onsram_engine_kick() - asks for an interrupt behind the last command and hands all to the
 * device; spm.lock held
 */
void onsram_engine_kick(struct onsram_engine *engine);

/** onsram_device_poll() - retires what has completed, in an order that respects dependencies */
void onsram_device_poll(struct onsram_device *odev);
/** onsram_device_abandon() - likewise, then all else with an error; the engines have stopped */
void onsram_device_abandon(struct onsram_device *odev, int error);

/** onsram_engine_seq() - sequence of the last command on the ring; spm.lock held */
u64 onsram_engine_seq(const struct onsram_engine *engine);

irqreturn_t onsram_engine_irq(int irq, void *data);

#endif
