/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What completed, on its way to the policy daemon: a bounded queue, emptied in
 * batches.
 */
#ifndef _ONSRAM_EVENT_H_
#define _ONSRAM_EVENT_H_

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <drm/onsram_accel.h>

#define ONSRAM_EVENT_QUEUE	2048	/* entries; a power of two */
#define ONSRAM_EVENT_BATCH	16	/* entries of a message */
#define ONSRAM_DIED_MAX		96	/* buffers of an entry */

/** struct onsram_event_op - an operation that completed; see enum onsram_attr_retired */
struct onsram_event_op {
	u64 key;
	u64 signature;
	u64 time_ps;
	u64 bytes[ONSRAM_MAX_OPERANDS];
	u32 resident;
	struct drm_onsram_op op;
};

/** struct onsram_event_died - buffers that died; see enum onsram_attr_died */
struct onsram_event_died {
	u32 nr;
	u32 bo[ONSRAM_DIED_MAX];
};

/** struct onsram_died - @what, in a list */
struct onsram_died {
	struct list_head link;
	struct onsram_event_died what;
};

/** onsram_died_free() - all of a list */
void onsram_died_free(struct list_head *list);

/** struct onsram_event - an entry: @op, or where @is_died, @died */
struct onsram_event {
	u32 client_id;
	bool is_died;
	union {
		struct onsram_event_op op;
		struct onsram_event_died died;
	};
};

/**
 * struct onsram_event_queue - a device's queue
 * @lock: see below
 * @ring: ONSRAM_EVENT_QUEUE entries
 * @head: next to be sent, free running
 * @tail: next to be filled, free running
 * @lost: entries that did not reach the daemon since the last batch
 * @lost_total: since the device appeared
 * @batch: ONSRAM_EVENT_BATCH entries, @work's own
 * @work: sends batches
 */
struct onsram_event_queue {
	spinlock_t lock; /* guards the rest but @batch and @work */
	struct onsram_event *ring;
	u32 head;
	u32 tail;
	u32 lost;
	u64 lost_total;
	struct onsram_event *batch;
	struct delayed_work work;
};

/** onsram_events_init() - @send is the work function. Return: 0 or -ENOMEM */
int onsram_events_init(struct onsram_event_queue *q, work_func_t send);
/** onsram_events_fini() - stops the work and drops what is queued */
void onsram_events_fini(struct onsram_event_queue *q);
/** onsram_events_push() - queues a copy, or counts it as lost; never sleeps */
void onsram_events_push(struct onsram_event_queue *q, const struct onsram_event *ev);
/** onsram_events_pop() - takes up to @max entries and the count of lost ones; how many it took */
u32 onsram_events_pop(struct onsram_event_queue *q, struct onsram_event *ev, u32 max, u32 *lost);
/**
 * onsram_events_lose() - @n entries that were popped, and the count of @untold lost ones, found no
 * way to the daemon: the next batch tells
 */
void onsram_events_lose(struct onsram_event_queue *q, u32 n, u32 untold);
/** onsram_events_lost() - how many were ever lost */
u64 onsram_events_lost(struct onsram_event_queue *q);
/** onsram_events_flush() - what has been pushed so far has been sent or counted as lost */
void onsram_events_flush(struct onsram_event_queue *q);

#endif
