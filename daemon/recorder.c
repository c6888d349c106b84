// SPDX-License-Identifier: MIT
/*
 * A client's passes: the operations it retired last, and whether they repeat.
 *
 * A pass is what lies between two marks, or what has just run for the second time: the
 * same operations on the same weights.
 */
#include <stdlib.h>
#include <string.h>

#include "sequence.h"
#include "table.h"

#define RECORD		(2 * ONSRAM_SEQUENCE_MAX)	/* a power of two */
#define BUFFERS		8192
/* A buffer that outlives its last use by so many operations is freed late */
#define LATE		4
/* So many operations with the same signature are looked at for one on the same weights */
#define LOOK_BACK	256

/**
 * struct entry - an operation
 * @op: operation, operand.bo the buffer's id
 * @bytes: size of each operand's buffer
 * @signature: of the operation
 * @back: how many operations ago the one before with this signature came, 0: never
 * @outside: of each operand's buffer: no operation has written it
 * @fresh: of each operand's buffer: it was not used before
 * @dies: of each operand's buffer: nobody reads it behind this operation
 * @late: but that was told only when others had run
 * @time_ps: modelled time of the operation
 */
struct entry {
	struct drm_onsram_op op;
	uint64_t bytes[ONSRAM_MAX_OPERANDS];
	uint64_t signature;
	uint64_t back;
	bool outside[ONSRAM_MAX_OPERANDS];
	bool fresh[ONSRAM_MAX_OPERANDS];
	bool dies[ONSRAM_MAX_OPERANDS];
	bool late;
	uint64_t time_ps;
};

/**
 * struct use - where a buffer was used last
 * @at: number of the operation
 * @written: an operation has written it
 */
struct use {
	uint64_t at;
	bool written;
};

/**
 * struct onsram_recorder - a client's record
 * @entry: the last RECORD operations, by number
 * @now: number of the next one
 * @begin: number of the first one that counts
 * @mark: where the client last said that a pass ended
 * @seen: signature -> slot in @last
 * @last: number of the last operation with it
 * @buffers: buffer -> slot in @use
 * @use: see struct use
 * @period: how many operations ago the newest one was seen before, 0: never
 * @run: so many in a row were the same as those before them by @period
 * @found: first operation of the pass to be taken
 * @found_ops: its length, 0: there is none
 */
struct onsram_recorder {
	struct entry entry[RECORD];
	uint64_t now;
	uint64_t begin;
	uint64_t mark;
	struct table seen;
	uint64_t last[RECORD];
	struct table buffers;
	struct use use[BUFFERS];
	uint64_t period;
	uint64_t run;
	uint64_t found;
	uint32_t found_ops;
};

struct onsram_recorder *onsram_recorder_new(void)
{
	struct onsram_recorder *rec = calloc(1, sizeof(*rec));

	if (!rec)
		return NULL;
	if (table_init(&rec->seen, RECORD) || table_init(&rec->buffers, BUFFERS)) {
		onsram_recorder_free(rec);
		return NULL;
	}
	return rec;
}

void onsram_recorder_free(struct onsram_recorder *rec)
{
	if (!rec)
		return;
	table_fini(&rec->seen);
	table_fini(&rec->buffers);
	free(rec);
}

static struct entry *entry_of(struct onsram_recorder *rec, uint64_t at)
{
	return &rec->entry[at % RECORD];
}

static bool used(const struct entry *e, uint32_t s)
{
	return e->op.operand[s].view.dtype != ONSRAM_DTYPE_NONE;
}

static uint32_t get(struct table *t, uint64_t key, bool *known)
{
	uint32_t i = table_find(t, key);

	*known = i != NONE;
	if (i != NONE) {
		table_touch(t, i);
		return i;
	}
	if (t->unused == NONE)
		table_remove(t, t->oldest);
	return table_add(t, key);
}

