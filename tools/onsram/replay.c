// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include <hw/misc/onsram_hw.h>

#include "replay.h"

static int by_order(const void *a, const void *b)
{
	const struct replay_event *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static uint64_t since(const struct replay *r, uint64_t ps)
{
	return ps > r->start_ps ? ps - r->start_ps : 0;
}

static bool overlap(const struct onsram_record_stay *s, uint64_t offset, uint64_t bytes)
{
	return s->offset < offset + bytes && offset < s->offset + s->bytes;
}

static int add_range(struct replay *r, const struct replay_event *e)
{
	struct replay_range *more = realloc(r->ranges, ((size_t)r->nr_ranges + 1) * sizeof(*more));

	if (!more)
		return -1;
	r->ranges = more;
	r->ranges[r->nr_ranges++] = (struct replay_range){
		.stay = {
			.tensor = ONSRAM_RECORD_NONE, .offset = e->place[0], .bytes = e->bytes[0],
			.reserve_op = r->op, .from_ps = since(r, e->start_ps),
		},
	};
	return 0;
}

/* A stay is over, at least for this pass */
static void end_stay(struct replay *r, const struct replay_range *range, uint64_t ps)
{
	struct onsram_record_stay s = range->stay;

	if (!r->record || r->op == s.reserve_op)
		return;
	s.release_op = r->op;
	s.to_ps = ps > s.from_ps ? ps : s.from_ps;
	if (!range->used) {
		s.first_op = s.reserve_op;
		s.last_op = s.release_op - 1;
	}
	r->record->stays[r->record->nr_stays++] = s;
}

static void release_ranges(struct replay *r, const struct replay_event *e)
{
	uint32_t kept = 0;

	for (uint32_t k = 0; k < r->nr_ranges; k++) {
		const struct replay_range *range = &r->ranges[k];

		if (overlap(&range->stay, e->place[0], e->bytes[0]))
			end_stay(r, range, since(r, e->end_ps));
		else
			r->ranges[kept++] = *range;
	}
	r->nr_ranges = kept;
}

/* An operand's bytes may lie in several places, one behind the other */
static void use(struct replay *r, const struct replay_event *e, uint32_t slot, uint32_t tensor)
{
	for (uint32_t k = 0; k < r->nr_ranges; k++) {
		struct onsram_record_stay *s = &r->ranges[k].stay;

		if (!e->bytes[slot] || !overlap(s, e->place[slot], e->bytes[slot]))
			continue;
		s->tensor = tensor;
		/* The place may begin before what the operand has of it */
		s->begin = e->begin[slot] + s->offset > e->place[slot] ? e->begin[slot] + s->offset - e->place[slot] : 0;
		if (!r->ranges[k].used)
			s->first_op = r->op;
		r->ranges[k].used = true;
		s->last_op = r->op;
	}
}

static void add_task(struct replay *r, const struct replay_event *e, enum onsram_record_what what, const char *name,
		     uint64_t moved)
{
	if (!r->record)
		return;
	r->moved[r->record->nr_tasks] = moved;
	r->record->tasks[r->record->nr_tasks++] = (struct onsram_record_task){
		.what = what, .engine = e->engine, .name = name, .tensor = ONSRAM_RECORD_NONE,
		.start_ps = since(r, e->start_ps), .end_ps = since(r, e->end_ps), .compute_ps = e->compute_ps,
		.dram_read_bytes = e->dram_read_bytes, .dram_write_bytes = e->dram_write_bytes,
		.spm_bytes = e->spm_bytes,
	};
}

static void operation(struct replay *r, const struct replay_event *e)
{
	const struct onsram_program_op *op;

	/* Others' operations, and those that fill weights, are none of the pass */
	if (!e->ours || !r->record || r->op >= r->program->nr_ops)
		return;
	op = &r->program->ops[r->op];
	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->op.operand[s].view.dtype != ONSRAM_DTYPE_NONE)
			use(r, e, s, op->op.operand[s].bo);
	add_task(r, e, ONSRAM_RECORD_OPERATION, op->name, 0);
	r->op++;
}

