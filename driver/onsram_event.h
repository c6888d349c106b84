/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Retired operations on their way to the policy daemon: a bounded queue, emptied
 * in batches.
 */
#ifndef _ONSRAM_EVENT_H_
#define _ONSRAM_EVENT_H_

#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <drm/onsram_accel.h>

#define ONSRAM_EVENT_QUEUE	2048	/* entries; a power of two */
#define ONSRAM_EVENT_BATCH	16	/* entries of a message */

/** struct onsram_event - an operation that completed; see enum onsram_attr_retired */
struct onsram_event {
	u64 key;
	u64 time_ps;
	u32 client_id;
	u32 resident;
	u32 dead;
	struct drm_onsram_op op;
};

/**
 * struct onsram_event_queue - a device's queue
 * @lock: see below
 * @ring: ONSRAM_EVENT_QUEUE entries
 * @head: next to be sent, free running
 * @tail: next to be filled, free running
 * @lost: entries that found no room since the last batch
 * @lost_total: since the device appeared
 * @work: sends batches
 */
struct onsram_event_queue {
	spinlock_t lock; /* guards the rest but @work */
	struct onsram_event *ring;
	u32 head;
	u32 tail;
	u32 lost;
	u64 lost_total;
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
/** onsram_events_lost() - how many were ever lost */
u64 onsram_events_lost(struct onsram_event_queue *q);

#endif
