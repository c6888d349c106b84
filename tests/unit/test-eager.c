// SPDX-License-Identifier: MIT
/* OnSRAM-Eager learns from synthetic histories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "eager.h"
#include "perf-ops.h"

#define ABSENT	UINT32_MAX

static struct onsram_model model(void)
{
	struct onsram_model m;

	onsram_model_init(&m, ONSRAM_PRESET_DEFAULT);
	return m;
}

/* out = a + b on vectors; b may be ABSENT */
static struct onsram_retired binary(uint64_t key, uint32_t out, uint32_t a, uint32_t b,
				    uint32_t elements)
{
	struct onsram_retired r = { .client_id = 1, .key = key };

	r.op.opcode = ONSRAM_OP_ELEMENTWISE;
	r.op.attr.func = b == ABSENT ? ONSRAM_EW_RELU : ONSRAM_EW_ADD;
	for (int s = 0; s < 3; s++) {
		if (s == 2 && b == ABSENT)
			continue;
		r.op.operand[s].bo = s == 0 ? out : s == 1 ? a : b;
		r.op.operand[s].view = dense(ONSRAM_DTYPE_F16, 1, elements);
	}
	return r;
}

/* The rule last told for @key among all that are pending; drains them */
static bool rule_of(struct onsram_eager *e, uint64_t key, struct onsram_rule *rule)
{
	struct onsram_rule r;
	bool found = false;

	while (onsram_eager_next_rule(e, &r)) {
		if (r.key == key) {
			*rule = r;
			found = true;
		}
	}
	return found;
}

/* An activation that is read soon and dies is held where it is written */
static void test_hold_reused_output(void **state)
{
	struct onsram_model m = model();
	struct onsram_eager *e = onsram_eager_new(&m);
	struct onsram_retired a = binary(1, 10, 11, ABSENT, 100000), b = binary(2, 12, 10, ABSENT, 100000);
	struct onsram_rule r;

	(void)state;
	assert_non_null(e);
	onsram_eager_observe(e, &a);
	assert_false(onsram_eager_next_rule(e, &r));
	onsram_eager_observe(e, &b);
	onsram_eager_died(e, 10);
	assert_true(rule_of(e, 1, &r));
	assert_int_equal(r.actions, ONSRAM_RULE_HOLD(0));
	assert_true(r.priority > 0);
	assert_false(r.gone);
	/* Nothing new, nothing told */
	for (int i = 0; i < 20; i++) {
		onsram_eager_observe(e, &a);
		onsram_eager_observe(e, &b);
		onsram_eager_died(e, 10);
	}
	rule_of(e, 1, &r);
	onsram_eager_observe(e, &a);
	onsram_eager_observe(e, &b);
	onsram_eager_died(e, 10);
	assert_false(rule_of(e, 1, &r));
	onsram_eager_free(e);
}

/* An output that is only ever overwritten, or dies, is not */
static void test_unused_output(void **state)
{
	struct onsram_model m = model();

	(void)state;
	for (int dead = 0; dead < 2; dead++) {
		struct onsram_eager *e = onsram_eager_new(&m);
		struct onsram_retired a = binary(1, 10, 11, ABSENT, 100000);
		struct onsram_rule r = { 0 };

		for (int i = 0; i < 10; i++) {
			onsram_eager_observe(e, &a);
			if (dead)
				onsram_eager_died(e, 10);
		}
		rule_of(e, 1, &r);
		assert_int_equal(r.actions & ONSRAM_RULE_HOLD(0), 0);
		onsram_eager_free(e);
	}
}

