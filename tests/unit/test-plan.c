// SPDX-License-Identifier: MIT
/* The kernel's check of plans, and their index. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "driver-ops.h"
#include "onsram_plan.h"

#define K		1024
#define NR_OPS		4
#define NR_TENSORS	5
#define SPM_SIZE	(ONSRAM_STAGING_MIN + 16 * K)
#define FETCH		ONSRAM_INTERVAL_FETCH
#define KEEP		ONSRAM_INTERVAL_KEEP

int unit_allocs_left = -1;

enum { W, A, B, OUT, BIG };

/*
 * 0: A = f(W)	1: the first half of B = f(A)	2: the second half of B = f(A)
 * 3: OUT = f(OUT), in place
 */
static struct drm_onsram_op ops[NR_OPS];
static const struct onsram_plan_tensor tensors[NR_TENSORS] = {
	[W] = { 4 * K, DRM_ONSRAM_TENSOR_CONST },
	[A] = { 4 * K, 0 },
	[B] = { 4 * K - 2, DRM_ONSRAM_TENSOR_TRANSIENT },
	[OUT] = { 4 * K, 0 },
	[BIG] = { 5ull << 30, 0 },
};
static const struct onsram_plan_graph graph = { ops, NR_OPS, tensors, NR_TENSORS };

static void set_operand(u32 op, u32 slot, u32 tensor, u32 words)
{
	operand(&ops[op], slot, VIEW(I32, words));
	ops[op].operand[slot].bo = tensor;
}

static int set_up(void **state)
{
	(void)state;
	for (u32 i = 0; i < NR_OPS; i++)
		ops[i] = make_op(ONSRAM_OP_COPY, 0);
	set_operand(0, 0, A, K);
	set_operand(0, 1, W, K);
	set_operand(1, 0, B, 512);
	set_operand(1, 1, A, 512);
	set_operand(2, 0, B, 511);
	set_operand(2, 1, A, 511);
	ops[3] = make_op(ONSRAM_OP_ELEMENTWISE, ONSRAM_EW_NEG);
	set_operand(3, 0, OUT, K);
	set_operand(3, 1, OUT, K);
	return 0;
}

static void refuse(const struct onsram_plan_interval *iv, u32 n, int error, const char *want)
{
	const char *why;
	struct onsram_plan *plan = onsram_plan_build(iv, n, &graph, SPM_SIZE, &why);

	assert_true(IS_ERR(plan));
	assert_int_equal(PTR_ERR(plan), error);
	assert_string_equal(why, want);
}

static struct onsram_plan *accept(const struct onsram_plan_interval *iv, u32 n)
{
	const char *why;
	struct onsram_plan *plan = onsram_plan_build(iv, n, &graph, SPM_SIZE, &why);

	if (IS_ERR(plan))
		fail_msg("refused: %s", why);
	assert_null(why);
	return plan;
}

#define IV(...)		((const struct onsram_plan_interval[]){ __VA_ARGS__ })
#define COUNT(...)	(sizeof(IV(__VA_ARGS__)) / sizeof(struct onsram_plan_interval))
#define REFUSE(error, want, ...)	refuse(IV(__VA_ARGS__), COUNT(__VA_ARGS__), error, want)
#define ACCEPT(...)			onsram_plan_put(accept(IV(__VA_ARGS__), COUNT(__VA_ARGS__)))

