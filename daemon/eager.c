// SPDX-License-Identifier: MIT
/*
 * OnSRAM-Eager's history and what it makes of it.
 *
 * Contents stay open until they are read, written anew or dead; then the outcome is
 * credited to the operation (key) that wrote them.  The share of outputs that are
 * read is an exponential average, so that the history follows a program that changes.
 * Memory is bounded: the operation and the buffer that have not been seen for longest
 * make room.
 */
#include <stdlib.h>

#include "eager.h"
#include "table.h"

/* The rest of ONSRAM_RULES_MAX is for other histories and the steps of sequences */
#define KEYS_MAX	4096
#define BUFFERS_MAX	8192

/* Shares are 0 .. ONE; a new outcome weighs a quarter */
#define ONE		65536u
#define WEIGHT		4

/**
 * struct key - an operation in its context
 * @generation: tells reused entries apart
 * @outcomes: how often contents that it wrote were closed
 * @reused: share of them that were read
 * @actions: the rule as last told
 * @told: there is one
 * @queued: it may have to be told
 */
struct key {
	uint32_t generation;
	uint32_t outcomes;
	uint32_t reused;
	uint32_t actions;
	bool told;
	bool queued;
};

/**
 * struct buffer - a buffer
 * @client: whose
 * @writer: entry of the operation that wrote the contents last, NONE: unknown, or they were read
 * @generation: of that entry
 * @low: first byte that operations wrote since the contents were begun
 * @high: last byte and one; 0: nobody wrote
 */
struct buffer {
	uint32_t client;
	uint32_t writer;
	uint32_t generation;
	int64_t low;
	int64_t high;
};

struct onsram_eager {
	struct table keys;
	struct table buffers;
	struct key *key;
	struct buffer *buffer;
	uint32_t *queue;	/* entries whose rule may have changed */
	uint32_t queued;
	uint64_t *gone;		/* keys whose rule has to be deleted */
	uint32_t nr_gone;
};

/* --- history ---------------------------------------------------------------- */

static void queue_rule(struct onsram_eager *e, uint32_t k)
{
	if (!e->key[k].queued) {
		e->key[k].queued = true;
		e->queue[e->queued++] = k;
	}
}

static uint32_t get_key(struct onsram_eager *e, uint64_t key)
{
	uint32_t k = table_find(&e->keys, key);

	if (k != NONE) {
		table_touch(&e->keys, k);
		return k;
	}
	if (e->keys.unused == NONE) {
		k = e->keys.oldest;
		if (e->key[k].told && e->nr_gone < KEYS_MAX)
			e->gone[e->nr_gone++] = e->keys.node[k].key;
		/* Its place in the queue, if any, serves the new one */
		table_remove(&e->keys, k);
	}
	k = table_add(&e->keys, key);
	e->key[k] = (struct key){
		.generation = e->key[k].generation + 1, .queued = e->key[k].queued,
	};
	return k;
}

static struct buffer *get_buffer(struct onsram_eager *e, uint32_t id, uint32_t client)
{
	uint32_t b = table_find(&e->buffers, id);

	if (b == NONE) {
		if (e->buffers.unused == NONE)
			table_remove(&e->buffers, e->buffers.oldest);
		b = table_add(&e->buffers, id);
		e->buffer[b] = (struct buffer){ .writer = NONE };
	}
	table_touch(&e->buffers, b);
	e->buffer[b].client = client;
	return &e->buffer[b];
}

/* Contents were read for the first time, or end without having been read */
static void close_contents(struct onsram_eager *e, struct buffer *b, bool read)
{
	struct key *k = b->writer == NONE ? NULL : &e->key[b->writer];

	if (k && k->generation == b->generation) {
		if (!k->outcomes++)
			k->reused = read ? ONE : 0;
		else
			k->reused = k->reused - k->reused / WEIGHT + (read ? ONE / WEIGHT : 0);
		queue_rule(e, b->writer);
	}
	b->writer = NONE;
}

static bool slot_used(const struct onsram_retired *r, uint32_t s)
{
	return r->op.operand[s].view.dtype != ONSRAM_DTYPE_NONE;
}

static bool reads(const struct onsram_retired *r, uint32_t bo)
{
	for (uint32_t s = 1; s < ONSRAM_MAX_OPERANDS; s++)
		if (slot_used(r, s) && r->op.operand[s].bo == bo)
			return true;
	return false;
}

/* Bytes of its buffer that an operand spans */
static void span(const struct drm_onsram_operand *o, int64_t *low, int64_t *high)
{
	int64_t size = onsram_dtype_size(o->view.dtype), from = 0, to = 0;

	for (uint32_t d = 0; d < o->view.rank && d < ONSRAM_MAX_RANK; d++) {
		int64_t reach = (int64_t)(o->view.dims[d] - 1) * o->view.strides[d];

		/* Far outside is as good as outside, and cannot overflow */
		reach = reach < -INT32_MAX ? -INT32_MAX : reach > INT32_MAX ? INT32_MAX : reach;
		if (reach < 0)
			from += reach;
		else
			to += reach;
	}
	*low = (int64_t)(o->offset & UINT32_MAX) + from * size;
	*high = (int64_t)(o->offset & UINT32_MAX) + (to + 1) * size;
}

