// SPDX-License-Identifier: MIT
/*
 * OnSRAM-Eager's history and what it makes of it.
 *
 * A use of a buffer stays open until the buffer is used again, overwritten or
 * dead; then the outcome is credited to the operation (key) and slot that left
 * it.  Shares and averages are exponential, so that the history follows a
 * program that changes.  Memory is bounded: the operation and the buffer that
 * have not been seen for longest make room.
 */
#include <stdlib.h>
#include <string.h>

#include "eager.h"
#include "table.h"

#define KEYS_MAX	ONSRAM_RULES_MAX
#define BUFFERS_MAX	8192

/* Shares are 0 .. ONE; a new outcome weighs a quarter */
#define ONE		65536u
#define WEIGHT		4

/* Uses of a buffer that can be open at a time: slices written, and who read them */
#define OPEN_MAX	8

/* A hold that is lost more often than kept pauses for so many outcomes, then twice that */
#define PAUSE_FIRST	8u
#define PAUSE_MOST	1024u
/* Share of placements that fail from which on the SPM counts as short */
#define SHORT		(ONE / 8)

/**
 * struct slot - what is known of an operand slot of a key
 * @outcomes: how often a use left by it was closed
 * @reused: share of them that were read again
 * @free: share of buffers written here that never have to reach DRAM: dead or overwritten
 * @found: share of times the operand was found in the SPM
 * @lost: share of held buffers that had lost their place when they were read again
 * @saved_ps: what having it in the SPM saves the next reader
 * @own_ps: what it saves this operation
 * @distance: operations until the next use
 * @turnover: bytes that operations write until then
 * @made: the buffer's contents came from an operation: it is no weight
 * @bytes: of the buffer, as far as the operation uses it
 * @pause: outcomes to wait before it is held again
 * @pause_next: length of the next pause
 */
struct slot {
	uint32_t outcomes;
	uint32_t reused;
	uint32_t free;
	uint32_t found;
	uint32_t lost;
	uint64_t saved_ps;
	uint64_t own_ps;
	uint64_t distance;
	uint64_t turnover;
	uint64_t bytes;
	bool made;
	uint32_t pause;
	uint32_t pause_next;
};

/** struct key - an operation in its context: @actions and @priority are the rule as last told */
struct key {
	struct slot slot[ONSRAM_MAX_OPERANDS];
	uint32_t generation;	/* tells reused entries apart */
	uint32_t actions;
	uint32_t priority;
	bool told;
	bool queued;
};

/**
 * struct use - a use of a buffer that is open
 * @key: entry that left it
 * @generation: of that entry
 * @slot: operand slot
 * @held: a rule wanted the buffer to be held there
 * @at: when, in operations
 * @written: when, in bytes written to any buffer
 */
struct use {
	uint32_t key;
	uint32_t generation;
	uint32_t slot;
	bool held;
	uint64_t at;
	uint64_t written;
};

/**
 * struct buffer - a buffer
 * @client: whose
 * @open: uses that are open
 * @nr_open: how many
 * @writer: entry that wrote the contents last, NONE: unknown
 * @writer_generation: of that entry
 * @low: first byte of the contents that operations wrote
 * @high: last byte and one; 0: nobody wrote
 */
struct buffer {
	uint32_t client;
	struct use open[OPEN_MAX];
	uint32_t nr_open;
	uint32_t writer;
	uint32_t writer_generation;
	int64_t low;
	int64_t high;
};

struct onsram_eager {
	struct onsram_model m;
	struct table keys;
	struct table buffers;
	struct key *key;
	struct buffer *buffer;
	uint32_t *queue;	/* entries whose rule may have changed */
	uint32_t queued;
	uint64_t *gone;		/* keys whose rule has to be deleted */
	uint32_t nr_gone;
	uint64_t now;		/* operations seen */
	uint64_t written;	/* bytes they wrote */
	uint32_t failing;	/* share of outputs to be held that found no place */
};

/* --- history ---------------------------------------------------------------- */

static void share(uint32_t *average, bool yes, bool first)
{
	if (first) {
		*average = yes ? ONE : 0;
		return;
	}
	*average -= *average / WEIGHT;
	if (yes)
		*average += ONE / WEIGHT;
}

