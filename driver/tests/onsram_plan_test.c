// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: plans, with the kernel's drm_mm underneath.
 */
#include <kunit/test.h>
#include <linux/sizes.h>

#include "onsram_plan.h"

#define NR_OPS		2048
#define NR_TENSORS	(NR_OPS + 1)
#define SPM_SIZE	SZ_2M

struct plan_test {
	struct drm_onsram_op *ops;
	struct onsram_plan_tensor *tensors;
	struct onsram_plan_interval *iv;
	struct onsram_plan_graph graph;
};

/* A chain: operation i writes tensor i + 1 from tensor i, 16 KiB each */
static int plan_test_init(struct kunit *test)
{
	struct plan_test *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);
	u32 i, s;

	KUNIT_ASSERT_NOT_NULL(test, p);
	p->ops = kunit_kcalloc(test, NR_OPS, sizeof(*p->ops), GFP_KERNEL);
	p->tensors = kunit_kcalloc(test, NR_TENSORS, sizeof(*p->tensors), GFP_KERNEL);
	p->iv = kunit_kcalloc(test, NR_TENSORS, sizeof(*p->iv), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p->ops);
	KUNIT_ASSERT_NOT_NULL(test, p->tensors);
	KUNIT_ASSERT_NOT_NULL(test, p->iv);
	for (i = 0; i < NR_TENSORS; i++)
		p->tensors[i].bytes = SZ_16K;
	for (i = 0; i < NR_OPS; i++) {
		p->ops[i].opcode = ONSRAM_OP_COPY;
		for (s = 0; s < 2; s++) {
			p->ops[i].operand[s].bo = i + !s;
			p->ops[i].operand[s].view = (struct onsram_view){
				.dtype = ONSRAM_DTYPE_F32, .rank = 1,
				.dims = { SZ_4K }, .strides = { 1 },
			};
		}
	}
	p->graph = (struct onsram_plan_graph){ p->ops, NR_OPS, p->tensors, NR_TENSORS };
	test->priv = p;
	return 0;
}

/* Of every tensor a half stays from its producer to its consumer, the other joins it there */
static u32 plan_test_halves(struct plan_test *p)
{
	u32 i, n = 0;

	for (i = 0; i + 1 < NR_OPS && n + 2 <= NR_TENSORS; i++) {
		u32 offset = (i & 1) * SZ_16K;

		p->iv[n++] = (struct onsram_plan_interval){
			.tensor = i + 1, .reserve_op = i, .first_op = i, .last_op = i + 1,
			.release_op = i + 2, .offset = offset, .bytes = SZ_8K,
		};
		p->iv[n++] = (struct onsram_plan_interval){
			.tensor = i + 1, .reserve_op = i + 1, .first_op = i + 1,
			.last_op = i + 1, .release_op = i + 2,
			.flags = ONSRAM_INTERVAL_FETCH,
			.offset = offset + SZ_8K, .bytes = SZ_8K, .begin = SZ_8K,
		};
	}
	return n;
}

/* Every tensor is held from its producer to its consumer, in two places by turns */
static u32 plan_test_chain(struct plan_test *p)
{
	u32 i;

	for (i = 0; i < NR_OPS; i++)
		p->iv[i] = (struct onsram_plan_interval){
			.tensor = i + 1, .reserve_op = i, .first_op = i,
			.last_op = min_t(u32, i + 1, NR_OPS - 1),
			.release_op = min_t(u32, i + 2, NR_OPS),
			.offset = (i & 1) * SZ_16K, .bytes = SZ_16K,
		};
	return NR_OPS;
}

static void onsram_plan_indexes(struct kunit *test)
{
	struct plan_test *p = test->priv;
	struct onsram_plan *plan;
	u32 i, n = plan_test_chain(p);
	const char *why;

	plan = onsram_plan_build(p->iv, n, &p->graph, SPM_SIZE, &why);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(plan), "%s", why);
	for (i = 0; i < NR_OPS; i++) {
		KUNIT_ASSERT_EQ(test, plan->event[ONSRAM_PLAN_RESERVE].at[i], i);
		KUNIT_ASSERT_EQ(test, plan->event[ONSRAM_PLAN_RESERVE].which[i], i);
		KUNIT_ASSERT_EQ(test, plan->event[ONSRAM_PLAN_FIRST].at[i], i);
	}
	KUNIT_EXPECT_EQ(test, plan->event[ONSRAM_PLAN_RESERVE].at[NR_OPS], n);
	KUNIT_EXPECT_EQ(test, plan->event[ONSRAM_PLAN_LAST].at[1], 0);
	KUNIT_EXPECT_EQ(test, plan->event[ONSRAM_PLAN_LAST].at[2], 1);
	KUNIT_EXPECT_EQ(test, plan->event[ONSRAM_PLAN_LAST].at[NR_OPS], n);
	KUNIT_EXPECT_EQ(test, plan->event[ONSRAM_PLAN_RELEASE].at[2], 0);
	KUNIT_EXPECT_EQ(test, plan->event[ONSRAM_PLAN_RELEASE].at[3], 1);
	KUNIT_EXPECT_EQ(test, plan->event[ONSRAM_PLAN_RELEASE].at[NR_OPS], n - 2);
	KUNIT_EXPECT_EQ(test, plan->event[ONSRAM_PLAN_RELEASE].at[NR_OPS + 1], n);
	KUNIT_EXPECT_PTR_EQ(test, onsram_plan_get(plan), plan);
	onsram_plan_put(plan);
	onsram_plan_put(plan);
}

