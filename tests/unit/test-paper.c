// SPDX-License-Identifier: MIT
/* OnSRAM-Static as published: its parts on examples worked by hand, its plans on random graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graphs.h"
#include "paper.h"

#define KIB		1024
#define TRANSIENT	DRM_ONSRAM_TENSOR_TRANSIENT
#define NONE		UINT32_MAX

static struct graph g;
static struct onsram_model m;

static int set_up(void **state)
{
	(void)state;
	memset(&g, 0, sizeof(g));
	onsram_model_init(&m, ONSRAM_PRESET_PAPER);
	return 0;
}

static struct onsram_plan *plan(void)
{
	struct onsram_plan_graph pg = graph_of(&g);
	struct onsram_plan *p = onsram_plan_paper(&m, &pg, NULL);
	uint32_t wrong;

	assert_non_null(p);
	assert_null(onsram_plan_check(&m, &pg, p->intervals, p->nr_intervals, &wrong));
	return p;
}

static const struct onsram_interval *stay_of(const struct onsram_plan *p, uint32_t tensor)
{
	for (uint32_t k = 0; k < p->nr_intervals; k++)
		if (p->intervals[k].tensor == tensor)
			return &p->intervals[k];
	return NULL;
}

/* y = relu(x) on @kib of fp16 */
static uint32_t add_relu(uint32_t x, uint32_t kib, uint32_t flags)
{
	struct onsram_perf_op op = { .opcode = ONSRAM_OP_ELEMENTWISE, .attr.func = ONSRAM_EW_RELU };
	uint32_t y = add_tensor(&g, kib * KIB, flags);

	op.view[0] = op.view[1] = dense(ONSRAM_DTYPE_F16, 1, kib * 512);
	add_op(&g, &op, (uint32_t[]){ y, x, NONE, NONE, NONE, NONE });
	return y;
}

static void test_reuse(void **state)
{
	struct onsram_perf_op op = conv(ONSRAM_DTYPE_F16, 16, 8, 64, 3, 1);
	struct drm_onsram_op o;

	(void)state;
	/* 3 x 3 windows step over a pixel, for each of 64 outputs */
	add_op(&g, &op, (uint32_t[]){ 0, 1, 2, NONE, NONE, NONE });
	o = g.ops[0];
	assert_int_equal(onsram_paper_reuse(&o, 1), 9 * 64);
	o.attr.stride[0] = o.attr.stride[1] = 2;
	assert_int_equal(onsram_paper_reuse(&o, 1), 4 * 64);
	/* Depthwise: one output alone */
	op = conv(ONSRAM_DTYPE_F16, 64, 8, 64, 3, 64);
	add_op(&g, &op, (uint32_t[]){ 0, 1, 2, NONE, NONE, NONE });
	assert_int_equal(onsram_paper_reuse(&g.ops[1], 1), 9);
	/* [5, 7] x [7, 11] */
	op = gemm(ONSRAM_DTYPE_F16, 1, 5, 7, 11);
	add_op(&g, &op, (uint32_t[]){ 0, 1, 2, NONE, NONE, NONE });
	assert_int_equal(onsram_paper_reuse(&g.ops[2], 1), 11);
	assert_int_equal(onsram_paper_reuse(&g.ops[2], 2), 5);
	add_relu(0, 1, TRANSIENT);
	assert_int_equal(onsram_paper_reuse(&g.ops[3], 1), 1);
	/* 3 x 3, stride 2 */
	o = (struct drm_onsram_op){ .opcode = ONSRAM_OP_POOL };
	o.attr.kernel[0] = o.attr.kernel[1] = 3;
	o.attr.stride[0] = o.attr.stride[1] = 2;
	o.operand[1].view = dense(ONSRAM_DTYPE_F16, 4, 1, 1, 9, 9);
	assert_int_equal(onsram_paper_reuse(&o, 1), 4);
	/* A row added to each of 6 rows */
	o = (struct drm_onsram_op){ .opcode = ONSRAM_OP_ELEMENTWISE, .attr.func = ONSRAM_EW_ADD };
	o.operand[2].view = dense(ONSRAM_DTYPE_F16, 2, 6, 10);
	o.operand[2].view.strides[0] = 0;
	assert_int_equal(onsram_paper_reuse(&o, 2), 6);
}