static void average(uint64_t *average, uint64_t value, bool first)
{
	*average = first ? value : *average - *average / WEIGHT + value / WEIGHT;
}

static void queue_rule(struct onsram_eager *e, uint32_t k)
{
	if (!e->key[k].queued) {
		e->key[k].queued = true;
		e->queue[e->queued++] = k;
	}
}

static uint32_t get_key(struct onsram_eager *e, uint64_t key)
{
	uint32_t k = table_find(&e->keys, key), generation;

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
	generation = e->key[k].generation + 1;
	e->key[k] = (struct key){ .generation = generation, .queued = e->key[k].queued };
	for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		e->key[k].slot[s].free = ONE / 2;
		e->key[k].slot[s].pause_next = PAUSE_FIRST;
	}
	return k;
}

static uint32_t get_buffer(struct onsram_eager *e, uint32_t id, uint32_t client)
{
	uint32_t b = table_find(&e->buffers, id);

	if (b != NONE) {
		table_touch(&e->buffers, b);
		return b;
	}
	if (e->buffers.unused == NONE)
		table_remove(&e->buffers, e->buffers.oldest);
	b = table_add(&e->buffers, id);
	e->buffer[b] = (struct buffer){ .client = client, .writer = NONE };
	return b;
}

/* The slot that left an open use, NULL where its key has made room for another one */
static struct slot *slot_of(struct onsram_eager *e, const struct use *u)
{
	return e->key[u->key].generation == u->generation ? &e->key[u->key].slot[u->slot] : NULL;
}

/* Whether the contents that end here had to reach DRAM */
static void close_contents(struct onsram_eager *e, struct buffer *b, bool freed)
{
	if (b->writer != NONE && e->key[b->writer].generation == b->writer_generation) {
		share(&e->key[b->writer].slot[0].free, freed, false);
		queue_rule(e, b->writer);
	}
	b->writer = NONE;
	b->low = 0;
	b->high = 0;
}

static void count_outcome(struct onsram_eager *e, struct slot *s, uint32_t k)
{
	s->outcomes++;
	s->pause -= s->pause > 0;
	queue_rule(e, k);
}

/* Nobody read the buffer again */
static void close_unused(struct onsram_eager *e, struct buffer *b)
{
	for (uint32_t i = 0; i < b->nr_open; i++) {
		struct slot *s = slot_of(e, &b->open[i]);

		if (!s)
			continue;
		share(&s->reused, false, !s->outcomes);
		count_outcome(e, s, b->open[i].key);
	}
	b->nr_open = 0;
}

/* A hold that did not last: after a few, holding pauses */
static void judge_hold(struct slot *s, bool resident)
{
	share(&s->lost, !resident, false);
	if (s->lost > ONE / 2 && !s->pause) {
		s->pause = s->pause_next;
		s->pause_next = s->pause_next < PAUSE_MOST ? 2 * s->pause_next : PAUSE_MOST;
		s->lost = 0;
	} else if (resident) {
		s->pause_next = PAUSE_FIRST;
	}
}

/* Somebody read it, which would save (all open uses together) @saved_ps were it resident */
static void close_reused(struct onsram_eager *e, struct buffer *b, uint64_t saved_ps, bool resident)
{
	for (uint32_t i = 0; i < b->nr_open; i++) {
		const struct use *u = &b->open[i];
		struct slot *s = slot_of(e, u);

		if (!s)
			continue;
		share(&s->reused, true, !s->outcomes);
		average(&s->saved_ps, saved_ps / b->nr_open, !s->outcomes);
		average(&s->distance, e->now - u->at, !s->outcomes);
		average(&s->turnover, e->written - u->written, !s->outcomes);
		if (u->held)
			judge_hold(s, resident);
		count_outcome(e, s, u->key);
	}
	b->nr_open = 0;
}