static void test_fields(void **state)
{
	(void)state;
	ACCEPT({ W, 0, 3, FETCH | KEEP, 0, 4 * K, 0, 0, 4 });
	REFUSE(-EINVAL, "interval names a tensor the graph does not have",
	       { NR_TENSORS, 0, 3, FETCH, 0, 4 * K, 0, 0, 4 });
	REFUSE(-EINVAL, "interval names a tensor the graph does not have",
	       { U32_MAX, 0, 3, FETCH, 0, 4 * K, 0, 0, 4 });
	REFUSE(-EINVAL, "interval names an operation the graph does not have",
	       { W, 0, NR_OPS, FETCH, 0, 4 * K, 0, 0, NR_OPS + 1 });
	REFUSE(-EINVAL, "interval names an operation the graph does not have",
	       { W, U32_MAX, U32_MAX, FETCH, 0, 4 * K, 0, U32_MAX, U32_MAX + 1 });
	REFUSE(-EINVAL, "interval ends before it begins", { W, 2, 1, FETCH, 0, 4 * K, 0, 2, 2 });
	REFUSE(-EINVAL, "unknown interval flag", { W, 0, 3, FETCH | 8, 0, 4 * K, 0, 0, 4 });
	REFUSE(-EINVAL, "offset is not a multiple of the granule", { W, 0, 3, FETCH, 512, 4 * K, 0, 0, 4 });
	ACCEPT({ W, 0, 3, FETCH, SPM_SIZE - 4 * K, 4 * K, 0, 0, 4 });
	REFUSE(-EINVAL, "interval ends behind the SPM", { W, 0, 3, FETCH, SPM_SIZE - 3 * K, 4 * K, 0, 0, 4 });
	REFUSE(-EINVAL, "interval ends behind the SPM", { W, 0, 3, FETCH, 0u - K, 4 * K, 0, 0, 4 });
	REFUSE(-EINVAL, "only an interval up to the last operation can be kept",
	       { W, 0, 2, FETCH | KEEP, 0, 4 * K, 0, 0, 3 });
}

/* Any granules of a tensor may stay, and no others */
static void test_parts(void **state)
{
	static const char granules[] = "part of a tensor is not in granules";
	static const char outside[] = "interval names a part the tensor does not have";

	(void)state;
	ACCEPT({ W, 0, 3, FETCH, 0, K, 0, 0, 4 });
	ACCEPT({ W, 0, 3, FETCH, 0, K, 3 * K, 0, 4 });
	ACCEPT({ W, 0, 3, FETCH, 8 * K, 2 * K, K, 0, 4 });
	/* the last granule need not be full */
	ACCEPT({ B, 1, 3, 0, 0, 4 * K, 0, 1, 4 });
	ACCEPT({ B, 1, 3, 0, 0, K, 3 * K, 1, 4 });
	REFUSE(-EINVAL, granules, { B, 1, 3, 0, 0, 4 * K - 2, 0, 1, 4 });
	REFUSE(-EINVAL, granules, { W, 0, 3, FETCH, 0, 512, 0, 0, 4 });
	REFUSE(-EINVAL, granules, { W, 0, 3, FETCH, 0, K, 512, 0, 4 });
	REFUSE(-EINVAL, granules, { W, 0, 3, FETCH, 0, 0, 0, 0, 4 });
	REFUSE(-EINVAL, outside, { W, 0, 3, FETCH, 0, 5 * K, 0, 0, 4 });
	REFUSE(-EINVAL, outside, { W, 0, 3, FETCH, 0, 4 * K, K, 0, 4 });
	REFUSE(-EINVAL, outside, { W, 0, 3, FETCH, 0, K, 4 * K, 0, 4 });
	REFUSE(-EINVAL, outside, { W, 0, 3, FETCH, 0, 0u - K, K, 0, 4 });
	REFUSE(-EINVAL, outside, { W, 0, 3, FETCH, 0, 4 * K, 0ull - 2 * K, 0, 4 });
	REFUSE(-EINVAL, outside, { B, 1, 3, 0, 0, K, 4 * K, 1, 4 });
	/* in 5 GiB, whose low word is that of 1 GiB */
	ACCEPT({ BIG, 0, 3, FETCH, 0, 4 * K, (5ull << 30) - 4 * K, 0, 4 });
	REFUSE(-EINVAL, outside, { BIG, 0, 3, FETCH, 0, 4 * K, (5ull << 30) - 3 * K, 0, 4 });
	REFUSE(-EINVAL, "interval ends behind the SPM", { BIG, 0, 3, FETCH, 0, 1u << 30, 0, 0, 4 });
}