static void test_merit(void **state)
{
	struct onsram_plan_graph pg;
	struct onsram_flow f;
	uint32_t x, a, b, c, d;

	(void)state;
	/* a is read by the operation behind it, and two further on; each costs 512 FLOPs */
	x = add_tensor(&g, KIB, 0);
	a = add_relu(x, 1, TRANSIENT);
	b = add_relu(a, 1, TRANSIENT);
	c = add_relu(b, 1, TRANSIENT);
	d = add_binary(&g, c, a, 512, 0);
	pg = graph_of(&g);
	assert_int_equal(onsram_flow_init(&f, &m, &pg), 0);
	/* Two readers, an operation without it: 0.4 * 2/2 + 0.5 * (1 + 1) + 0.1 * 2/4 */
	assert_true(onsram_paper_merit(&f, a, 4 * 512) == 0.4 + 1 + 0.1 * 0.5);
	/* 0.4 * 1/1 + 0.5 + 0.1 / 4 */
	assert_true(onsram_paper_merit(&f, c, 4 * 512) == 0.4 + 0.5 + 0.1 * 0.25);
	/* Nobody reads it */
	assert_true(onsram_paper_merit(&f, d, 4 * 512) == 0);
	onsram_flow_fini(&f);
}

static void test_classes(void **state)
{
	struct onsram_plan_graph pg;
	struct onsram_flow f;
	uint32_t x = add_tensor(&g, 2 * 64 * 56 * 56, 0);
	struct onsram_perf_op op = gemm(ONSRAM_DTYPE_F16, 1, 1, 1024, 1024);

	(void)state;
	/* 231 MFLOP beside 0.9 MB; a vector times 2 MB of weights; no arithmetic to speak of */
	add_conv(&g, x, 64, 56, 64, 3, TRANSIENT);
	add_tensor(&g, 2048 * KIB, DRM_ONSRAM_TENSOR_CONST);
	add_op(&g, &op, (uint32_t[]){ add_tensor(&g, 2 * KIB, 0), add_tensor(&g, 2 * KIB, 0), 3,
				      NONE, NONE, NONE });
	add_relu(x, 1, 0);
	pg = graph_of(&g);
	assert_int_equal(onsram_flow_init(&f, &m, &pg), 0);
	assert_int_equal(onsram_paper_bound(&f, 0), ONSRAM_BOUND_COMPUTE);
	assert_int_equal(onsram_paper_bound(&f, 1), ONSRAM_BOUND_WEIGHT);
	assert_int_equal(onsram_paper_bound(&f, 2), ONSRAM_BOUND_ACTIVATION);
	onsram_flow_fini(&f);
}

/* What is made overwrites what dies: a chain of tensors that no two of fit runs in one place */
static void test_overwrite(void **state)
{
	uint32_t x = add_tensor(&g, 1200 * KIB, 0), t[4];
	struct onsram_plan *p;

	(void)state;
	t[0] = add_relu(x, 1200, TRANSIENT);
	t[1] = add_relu(t[0], 1200, TRANSIENT);
	t[2] = add_relu(t[1], 1200, TRANSIENT);
	t[3] = add_relu(t[2], 1200, 0);
	p = plan();
	assert_int_equal(p->nr_intervals, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(stay_of(p, t[i])->offset, 0);
		assert_int_equal(stay_of(p, t[i])->first_op, i);
		assert_int_equal(stay_of(p, t[i])->last_op, i + 1);
	}
	assert_int_equal(p->peak_bytes, 1200 * KIB);
	assert_int_equal(p->reason[x], ONSRAM_REASON_NO_ACTIVATION);
	assert_int_equal(p->reason[t[1]], ONSRAM_REASON_HELD);
	/* Of eight crossings two are left: 38.4 us each at 32 GB/s. The others pass the SPM's port in 3.2 us */
	assert_int_equal(p->baseline_ps, 8 * 38400000ull);
	assert_int_equal(p->time_ps, 2 * 38400000ull + 2 * 2 * 3200000ull);
	onsram_plan_free(p);
}