static void open_use(struct onsram_eager *e, struct buffer *b, uint32_t k, uint32_t s)
{
	bool held = e->key[k].told && (e->key[k].actions & ONSRAM_RULE_HOLD(s));

	/* The oldest of too many slices is not followed any further */
	if (b->nr_open == OPEN_MAX)
		memmove(b->open, b->open + 1, --b->nr_open * sizeof(*b->open));
	b->open[b->nr_open++] = (struct use){
		.key = k, .generation = e->key[k].generation, .slot = s,
		.held = held, .at = e->now, .written = e->written,
	};
}

static uint64_t saving_beside(const struct onsram_eager *e, const struct onsram_perf_op *op,
			      uint32_t others, uint32_t s)
{
	uint64_t resident[ONSRAM_MAX_OPERANDS];
	struct onsram_cost with, without;

	onsram_resident_slots(resident, others | 1u << s);
	onsram_op_cost(&e->m, op, resident, e->m.spm_size / 2, &with);
	resident[s] = 0;
	onsram_op_cost(&e->m, op, resident, e->m.spm_size / 2, &without);
	return without.time_ps - with.time_ps;
}

/*
 * What having slot @s in the SPM saves the operation.  Beside others that are there
 * already it may save nothing, for the operation is compute-bound thanks to them;
 * if each were judged like that none would be held.  So its worth alone counts as well.
 */