/* The sooner a buffer is used again, and the more that saves per byte, the higher its priority */
static void test_priority(void **state)
{
	struct onsram_model m = model();
	struct onsram_eager *e = onsram_eager_new(&m);
	struct onsram_retired near = binary(1, 10, 11, ABSENT, 50000);
	struct onsram_retired far = binary(2, 20, 21, ABSENT, 50000);
	struct onsram_rule near_rule, far_rule, r;

	(void)state;
	for (int i = 0; i < 8; i++) {
		struct onsram_retired use = binary(3, 12, 10, ABSENT, 50000);

		onsram_eager_observe(e, &far);
		onsram_eager_observe(e, &near);
		onsram_eager_observe(e, &use);
		for (uint64_t k = 0; k < 20; k++) {
			struct onsram_retired other = binary(100 + k, 30, 31, ABSENT, 10);

			onsram_eager_observe(e, &other);
		}
		use = binary(4, 13, 20, ABSENT, 50000);
		onsram_eager_observe(e, &use);
	}
	memset(&near_rule, 0, sizeof(near_rule));
	memset(&far_rule, 0, sizeof(far_rule));
	while (onsram_eager_next_rule(e, &r)) {
		if (r.key == 1)
			near_rule = r;
		if (r.key == 2)
			far_rule = r;
	}
	assert_true(near_rule.actions & ONSRAM_RULE_HOLD(0));
	assert_true(far_rule.actions & ONSRAM_RULE_HOLD(0));
	assert_true(near_rule.priority > 4 * far_rule.priority);
	onsram_eager_free(e);
}

/* A weight that several operations read is held; one of a compute-bound operation is not */
static void test_weights(void **state)
{
	struct onsram_model m = model();
	struct onsram_perf_op c = conv(ONSRAM_DTYPE_F16, 256, 28, 256, 3, 1);
	struct onsram_eager *e = onsram_eager_new(&m);
	struct onsram_retired compute = { .client_id = 1, .key = 7 };
	struct onsram_rule r;
	uint32_t actions = 0, compute_actions = 0;

	(void)state;
	compute.op.opcode = c.opcode;
	compute.op.attr = c.attr;
	for (int s = 0; s < 3; s++) {
		compute.op.operand[s].bo = 50 + s;
		compute.op.operand[s].view = c.view[s];
	}
	for (int i = 0; i < 10; i++) {
		struct onsram_retired a = binary(1, 10 + i % 2, 11 - i % 2, 5, 100000);

		onsram_eager_observe(e, &a);
		onsram_eager_observe(e, &compute);
	}
	while (onsram_eager_next_rule(e, &r)) {
		if (r.key == 1)
			actions = r.actions;
		if (r.key == 7)
			compute_actions = r.actions;
	}
	assert_true(actions & ONSRAM_RULE_HOLD(2));
	assert_false(compute_actions & ONSRAM_RULE_HOLD(2));
	onsram_eager_free(e);
}

/* Holds that keep losing their place before they are read pause, and are tried again later */
static void test_lost(void **state)
{
	struct onsram_model m = model();
	struct onsram_eager *e = onsram_eager_new(&m);
	bool held = false, paused = false, again = false;
	struct onsram_rule r;

	(void)state;
	for (int i = 0; i < 60; i++) {
		struct onsram_retired a = binary(1, 10, 11, ABSENT, 100000);
		struct onsram_retired b = binary(2, 12, 10, ABSENT, 100000);

		a.resident = held ? 1 : 0;
		b.resident = again ? 2 : 0;	/* evicted meanwhile, until the pause is over */
		onsram_eager_observe(e, &a);
		onsram_eager_observe(e, &b);
		if (!rule_of(e, 1, &r))
			continue;
		held = r.actions & ONSRAM_RULE_HOLD(0);
		if (!held)
			paused = true;
		if (held && paused)
			again = true;
	}
	assert_true(paused);
	assert_true(again);
	assert_true(held);
	onsram_eager_free(e);
}

/* When outputs to be held find no place, a weight that is no longer worth its place has to go */
static void test_drop_when_short(void **state)
{
	struct onsram_model m = model();
	struct onsram_eager *e = onsram_eager_new(&m);
	uint32_t user = 0, writer = 0;
	struct onsram_rule r;

	(void)state;
	for (int i = 0; i < 40; i++) {
		struct onsram_retired a = binary(1, 10, 11, ABSENT, 100000);
		struct onsram_retired b = binary(2, 12, 10, 99, 100000);

		if (i == 15) {
			assert_true(user & ONSRAM_RULE_HOLD(2));
			assert_int_equal(user & (0xffu << 8), 0);
		}
		a.resident = i < 15 ? 1 : 0;	/* from then on it finds no place */
		b.resident = i < 15 ? 6 : 0;
		onsram_eager_observe(e, &a);
		onsram_eager_observe(e, &b);
		if (i >= 15)	/* and nobody reads the weight again */
			onsram_eager_died(e, 99);
		while (onsram_eager_next_rule(e, &r)) {
			if (r.key == 2)
				user = r.actions;
			if (r.key == 1)
				writer = r.actions;
		}
	}
	assert_true(user & ONSRAM_RULE_DROP(2));
	/* What an operation made may be dirty: dropping it would cost a write-back */
	assert_int_equal(user & ONSRAM_RULE_DROP(1), 0);
	assert_int_equal(writer & ONSRAM_RULE_DROP(0), 0);
	onsram_eager_free(e);
}

