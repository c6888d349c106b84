// SPDX-License-Identifier: MIT
/* Passes are found in what a client retired, and known until others need the room. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "perf-ops.h"
#include "repertoire.h"

#define BYTES 65536

static struct onsram_recorder *rec;

/* out = a + b; signature and buffers as given. Return: whether a pass was found */
static bool run(uint64_t signature, uint32_t out, uint32_t a, uint32_t b)
{
	struct onsram_retired r = { .client_id = 1, .key = signature, .signature = signature };
	const uint32_t bo[] = { out, a, b };

	r.op.opcode = ONSRAM_OP_ELEMENTWISE;
	r.op.attr.func = ONSRAM_EW_ADD;
	for (int s = 0; s < 3; s++) {
		r.op.operand[s].bo = bo[s];
		r.op.operand[s].view = dense(ONSRAM_DTYPE_F16, 1, BYTES / 2);
		r.bytes[s] = BYTES;
	}
	return onsram_recorder_op(rec, &r);
}

/* act = in + weight; out = act + weight 2; act dies. Return: whether a pass was found */
static bool pass(uint32_t base)
{
	bool found = run(1, base + 2, 1, 100);

	found |= run(2, base + 3, base + 2, 101);
	onsram_recorder_died(rec, base + 2);
	return found;
}

static struct onsram_sequence *take(void)
{
	struct onsram_sequence *s = onsram_recorder_take(rec);

	assert_non_null(s);
	return s;
}

static int set_up(void **state)
{
	(void)state;
	rec = onsram_recorder_new();
	return rec ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	onsram_recorder_free(rec);
	return 0;
}

static void check_pass(const struct onsram_sequence *s)
{
	assert_int_equal(s->nr_ops, 2);
	assert_int_equal(s->nr_tensors, 5);
	assert_int_equal(s->signature[0], 1);
	assert_int_equal(s->signature[1], 2);
	/* the output of the first is what the second reads */
	assert_int_equal(s->ops[0].operand[0].bo, s->ops[1].operand[1].bo);
	assert_int_equal(s->tensors[s->ops[0].operand[0].bo].flags, DRM_ONSRAM_TENSOR_TRANSIENT);
	assert_int_equal(s->tensors[s->ops[1].operand[0].bo].flags, 0);
	assert_int_equal(s->tensors[s->ops[0].operand[1].bo].flags, DRM_ONSRAM_TENSOR_CONST);
	assert_int_equal(s->tensors[s->ops[0].operand[2].bo].flags, DRM_ONSRAM_TENSOR_CONST);
	assert_int_equal(s->tensors[0].bytes, BYTES);
}

/* Found when it has run twice, also where activations have new buffers each time */
static void test_repetition(void **state)
{
	struct onsram_sequence *first, *second;

	(void)state;
	assert_false(pass(10));
	assert_true(pass(20));
	first = take();
	check_pass(first);
	assert_null(onsram_recorder_take(rec));
	assert_true(pass(30));
	second = take();
	assert_true(first->hash == second->hash);
	onsram_sequence_free(first);
	onsram_sequence_free(second);
}

/* Nor does it matter that the input is another buffer each time */
static void test_new_input(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		bool found = run(1, 12, 5000 + i, 100);

		found |= run(2, 13, 12, 101);
		assert_int_equal(found, i > 0);
		if (found)
			onsram_sequence_free(take());
	}
}

/* The same operations on other weights are another layer, no repetition */
static void test_other_weights(void **state)
{
	(void)state;
	for (uint32_t layer = 0; layer < 50; layer++) {
		assert_false(run(1, 1000 + layer, 999 + layer, 100 + layer));
		onsram_recorder_died(rec, 999 + layer);
	}
}

static void test_mark(void **state)
{
	struct onsram_sequence *s;

	(void)state;
	assert_false(onsram_recorder_mark(rec));
	pass(10);
	assert_true(onsram_recorder_mark(rec));
	s = take();
	check_pass(s);
	onsram_sequence_free(s);
	assert_false(onsram_recorder_mark(rec));
	assert_null(onsram_recorder_take(rec));
}

/* A buffer that died and is written again is another tensor */
static void test_lives(void **state)
{
	struct onsram_sequence *s;

	(void)state;
	run(1, 10, 1, 100);
	run(2, 11, 10, 101);
	onsram_recorder_died(rec, 10);
	run(3, 10, 11, 102);
	run(4, 12, 10, 103);
	assert_true(onsram_recorder_mark(rec));
	s = take();
	assert_int_not_equal(s->ops[0].operand[0].bo, s->ops[2].operand[0].bo);
	assert_int_equal(s->ops[2].operand[0].bo, s->ops[3].operand[1].bo);
	assert_int_equal(s->tensors[s->ops[0].operand[0].bo].flags, DRM_ONSRAM_TENSOR_TRANSIENT);
	assert_int_equal(s->tensors[s->ops[2].operand[0].bo].flags, 0);
	onsram_sequence_free(s);
}

/* What comes from before the pass is wanted, whatever becomes of it within */
static void test_carried(void **state)
{
	struct onsram_sequence *s;

	(void)state;
	run(1, 10, 1, 100);
	onsram_recorder_mark(rec);
	run(2, 11, 10, 101);
	run(3, 10, 11, 102);
	onsram_recorder_died(rec, 10);
	assert_true(onsram_recorder_mark(rec));
	onsram_sequence_free(onsram_recorder_take(rec));
	run(2, 11, 10, 101);
	run(3, 10, 11, 102);
	run(4, 12, 10, 102);
	onsram_recorder_died(rec, 10);
	assert_true(onsram_recorder_mark(rec));
	s = take();
	assert_int_equal(s->tensors[s->ops[0].operand[1].bo].flags & DRM_ONSRAM_TENSOR_TRANSIENT, 0);
	onsram_sequence_free(s);
}