static int take(struct replay *r, const struct replay_event *e)
{
	if (e->end_ps > r->last_ps)
		r->last_ps = e->end_ps;
	switch (e->kind) {
	case REPLAY_OPERATION:
		operation(r, e);
		break;
	case REPLAY_ASSIGN:
		if (e->flags & ONSRAM_ASSIGN_SCRUB)
			add_task(r, e, ONSRAM_RECORD_SCRUB, NULL, UINT64_MAX);
		/* Who had it before has lost it, too */
		release_ranges(r, e);
		return e->flags & ONSRAM_ASSIGN_RELEASE ? 0 : add_range(r, e);
	case REPLAY_WRITEBACK:
		add_task(r, e, ONSRAM_RECORD_WRITEBACK, NULL, e->place[0]);
		break;
	case REPLAY_FETCH:
		add_task(r, e, ONSRAM_RECORD_FETCH, NULL, e->place[0]);
		break;
	}
	return 0;
}

int replay_events(struct replay *r, struct replay_event *events, uint32_t n)
{
	if (n)
		qsort(events, n, sizeof(*events), by_order);
	for (uint32_t i = 0; i < n; i++)
		if (take(r, &events[i]))
			return -1;
	return 0;
}

/* Whose bytes a transfer moved is known by the stay that it was in */
static void name_transfers(struct replay *r)
{
	struct onsram_record *record = r->record;

	for (uint32_t k = 0; k < record->nr_tasks; k++) {
		struct onsram_record_task *t = &record->tasks[k];

		if (t->what == ONSRAM_RECORD_OPERATION)
			continue;
		for (uint32_t i = 0; i < record->nr_stays; i++) {
			const struct onsram_record_stay *s = &record->stays[i];

			if (r->moved[k] >= s->offset && r->moved[k] - s->offset < s->bytes &&
			    t->end_ps > s->from_ps && t->start_ps < s->to_ps)
				t->tensor = s->tensor;
		}
	}
}

static uint64_t first_start(const struct replay *r, const struct replay_event *events, uint32_t n)
{
	uint64_t first = UINT64_MAX;

	for (uint32_t i = 0; i < n; i++)
		if (events[i].ours && events[i].start_ps < first)
			first = events[i].start_ps;
	return n && first != UINT64_MAX ? first : r->last_ps;
}

int replay_pass(struct replay *r, struct replay_event *events, uint32_t n, struct onsram_record *record)
{
	uint64_t end = 0;
	int ret;

	record->tasks = calloc((size_t)n + 1, sizeof(*record->tasks));
	/* Each event begins a stay at most, beside those that are there */
	record->stays = calloc((size_t)n + r->nr_ranges + 1, sizeof(*record->stays));
	r->moved = calloc((size_t)n + 1, sizeof(*r->moved));
	if (!record->tasks || !record->stays || !r->moved)
		return -1;
	r->record = record;
	r->op = 0;
	r->start_ps = first_start(r, events, n);
	for (uint32_t k = 0; k < r->nr_ranges; k++) {
		struct replay_range *range = &r->ranges[k];

		range->stay.reserve_op = 0;
		range->stay.from_ps = 0;
		range->used = false;
	}
	ret = replay_events(r, events, n);
	for (uint32_t k = 0; k < record->nr_tasks; k++)
		end = record->tasks[k].end_ps > end ? record->tasks[k].end_ps : end;
	record->time_ps = end;
	for (uint32_t k = 0; k < r->nr_ranges; k++)
		end_stay(r, &r->ranges[k], end);
	if (!ret)
		name_transfers(r);
	if (!ret && r->op != r->program->nr_ops)
		ret = -2;
	free(r->moved);
	r->moved = NULL;
	r->record = NULL;
	return ret;
}

void replay_release(struct replay *r)
{
	free(r->ranges);
}