/* Slices of a buffer: all of them are held until it is read, and the next round begins anew */
static void test_slices(void **state)
{
	struct onsram_model m = model();
	struct onsram_eager *e = onsram_eager_new(&m);
	uint32_t actions[4] = { 0 };
	struct onsram_rule r;

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct onsram_retired a = binary(1, 10, 11, ABSENT, 50000);
		struct onsram_retired b = binary(2, 10, 12, ABSENT, 50000);
		struct onsram_retired use = binary(3, 13, 10, ABSENT, 100000);

		b.op.operand[0].offset = 100000;
		a.resident = !!(actions[1] & ONSRAM_RULE_HOLD(0));
		b.resident = a.resident;
		use.resident = 2 * a.resident;
		onsram_eager_observe(e, &a);
		onsram_eager_observe(e, &b);
		onsram_eager_observe(e, &use);
		while (onsram_eager_next_rule(e, &r))
			actions[r.key] = r.actions;
	}
	assert_true(actions[1] & ONSRAM_RULE_HOLD(0));
	assert_true(actions[2] & ONSRAM_RULE_HOLD(0));
	assert_int_equal(actions[3] & ONSRAM_RULE_HOLD(1), 0);
	onsram_eager_free(e);
}

/* Each of two inputs alone makes an operation compute-bound: that is no reason to hold neither */
static void test_together(void **state)
{
	struct onsram_model m = model();
	uint32_t actions[4] = { 0 }, priority[4] = { 0 };
	struct onsram_eager *e;
	struct onsram_rule r;

	(void)state;
	m.vector_flops = 7700000000;	/* 13 us, between DRAM traffic with one resident and with none */
	e = onsram_eager_new(&m);
	for (int i = 0; i < 200; i++) {
		struct onsram_retired a = binary(1, 10, 11, ABSENT, 100000);
		struct onsram_retired b = binary(2, 20, 21, ABSENT, 100000);
		struct onsram_retired use = binary(3, 30, 10, 20, 100000);

		a.resident = !!(actions[1] & ONSRAM_RULE_HOLD(0));
		b.resident = !!(actions[2] & ONSRAM_RULE_HOLD(0));
		use.resident = 2 * a.resident + 4 * b.resident;
		onsram_eager_observe(e, &a);
		onsram_eager_observe(e, &b);
		onsram_eager_observe(e, &use);
		onsram_eager_died(e, 10);
		onsram_eager_died(e, 20);
		while (onsram_eager_next_rule(e, &r)) {
			actions[r.key] = r.actions;
			priority[r.key] = r.priority;
		}
		/* Learnt in the first round, and not unlearnt by its own success */
		assert_true(actions[1] & ONSRAM_RULE_HOLD(0));
		assert_true(actions[2] & ONSRAM_RULE_HOLD(0));
		assert_true(priority[1] > 1000 && priority[2] > 1000);
	}
	onsram_eager_free(e);
}

/* A weight that comes back only after the SPM has been written over is not fetched */
static void test_turnover(void **state)
{
	struct onsram_model m = model();

	(void)state;
	for (uint32_t others = 1; others < 100; others += 90) {
		struct onsram_eager *e = onsram_eager_new(&m);
		uint32_t actions = 0;
		struct onsram_rule r;

		for (int i = 0; i < 5; i++) {
			struct onsram_retired a = binary(1, 10, 11, 99, 50000);

			onsram_eager_observe(e, &a);
			for (uint32_t k = 0; k < others; k++) {
				a = binary(100 + k, 20 + k, 19 + k, ABSENT, 50000);
				onsram_eager_observe(e, &a);
			}
			while (onsram_eager_next_rule(e, &r))
				actions = r.key == 1 ? r.actions : actions;
		}
		assert_int_equal(!!(actions & ONSRAM_RULE_HOLD(2)), others == 1);
		onsram_eager_free(e);
	}
}