/* What is held of a tensor is one extent at any time, which grows and shrinks */
static void test_extents(void **state)
{
	static const char spm[] = "parts of a tensor held at once do not follow each other in the SPM";
	static const char tensor[] = "parts of a tensor held at once do not follow each other in the tensor";
	const struct onsram_plan_interval iv[] = {
		{ W, 0, 3, FETCH | KEEP, 5 * K, K, K, 0, 4 }, { W, 1, 2, FETCH, 4 * K, K, 0, 1, 3 },
		{ W, 1, 3, FETCH, 6 * K, K, 2 * K, 1, 4 }, { A, 0, 3, 0, 0, 4 * K, 0, 0, 4 },
	};
	/* by operation: W, A; W, W */
	static const struct onsram_plan_extent grown[] = {
		{ K, K, 5 * K }, { 0, 4 * K, 0 }, { 0, 3 * K, 4 * K }, { 0, 3 * K, 4 * K },
	};
	/* W at 2, then W, W, A at 3; and in front of the operations behind them */
	static const struct onsram_plan_extent stays[] = {
		{ K, 2 * K, 5 * K }, { K, K, 5 * K }, { K, K, 5 * K }, { 0, 0, 0 },
	};
	struct onsram_plan *plan = accept(iv, 4);

	(void)state;
	assert_memory_equal(plan->event[ONSRAM_PLAN_RESERVE].extent, grown, sizeof(grown));
	assert_memory_equal(plan->event[ONSRAM_PLAN_LAST].extent, stays, sizeof(stays));
	assert_memory_equal(plan->event[ONSRAM_PLAN_RELEASE].extent, stays, sizeof(stays));
	onsram_plan_put(plan);
	/* the same bytes twice, here and there */
	REFUSE(-EINVAL, "two intervals overlap in time and place",
	       { W, 0, 2, FETCH, 0, 2 * K, 0, 0, 3 }, { W, 1, 2, FETCH, K, 2 * K, K, 1, 3 });
	REFUSE(-EINVAL, spm, { W, 0, 2, FETCH, 0, 2 * K, 0, 0, 3 }, { W, 1, 2, FETCH, 8 * K, 2 * K, 0, 1, 3 });
	REFUSE(-EINVAL, spm, { W, 0, 2, FETCH, 0, 2 * K, 0, 0, 3 }, { W, 2, 2, FETCH, 3 * K, 2 * K, 2 * K, 2, 3 });
	REFUSE(-EINVAL, tensor, { W, 0, 2, FETCH, 0, K, 0, 0, 3 }, { W, 2, 2, FETCH, 2 * K, K, 2 * K, 2, 3 });
	/* one after the other they lie as they like */
	ACCEPT({ W, 0, 1, FETCH, 0, K, 0, 0, 2 }, { W, 2, 2, FETCH, 2 * K, 2 * K, 0, 2, 3 });
	/* what lies between them ends first, or begins late */
	REFUSE(-EINVAL, tensor, { W, 0, 2, FETCH, 0, K, 0, 0, 3 }, { W, 0, 1, FETCH, K, K, K, 0, 2 },
	       { W, 0, 3, FETCH, 2 * K, K, 2 * K, 0, 4 });
	REFUSE(-EINVAL, tensor, { W, 0, 2, FETCH, 0, K, 0, 0, 3 }, { W, 1, 2, FETCH, K, K, K, 1, 3 },
	       { W, 0, 2, FETCH, 2 * K, K, 2 * K, 0, 3 });
	ACCEPT({ W, 0, 2, FETCH, 0, K, 0, 0, 3 }, { W, 0, 2, FETCH, K, K, K, 0, 3 },
	       { W, 0, 3, FETCH, 2 * K, K, 2 * K, 0, 4 });
	/* what grows is wanted, too */
	REFUSE(-EINVAL, "interval begins without FETCH where the tensor's contents are wanted",
	       { W, 0, 2, FETCH, 0, K, 0, 0, 3 }, { W, 1, 2, 0, K, K, K, 1, 3 });
	ACCEPT({ A, 0, 3, 0, 0, K, 0, 0, 4 }, { A, 1, 3, FETCH, K, K, K, 1, 4 });
}