/* Contents are written anew, or a further slice of them: whoever wrote the last one answers for all */
static void observe_write(struct onsram_eager *e, const struct onsram_retired *r, uint32_t k)
{
	struct buffer *b = get_buffer(e, r->op.operand[0].bo, r->client_id);
	int64_t low, high;

	span(&r->op.operand[0], &low, &high);
	if (!reads(r, r->op.operand[0].bo) && low < b->high && b->low < high) {
		close_contents(e, b, false);
		b->high = 0;
	}
	if (!b->high) {
		b->low = low;
		b->high = high;
	}
	b->low = low < b->low ? low : b->low;
	b->high = high > b->high ? high : b->high;
	b->writer = k;
	b->generation = e->key[k].generation;
}

void onsram_eager_observe(struct onsram_eager *e, const struct onsram_retired *r)
{
	uint32_t k = get_key(e, r->key);

	/* What is read was there before what is written */
	for (uint32_t s = 1; s < ONSRAM_MAX_OPERANDS; s++)
		if (slot_used(r, s))
			close_contents(e, get_buffer(e, r->op.operand[s].bo, r->client_id), true);
	if (slot_used(r, 0))
		observe_write(e, r, k);
}

void onsram_eager_died(struct onsram_eager *e, uint32_t bo)
{
	uint32_t b = table_find(&e->buffers, bo);

	if (b == NONE)
		return;
	close_contents(e, &e->buffer[b], false);
	table_remove(&e->buffers, b);
}

void onsram_eager_gap(struct onsram_eager *e)
{
	for (uint32_t b = 0; b < BUFFERS_MAX; b++) {
		e->buffer[b].writer = NONE;
		e->buffer[b].high = 0;
	}
}

void onsram_eager_client_gone(struct onsram_eager *e, uint32_t client_id)
{
	for (uint32_t b = 0; b < BUFFERS_MAX; b++)
		if (e->buffers.node[b].used && e->buffer[b].client == client_id)
			onsram_eager_died(e, (uint32_t)e->buffers.node[b].key);
}

/* --- rules ------------------------------------------------------------------ */

bool onsram_eager_next_rule(struct onsram_eager *e, struct onsram_rule *rule)
{
	while (e->nr_gone) {
		uint64_t key = e->gone[--e->nr_gone];

		/* Seen again meanwhile: its rule is told anew */
		if (table_find(&e->keys, key) != NONE)
			continue;
		*rule = (struct onsram_rule){ .key = key, .gone = true };
		return true;
	}
	while (e->queued) {
		uint32_t i = e->queue[--e->queued], actions;
		struct key *k = &e->key[i];

		k->queued = false;
		if (!e->keys.node[i].used || !k->outcomes)
			continue;
		actions = k->reused >= ONE / 2 ? ONSRAM_RULE_HOLD(0) : 0;
		if (k->told && actions == k->actions)
			continue;
		k->told = true;
		k->actions = actions;
		/* Of one priority with what lru holds: who was used longest ago makes room */
		*rule = (struct onsram_rule){ .key = e->keys.node[i].key, .actions = actions };
		return true;
	}
	return false;
}

void onsram_eager_retell(struct onsram_eager *e)
{
	e->nr_gone = 0;
	for (uint32_t k = 0; k < KEYS_MAX; k++) {
		if (!e->keys.node[k].used)
			continue;
		e->key[k].told = false;
		queue_rule(e, k);
	}
}

void onsram_eager_withdraw(struct onsram_eager *e)
{
	e->queued = 0;
	for (uint32_t k = 0; k < KEYS_MAX; k++) {
		e->key[k].queued = false;
		if (!e->keys.node[k].used)
			continue;
		if (e->key[k].told && e->nr_gone < KEYS_MAX)
			e->gone[e->nr_gone++] = e->keys.node[k].key;
		e->key[k].told = false;
		table_remove(&e->keys, k);
	}
}

struct onsram_eager *onsram_eager_new(void)
{
	struct onsram_eager *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->key = calloc(KEYS_MAX, sizeof(*e->key));
	e->buffer = calloc(BUFFERS_MAX, sizeof(*e->buffer));
	e->queue = calloc(KEYS_MAX, sizeof(*e->queue));
	e->gone = calloc(KEYS_MAX, sizeof(*e->gone));
	if (!e->key || !e->buffer || !e->queue || !e->gone ||
	    table_init(&e->keys, KEYS_MAX) || table_init(&e->buffers, BUFFERS_MAX)) {
		onsram_eager_free(e);
		return NULL;
	}
	return e;
}

void onsram_eager_free(struct onsram_eager *e)
{
	if (!e)
		return;
	table_fini(&e->keys);
	table_fini(&e->buffers);
	free(e->key);
	free(e->buffer);
	free(e->queue);
	free(e->gone);
	free(e);
}