static void onsram_plan_grows(struct kunit *test)
{
	struct plan_test *p = test->priv;
	struct onsram_plan *plan;
	u32 k, n = plan_test_halves(p);
	const char *why;

	plan = onsram_plan_build(p->iv, n, &p->graph, SPM_SIZE, &why);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(plan), "%s", why);
	for (k = 0; k < n; k++) {
		const struct onsram_plan_index *reserve = &plan->event[ONSRAM_PLAN_RESERVE];
		bool joins = plan->interval[reserve->which[k]].begin;

		KUNIT_ASSERT_EQ(test, reserve->extent[k].begin, 0);
		KUNIT_ASSERT_EQ(test, reserve->extent[k].bytes, joins ? SZ_16K : SZ_8K);
		KUNIT_ASSERT_EQ(test, plan->event[ONSRAM_PLAN_RELEASE].extent[k].bytes, 0);
	}
	onsram_plan_put(plan);

	p->iv[1].offset += SZ_64K;
	plan = onsram_plan_build(p->iv, n, &p->graph, SPM_SIZE, &why);
	KUNIT_ASSERT_TRUE(test, IS_ERR(plan));
	KUNIT_EXPECT_EQ(test, PTR_ERR(plan), -EINVAL);
	KUNIT_EXPECT_STREQ(test, why,
			   "parts of a tensor held at once do not follow each other in the SPM");
	p->iv[1].offset -= SZ_64K;
	p->iv[1].begin += SZ_8K;
	plan = onsram_plan_build(p->iv, n, &p->graph, SPM_SIZE, &why);
	KUNIT_ASSERT_TRUE(test, IS_ERR(plan));
	KUNIT_EXPECT_STREQ(test, why, "interval names a part the tensor does not have");
}

static void onsram_plan_refuses(struct kunit *test)
{
	struct plan_test *p = test->priv;
	u32 i, n = plan_test_chain(p);
	struct onsram_plan *plan;
	const char *why;

	p->iv[NR_OPS / 2].offset ^= SZ_16K;
	plan = onsram_plan_build(p->iv, n, &p->graph, SPM_SIZE, &why);
	KUNIT_ASSERT_TRUE(test, IS_ERR(plan));
	KUNIT_EXPECT_EQ(test, PTR_ERR(plan), -EINVAL);
	KUNIT_EXPECT_STREQ(test, why, "two intervals overlap in time and place");

	plan_test_chain(p);
	p->iv[7].tensor = p->iv[8].tensor;
	p->iv[7].flags = ONSRAM_INTERVAL_FETCH;
	plan = onsram_plan_build(p->iv, n, &p->graph, SPM_SIZE, &why);
	KUNIT_ASSERT_TRUE(test, IS_ERR(plan));
	KUNIT_EXPECT_STREQ(test, why,
			   "parts of a tensor held at once do not follow each other in the SPM");

	/* all at once: more than there is, though each has a place of its own */
	for (i = 0; i < SPM_SIZE / SZ_16K; i++)
		p->iv[i] = (struct onsram_plan_interval){
			.tensor = i, .last_op = NR_OPS - 1, .release_op = NR_OPS,
			.flags = ONSRAM_INTERVAL_FETCH,
			.offset = i * SZ_16K, .bytes = SZ_16K,
		};
	plan = onsram_plan_build(p->iv, SPM_SIZE / SZ_16K, &p->graph, SPM_SIZE, &why);
	KUNIT_ASSERT_TRUE(test, IS_ERR(plan));
	KUNIT_EXPECT_EQ(test, PTR_ERR(plan), -ENOSPC);
	n = (SPM_SIZE - ONSRAM_STAGING_MIN) / SZ_16K;
	plan = onsram_plan_build(p->iv, n, &p->graph, SPM_SIZE, &why);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(plan), "%s", why);
	onsram_plan_put(plan);
}

static void onsram_plan_overwrites(struct kunit *test)
{
	struct plan_test *p = test->priv;
	u32 i, n = plan_test_chain(p);
	struct onsram_plan *plan;
	const char *why;

	/* one place, which each takes over from the one it is made of; the last stays in DRAM */
	n--;
	for (i = 0; i < n; i++) {
		p->tensors[i + 1].flags = DRM_ONSRAM_TENSOR_TRANSIENT;
		p->iv[i].flags = ONSRAM_INTERVAL_OVERWRITE;
		p->iv[i].offset = 0;
	}
	plan = onsram_plan_build(p->iv, n, &p->graph, ONSRAM_STAGING_MIN + SZ_16K, &why);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(plan), "%s", why);
	onsram_plan_put(plan);

	p->iv[n / 2].flags = 0;
	plan = onsram_plan_build(p->iv, n, &p->graph, SPM_SIZE, &why);
	KUNIT_ASSERT_TRUE(test, IS_ERR(plan));
	KUNIT_EXPECT_STREQ(test, why, "two intervals overlap in time and place");

	p->iv[n / 2].flags = ONSRAM_INTERVAL_OVERWRITE;
	p->tensors[p->iv[n / 2].tensor].flags = 0;
	plan = onsram_plan_build(p->iv, n, &p->graph, SPM_SIZE, &why);
	KUNIT_ASSERT_TRUE(test, IS_ERR(plan));
	KUNIT_EXPECT_EQ(test, PTR_ERR(plan), -EINVAL);
	KUNIT_EXPECT_STREQ(test, why,
			   "only a TRANSIENT tensor that its first use makes can overwrite others");
}

static struct kunit_case onsram_plan_test_cases[] = {
	KUNIT_CASE(onsram_plan_indexes),
	KUNIT_CASE(onsram_plan_grows),
	KUNIT_CASE(onsram_plan_refuses),
	KUNIT_CASE(onsram_plan_overwrites),
	{}
};

static struct kunit_suite onsram_plan_test_suite = {
	.name = "onsram_plan",
	.init = plan_test_init,
	.test_cases = onsram_plan_test_cases,
};

kunit_test_suite(onsram_plan_test_suite);