/* Who may take whose place is checked, interval by interval */
static void test_overwrite_refused(void **state)
{
	uint32_t x = add_tensor(&g, 64 * KIB, 0), a, b, c, wrong;
	struct onsram_plan_graph pg;

	(void)state;
	a = add_relu(x, 64, TRANSIENT);			/* 0 */
	b = add_relu(a, 64, TRANSIENT);			/* 1 */
	c = add_relu(b, 64, TRANSIENT);			/* 2: b lives on */
	add_binary(&g, c, b, 32 * KIB, 0);		/* 3 */
	pg = graph_of(&g);
#define STAY(t, overwrite, first, last) \
	{ .tensor = t, .flags = (overwrite) ? ONSRAM_INTERVAL_OVERWRITE : 0, .bytes = 64 * KIB, \
	  .reserve_op = first, .first_op = first, .last_op = last, .release_op = (last) + 1 }
#define CHECK(...) \
	onsram_plan_check(&m, &pg, (const struct onsram_interval[]){ __VA_ARGS__ }, 2, &wrong)
	assert_null(CHECK(STAY(a, 0, 0, 1), STAY(b, 1, 1, 3)));
	assert_null(CHECK(STAY(b, 1, 1, 3), STAY(a, 0, 0, 1)));
	/* Not said; read again afterwards; not the operation that makes it; an input, which is not transient */
	assert_non_null(CHECK(STAY(a, 0, 0, 1), STAY(b, 0, 1, 3)));
	assert_non_null(CHECK(STAY(b, 0, 1, 2), STAY(c, 1, 2, 3)));
	assert_non_null(CHECK(STAY(a, 0, 0, 1), STAY(c, 1, 1, 3)));
	assert_non_null(CHECK(STAY(x, 0, 0, 0), STAY(a, 1, 0, 1)));
#undef CHECK
#undef STAY
}

/* An input that is read again later is in the way */
static void test_no_overwrite_of_the_living(void **state)
{
	uint32_t x = add_tensor(&g, 1200 * KIB, 0), a, b, c;
	struct onsram_plan *p;

	(void)state;
	a = add_relu(x, 1200, TRANSIENT);
	b = add_relu(a, 1200, TRANSIENT);
	c = add_relu(b, 1200, TRANSIENT);
	add_binary(&g, c, a, 600 * KIB, 0);
	p = plan();
	/* a: 0.4 * 2/2 + 0.5 * 2 + ... comes first, and leaves no room until the end */
	assert_non_null(stay_of(p, a));
	assert_int_equal(p->nr_intervals, 1);
	assert_int_equal(p->reason[b], ONSRAM_REASON_NO_ROOM);
	assert_int_equal(p->reason[c], ONSRAM_REASON_NO_ROOM);
	onsram_plan_free(p);
}

/* Merit decides, whatever the sizes: a small tensor with the better one keeps a large one out */
static void test_order_of_merit(void **state)
{
	uint32_t x = add_tensor(&g, 1800 * KIB, 0), small, large, y;
	struct onsram_plan *p;

	(void)state;
	large = add_relu(x, 1800, TRANSIENT);
	small = add_relu(x, 200, TRANSIENT);
	y = add_relu(small, 200, 0);
	add_relu(small, 200, 0);
	add_relu(large, 1800, 0);
	(void)y;
	p = plan();
	assert_non_null(stay_of(p, small));
	assert_null(stay_of(p, large));
	assert_int_equal(p->reason[large], ONSRAM_REASON_NO_ROOM);
	onsram_plan_free(p);
}