/* Without FETCH an interval begins where nothing is lost */
static void test_begin(void **state)
{
	static const char why[] = "interval begins without FETCH where the tensor's contents are wanted";

	(void)state;
	ACCEPT({ A, 0, 3, 0, 0, 4 * K, 0, 0, 4 });
	REFUSE(-EINVAL, why, { A, 1, 3, 0, 0, 4 * K, 0, 1, 4 });
	REFUSE(-EINVAL, why, { W, 0, 3, 0, 0, 4 * K, 0, 0, 4 });
	/* a transient tensor's first use may write a part */
	ACCEPT({ B, 1, 2, 0, 0, 4 * K, 0, 1, 3 });
	REFUSE(-EINVAL, why, { B, 2, 2, 0, 0, 4 * K, 0, 2, 3 });
	REFUSE(-EINVAL, why, { B, 0, 2, 0, 0, 4 * K, 0, 0, 3 });
	/* written whole, but read, too */
	REFUSE(-EINVAL, why, { OUT, 3, 3, 0, 0, 4 * K, 0, 3, 4 });
	ACCEPT({ OUT, 3, 3, FETCH, 0, 4 * K, 0, 3, 4 });
	/* ahead of its use */
	ACCEPT({ OUT, 1, 3, FETCH | KEEP, 0, 4 * K, 0, 1, 4 });
}

static void test_time_and_place(void **state)
{
	(void)state;
	REFUSE(-EINVAL, "two intervals overlap in time and place",
	       { W, 0, 1, FETCH, 0, 4 * K, 0, 0, 2 }, { A, 1, 2, FETCH, 3 * K, 4 * K, 0, 1, 3 });
	ACCEPT({ W, 0, 1, FETCH, 0, 4 * K, 0, 0, 2 }, { A, 1, 2, FETCH, 4 * K, 4 * K, 0, 1, 3 });
	ACCEPT({ W, 0, 1, FETCH, 0, 4 * K, 0, 0, 2 }, { A, 2, 2, FETCH, 3 * K, 4 * K, 0, 2, 3 });
	REFUSE(-EINVAL, "two intervals overlap in time and place",
	       { W, 0, 1, FETCH, 2 * K, 2 * K, 0, 0, 2 }, { A, 1, 2, FETCH, 3 * K, K, 2 * K, 1, 3 });
	/* spilled and brought back */
	ACCEPT({ W, 0, 1, FETCH, 0, 4 * K, 0, 0, 2 }, { W, 2, 3, FETCH, 8 * K, 4 * K, 0, 2, 4 });
	/* 16 KiB are there to be held */
	ACCEPT({ W, 0, 3, FETCH, 0, 4 * K, 0, 0, 4 }, { A, 0, 3, 0, 4 * K, 4 * K, 0, 0, 4 },
	       { B, 1, 3, 0, 8 * K, 4 * K, 0, 1, 4 }, { OUT, 1, 3, FETCH, 12 * K, 4 * K, 0, 1, 4 });
	struct drm_onsram_op more = ops[3];
	struct onsram_plan_tensor t[] = { { 9 * K, 0 }, { 8 * K, 0 } };
	struct onsram_plan_graph g = { &more, 1, t, 2 };
	struct onsram_plan_interval iv[] = {
		{ 0, 0, 0, FETCH, 0, 9 * K, 0, 0, 1 }, { 1, 0, 0, FETCH, 64 * K, 8 * K, 0, 0, 1 },
	};
	const char *why;

	more.operand[0].bo = 0;
	more.operand[1].bo = 1;
	assert_int_equal(PTR_ERR(onsram_plan_build(iv, 2, &g, SPM_SIZE, &why)), -ENOSPC);
	assert_string_equal(why, "more held at once than the SPM less the staging window");
	assert_int_equal(PTR_ERR(onsram_plan_build(iv, 1, &g, ONSRAM_STAGING_MIN, &why)), -ENOSPC);
}