static void test_gap(void **state)
{
	(void)state;
	pass(10);
	onsram_recorder_gap(rec);
	assert_false(onsram_recorder_mark(rec));
	assert_false(pass(20));
	assert_true(pass(30));
	onsram_sequence_free(take());
}

/* A pass longer than the record is none, and the record goes on */
static void test_long(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++)
		for (uint32_t i = 0; i < ONSRAM_SEQUENCE_MAX + 1; i++)
			assert_false(run(i, 10, 11, 100 + i));
	assert_false(onsram_recorder_mark(rec));
	pass(10);
	assert_true(onsram_recorder_mark(rec));
	onsram_sequence_free(take());
}

/* --- what is known ------------------------------------------------------------------ */

static struct onsram_repertoire rep;
static uint32_t set, deleted, refuse;

static int tell(void *arg, const struct onsram_rule *steps, uint32_t n, bool gone)
{
	assert_ptr_equal(arg, &rep);
	if (refuse)
		return -ENOSPC;
	for (uint32_t i = 0; i < n; i++)
		assert_int_not_equal(steps[i].state, 0);
	*(gone ? &deleted : &set) += n;
	return 0;
}

static int set_up_repertoire(void **state)
{
	rep = (struct onsram_repertoire){ .tell = tell, .arg = &rep };
	onsram_model_init(&rep.model, ONSRAM_PRESET_DEFAULT);
	set = deleted = refuse = 0;
	return set_up(state);
}

static int tear_down_repertoire(void **state)
{
	onsram_repertoire_free(&rep);
	return tear_down(state);
}

/* A sequence of @n operations with signatures from @first on, behind @prefix common ones */
static int learn(uint64_t first, uint32_t n, uint32_t prefix, uint32_t owner)
{
	struct onsram_sequence *s;
	int ret;

	for (uint32_t i = 0; i < n; i++)
		run(i < prefix ? 1 + i : first + i, 10 + i % 2, 1, 100 + i);
	assert_true(onsram_recorder_mark(rec));
	s = take();
	ret = onsram_repertoire_learn(&rep, s, owner);
	onsram_sequence_free(s);
	return ret;
}

static void test_learn(void **state)
{
	(void)state;
	assert_int_equal(learn(1000, 5, 0, 0), 1);
	assert_int_equal(set, 5);
	assert_int_equal(learn(1000, 5, 0, 0), 0);
	assert_int_equal(set, 5);
	/* a client's own is another one, and goes with it */
	assert_int_equal(learn(1000, 5, 0, 7), 1);
	onsram_repertoire_forget(&rep, 7);
	assert_int_equal(learn(1000, 5, 0, 0), 0);
	assert_int_equal(learn(1000, 5, 0, 7), 1);
	deleted = set = 0;
	onsram_repertoire_retell(&rep);
	assert_true(set >= 5);
	assert_int_equal(deleted, 0);
}

/* Sequences that begin alike share steps; they go with the last of them */
static void test_shared(void **state)
{
	(void)state;
	assert_int_equal(learn(1000, 8, 3, 0), 1);
	assert_int_equal(learn(2000, 8, 3, 0), 1);
	assert_int_equal(set, 8 + 5);
	/* seen twice in a row it has all of them as planned for it */
	assert_int_equal(learn(2000, 8, 3, 0), 0);
	assert_int_equal(set, 8 + 5 + 8);
	assert_int_equal(learn(2000, 8, 3, 0), 0);
	assert_int_equal(set, 8 + 5 + 8);
	for (uint64_t i = 0; i < ONSRAM_REPERTOIRE_MAX; i++)
		assert_int_equal(learn(10000 + 100 * i, 1, 0, 0), 1);
	assert_int_equal(deleted, 8 + 5);
}

/* The memory is bounded: those not seen for longest make room */
static void test_room(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 8; i++)
		assert_int_equal(learn(100000 * (i + 1), 2000, 0, 0), 1);
	assert_true(set - deleted <= ONSRAM_REPERTOIRE_STEPS);
	assert_true(set - deleted > ONSRAM_REPERTOIRE_STEPS - 2000);
	assert_int_equal(learn(100000 * 8, 2000, 0, 0), 0);
	assert_int_equal(learn(100000, 2000, 0, 0), 1);
}

/* What the kernel did not take is not known, and may come again */
static void test_refused(void **state)
{
	(void)state;
	refuse = 1;
	assert_int_equal(learn(1000, 5, 0, 0), -ENOSPC);
	refuse = 0;
	assert_int_equal(learn(1000, 5, 0, 0), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define R(name) cmocka_unit_test_setup_teardown(name, set_up_repertoire, tear_down_repertoire)
	const struct CMUnitTest tests[] = {
		T(test_repetition), T(test_new_input), T(test_other_weights), T(test_mark), T(test_lives), T(test_carried),
		T(test_gap), T(test_long), R(test_learn), R(test_shared), R(test_room), R(test_refused),
	};

	return cmocka_run_group_tests_name("sequence", tests, NULL, NULL);
}