static void test_too_large(void **state)
{
	uint32_t x = add_tensor(&g, KIB, 0), a;
	struct onsram_plan *p;

	(void)state;
	a = add_relu(x, 1921, TRANSIENT);
	add_relu(a, 1921, 0);
	p = plan();
	assert_int_equal(p->nr_intervals, 0);
	assert_int_equal(p->reason[a], ONSRAM_REASON_TOO_LARGE);
	assert_int_equal(p->time_ps, p->baseline_ps);
	onsram_plan_free(p);
}

/* What activations bound follows its producer, other children wait their turn */
static void test_order(void **state)
{
	uint32_t x = add_tensor(&g, 2 * 64 * 56 * 56, 0), a, b, order[5], pos[5];
	struct onsram_plan_graph pg;

	(void)state;
	a = add_conv(&g, x, 64, 56, 64, 3, TRANSIENT);		/* 0 */
	add_conv(&g, a, 64, 56, 64, 3, 0);			/* 1: compute */
	b = add_relu(a, 392, TRANSIENT);			/* 2: activations */
	add_conv(&g, b, 64, 56, 64, 3, 0);			/* 3: compute */
	add_relu(b, 392, 0);					/* 4: activations */
	pg = graph_of(&g);
	assert_int_equal(onsram_paper_order(&m, &pg, order), 0);
	for (uint32_t i = 0; i < 5; i++)
		pos[order[i]] = i;
	assert_int_equal(pos[0], 0);
	assert_int_equal(pos[2], 1);
	assert_int_equal(pos[4], 2);
	assert_int_equal(pos[1], 3);
	assert_int_equal(pos[3], 4);
}

/* Parts of a tensor that do not overlap may be written in any order, others not */
static void test_order_keeps_dependencies(void **state)
{
	struct onsram_perf_op fill = { .opcode = ONSRAM_OP_FILL };
	struct onsram_plan_graph pg;
	uint32_t t = add_tensor(&g, 8 * KIB, TRANSIENT), order[5], pos[5];

	(void)state;
	fill.view[0] = dense(ONSRAM_DTYPE_F16, 1, 4 * KIB);
	add_op(&g, &fill, (uint32_t[]){ t, NONE, NONE, NONE, NONE, NONE });
	fill.view[0] = dense(ONSRAM_DTYPE_F16, 1, KIB);
	for (int i = 0; i < 3; i++)
		add_op(&g, &fill, (uint32_t[]){ t, NONE, NONE, NONE, NONE, NONE })->operand[0].offset =
			i * 1536;
	add_relu(t, 8, 0);
	pg = graph_of(&g);
	assert_int_equal(onsram_paper_order(&m, &pg, order), 0);
	for (uint32_t i = 0; i < 5; i++)
		pos[order[i]] = i;
	assert_int_equal(pos[0], 0);
	assert_true(pos[1] < pos[2] && pos[2] < pos[3]);
	assert_int_equal(pos[4], 4);
}

/* What every tensor holds after the operations have run in @order: a hash of how it came about */
static void evaluate(const struct onsram_plan_graph *pg, const uint32_t *order, uint64_t *value)
{
	for (uint32_t t = 0; t < pg->nr_tensors; t++)
		value[t] = t + 1;
	for (uint32_t i = 0; i < pg->nr_ops; i++) {
		const struct drm_onsram_op *op = &pg->ops[order[i]];
		uint64_t v = order[i];

		for (uint32_t s = 1; s < ONSRAM_MAX_OPERANDS; s++)
			if (op->operand[s].view.dtype)
				v = v * 0x100000001b3ull + value[op->operand[s].bo];
		value[op->operand[0].bo] = v;
	}
}

