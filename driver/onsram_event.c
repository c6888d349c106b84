// SPDX-License-Identifier: GPL-2.0-only
/*
 * What completed, on its way to the policy daemon: a bounded queue, emptied in
 * batches.
 */

#include <linux/mm.h>
#include <linux/slab.h>

#include "onsram_drv.h"
#include "onsram_event.h"

/* Long enough for a batch to gather, short enough to learn within a pass */
#define ONSRAM_EVENT_DELAY	msecs_to_jiffies(2)

void onsram_died_free(struct list_head *list)
{
	struct onsram_died *died, *next;

	list_for_each_entry_safe(died, next, list, link)
		kfree(died);
	INIT_LIST_HEAD(list);
}

int onsram_events_init(struct onsram_event_queue *q, work_func_t send)
{
	spin_lock_init(&q->lock);
	INIT_DELAYED_WORK(&q->work, send);
	q->ring = kvcalloc(ONSRAM_EVENT_QUEUE, sizeof(*q->ring), GFP_KERNEL);
	q->batch = kvcalloc(ONSRAM_EVENT_BATCH, sizeof(*q->batch), GFP_KERNEL);
	if (q->ring && q->batch)
		return 0;
	kvfree(q->ring);
	kvfree(q->batch);
	return -ENOMEM;
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
	kvfree(q->batch);
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
		queue_delayed_work(onsram_wq, &q->work, ONSRAM_EVENT_DELAY);
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

void onsram_events_lose(struct onsram_event_queue *q, u32 n, u32 untold)
{
	spin_lock(&q->lock);
	q->lost += n + untold;
	q->lost_total += n;
	spin_unlock(&q->lock);
}

u64 onsram_events_lost(struct onsram_event_queue *q)
{
	u64 lost;

	spin_lock(&q->lock);
	lost = q->lost_total;
	spin_unlock(&q->lock);
	return lost;
}

void onsram_events_flush(struct onsram_event_queue *q)
{
	/*
	 * Also what an earlier attempt had no memory for. On the workqueue that it
	 * always is on: on another it would not wait for the sending under way.
	 */
	mod_delayed_work(onsram_wq, &q->work, 0);
	flush_delayed_work(&q->work);
}