/* A place passes from what an operation is the last to read to what it makes */
static void test_overwrite(void **state)
{
	static const char both[] = "two intervals overlap in time and place";
	static const char never[] = "only a TRANSIENT tensor that its first use makes can overwrite others";
	enum { IN, X, Y, Z, LAST, HUGE };
	static const struct onsram_plan_tensor t[] = {
		[IN] = { 4 * K, DRM_ONSRAM_TENSOR_CONST }, [X] = { 4 * K, DRM_ONSRAM_TENSOR_TRANSIENT },
		[Y] = { 4 * K, DRM_ONSRAM_TENSOR_TRANSIENT }, [Z] = { 6 * K, DRM_ONSRAM_TENSOR_TRANSIENT },
		[LAST] = { 4 * K, 0 }, [HUGE] = { 13 * K, DRM_ONSRAM_TENSOR_CONST },
	};
	/* 0: X = f(IN)	1: Y = f(X)	2: Z = f(Y, Y, IN)	3: LAST = f(Z) */
	struct drm_onsram_op op[4];
	const struct onsram_plan_graph g = { op, 4, t, 6 };
	static const u32 operands[4][4] = { { X, IN, U32_MAX }, { Y, X, U32_MAX }, { Z, Y, Y, IN }, { LAST, Z, U32_MAX } };
	const char *why;

	(void)state;
	for (u32 i = 0; i < 4; i++) {
		op[i] = make_op(ONSRAM_OP_COPY, 0);
		for (u32 s = 0; s < 4 && operands[i][s] != U32_MAX; s++) {
			operand(&op[i], s, VIEW(I32, K));
			op[i].operand[s].bo = operands[i][s];
		}
	}
#define CHECK(error, want, ...) do { \
	struct onsram_plan *p_ = onsram_plan_build(IV(__VA_ARGS__), COUNT(__VA_ARGS__), &g, SPM_SIZE, &why); \
	assert_int_equal(IS_ERR(p_) ? PTR_ERR(p_) : 0, error); \
	if (IS_ERR(p_)) \
		assert_string_equal(why, want); \
	else \
		onsram_plan_put(p_); \
} while (0)
#define OVER	ONSRAM_INTERVAL_OVERWRITE
	CHECK(0, NULL, { X, 0, 1, 0, 0, 4 * K, 0, 0, 2 }, { Y, 1, 2, OVER, 0, 4 * K, 0, 1, 3 }, { Z, 2, 3, OVER, 0, 6 * K, 0, 2, 4 });
	CHECK(0, NULL, { Y, 1, 2, OVER, 0, 4 * K, 0, 1, 3 }, { X, 0, 1, 0, 0, 4 * K, 0, 0, 2 });
	/* in part, of a part, and nothing at all */
	CHECK(0, NULL, { X, 0, 1, 0, 2 * K, 4 * K, 0, 0, 2 }, { Y, 1, 2, OVER, 0, 4 * K, 0, 1, 3 });
	CHECK(0, NULL, { X, 0, 1, 0, 2 * K, 2 * K, 2 * K, 0, 2 }, { Y, 1, 2, OVER, 3 * K, K, 0, 1, 3 });
	CHECK(0, NULL, { X, 0, 1, OVER, 0, 4 * K, 0, 0, 2 });
	/* not said; by who is not made there; of what lives on, or stays longer; of who does not die by TRANSIENT */
	CHECK(-EINVAL, both, { X, 0, 1, 0, 0, 4 * K, 0, 0, 2 }, { Y, 1, 2, 0, 0, 4 * K, 0, 1, 3 });
	CHECK(-EINVAL, both, { Y, 1, 3, 0, 0, 4 * K, 0, 1, 4 }, { Z, 2, 3, OVER, 0, 6 * K, 0, 2, 4 });
	CHECK(-EINVAL, both, { X, 0, 2, 0, 0, 4 * K, 0, 0, 3 }, { Y, 1, 2, OVER, 0, 4 * K, 0, 1, 3 });
	CHECK(-EINVAL, both, { IN, 0, 2, FETCH, 0, 4 * K, 0, 0, 3 }, { Z, 2, 3, OVER, 0, 6 * K, 0, 2, 4 });
	CHECK(-EINVAL, never, { Y, 2, 2, FETCH | OVER, 0, 4 * K, 0, 2, 3 });
	CHECK(-EINVAL, never, { Y, 1, 2, FETCH | OVER, 0, 4 * K, 0, 1, 3 });
	CHECK(-EINVAL, never, { Z, 2, 3, KEEP | OVER, 0, 6 * K, 0, 2, 4 });
	CHECK(-EINVAL, never, { LAST, 3, 3, OVER, 0, 4 * K, 0, 3, 4 });
	CHECK(-EINVAL, never, { IN, 0, 3, OVER, 0, 4 * K, 0, 0, 4 });
	/* nobody else gets what is left of the place at that operation */
	CHECK(-EINVAL, both, { X, 0, 1, 0, 0, 4 * K, 0, 0, 2 }, { Y, 1, 2, OVER, 0, 2 * K, 0, 1, 3 },
	      { IN, 1, 2, FETCH, 2 * K, 4 * K, 0, 1, 3 });
	CHECK(0, NULL, { X, 0, 1, 0, 0, 4 * K, 0, 0, 2 }, { Y, 1, 2, OVER, 0, 2 * K, 0, 1, 3 },
	      { IN, 2, 2, FETCH, 2 * K, 4 * K, 0, 2, 3 });
	/* what is shared counts once: 16 KiB are there to be held; Y is read in two slots */
	CHECK(0, NULL, { Y, 1, 2, 0, 0, 2 * K, 0, 1, 3 }, { Z, 2, 3, OVER, 0, 3 * K, 0, 2, 4 },
	      { HUGE, 0, 3, FETCH, 16 * K, 13 * K, 0, 0, 4 });
	CHECK(-ENOSPC, "more held at once than the SPM less the staging window",
	      { Y, 1, 2, 0, 0, 2 * K, 0, 1, 3 }, { Z, 2, 3, OVER, K, 3 * K, 0, 2, 4 }, { HUGE, 0, 3, FETCH, 16 * K, 13 * K, 0, 0, 4 });