/* A gap and the end of a client leave no conclusions about their buffers */
static void test_gap_and_client(void **state)
{
	struct onsram_model m = model();
	struct onsram_eager *e = onsram_eager_new(&m);
	struct onsram_retired a = binary(1, 10, 11, ABSENT, 100000), b = binary(2, 12, 10, ABSENT, 100000);
	struct onsram_rule r;

	(void)state;
	onsram_eager_observe(e, &a);
	onsram_eager_gap(e);
	onsram_eager_observe(e, &b);
	assert_false(rule_of(e, 1, &r));

	onsram_eager_observe(e, &a);
	onsram_eager_client_gone(e, 2);
	onsram_eager_observe(e, &b);
	assert_true(rule_of(e, 1, &r));
	/* A new client's buffer of the same number is another buffer */
	onsram_eager_observe(e, &a);
	onsram_eager_client_gone(e, 1);
	for (int i = 0; i < 10; i++) {
		b.key = 77;
		b.client_id = 3;
		onsram_eager_observe(e, &b);
		onsram_eager_client_gone(e, 3);
	}
	onsram_eager_free(e);
}

/* However many operations and buffers there are: never more rules than the kernel takes */
static void test_bounded(void **state)
{
	struct onsram_model m = model();
	struct onsram_eager *e = onsram_eager_new(&m);
	uint64_t rules = 0, deleted = 0;
	struct onsram_rule r;

	(void)state;
	for (uint32_t i = 0; i < 60000; i++) {
		struct onsram_retired a = binary(i, 2 * i, 2 * i - 2, ABSENT, 1000);

		onsram_eager_observe(e, &a);
		while (onsram_eager_next_rule(e, &r)) {
			if (r.gone)
				deleted++, rules--;
			else
				rules++;
			assert_true(rules <= ONSRAM_RULES_MAX);
		}
	}
	assert_true(deleted > 1000);
	onsram_eager_free(e);
}

/* Whatever arrives */
static void test_fuzz(void **state)
{
	struct onsram_model m = model();
	struct onsram_eager *e = onsram_eager_new(&m);
	uint32_t seed = 1;
	struct onsram_rule rule;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct onsram_retired r;
		uint32_t *word = (uint32_t *)&r;

		for (size_t k = 0; k < sizeof(r) / 4; k++)
			word[k] = rnd(&seed);
		r.key %= 50;
		r.client_id %= 4;
		for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++)
			if (rnd(&seed) % 4)
				r.op.operand[s].bo %= 20;
		onsram_eager_observe(e, &r);
		if (rnd(&seed) % 50 == 0)
			onsram_eager_client_gone(e, rnd(&seed) % 4);
		if (rnd(&seed) % 100 == 0)
			onsram_eager_gap(e);
		while (onsram_eager_next_rule(e, &rule))
			assert_int_equal(rule.actions & ~0x3f3fu, 0);
	}
	onsram_eager_free(e);
	onsram_eager_free(NULL);
}

/* Rules of a history that ends are deleted; after a refusal all are told again */
static void test_withdraw_and_retell(void **state)
{
	struct onsram_model m = model();
	struct onsram_eager *e = onsram_eager_new(&m);
	struct onsram_retired a = binary(1, 10, 11, ABSENT, 100000), b = binary(2, 12, 10, ABSENT, 100000);
	struct onsram_rule r, told;
	int nr = 0;

	(void)state;
	onsram_eager_observe(e, &a);
	onsram_eager_observe(e, &b);
	assert_true(rule_of(e, 1, &told));
	assert_false(onsram_eager_next_rule(e, &r));
	onsram_eager_retell(e);
	assert_true(rule_of(e, 1, &r));
	assert_int_equal(r.actions, told.actions);
	assert_int_equal(r.priority, told.priority);
	onsram_eager_withdraw(e);
	while (onsram_eager_next_rule(e, &r)) {
		assert_true(r.gone);
		nr++;
	}
	assert_int_equal(nr, 1);
	onsram_eager_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hold_reused_output),
		cmocka_unit_test(test_unused_output),
		cmocka_unit_test(test_priority),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_drop_when_short),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_turnover),
		cmocka_unit_test(test_gap_and_client),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_fuzz),
		cmocka_unit_test(test_withdraw_and_retell),
	};

	return cmocka_run_group_tests_name("eager", tests, NULL, NULL);
}