static void test_random(void **state)
{
	static uint64_t before[GRAPH_MAX_TENSORS], after[GRAPH_MAX_TENSORS];
	static uint32_t order[GRAPH_MAX_OPS], plain[GRAPH_MAX_OPS];
	uint32_t seed = 4711, held = 0, overwritten = 0, refused = 0;

	(void)state;
	for (uint32_t i = 0; i < GRAPH_MAX_OPS; i++)
		plain[i] = i;
	for (int round = 0; round < 300; round++) {
		struct onsram_plan_graph pg;
		struct onsram_plan *p;

		random_graph(&g, 2 + rnd(&seed) % 60, 1 + rnd(&seed) % 700, &seed);
		pg = graph_of(&g);
		onsram_model_init(&m, round % 2 ? ONSRAM_PRESET_DEFAULT : ONSRAM_PRESET_PAPER);
		assert_int_equal(onsram_paper_order(&m, &pg, order), 0);
		evaluate(&pg, plain, before);
		evaluate(&pg, order, after);
		assert_memory_equal(before, after, pg.nr_tensors * sizeof(*before));
		p = plan();
		for (uint32_t k = 0; k < p->nr_intervals; k++) {
			const struct onsram_interval *iv = &p->intervals[k];

			assert_int_equal(g.tensors[iv->tensor].flags, TRANSIENT);
			assert_true(iv->bytes >= g.tensors[iv->tensor].bytes);
			overwritten += !!(iv->flags & ONSRAM_INTERVAL_OVERWRITE);
		}
		for (uint32_t t = 0; t < pg.nr_tensors; t++) {
			assert_int_equal(p->reason[t] == ONSRAM_REASON_HELD, stay_of(p, t) != NULL);
			refused += p->reason[t] == ONSRAM_REASON_NO_ROOM;
		}
		assert_true(p->time_ps >= p->bound_ps);
		held += p->nr_intervals;
		onsram_plan_free(p);
	}
	assert_true(held > 300 && overwritten > 300 && refused > 100);
}

static void test_ideal(void **state)
{
	uint32_t x = add_tensor(&g, 4000 * KIB, 0), a, w, y;
	struct onsram_plan_graph pg;
	struct onsram_price p;

	(void)state;
	/* x and w are read twice, y is written once and read again */
	w = add_tensor(&g, 4000 * KIB, DRM_ONSRAM_TENSOR_CONST);
	a = add_binary(&g, x, w, 2000 * KIB, TRANSIENT);
	y = add_binary(&g, a, w, 2000 * KIB, 0);
	add_binary(&g, y, x, 2000 * KIB, 0);
	pg = graph_of(&g);
	assert_int_equal(onsram_price_ideal(&m, &pg, &p), 0);
	assert_int_equal(p.dram_read_bytes, 2 * 4000 * KIB);
	assert_int_equal(p.dram_write_bytes, 2 * 4000 * KIB);
	/* 128 us a crossing: two, one, one */
	assert_int_equal(p.time_ps, 4 * 128000000ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reuse, set_up),
		cmocka_unit_test_setup(test_merit, set_up),
		cmocka_unit_test_setup(test_classes, set_up),
		cmocka_unit_test_setup(test_overwrite, set_up),
		cmocka_unit_test_setup(test_overwrite_refused, set_up),
		cmocka_unit_test_setup(test_no_overwrite_of_the_living, set_up),
		cmocka_unit_test_setup(test_order_of_merit, set_up),
		cmocka_unit_test_setup(test_too_large, set_up),
		cmocka_unit_test_setup(test_order, set_up),
		cmocka_unit_test_setup(test_order_keeps_dependencies, set_up),
		cmocka_unit_test_setup(test_random, set_up),
		cmocka_unit_test_setup(test_ideal, set_up),
	};

	return cmocka_run_group_tests_name("paper", tests, NULL, NULL);
}