#undef OVER
#undef CHECK
}

static void test_limits(void **state)
{
	struct onsram_plan_interval *many = calloc(ONSRAM_PLAN_MAX_INTERVALS + 1, sizeof(*many));
	struct onsram_plan *plan;
	const char *why;

	(void)state;
	refuse(many, ONSRAM_PLAN_MAX_INTERVALS + 1, -EINVAL, "more than ONSRAM_PLAN_MAX_INTERVALS intervals");
	free(many);
	plan = accept(NULL, 0);
	for (u32 i = 0; i <= NR_OPS; i++) {
		for (u32 e = 0; e < ONSRAM_PLAN_EVENTS; e++)
			assert_int_equal(plan->event[e].at[i + 1], 0);
	}
	onsram_plan_put(plan);
	for (int left = 0;; left++) {
		unit_allocs_left = left;
		plan = onsram_plan_build(IV({ W, 0, 3, FETCH, 0, 4 * K, 0, 0, 4 }), 1, &graph, SPM_SIZE, &why);
		unit_allocs_left = -1;
		if (!IS_ERR(plan))
			break;
		assert_int_equal(PTR_ERR(plan), -ENOMEM);
	}
	onsram_plan_put(plan);
}

/* Places are taken ahead and given back late, for transfers beside operations */
static void test_transfers(void **state)
{
	(void)state;
	ACCEPT({ OUT, 3, 3, FETCH, 0, 4 * K, 0, 0, 4 });
	ACCEPT({ A, 0, 0, 0, 0, 4 * K, 0, 0, 4 });
	REFUSE(-EINVAL, "interval is reserved behind its first operation",
	       { OUT, 2, 3, FETCH, 0, 4 * K, 0, 3, 4 });
	REFUSE(-EINVAL, "interval is reserved behind its first operation",
	       { OUT, 2, 3, FETCH, 0, 4 * K, 0, U32_MAX, 4 });
	REFUSE(-EINVAL, "interval is released before its last operation has ended, or never",
	       { OUT, 2, 3, FETCH, 0, 4 * K, 0, 2, 3 });
	REFUSE(-EINVAL, "interval is released before its last operation has ended, or never",
	       { OUT, 2, 3, FETCH, 0, 4 * K, 0, 2, 0 });
	REFUSE(-EINVAL, "interval is released before its last operation has ended, or never",
	       { OUT, 2, 3, FETCH, 0, 4 * K, 0, 2, NR_OPS + 1 });
	REFUSE(-EINVAL, "interval is released before its last operation has ended, or never",
	       { OUT, 2, 3, FETCH, 0, 4 * K, 0, 2, U32_MAX });
	/* what nobody wants needs no time to come */
	REFUSE(-EINVAL, "interval without FETCH is reserved ahead", { B, 1, 3, 0, 0, 4 * K, 0, 0, 4 });
	/* a place is another's until its write-back is through, and from when a fetch may begin on */
	REFUSE(-EINVAL, "two intervals overlap in time and place",
	       { A, 0, 0, 0, 0, 4 * K, 0, 0, 3 }, { OUT, 3, 3, FETCH, 0, 4 * K, 0, 2, 4 });
	ACCEPT({ A, 0, 0, 0, 0, 4 * K, 0, 0, 2 }, { OUT, 3, 3, FETCH, 0, 4 * K, 0, 2, 4 });
	REFUSE(-ENOSPC, "more held at once than the SPM less the staging window",
	       { A, 0, 0, 0, 0, 4 * K, 0, 0, 2 }, { BIG, 3, 3, FETCH, 4 * K, 13 * K, 0, 1, 4 });
	/* parts of a tensor that come and go */
	REFUSE(-EINVAL, "parts of a tensor held at once do not follow each other in the SPM",
	       { W, 0, 0, FETCH, 0, 2 * K, 0, 0, 2 }, { W, 3, 3, FETCH, 4 * K, 2 * K, 0, 1, 4 });
	ACCEPT({ W, 0, 0, FETCH, 0, 2 * K, 0, 0, 2 }, { W, 3, 3, FETCH, 4 * K, 2 * K, 0, 2, 4 });
}

