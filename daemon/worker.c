// SPDX-License-Identifier: MIT
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "log.h"
#include "repertoire.h"
#include "worker.h"

/* A list of graphs that keeps changing is read again so often */
#define LIST_TRIES	10

enum kind { NOTHING, PLAN, LEARN, FORGET, RETELL, SYNC };

/**
 * struct request - what the worker is asked for
 * @kind: what
 * @graph: PLAN
 * @sequence: LEARN
 * @client: whose own @sequence is, or 0; FORGET: whose
 * @seq: SYNC
 */
struct request {
	enum kind kind;
	struct onsram_nl_graph graph;
	struct onsram_sequence *sequence;
	uint32_t client;
	uint64_t seq;
};

/**
 * struct onsram_worker - a device's
 * @nl: link to the kernel
 * @dev: device
 * @repertoire: sequences, the thread's own
 * @lock: guards the rest
 * @wake: something was asked for, or it should end
 * @queue: requests, a ring
 * @head: next one
 * @n: how many
 * @rescan: list the graphs before the next request
 * @busy: it is at work
 * @stop: nobody knows it any more: it should end
 * @done: last SYNC answered
 */
struct onsram_worker {
	struct onsram_nl *nl;
	struct onsram_nl_device dev;
	struct onsram_repertoire repertoire;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct request queue[ONSRAM_WORKER_QUEUE];
	uint32_t head;
	uint32_t n;
	bool rescan;
	bool busy;
	bool stop;
	uint64_t done;
};

/* --- graphs ------------------------------------------------------------------------ */

/**
 * struct backlog - graphs that wait for a plan
 * @graph: graphs
 * @n: how many
 * @room: of @graph
 * @failed: memory ran out
 */
struct backlog {
	struct onsram_nl_graph *graph;
	uint32_t n;
	uint32_t room;
	bool failed;
};

static void note_graph(void *arg, const struct onsram_nl_graph *graph)
{
	struct backlog *b = arg;

	if (graph->has_plan)
		return;
	if (b->n == b->room) {
		uint32_t room = b->room ? 2 * b->room : 16;
		struct onsram_nl_graph *graphs = realloc(b->graph, room * sizeof(*graphs));

		if (!graphs) {
			b->failed = true;
			return;
		}
		b->graph = graphs;
		b->room = room;
	}
	b->graph[b->n++] = *graph;
}

static bool stopped(struct onsram_worker *w)
{
	bool stop;

	pthread_mutex_lock(&w->lock);
	stop = w->stop;
	pthread_mutex_unlock(&w->lock);
	return stop;
}

/* Plans every graph that should have a plan and has none */
static void catch_up(struct onsram_worker *w)
{
	struct backlog b = { 0 };
	int ret = -EAGAIN;

	for (int i = 0; i < LIST_TRIES && ret == -EAGAIN; i++) {
		b.n = 0;
		ret = onsram_nl_graphs(w->nl, w->dev.id, note_graph, &b);
	}
	if (!ret && b.failed)
		ret = -ENOMEM;
	/* A list that changes all the time: what is missing in it comes as events */
	if (ret && ret != -EAGAIN && ret != -ENODEV)
		onsram_error("accel%u: cannot list graphs: %s %s", w->dev.id, strerror(-ret),
			     onsram_nl_why());
	/* One graph that cannot be planned runs under the fallback policy; the others do not suffer */
	for (uint32_t i = 0; i < b.n && !stopped(w); i++)
		onsram_static_plan(w->nl, &w->dev, &b.graph[i]);
	free(b.graph);
	onsram_nl_done(w->nl, w->dev.id);
}

/* --- the thread ---------------------------------------------------------------------- */

static void answer(struct onsram_worker *w, uint64_t seq)
{
	int ret = onsram_nl_sync_done(w->nl, w->dev.id, seq);

	if (ret && ret != -ENODEV)
		onsram_error("accel%u: cannot answer: %s %s", w->dev.id, strerror(-ret),
			     onsram_nl_why());
	pthread_mutex_lock(&w->lock);
	w->done = seq;
	pthread_mutex_unlock(&w->lock);
}

static int tell_steps(void *arg, const struct onsram_rule *steps, uint32_t n, bool gone)
{
	struct onsram_worker *w = arg;
	int ret = onsram_nl_set_rules(w->nl, w->dev.id, steps, n, gone);

	if (ret && ret != -ENODEV)
		onsram_error("accel%u: steps refused: %s %s", w->dev.id, strerror(-ret),
			     onsram_nl_why());
	return ret;
}

static void learn(struct onsram_worker *w, const struct request *r)
{
	int ret = onsram_repertoire_learn(&w->repertoire, r->sequence, r->client);

	if (ret == 1)
		onsram_info("accel%u: a sequence of %u operations is known", w->dev.id,
			    r->sequence->nr_ops);
	else if (ret == -ENOMEM)
		onsram_error("accel%u: not enough memory for a sequence", w->dev.id);
	onsram_sequence_free(r->sequence);
}

static void serve(struct onsram_worker *w, const struct request *r)
{
	switch (r->kind) {
	case NOTHING:
		break;
	case PLAN:
		onsram_static_plan(w->nl, &w->dev, &r->graph);
		break;
	case LEARN:
		learn(w, r);
		break;
	case FORGET:
		onsram_repertoire_forget(&w->repertoire, r->client);
		break;
	case RETELL:
		onsram_repertoire_retell(&w->repertoire);
		break;
	case SYNC:
		answer(w, r->seq);
		break;
	}
}

