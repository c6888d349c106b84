// SPDX-License-Identifier: MIT
/* The driver's trace events as a record of a pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <hw/misc/onsram_hw.h>

#include "replay.h"

enum { X, W, A, Y, NR_TENSORS };

static struct onsram_program_op ops[2];
static const struct onsram_program program = { .ops = ops, .nr_ops = 2, .nr_tensors = NR_TENSORS };

static int set_up(void **state)
{
	static const uint32_t operands[2][3] = { { A, X, W }, { Y, A, W } };

	(void)state;
	for (int i = 0; i < 2; i++) {
		ops[i].name = i ? "second" : "first";
		for (int s = 0; s < 3; s++) {
			ops[i].op.operand[s].bo = operands[i][s];
			ops[i].op.operand[s].view.dtype = ONSRAM_DTYPE_F32;
		}
	}
	return 0;
}

#define EVENT(w, k, o, s, e, ...) \
	{ .ours = (w), .kind = (k), .order = (o), .start_ps = (s), .end_ps = (e), __VA_ARGS__ }
#define OURS(...)	EVENT(true, __VA_ARGS__)
#define THEIRS(...)	EVENT(false, __VA_ARGS__)
/* SPM offset, bytes */
#define AT(p, n)	.place = { (p) }, .bytes = { (n) }

static void release(struct onsram_record *r)
{
	free(r->tasks);
	free(r->stays);
	*r = (struct onsram_record){ 0 };
}

static const struct onsram_record_stay *stay_of(const struct onsram_record *r, uint32_t tensor)
{
	for (uint32_t k = 0; k < r->nr_stays; k++)
		if (r->stays[k].tensor == tensor)
			return &r->stays[k];
	return NULL;
}

static void test_pass(void **state)
{
	/* As the trace has them: by end, not by order */
	struct replay_event first[] = {
		OURS(REPLAY_ASSIGN, 1, 1000, 1010, AT(4096, 8192), .flags = ONSRAM_ASSIGN_SCRUB),
		OURS(REPLAY_FETCH, 2, 1010, 1050, AT(4096, 8192)),
		OURS(REPLAY_WAIT, 3, 1050, 1050),
		OURS(REPLAY_OPERATION, 5, 1060, 1100, .place = { 0, 0, 4096 }, .begin = { 0, 0, 512 }, .bytes = { 1024, 0, 8192 }),
		OURS(REPLAY_ASSIGN, 4, 1050, 1060, AT(0, 1024)),
		OURS(REPLAY_OPERATION, 6, 1100, 1200, .place = { 0, 100, 4196 }, .begin = { 0, 100, 612 }, .bytes = { 0, 10, 10 }),
		OURS(REPLAY_ASSIGN, 7, 1200, 1210, AT(0, 1024), .flags = ONSRAM_ASSIGN_RELEASE),
	};
	struct replay_event between[] = { THEIRS(REPLAY_ASSIGN, 8, 1300, 1310, AT(65536, 1024)) };
	struct replay_event second[] = {
		OURS(REPLAY_OPERATION, 9, 2000, 2100, .place = { 0, 0, 4096 }, .begin = { 0, 0, 512 }, .bytes = { 0, 0, 8192 }),
		/* written back and evicted for somebody else, on another engine */
		THEIRS(REPLAY_OPERATION, 10, 2000, 2001, AT(65536, 8)),
		OURS(REPLAY_WRITEBACK, 11, 2100, 2150, AT(4096, 8192)),
		OURS(REPLAY_ASSIGN, 12, 2150, 2151, AT(4096, 8192), .flags = ONSRAM_ASSIGN_RELEASE),
		OURS(REPLAY_OPERATION, 13, 2151, 2200),
	};
	struct replay replay = { .program = &program };
	struct onsram_record r = { 0 };
	const struct onsram_record_stay *s;

	(void)state;
	assert_int_equal(replay_pass(&replay, first, 7, &r), 0);
	assert_int_equal(r.nr_tasks, 4);
	assert_int_equal(r.tasks[0].what, ONSRAM_RECORD_SCRUB);
	assert_int_equal(r.tasks[1].what, ONSRAM_RECORD_FETCH);
	assert_int_equal(r.tasks[1].tensor, W);
	assert_string_equal(r.tasks[2].name, "first");
	assert_int_equal(r.tasks[2].start_ps, 60);
	assert_int_equal(r.tasks[3].end_ps, 200);
	assert_int_equal(r.time_ps, 200);
	assert_int_equal(r.nr_stays, 2);
	s = stay_of(&r, A);
	assert_true(s && s->offset == 0 && s->bytes == 1024 && s->reserve_op == 0 && s->first_op == 0 &&
		    s->last_op == 1 && s->release_op == 2 && s->from_ps == 50 && s->to_ps == 210);
	s = stay_of(&r, W);
	assert_true(s && s->offset == 4096 && s->begin == 512 && s->first_op == 0 && s->last_op == 1 && s->release_op == 2 &&
		    s->from_ps == 0 && s->to_ps == 200);
	release(&r);

	assert_int_equal(replay_events(&replay, between, 1), 0);
	assert_int_equal(replay_pass(&replay, second, 5, &r), 0);
	assert_int_equal(r.nr_stays, 2);
	s = stay_of(&r, W);
	assert_true(s && s->from_ps == 0 && s->first_op == 0 && s->last_op == 0 && s->release_op == 1 && s->to_ps == 151);
	s = stay_of(&r, ONSRAM_RECORD_NONE);
	assert_true(s && s->offset == 65536 && s->reserve_op == 0 && s->release_op == 2);
	assert_int_equal(r.tasks[1].what, ONSRAM_RECORD_WRITEBACK);
	assert_int_equal(r.tasks[1].tensor, W);
	release(&r);
	replay_release(&replay);
}

/* A tensor's parts, one behind the other, serve an operation together */
static void test_parts(void **state)
{
	struct replay_event events[] = {
		OURS(REPLAY_ASSIGN, 1, 0, 0, AT(0, 1024)),
		OURS(REPLAY_ASSIGN, 2, 0, 0, AT(1024, 2048)),
		OURS(REPLAY_OPERATION, 3, 0, 10, .place = { 512 }, .begin = { 4608 }, .bytes = { 2560 }),
		OURS(REPLAY_OPERATION, 4, 10, 20, .place = { 0, 1024 }, .begin = { 0, 5120 }, .bytes = { 0, 2048 }),
	};
	struct replay replay = { .program = &program };
	struct onsram_record r = { 0 };

	(void)state;
	assert_int_equal(replay_pass(&replay, events, 4, &r), 0);
	assert_int_equal(r.nr_stays, 2);
	for (int k = 0; k < 2; k++) {
		assert_int_equal(r.stays[k].tensor, A);
		assert_int_equal(r.stays[k].begin, r.stays[k].offset + 4096);
		assert_int_equal(r.stays[k].last_op, r.stays[k].offset ? 1 : 0);
	}
	release(&r);
	replay_release(&replay);
}

static void test_missing(void **state)
{
	struct replay_event events[] = { OURS(REPLAY_OPERATION, 9, 2000, 2100) };
	struct replay replay = { .program = &program };
	struct onsram_record r = { 0 };

	(void)state;
	assert_int_equal(replay_pass(&replay, events, 1, &r), -2);
	release(&r);
	assert_int_equal(replay_pass(&replay, NULL, 0, &r), -2);
	release(&r);
	replay_release(&replay);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_pass), cmocka_unit_test(test_parts),
		cmocka_unit_test(test_missing) };

	return cmocka_run_group_tests(tests, set_up, NULL);
}