static uint64_t saving(const struct onsram_eager *e, const struct onsram_perf_op *op,
		       uint32_t resident, uint32_t s)
{
	uint64_t beside = saving_beside(e, op, resident, s), alone = saving_beside(e, op, 0, s);

	return beside > alone ? beside : alone;
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

/* Contents are written anew, or a further slice of them */
static void observe_write(struct onsram_eager *e, const struct onsram_retired *r, uint32_t k,
			  struct buffer *b)
{
	int64_t low, high;

	span(&r->op.operand[0], &low, &high);
	if (!reads(r, r->op.operand[0].bo) && (!b->high || (low < b->high && b->low < high))) {
		close_unused(e, b);
		close_contents(e, b, true);
	}
	if (!b->high) {
		b->low = low;
		b->high = high;
	}
	b->low = low < b->low ? low : b->low;
	b->high = high > b->high ? high : b->high;
	b->writer = k;
	b->writer_generation = e->key[k].generation;
}

static void observe_slot(struct onsram_eager *e, const struct onsram_retired *r, uint32_t k,
			 const struct onsram_perf_op *op, uint32_t s)
{
	struct slot *slot = &e->key[k].slot[s];
	bool resident = r->resident & 1u << s;
	struct buffer *b = &e->buffer[get_buffer(e, r->op.operand[s].bo, r->client_id)];
	uint64_t saved = saving(e, op, r->resident, s);
	bool first = !slot->bytes;

	b->client = r->client_id;
	if (s)
		close_reused(e, b, saved, resident);
	else
		observe_write(e, r, k, b);
	average(&slot->own_ps, saved, first);
	slot->bytes = onsram_view_bytes(&op->view[s]);
	slot->made |= b->writer != NONE;
	share(&slot->found, resident, first);
	open_use(e, b, k, s);
}

void onsram_eager_observe(struct onsram_eager *e, const struct onsram_retired *r)
{
	struct onsram_perf_op op = { .opcode = r->op.opcode, .attr = r->op.attr };
	uint32_t k = get_key(e, r->key);

	e->now++;
	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		op.view[s] = r->op.operand[s].view;
	if (e->key[k].told && (e->key[k].actions & ONSRAM_RULE_HOLD(0)))
		share(&e->failing, !(r->resident & 1), false);
	/* What is read was there before what is written */
	for (uint32_t s = 1; s < ONSRAM_MAX_OPERANDS; s++) {
		bool again = false;

		for (uint32_t t = 1; t < s; t++)
			again |= slot_used(r, t) && r->op.operand[t].bo == r->op.operand[s].bo;
		if (slot_used(r, s) && !again)
			observe_slot(e, r, k, &op, s);
	}
	if (slot_used(r, 0)) {
		observe_slot(e, r, k, &op, 0);
		e->written += onsram_view_bytes(&op.view[0]) & UINT32_MAX;
	}
	queue_rule(e, k);
}

void onsram_eager_died(struct onsram_eager *e, uint32_t bo)
{
	uint32_t b = table_find(&e->buffers, bo);

	if (b == NONE)
		return;
	close_unused(e, &e->buffer[b]);
	close_contents(e, &e->buffer[b], true);
	table_remove(&e->buffers, b);
}

void onsram_eager_gap(struct onsram_eager *e)
{
	for (uint32_t b = 0; b < BUFFERS_MAX; b++) {
		e->buffer[b].nr_open = 0;
		e->buffer[b].writer = NONE;
		e->buffer[b].high = 0;
	}
}

void onsram_eager_client_gone(struct onsram_eager *e, uint32_t client_id)
{
	for (uint32_t b = 0; b < BUFFERS_MAX; b++) {
		if (!e->buffers.node[b].used || e->buffer[b].client != client_id)
			continue;
		onsram_eager_died(e, (uint32_t)e->buffers.node[b].key);
	}
}

/* --- rules ------------------------------------------------------------------ */

static int64_t part_of(uint64_t ps, uint32_t part)
{
	return (int64_t)((unsigned __int128)ps * part / ONE);
}

/* Picoseconds that holding slot @s behind the operation is expected to save */
static int64_t hold_gain(const struct onsram_eager *e, const struct slot *slot, uint32_t s)
{
	int64_t gain = part_of(slot->saved_ps, slot->reused) + (int64_t)slot->own_ps;
	struct onsram_cost copy;

	onsram_copy_cost(&e->m, slot->bytes, s == 0, &copy);
	if (s)	/* brought in by a copy where it is not there already */
		return gain - part_of(copy.time_ps, ONE - slot->found);
	/* written back later, unless it dies or is overwritten first */
	return gain - part_of(copy.time_ps, ONE - slot->free);
}

/*
 * Whether a held buffer is likely to be still there when it is used again.  An
 * output has its priority to defend it; what was fetched gives way to everybody.
 */
static bool lasts(const struct onsram_eager *e, const struct slot *slot, uint32_t s)
{
	return !s || slot->made || slot->turnover + slot->bytes < e->m.spm_size / 2;
}

static void decide(const struct onsram_eager *e, const struct key *k, uint32_t *actions,
		   uint32_t *priority)
{
	*actions = 0;
	*priority = 0;
	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		const struct slot *slot = &k->slot[s];
		uint64_t room = slot->bytes / ONSRAM_SPM_GRANULE + 1, worth;
		int64_t gain;

		if (!slot->outcomes || !slot->bytes)
			continue;
		gain = hold_gain(e, slot, s);
		if (slot->reused >= ONE / 2 && gain > 0 && !slot->pause && lasts(e, slot, s)) {
			/* Per granule and operation that it waits */
			worth = (uint64_t)gain / room / (slot->distance + 1) + 1;
			worth = worth < UINT32_MAX ? worth : UINT32_MAX;
			*actions |= ONSRAM_RULE_HOLD(s);
			*priority = worth > *priority ? (uint32_t)worth : *priority;
		} else if (s && !slot->made && e->failing > SHORT) {
			/* Clean and not worth its place, which others lack */
			*actions |= ONSRAM_RULE_DROP(s);
		}
	}
}

/* A priority that hardly differs is not worth a message */
static bool differs(uint32_t a, uint32_t b)
{
	uint32_t low = a < b ? a : b, high = a < b ? b : a;

	return high - low > low / 4;
}

static bool has_outcomes(const struct key *k)
{
	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (k->slot[s].outcomes)
			return true;
	return false;
}

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
		uint32_t i = e->queue[--e->queued], actions, priority;
		struct key *k = &e->key[i];

		k->queued = false;
		if (!e->keys.node[i].used || !has_outcomes(k))
			continue;
		decide(e, k, &actions, &priority);
		if (k->told && actions == k->actions && !differs(priority, k->priority))
			continue;
		k->told = true;
		k->actions = actions;
		k->priority = priority;
		*rule = (struct onsram_rule){ .key = e->keys.node[i].key, .actions = actions,
					      .priority = priority };
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

struct onsram_eager *onsram_eager_new(const struct onsram_model *m)
{
	struct onsram_eager *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->m = *m;
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