static uint64_t mix(uint64_t h, uint64_t value)
{
	h = (h ^ value) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

/* Notes the uses, and which buffers come from outside: no operation has written them */
static void note_uses(struct onsram_recorder *rec, struct entry *e)
{
	for (uint32_t s = ONSRAM_MAX_OPERANDS; s-- > 0;) {
		struct use *u;
		bool known;

		if (!used(e, s))
			continue;
		u = &rec->use[get(&rec->buffers, e->op.operand[s].bo, &known)];
		if (!known)
			u->written = false;
		u->at = rec->now;
		u->written |= !s;
		e->outside[s] = !u->written;
		e->fresh[s] = !known;
	}
}

/*
 * Whether two operations are the same one of two passes: alike, and on the same weights.
 * A buffer that nobody has seen before may be an input, where there are weights besides
 * that tell, or where the operation reads nothing that others made.
 */
static bool same(const struct entry *newer, const struct entry *older)
{
	bool equal = false, input = false, made = false;

	if (newer->signature != older->signature)
		return false;
	for (uint32_t s = 1; s < ONSRAM_MAX_OPERANDS; s++) {
		if (!used(newer, s))
			continue;
		if (newer->outside[s] != older->outside[s])
			return false;
		made |= !newer->outside[s];
		if (!newer->outside[s])
			continue;
		if (newer->op.operand[s].bo == older->op.operand[s].bo)
			equal = true;
		else if (newer->fresh[s])
			input = true;
		else
			return false;
	}
	return !input || equal || !made;
}

/**
 * struct span - a buffer's contents, while the record is read through
 * @from: number of the operation that wrote them last
 * @until: of the one that read them last
 * @known: an operation of the record wrote them
 */
struct span {
	uint64_t from;
	uint64_t until;
	bool known;
};

/* Counts in @live (differences) what operation @at reads: @live[i] is what lives before @start + i */
static void count_reads(struct onsram_recorder *rec, uint64_t at, uint64_t start, struct table *t,
			struct span *span, int32_t *live)
{
	const struct entry *e = entry_of(rec, at);

	for (uint32_t s = ONSRAM_MAX_OPERANDS; s-- > 0;) {
		struct span *b;
		uint64_t from;
		bool known;
		uint32_t i;

		if (!used(e, s))
			continue;
		i = get(t, e->op.operand[s].bo, &known);
		b = &span[i];
		if (!known)
			*b = (struct span){ 0 };
		if (!s) {
			*b = (struct span){ .from = at, .until = at, .known = true };
			continue;
		}
		from = b->until > start ? b->until : start;
		if (b->known && at >= start && at > from) {
			live[from - start + 1]++;
			live[at - start + 1]--;
		}
		b->until = at;
	}
}

/* Two passes have ended: the one to be taken ends where fewest written buffers are live */
static void cut(struct onsram_recorder *rec, struct span *span, int32_t *live, struct table *t)
{
	uint64_t start = rec->now - rec->period, best = rec->now;
	int32_t count = 0, least = INT32_MAX;

	for (uint64_t at = rec->now - 2 * rec->period; at < rec->now; at++)
		count_reads(rec, at, start, t, span, live);
	for (uint64_t i = 1; i <= rec->period; i++) {
		count += live[i];
		if (count <= least) {
			least = count;
			best = start + i;
		}
	}
	rec->found = best - rec->period;
	rec->found_ops = (uint32_t)rec->period;
}

/* Whether a pass was found; without memory there is none */
static bool find_pass(struct onsram_recorder *rec)
{
	int32_t *live = calloc(rec->period + 2, sizeof(*live));
	struct span *span = malloc(BUFFERS * sizeof(*span));
	struct table t = { 0 };
	bool found = live && span && !table_init(&t, BUFFERS);

	if (found)
		cut(rec, span, live, &t);
	table_fini(&t);
	free(span);
	free(live);
	return found;
}

/* How many operations ago the newest one was seen before, 0: never */
static uint64_t find_period(struct onsram_recorder *rec)
{
	uint64_t newest = rec->now - 1, at = newest;

	for (int i = 0; i < LOOK_BACK; i++) {
		uint64_t back = entry_of(rec, at)->back;

		if (!back || back > at || at - back < rec->begin)
			return 0;
		at -= back;
		if (same(entry_of(rec, newest), entry_of(rec, at)))
			return newest - at;
	}
	return 0;
}

bool onsram_recorder_op(struct onsram_recorder *rec, const struct onsram_retired *r)
{
	struct entry *e = entry_of(rec, rec->now);
	uint64_t newest = rec->now;
	uint32_t i;
	bool known;

	*e = (struct entry){
		.op = r->op, .signature = r->signature, .time_ps = r->time_ps,
	};
	memcpy(e->bytes, r->bytes, sizeof(e->bytes));
	note_uses(rec, e);
	i = get(&rec->seen, e->signature, &known);
	e->back = known ? newest - rec->last[i] : 0;
	rec->last[i] = newest;
	rec->now++;
	if (rec->now - rec->begin > RECORD)
		rec->begin = rec->now - RECORD;

	if (rec->period && newest - rec->period >= rec->begin &&
	    same(e, entry_of(rec, newest - rec->period))) {
		rec->run++;
	} else {
		rec->period = find_period(rec);
		rec->run = rec->period > 0;
	}
	if (!rec->period || rec->period > ONSRAM_SEQUENCE_MAX || rec->run % rec->period)
		return false;
	return find_pass(rec);
}

void onsram_recorder_died(struct onsram_recorder *rec, uint32_t bo)
{
	uint32_t b = table_find(&rec->buffers, bo);
	struct entry *e;

	if (b == NONE)
		return;
	if (rec->use[b].at >= rec->begin) {
		e = entry_of(rec, rec->use[b].at);
		for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++)
			e->dies[s] |= used(e, s) && e->op.operand[s].bo == bo;
		e->late |= rec->use[b].at + LATE < rec->now;
	}
	table_remove(&rec->buffers, b);
}

