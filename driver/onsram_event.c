// SPDX-License-Identifier: GPL-2.0-only
/*
 * Retired operations on their way to the policy daemon: a bounded queue, emptied
 * in batches.
 */

#include <linux/mm.h>
#include <linux/slab.h>

#include "onsram_event.h"

/* Long enough for a batch to gather, short enough to learn within a pass */
#define ONSRAM_EVENT_DELAY	msecs_to_jiffies(2)

int onsram_events_init(struct onsram_event_queue *q, work_func_t send)
{
	spin_lock_init(&q->lock);
	INIT_DELAYED_WORK(&q->work, send);
	q->ring = kvcalloc(ONSRAM_EVENT_QUEUE, sizeof(*q->ring), GFP_KERNEL);
	return q->ring ? 0 : -ENOMEM;
}

void onsram_events_fini(struct onsram_event_queue *q)
{
	struct onsram_event *ring;

	spin_lock(&q->lock);
	ring = q->ring;
	q->ring = NULL;
	q->head = 0;
	q->tail = 0;
	spin_unlock(&q->lock);

	cancel_delayed_work_sync(&q->work);
	kvfree(ring);
}

void onsram_events_push(struct onsram_event_queue *q, const struct onsram_event *ev)
{
	spin_lock(&q->lock);
	if (!q->ring || q->tail - q->head == ONSRAM_EVENT_QUEUE) {
		q->lost++;
		q->lost_total++;
	} else {
		q->ring[q->tail++ % ONSRAM_EVENT_QUEUE] = *ev;
		schedule_delayed_work(&q->work, ONSRAM_EVENT_DELAY);
	}
	spin_unlock(&q->lock);
}

u32 onsram_events_pop(struct onsram_event_queue *q, struct onsram_event *ev, u32 max, u32 *lost)
{
	u32 n = 0;

	spin_lock(&q->lock);
	while (n < max && q->head != q->tail)
		ev[n++] = q->ring[q->head++ % ONSRAM_EVENT_QUEUE];
	*lost = q->lost;
	q->lost = 0;
	spin_unlock(&q->lock);
	return n;
}

u64 onsram_events_lost(struct onsram_event_queue *q)
{
	u64 lost;

	spin_lock(&q->lock);
	lost = q->lost_total;
	spin_unlock(&q->lock);
	return lost;
}