/* What to do next. Return: whether there is anything; waits until there is, or it should end */
static bool next(struct onsram_worker *w, bool *rescan, struct request *r)
{
	bool go;

	pthread_mutex_lock(&w->lock);
	w->busy = false;
	while (!w->stop && !w->n && !w->rescan)
		pthread_cond_wait(&w->wake, &w->lock);
	go = !w->stop;
	*rescan = w->rescan;
	if (w->rescan) {
		w->rescan = false;
	} else if (go) {
		*r = w->queue[w->head];
		w->head = (w->head + 1) % ONSRAM_WORKER_QUEUE;
		w->n--;
	}
	w->busy = go;
	pthread_mutex_unlock(&w->lock);
	return go;
}

static void *work(void *arg)
{
	struct onsram_worker *w = arg;
	struct request r;
	bool rescan;

	while (next(w, &rescan, &r)) {
		if (rescan)
			catch_up(w);
		else
			serve(w, &r);
	}
	for (uint32_t i = 0; i < w->n; i++)
		onsram_sequence_free(w->queue[(w->head + i) % ONSRAM_WORKER_QUEUE].sequence);
	onsram_repertoire_free(&w->repertoire);
	onsram_nl_put(w->nl);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}

struct onsram_worker *onsram_worker_new(struct onsram_nl *nl, const struct onsram_nl_device *dev)
{
	struct onsram_worker *w = calloc(1, sizeof(*w));
	pthread_t thread;

	if (!w)
		return NULL;
	w->nl = onsram_nl_get(nl);
	w->dev = *dev;
	w->rescan = true;
	w->repertoire = (struct onsram_repertoire){
		.model = dev->model, .tell = tell_steps, .arg = w,
	};
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	if (pthread_create(&thread, NULL, work, w)) {
		onsram_nl_put(nl);
		free(w);
		return NULL;
	}
	pthread_detach(thread);
	return w;
}

void onsram_worker_free(struct onsram_worker *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

/* --- requests -------------------------------------------------------------------------- */

static bool push(struct onsram_worker *w, struct request r)
{
	if (w->n == ONSRAM_WORKER_QUEUE)
		return false;
	w->queue[(w->head + w->n++) % ONSRAM_WORKER_QUEUE] = r;
	pthread_cond_signal(&w->wake);
	return true;
}

void onsram_worker_plan(struct onsram_worker *w, const struct onsram_nl_graph *graph)
{
	pthread_mutex_lock(&w->lock);
	if (!push(w, (struct request){ .kind = PLAN, .graph = *graph }))
		w->rescan = true;
	pthread_mutex_unlock(&w->lock);
}

void onsram_worker_cancel(struct onsram_worker *w, uint32_t graph)
{
	pthread_mutex_lock(&w->lock);
	for (uint32_t i = 0; i < w->n; i++) {
		struct request *r = &w->queue[(w->head + i) % ONSRAM_WORKER_QUEUE];

		if (r->kind == PLAN && r->graph.id == graph)
			r->kind = NOTHING;
	}
	pthread_mutex_unlock(&w->lock);
}

void onsram_worker_rescan(struct onsram_worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->rescan = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void onsram_worker_sync(struct onsram_worker *w, uint64_t seq)
{
	pthread_mutex_lock(&w->lock);
	/* Full: what was asked for last is given up, but for a graph, which is found again */
	if (!push(w, (struct request){ .kind = SYNC, .seq = seq })) {
		struct request *last = &w->queue[(w->head + w->n - 1) % ONSRAM_WORKER_QUEUE];

		onsram_sequence_free(last->sequence);
		*last = (struct request){ .kind = SYNC, .seq = seq };
		w->rescan = true;
	}
	pthread_mutex_unlock(&w->lock);
}

void onsram_worker_learn(struct onsram_worker *w, struct onsram_sequence *s, uint32_t client_id,
			 bool own)
{
	bool taken;

	pthread_mutex_lock(&w->lock);
	taken = push(w, (struct request){ .kind = LEARN, .sequence = s,
					  .client = own ? client_id : 0 });
	pthread_mutex_unlock(&w->lock);
	/* It will come again */
	if (!taken)
		onsram_sequence_free(s);
}

void onsram_worker_forget(struct onsram_worker *w, uint32_t client_id)
{
	pthread_mutex_lock(&w->lock);
	/* Where there is no room they stay until others need theirs */
	push(w, (struct request){ .kind = FORGET, .client = client_id });
	pthread_mutex_unlock(&w->lock);
}

void onsram_worker_retell(struct onsram_worker *w)
{
	pthread_mutex_lock(&w->lock);
	push(w, (struct request){ .kind = RETELL });
	pthread_mutex_unlock(&w->lock);
}

bool onsram_worker_beat(struct onsram_worker *w)
{
	uint64_t done;
	bool busy;

	pthread_mutex_lock(&w->lock);
	busy = w->busy || w->n || w->rescan;
	done = w->done;
	pthread_mutex_unlock(&w->lock);
	if (busy)
		onsram_nl_sync_done(w->nl, w->dev.id, done);
	return busy;
}