/* What happens at each operation */
static void test_index(void **state)
{
	const struct onsram_plan_interval iv[] = {
		{ OUT, 3, 3, FETCH, 0, 4 * K, 0, 1, 4 }, { B, 1, 2, 0, 4 * K, 4 * K, 0, 1, 4 },
		{ W, 0, 0, FETCH, 12 * K, 4 * K, 0, 0, 2 }, { A, 0, 2, 0, 8 * K, 4 * K, 0, 0, 3 },
		{ W, 3, 3, FETCH | KEEP, 8 * K, 4 * K, 0, 3, 4 },
	};
	/* per event and operation: how many, then their tensors */
	static const u32 want[ONSRAM_PLAN_EVENTS][NR_OPS + 1][4] = {
		[ONSRAM_PLAN_RESERVE] = { { 2, W, A }, { 2, OUT, B }, { 0 }, { 1, W } },
		[ONSRAM_PLAN_FIRST] = { { 2, W, A }, { 1, B }, { 0 }, { 2, OUT, W } },
		[ONSRAM_PLAN_LAST] = { { 1, W }, { 0 }, { 2, B, A }, { 2, OUT, W } },
		[ONSRAM_PLAN_RELEASE] = { { 0 }, { 0 }, { 1, W }, { 1, A }, { 3, OUT, B, W } },
	};
	struct onsram_plan *plan = accept(iv, 5);

	(void)state;
	assert_int_equal(plan->nr_ops, NR_OPS);
	assert_int_equal(plan->nr_intervals, 5);
	for (u32 e = 0; e < ONSRAM_PLAN_EVENTS; e++) {
		const struct onsram_plan_index *event = &plan->event[e];

		for (u32 i = 0; i <= NR_OPS; i++) {
			assert_int_equal(event->at[i + 1] - event->at[i], want[e][i][0]);
			for (u32 k = 0; k < want[e][i][0]; k++)
				assert_int_equal(plan->interval[event->which[event->at[i] + k]].tensor,
						 want[e][i][1 + k]);
		}
	}
	assert_ptr_equal(onsram_plan_get(plan), plan);
	onsram_plan_put(plan);
	assert_int_equal(plan->nr_ops, NR_OPS);
	onsram_plan_put(plan);
	assert_null(onsram_plan_get(NULL));
	onsram_plan_put(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_extents),
		cmocka_unit_test(test_begin),
		cmocka_unit_test(test_time_and_place),
		cmocka_unit_test(test_overwrite),
		cmocka_unit_test(test_transfers),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_index),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
