// SPDX-License-Identifier: MIT
/*
 * Which operations the functional execution refuses: every rule of onsram_op.h
 * broken on its own, and random damage, whose survivors must run.
 */
#include <stdio.h>
#include <stdlib.h>

#include "exec-fixture.h"
#include "exec-ops.h"

static const char *check(const struct op *op)
{
	return onsram_exec_check(op->opcode, &op->attr, op->view);
}

static void test_accepts(void **state)
{
	int base;

	(void)state;
	for (base = 0; base < BASES; base++) {
		struct op op = op_make(base);
		const char *error = check(&op);

		if (error)
			fail_msg("base %d: %s", base, error);
	}
}

/* Each line changes one thing of a good operation and makes it a bad one */
#define BREAK(base, change)							\
	do {									\
		struct op op = op_make(base), *o = &op;				\
		struct onsram_attr *a = &op.attr;				\
		struct onsram_view *v = op.view;				\
										\
		(void)o;							\
		(void)a;							\
		(void)v;							\
		change;								\
		if (!check(&op))						\
			fail_msg("accepted: %s with %s", #base, #change);	\
	} while (0)

static void test_views(void **state)
{
	(void)state;
	BREAK(COPY, o->opcode = 0);
	BREAK(COPY, o->opcode = ONSRAM_OP_COUNT);
	BREAK(COPY, o->opcode = ~0u);
	BREAK(COPY, v[1].dtype = ONSRAM_DTYPE_NONE);
	BREAK(COPY, memset(&v[1], 0, sizeof(v[1])));
	BREAK(COPY, memset(&v[0], 0, sizeof(v[0])));
	BREAK(COPY, v[2] = v[1]);
	BREAK(COPY, v[5].rank = 1);
	BREAK(COPY, v[1].dtype = ONSRAM_DTYPE_COUNT);
	BREAK(COPY, v[1].dtype = ~0u);
	BREAK(COPY, v[0].rank = v[1].rank = 7);
	BREAK(COPY, v[0].rank = v[1].rank = ~0u);
	BREAK(COPY, v[0].dims[1] = v[1].dims[1] = 0);
	BREAK(COPY, v[0].dims[4] = 1);
	BREAK(COPY, v[1].strides[5] = 1);
	BREAK(COPY, v[0].rank = v[1].rank = 3);
	BREAK(COPY, v[1].dims[0] = v[0].dims[0] = ~0u);
	BREAK(COPY, v[1].dims[0] = v[0].dims[0] = 1u << 28);
	BREAK(COPY, v[1].strides[0] = INT32_MIN);
	BREAK(COPY, v[1].strides[0] = INT32_MAX);
	BREAK(COPY, v[1].strides[0] = 1 << 30);
	BREAK(COPY, v[0].strides[0] = 0);
	BREAK(COPY, v[0].strides[3] = 2);
	BREAK(COPY, v[0].strides[2] = 5);
	BREAK(COPY, v[0].strides[0] = -119);
	BREAK(COPY, v[1].dims[3] = 5);
}

static void test_unused_attributes(void **state)
{
	int base, i;

	(void)state;
	for (base = 0; base < BASES; base++) {
		bool window = base == CONV || base == POOL;

		BREAK(base, a->reserved = 1);
		BREAK(base, a->func = 0x80000000);
		BREAK(base, a->act = ONSRAM_ACT_COUNT);
		BREAK(base, a->act_param[1] = 1);
		BREAK(base, a->param[3] = 1);
		BREAK(base, a->kernel[2] = 1);
		BREAK(base, a->stride[2] = 1);
		BREAK(base, a->dilation[2] = 1);
		BREAK(base, a->pad_begin[2] = 1);
		BREAK(base, a->pad_end[2] = 1);
		if (base != GEMM && base != CONV)
			BREAK(base, a->act = ONSRAM_ACT_RELU);
		if (base != CONV && base != GROUP)
			BREAK(base, a->groups = 1);
		if (base != POOL && base != LRN)
			BREAK(base, a->kernel[0] = 1);
		if (base != REDUCE && base != SOFTMAX && base != LAYER && base != GATHER)
			BREAK(base, a->axis = 1);
		for (i = 0; i < 2 && !window; i++) {
			BREAK(base, a->stride[i] = 1);
			BREAK(base, a->dilation[i] = 1);
			BREAK(base, a->pad_begin[i] = 1);
			BREAK(base, a->pad_end[i] = 1);
		}
	}
	BREAK(FILL, a->param[1] = 1);
	BREAK(FILL, (v[0].dtype = ONSRAM_DTYPE_BOOL, a->param[0] = 2));
	BREAK(FILL, a->func = 1);
	BREAK(GEMM, a->param[2] = 1);
	BREAK(GEMM, a->act = ONSRAM_ACT_RELU);
	BREAK(CONV, a->param[0] = 1);
	BREAK(ADD, a->param[0] = 1);
	BREAK(LAYER, a->param[1] = 1);
	BREAK(LRN, a->kernel[1] = 1);
	BREAK(SOFTMAX, a->func = 2);
}

static void test_shapes(void **state)
{
	(void)state;
	BREAK(GEMM, v[1].dtype = ONSRAM_DTYPE_I32);
	BREAK(GEMM, F32(o, 1, 3, 4));
	BREAK(GEMM, F32(o, 1, 1, 3, 4));
	BREAK(GEMM, F32(o, 2, 2, 5, 5));
	BREAK(GEMM, F32(o, 2, 2, 4, 6));
	BREAK(GEMM, F32(o, 1, 2, 2, 4));
	BREAK(GEMM, F32(o, 3, 5));
	BREAK(GEMM, F32(o, 4, 2, 3, 4));
	BREAK(CONV, v[3].dtype = ONSRAM_DTYPE_I64);
	BREAK(CONV, F32(o, 3, 5));
	BREAK(CONV, F32(o, 3, 1, 6));
	BREAK(CONV, F32(o, 4, 2, 6, 3, 3));
	BREAK(CONV, F32(o, 1, 3, 4, 5, 6));
	BREAK(CONV, F32(o, 1, 2, 6, 5, 6));
	BREAK(CONV, F32(o, 2, 4, 2, 2, 2));
	BREAK(CONV, F32(o, 2, 6, 2, 2));
	BREAK(CONV, a->groups = 0);
	BREAK(CONV, a->groups = 1);
	BREAK(CONV, a->groups = 4);
	BREAK(CONV, a->groups = ~0u);
	BREAK(CONV, a->stride[0] = 0);
	BREAK(CONV, a->dilation[1] = 0);
	BREAK(CONV, a->pad_end[1] = 3);
	BREAK(CONV, a->dilation[0] = 65535);
	BREAK(CONV, F32(o, 0, 2, 6, 4, 4); F32(o, 4, 2, 6, 4, 4));
	BREAK(POOL, F32(o, 0, 2, 4, 5, 4));
	BREAK(POOL, F32(o, 0, 2, 4, 3, 5));
	BREAK(POOL, F32(o, 0, 2, 4, 3, 3));
	BREAK(POOL, F32(o, 0, 2, 5, 3, 4));
	BREAK(POOL, F32(o, 1, 1, 4, 5, 6));
	BREAK(POOL, a->kernel[0] = 0);
	BREAK(POOL, a->kernel[0] = 8);
	BREAK(POOL, v[1].dtype = ONSRAM_DTYPE_I32);
	BREAK(ADD, v[3] = v[2]);
	BREAK(ADD, memset(&v[2], 0, sizeof(v[2])));
	BREAK(ADD, v[4] = v[2]);
	BREAK(ADD, v[2].dtype = ONSRAM_DTYPE_I64);
	BREAK(ADD, v[0].dtype = ONSRAM_DTYPE_BOOL);
	BREAK(ADD, v[0].dtype = v[1].dtype = v[2].dtype = ONSRAM_DTYPE_BOOL);
	BREAK(ADD, F32(o, 2, 2, 4, 5, 1));
	BREAK(ADD, a->func = ONSRAM_EW_COUNT);
	BREAK(CLIP, v[0].dtype = v[1].dtype = ONSRAM_DTYPE_I32);
	BREAK(EQUAL, v[0].dtype = ONSRAM_DTYPE_F32);
	BREAK(EQUAL, v[1].dtype = ONSRAM_DTYPE_F16);
	BREAK(WHERE, v[1].dtype = ONSRAM_DTYPE_F32);
	BREAK(WHERE, v[3].dtype = ONSRAM_DTYPE_F16);
	BREAK(REDUCE, a->axis = 2);
	BREAK(REDUCE, a->axis = 16);
	BREAK(REDUCE, a->axis = 1u << 31 | 10);
	BREAK(REDUCE, v[1].dtype = ONSRAM_DTYPE_BOOL);
	BREAK(REDUCE, v[1].dtype = ONSRAM_DTYPE_I32);
	BREAK(REDUCE, F32(o, 0, 2, 5));
	BREAK(SOFTMAX, a->axis = 4);
	BREAK(SOFTMAX, a->axis = ~0u);
	BREAK(SOFTMAX, F32(o, 0, 2, 4, 6, 5));
	BREAK(SOFTMAX, v[0].dtype = ONSRAM_DTYPE_I64);
	BREAK(BATCH, memset(&v[5], 0, sizeof(v[5])));
	BREAK(BATCH, F32(o, 3, 5));
	BREAK(BATCH, F32(o, 0, 2, 4, 5, 5));
	BREAK(BATCH, v[4].dtype = ONSRAM_DTYPE_BOOL);
	BREAK(LRN, F32(o, 2, 4));
	BREAK(LRN, a->kernel[0] = 0);
	BREAK(LAYER, F32(o, 2, 5));
	BREAK(LAYER, a->axis = 3);
	BREAK(LAYER, a->axis = 4);
	BREAK(LAYER, a->axis = ~0u);
	BREAK(LAYER, memset(&v[2], 0, sizeof(v[2])));
	BREAK(LAYER, F32(o, 4, 5, 6));
	BREAK(GROUP, a->groups = 0);
	BREAK(GROUP, a->groups = 3);
	BREAK(GROUP, F32(o, 5, 4));
	BREAK(GATHER, v[2].dtype = ONSRAM_DTYPE_F32);
	BREAK(GATHER, v[0].dtype = ONSRAM_DTYPE_F16);
	BREAK(GATHER, a->axis = 4);
	BREAK(GATHER, a->axis = 0);
	BREAK(GATHER, F32(o, 0, 2, 3, 5));
	BREAK(GATHER, F32(o, 0, 2, 3, 5, 5));
	BREAK(GATHER, F32(o, 0, 2, 4, 5, 6));
	BREAK(RESIZE, F32(o, 0, 2, 4, 10));
	BREAK(RESIZE, v[0].dtype = ONSRAM_DTYPE_F16);
	BREAK(RESIZE, (a->func = 1, v[0].dtype = v[1].dtype = ONSRAM_DTYPE_I32));
	BREAK(RESIZE, a->func = ONSRAM_RESIZE_COUNT);
}

static void test_extent(void **state)
{
	struct onsram_view v = { ONSRAM_DTYPE_F16, 2, { 3, 5 }, { -10, 2 } };
	int64_t begin, end;

	(void)state;
	assert_true(onsram_view_extent(&v, &begin, &end));
	assert_int_equal(begin, -40);
	assert_int_equal(end, 18);
	v = (struct onsram_view) { .dtype = ONSRAM_DTYPE_I64 };
	assert_true(onsram_view_extent(&v, &begin, &end));
	assert_int_equal(begin, 0);
	assert_int_equal(end, 8);
	v = (struct onsram_view) { ONSRAM_DTYPE_BOOL, 2, { 2, 2 }, { INT32_MIN, INT32_MIN } };
	assert_false(onsram_view_extent(&v, &begin, &end));
	memset(&v, 0, sizeof(v));
	assert_false(onsram_view_extent(&v, &begin, &end));
	memset(&v, 0xff, sizeof(v));
	assert_false(onsram_view_extent(&v, &begin, &end));
}

/* Runs an accepted operation in memory of exactly its extents, if it is small */
static bool run(struct onsram_exec *ctx, const struct op *op)
{
	struct onsram_exec_tensor t[ONSRAM_MAX_OPERANDS] = { 0 };
	void *memory[ONSRAM_MAX_OPERANDS] = { NULL };
	bool small = true;
	int s;

	for (s = 0; s < ONSRAM_MAX_OPERANDS && small; s++) {
		uint64_t elements = 1;
		int64_t begin, end;
		uint32_t i;

		t[s].view = op->view[s];
		if (!op->view[s].dtype)
			continue;
		assert_true(onsram_view_extent(&op->view[s], &begin, &end));
		for (i = 0; i < op->view[s].rank; i++)
			elements *= op->view[s].dims[i];
		small = elements < 1 << 14 && end - begin < 1 << 20;
		if (!small)
			break;
		memory[s] = calloc(1, end - begin);
		assert_non_null(memory[s]);
		t[s].data = (char *)memory[s] - begin;
	}
	if (small)
		onsram_exec_run(ctx, op->opcode, &op->attr, t);
	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		free(memory[s]);
	return small;
}

/* Random damage to good operations: no crash, and what is accepted runs */
static void test_damage(void **state)
{
	struct onsram_exec *ctx = onsram_exec_create();
	uint32_t round, ran = 0;

	(void)state;
	assert_non_null(ctx);
	for (round = 0; round < 200000; round++) {
		struct op op = op_make(round % BASES);

		op_damage(&op);
		if (!check(&op))
			ran += run(ctx, &op);
	}
	/* damage that leaves an operation well formed is not rare */
	assert_true(ran > 2000);
	onsram_exec_destroy(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_unused_attributes),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_extent),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