void onsram_recorder_gap(struct onsram_recorder *rec)
{
	rec->begin = rec->now;
	rec->mark = rec->now;
	rec->found_ops = 0;
	rec->run = 0;
	rec->period = 0;
	while (rec->buffers.oldest != NONE)
		table_remove(&rec->buffers, rec->buffers.oldest);
}

bool onsram_recorder_mark(struct onsram_recorder *rec)
{
	uint64_t from = rec->mark;

	rec->mark = rec->now;
	if (from < rec->begin || from == rec->now || rec->now - from > ONSRAM_SEQUENCE_MAX)
		return false;
	rec->found = from;
	rec->found_ops = (uint32_t)(rec->now - from);
	return true;
}

/* --- a pass as a graph ------------------------------------------------------------ */

/* struct life - the tensor that a buffer is at present */
struct life {
	uint32_t tensor;
	bool over;
};

static uint32_t tensor_of(struct onsram_sequence *s, struct table *t, struct life *life,
			  const struct entry *e, uint32_t slot, bool begins)
{
	bool known;
	uint32_t i = get(t, e->op.operand[slot].bo, &known);

	if (!known || (life[i].over && begins)) {
		life[i] = (struct life){ .tensor = s->nr_tensors++ };
		s->tensors[life[i].tensor] = (struct onsram_plan_tensor){
			.bytes = e->bytes[slot], .flags = DRM_ONSRAM_TENSOR_CONST,
		};
	}
	life[i].over = e->dies[slot];
	return life[i].tensor;
}

static bool reads(const struct entry *e, uint32_t bo)
{
	for (uint32_t s = 1; s < ONSRAM_MAX_OPERANDS; s++)
		if (used(e, s) && e->op.operand[s].bo == bo)
			return true;
	return false;
}

static void add_op(struct onsram_sequence *s, struct table *t, struct life *life,
		   const struct entry *e)
{
	struct drm_onsram_op *op = &s->ops[s->nr_ops];

	*op = e->op;
	s->signature[s->nr_ops++] = e->signature;
	s->hash = mix(s->hash, e->signature);
	s->late |= e->late;
	s->ops_ps += e->time_ps;
	for (uint32_t k = 0; k < ONSRAM_MAX_OPERANDS; k++) {
		bool begins = !k && !reads(e, e->op.operand[0].bo);

		if (!used(e, k))
			continue;
		op->operand[k].bo = tensor_of(s, t, life, e, k, begins);
		if (!k)
			s->tensors[op->operand[k].bo].flags &= ~DRM_ONSRAM_TENSOR_CONST;
		if (e->dies[k])
			s->tensors[op->operand[k].bo].flags |= DRM_ONSRAM_TENSOR_TRANSIENT;
	}
}

/* A tensor that is read before it is written comes from outside; one that is never written stays */
static void settle_flags(struct onsram_sequence *s)
{
	bool *written = calloc(s->nr_tensors, sizeof(*written));

	for (uint32_t i = 0; written && i < s->nr_ops; i++) {
		for (uint32_t k = ONSRAM_MAX_OPERANDS; k-- > 0;) {
			const struct drm_onsram_operand *o = &s->ops[i].operand[k];

			if (o->view.dtype == ONSRAM_DTYPE_NONE)
				continue;
			if (!k)
				written[o->bo] = true;
			else if (!written[o->bo])
				s->tensors[o->bo].flags &= ~DRM_ONSRAM_TENSOR_TRANSIENT;
		}
	}
	free(written);
}

struct onsram_sequence *onsram_recorder_take(struct onsram_recorder *rec)
{
	struct onsram_sequence *s = calloc(1, sizeof(*s));
	struct life *life = calloc(BUFFERS, sizeof(*life));
	uint32_t n = rec->found_ops;
	struct table t = { 0 };

	rec->found_ops = 0;
	if (s) {
		s->ops = calloc(n, sizeof(*s->ops));
		s->signature = calloc(n, sizeof(*s->signature));
		s->tensors = calloc((size_t)n * ONSRAM_MAX_OPERANDS, sizeof(*s->tensors));
	}
	if (!n || !life || table_init(&t, BUFFERS) || !s || !s->ops || !s->signature || !s->tensors) {
		onsram_sequence_free(s);
		s = NULL;
	}
	for (uint32_t i = 0; s && i < n; i++)
		add_op(s, &t, life, entry_of(rec, rec->found + i));
	if (s)
		settle_flags(s);
	table_fini(&t);
	free(life);
	return s;
}
