// SPDX-License-Identifier: MIT
/* Residency, one rule at a time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "onsram_spm.h"
#include "spm-sim.h"

#define K		1024
#define END		{ -1, 0, 0 }
#define SLICES(...)	((struct sim_slice[ONSRAM_MAX_OPERANDS + 1]){ __VA_ARGS__, END })
#define ALL(t)		{ (int)(t), 0, 0 }

static struct sim sim;

static int set_up(void **state)
{
	(void)state;
	sim_init(&sim, 16);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sim_check(&sim);
	sim_fini(&sim);
	return 0;
}

static struct onsram_residency_run run_of(u32 client, u32 policy)
{
	return (struct onsram_residency_run){
		.client = &sim.client[client].base,
		.policy = policy,
		.fallback = DRM_ONSRAM_POLICY_NONE,
	};
}

/* One operation; @op NULL: nothing special about it. Return: mask of resident slots */
static u32 step(u32 client, u32 policy, const struct sim_slice *slices, struct onsram_residency_op *op)
{
	struct onsram_residency_run run = run_of(client, policy);
	struct onsram_residency_op plain = {};

	op = op ? op : &plain;
	sim_op(&sim, &run, ONSRAM_OP_GEMM, slices, op);
	sim_check(&sim);
	return op->resident;
}

static u32 lru(u32 client, const struct sim_slice *slices)
{
	return step(client, DRM_ONSRAM_POLICY_LRU, slices, NULL);
}

static u32 state_of(u32 t)
{
	return sim.tensor[t].res.state;
}

static u64 granule_of(u32 t)
{
	return sim.tensor[t].res.node.start;
}

static void test_init(void **state)
{
	struct onsram_spm spm;

	(void)state;
	assert_int_equal(onsram_spm_init(&spm, ONSRAM_STAGING_MIN + 1, 2), -EINVAL);
	assert_int_equal(onsram_spm_init(&spm, ONSRAM_STAGING_MIN - K, 2), -EINVAL);
	assert_int_equal(onsram_spm_init(&spm, (1ull << 32) + K, 2), -EINVAL);
	for (int left = 0; left < 4; left++) {
		unit_allocs_left = left;
		assert_int_equal(onsram_spm_init(&spm, 1 << 20, 2), -ENOMEM);
	}
	unit_allocs_left = -1;
	/* all staging: nothing is ever placed, everything works */
	assert_int_equal(onsram_spm_init(&spm, ONSRAM_STAGING_MIN, 2), 0);
	assert_int_equal(spm.capacity, 0);
	assert_int_equal(onsram_spm_largest_free(&spm), 0);
	onsram_spm_fini(&spm);
}

/* NONE places nothing, uses what it finds and makes it leave */
static void test_none(void **state)
{
	u32 a = sim_tensor(&sim, 0, 4 * K), b = sim_tensor(&sim, 0, 4 * K);

	(void)state;
	assert_int_equal(step(0, DRM_ONSRAM_POLICY_NONE, SLICES(ALL(a), ALL(b)), NULL), 0);
	assert_int_equal(sim.count[ONSRAM_PUSH_ASSIGN], 0);
	assert_int_equal(sim.spm.stats.misses, 2);
	lru(0, SLICES(ALL(a), ALL(b)));
	assert_int_equal(state_of(a), DRM_ONSRAM_RESIDENCY_DIRTY);
	assert_int_equal(step(0, DRM_ONSRAM_POLICY_NONE, SLICES(ALL(b), ALL(a)), NULL), 2);
	assert_int_equal(state_of(a), DRM_ONSRAM_RESIDENCY_NONE);
	assert_int_equal(sim.count[ONSRAM_PUSH_WRITEBACK], 1);
	assert_int_equal(sim.spm.stats.evictions, 0);
}

/* LRU keeps outputs, never fetches inputs, evicts the least recently used */
static void test_lru(void **state)
{
	u32 in = sim_tensor(&sim, 0, 4 * K), t[4];

	(void)state;
	for (u32 i = 0; i < 4; i++)
		t[i] = sim_tensor(&sim, 0, 6 * K);
	assert_int_equal(lru(0, SLICES(ALL(t[0]), ALL(in))), 1);
	assert_int_equal(lru(0, SLICES(ALL(t[1]), ALL(t[0]))), 3);
	assert_int_equal(sim.spm.stats.hits, 3);
	assert_int_equal(sim.spm.stats.misses, 1);
	assert_int_equal(sim.spm.stats.dram_avoided_bytes, 3 * 6 * K);
	/* used again, so that t[1] is the older one */
	lru(0, SLICES(ALL(in), ALL(t[0])));
	assert_int_equal(state_of(in), DRM_ONSRAM_RESIDENCY_DIRTY);
	lru(0, SLICES(ALL(t[2]), ALL(in)));
	assert_int_equal(state_of(t[1]), DRM_ONSRAM_RESIDENCY_NONE);
	assert_int_equal(state_of(t[0]), DRM_ONSRAM_RESIDENCY_DIRTY);
	assert_int_equal(sim.spm.stats.evictions, 1);
	assert_int_equal(sim.spm.stats.writebacks, 1);
	assert_int_equal(sim.spm.stats.peak_bytes, 16 * K);
	assert_int_equal(sim.spm.stats.prefetches, 0);
}

/* Operands of the operation itself are no victims; what cannot fit evicts nobody */
static void test_lru_room(void **state)
{
	u32 a = sim_tensor(&sim, 0, 8 * K), b = sim_tensor(&sim, 0, 8 * K);
	u32 c = sim_tensor(&sim, 0, 9 * K), d = sim_tensor(&sim, 0, 17 * K), e = sim_tensor(&sim, 0, 8 * K);

	(void)state;
	lru(0, SLICES(ALL(a), ALL(e)));
	lru(0, SLICES(ALL(b), ALL(a)));
	assert_int_equal(lru(0, SLICES(ALL(c), ALL(a))), 2);
	assert_int_equal(lru(0, SLICES(ALL(d), ALL(e))), 0);
	assert_int_equal(sim.spm.stats.evictions, 0);
	assert_int_equal(lru(0, SLICES(ALL(c), ALL(e))), 1);
	assert_int_equal(sim.spm.stats.evictions, 2);
}

/* A write of a part needs the rest: placed only where there is nothing to lose */
static void test_partial(void **state)
{
	u32 a = sim_tensor(&sim, 0, 4 * K), b = sim_tensor(&sim, 0, 4 * K);
	struct onsram_residency_op born = { .born = 1 };

	(void)state;
	assert_int_equal(lru(0, SLICES({ (int)a, 0, 512 }, ALL(b))), 0);
	/* in place: the old contents are read */
	assert_int_equal(lru(0, SLICES(ALL(a), ALL(a))), 0);
	assert_int_equal(step(0, DRM_ONSRAM_POLICY_LRU, SLICES({ (int)a, 0, 512 }, ALL(b)), &born), 1);
	/* the other part joins it in the SPM */
	assert_int_equal(lru(0, SLICES({ (int)a, 512, 512 }, ALL(b))), 1);
	assert_int_equal(lru(0, SLICES(ALL(b), { (int)a, 100, 900 })), 3);
	/* and in place, now that it is there */
	assert_int_equal(lru(0, SLICES(ALL(a), ALL(a))), 3);
}

/* A transient tensor leaves without a write-back after its last use */
static void test_dies(void **state)
{
	struct onsram_residency_op dies = { .dies = 2 };
	u32 a = sim_tensor(&sim, 0, 4 * K), b = sim_tensor(&sim, 0, 4 * K);

	(void)state;
	lru(0, SLICES(ALL(a), ALL(b)));
	step(0, DRM_ONSRAM_POLICY_LRU, SLICES(ALL(b), ALL(a)), &dies);
	assert_int_equal(state_of(a), DRM_ONSRAM_RESIDENCY_NONE);
	assert_int_equal(state_of(b), DRM_ONSRAM_RESIDENCY_DIRTY);
	assert_int_equal(sim.count[ONSRAM_PUSH_WRITEBACK], 0);
	assert_int_equal(sim.spm.stats.resident_bytes, 4 * K);
}

/* Sizes that are no multiple of a word are copied whole */
static void test_odd_bytes(void **state)
{
	u32 a = sim_tensor(&sim, 0, 2 * K + 1), b = sim_tensor(&sim, 0, K - 2);
	struct onsram_residency_op born = { .born = 1 };

	(void)state;
	onsram_residency_fetch(&sim.spm, &sim.emit, &sim.tensor[b].res);
	assert_int_equal(state_of(b), DRM_ONSRAM_RESIDENCY_CLEAN);
	assert_int_equal(onsram_residency_bytes(&sim.tensor[b].res), K);
	step(0, DRM_ONSRAM_POLICY_LRU, SLICES({ (int)a, 0, 512 }, { (int)b, 0, 255 }), &born);
	assert_int_equal(onsram_residency_bytes(&sim.tensor[a].res), 3 * K);
	assert_int_equal(onsram_residency_clean(&sim.spm, &sim.emit, &sim.tensor[a].res), 0);
	sim_cpu_reads(&sim, a);
}

/* Another client's data is zeroed before a range changes hands; one's own is not */
static void test_scrub(void **state)
{
	u32 a = sim_tensor(&sim, 0, 10 * K), b = sim_tensor(&sim, 1, 10 * K), x = sim_tensor(&sim, 1, K);
	u32 c = sim_tensor(&sim, 1, 8 * K), y = sim_tensor(&sim, 0, K);

	(void)state;
	lru(0, SLICES(ALL(a), ALL(y)));
	assert_int_equal(sim.spm.stats.scrubs, 0);
	lru(1, SLICES(ALL(b), ALL(x)));
	/* written back as its owner, counted as its owner's */
	assert_int_equal(state_of(a), DRM_ONSRAM_RESIDENCY_NONE);
	assert_int_equal(sim.client[0].stats.evictions, 1);
	assert_int_equal(sim.client[0].stats.writebacks, 1);
	assert_int_equal(sim.client[1].stats.scrubs, granule_of(b) < 10);
	lru(1, SLICES(ALL(c), ALL(x)));
	assert_int_equal(sim.client[1].stats.evictions, 1);
	/* nothing left of the first client, and the second's own ranges stay as they are */
	onsram_residency_discard(&sim.spm, &sim.tensor[b].res);
	onsram_residency_discard(&sim.spm, &sim.tensor[c].res);
	sim_unwanted(&sim, b);
	sim_unwanted(&sim, c);
	assert_int_equal(sim.spm.used, 0);
	sim_check(&sim);
}

/* Granules nobody uses go back to the staging window, in as few commands as runs */
static void test_release(void **state)
{
	u32 t[4], x = sim_tensor(&sim, 0, K), y = sim_tensor(&sim, 0, 20 * K);
	struct onsram_residency_run run = run_of(0, DRM_ONSRAM_POLICY_NONE);
	struct onsram_residency_op op = {};

	(void)state;
	for (u32 i = 0; i < 4; i++) {
		t[i] = sim_tensor(&sim, 0, 4 * K);
		lru(0, SLICES(ALL(t[i]), ALL(x)));
	}
	for (u32 i = 0; i < 4; i++) {
		if (i != 2) {
			onsram_residency_discard(&sim.spm, &sim.tensor[t[i]].res);
			sim_unwanted(&sim, t[i]);
		}
	}
	assert_int_equal(sim.spm.nr_stale, 12);
	/* only who uses the window needs it */
	sim_op(&sim, &run, ONSRAM_OP_POOL, SLICES(ALL(y), ALL(x)), &op);
	assert_int_equal(sim.released, 0);
	sim_op(&sim, &run, ONSRAM_OP_CONV, SLICES(ALL(y), ALL(x)), &op);
	assert_int_equal(sim.released, 2);
	assert_int_equal(sim.spm.nr_stale, 0);
	/* a place taken over by the same client needs no command at all */
	lru(0, SLICES(ALL(t[0]), ALL(x)));
	onsram_residency_discard(&sim.spm, &sim.tensor[t[0]].res);
	sim_unwanted(&sim, t[0]);
	sim.count[ONSRAM_PUSH_ASSIGN] = 0;
	lru(0, SLICES(ALL(t[0]), ALL(x)));
	assert_int_equal(sim.count[ONSRAM_PUSH_ASSIGN], 0);
}

/* Without room on the ring nothing is placed or dropped, and every result is right */
static void test_short_of_room(void **state)
{
	u32 a = sim_tensor(&sim, 0, 10 * K), b = sim_tensor(&sim, 0, 10 * K), x = sim_tensor(&sim, 0, K);

	(void)state;
	sim_room(&sim, 0);
	assert_int_equal(lru(0, SLICES(ALL(a), ALL(x))), 0);
	sim_room(&sim, 1);
	assert_int_equal(lru(0, SLICES(ALL(a), ALL(x))), 1);
	/* the write-back would fit, the place behind it not */
	sim_room(&sim, 1);
	assert_int_equal(lru(0, SLICES(ALL(b), ALL(x))), 0);
	assert_int_equal(state_of(a), DRM_ONSRAM_RESIDENCY_DIRTY);
	sim_room(&sim, 0);
	assert_int_equal(step(0, DRM_ONSRAM_POLICY_NONE, SLICES(ALL(b), ALL(a)), NULL), 2);
	assert_int_equal(state_of(a), DRM_ONSRAM_RESIDENCY_DIRTY);
	assert_int_equal(onsram_residency_evict(&sim.spm, &sim.emit, &sim.tensor[a].res), -ENOSPC);
	assert_int_equal(onsram_residency_clean(&sim.spm, &sim.emit, &sim.tensor[a].res), -ENOSPC);
	assert_int_equal(onsram_residency_drop_all(&sim.spm, &sim.emit), -ENOSPC);
	sim_room(&sim, 1);
	assert_int_equal(onsram_residency_drop_all(&sim.spm, &sim.emit), 0);
	assert_int_equal(sim.spm.used, 0);
}

/* A push that fails leaves nothing resident that is not */
static void test_fetch_discard_reset(void **state)
{
	u32 a = sim_tensor(&sim, 0, 12 * K), b = sim_tensor(&sim, 0, 8 * K), x = sim_tensor(&sim, 0, K);

	(void)state;
	onsram_residency_fetch(&sim.spm, &sim.emit, &sim.tensor[a].res);
	assert_int_equal(state_of(a), DRM_ONSRAM_RESIDENCY_CLEAN);
	/* advice evicts nobody */
	onsram_residency_fetch(&sim.spm, &sim.emit, &sim.tensor[b].res);
	assert_int_equal(state_of(b), DRM_ONSRAM_RESIDENCY_NONE);
	assert_int_equal(onsram_spm_largest_free(&sim.spm), 4 * K);
	onsram_residency_fetch(&sim.spm, &sim.emit, &sim.tensor[a].res);
	assert_int_equal(sim.spm.stats.prefetches, 1);
	assert_false(onsram_residency_discard(&sim.spm, &sim.tensor[a].res));
	assert_false(onsram_residency_discard(&sim.spm, &sim.tensor[a].res));
	lru(0, SLICES(ALL(a), ALL(x)));
	onsram_residency_fetch(&sim.spm, &sim.emit, &sim.tensor[x].res);
	sim_reset(&sim);
	sim_check(&sim);
	assert_int_equal(sim.spm.used, 0);
	assert_false(sim.tensor[a].wanted[0]);
	assert_true(sim.tensor[x].wanted[0]);
	lru(0, SLICES(ALL(a), ALL(x)));
	assert_true(onsram_residency_discard(&sim.spm, &sim.tensor[a].res));
	sim_unwanted(&sim, a);
}

/* An assignment that failed on the device is made again, scrubbing, for whoever comes next */
static void test_distrust(void **state)
{
	u32 a = sim_tensor(&sim, 0, 4 * K), b = sim_tensor(&sim, 1, 4 * K), x = sim_tensor(&sim, 1, K);
	u32 y = sim_tensor(&sim, 0, K);

	(void)state;
	lru(0, SLICES(ALL(a), ALL(y)));
	sim_unwanted(&sim, a);
	onsram_residency_discard(&sim.spm, &sim.tensor[a].res);
	/* a prefetch of which the device carries out nothing */
	sim.idle = true;
	onsram_residency_fetch(&sim.spm, &sim.emit, &sim.tensor[b].res);
	sim.idle = false;
	onsram_spm_distrust(&sim.spm, 0, 4);
	assert_int_equal(state_of(b), DRM_ONSRAM_RESIDENCY_NONE);
	assert_int_equal(sim.tensor[b].res.generation, 0);
	assert_int_equal(sim.spm.nr_stale, 4);
	/* the first client's data is still there, and the device still thinks it is the owner */
	assert_int_equal(sim.owner[0], 1);
	lru(1, SLICES(ALL(b), ALL(x)));
	assert_int_equal(granule_of(b), 0);
	assert_int_equal(sim.owner[0], 2);
	/* what lies in such a range is gone */
	onsram_spm_distrust(&sim.spm, 1, 1);
	assert_int_equal(state_of(b), DRM_ONSRAM_RESIDENCY_NONE);
	assert_int_equal(sim.tensor[b].res.generation, 1);
	sim_take_losses(&sim);
	assert_false(sim.tensor[b].wanted[0]);
	/* a range that nobody uses is nobody's, but may hold something */
	onsram_spm_distrust(&sim.spm, 8, 2);
	sim.owner[8] = 1;
	sim.owner[9] = 1;
	/* and even the same client gets zeros */
	lru(1, SLICES(ALL(b), ALL(x)));
	assert_int_equal(sim.spm.stats.scrubs, 3);
}

static u32 eager(const struct sim_slice *slices, u32 actions, u32 priority)
{
	const struct onsram_rule_what rule = { .actions = actions, .priority = priority };
	struct onsram_residency_op op = { .rule = &rule };

	return step(0, DRM_ONSRAM_POLICY_AGENT, slices, &op);
}

/* A step of a sequence that puts the operands at @places, granules */
static u32 placed(const struct sim_slice *slices, u32 actions, u32 p0, u32 p1)
{
	const struct onsram_rule_what rule = {
		.state = ONSRAM_STATE_START, .actions = actions, .places = { p0 * K, p1 * K },
	};
	struct onsram_residency_op op = { .rule = &rule };

	return step(0, DRM_ONSRAM_POLICY_AGENT, slices, &op);
}

static void test_steps(void **state)
{
	u32 a = sim_tensor(&sim, 0, 8 * K), b = sim_tensor(&sim, 0, 8 * K), x = sim_tensor(&sim, 0, K);

	(void)state;
	/* where it says, its contents brought in where they are wanted */
	assert_int_equal(placed(SLICES(ALL(a), ALL(x)), ONSRAM_RULE_HOLD(0) | ONSRAM_RULE_HOLD(1), 3, 11), 3);
	assert_int_equal(onsram_residency_offset(&sim.tensor[a].res), 3 * K);
	assert_int_equal(onsram_residency_offset(&sim.tensor[x].res), 11 * K);
	assert_int_equal(sim.count[ONSRAM_PUSH_FETCH], 1);
	/* what is there already stays where it is */
	assert_int_equal(placed(SLICES(ALL(b), ALL(x)), ONSRAM_RULE_HOLD(1), 0, 0), 2);
	assert_int_equal(onsram_residency_offset(&sim.tensor[x].res), 11 * K);
	/* whoever is in its place makes room, whatever its priority, and is written back */
	sim.tensor[a].res.priority = 100;
	assert_int_equal(placed(SLICES(ALL(b), ALL(x)), ONSRAM_RULE_HOLD(0), 0, 0), 3);
	assert_int_equal(sim.tensor[a].res.state, DRM_ONSRAM_RESIDENCY_NONE);
	assert_int_equal(sim.count[ONSRAM_PUSH_WRITEBACK], 1);
	/* a place that no tensor can have is no place */
	assert_int_equal(placed(SLICES(ALL(a), ALL(x)), ONSRAM_RULE_HOLD(0), 1 << 20, 0), 2);
	/* and it gives its place up */
	placed(SLICES(ALL(b), ALL(x)), ONSRAM_RULE_DROP(0) | ONSRAM_RULE_DROP(1), 0, 0);
	assert_int_equal(sim.tensor[b].res.state, DRM_ONSRAM_RESIDENCY_NONE);
	assert_int_equal(sim.tensor[x].res.state, DRM_ONSRAM_RESIDENCY_NONE);
}

static void test_eager(void **state)
{
	u32 a = sim_tensor(&sim, 0, 8 * K), b = sim_tensor(&sim, 0, 8 * K), c = sim_tensor(&sim, 0, 8 * K);
	u32 x = sim_tensor(&sim, 0, K), o = sim_tensor(&sim, 1, 4 * K), p = sim_tensor(&sim, 1, K);

	(void)state;
	/* a rule without HOLD(0) leaves the output in DRAM */
	assert_int_equal(eager(SLICES(ALL(a), ALL(x)), 0, 9), 0);
	assert_int_equal(eager(SLICES(ALL(a), ALL(x)), ONSRAM_RULE_HOLD(0), 9), 1);
	assert_int_equal(eager(SLICES(ALL(b), ALL(x)), ONSRAM_RULE_HOLD(0), 5), 1);
	/* less priority evicts nobody, more takes the least valuable one's place */
	assert_int_equal(eager(SLICES(ALL(c), ALL(x)), ONSRAM_RULE_HOLD(0), 4), 0);
	assert_int_equal(eager(SLICES(ALL(c), ALL(x)), ONSRAM_RULE_HOLD(0), 6), 1);
	assert_int_equal(state_of(a), DRM_ONSRAM_RESIDENCY_DIRTY);
	assert_int_equal(state_of(b), DRM_ONSRAM_RESIDENCY_NONE);
	/* inputs come in where there is free room, and only there */
	assert_int_equal(eager(SLICES(ALL(x), ALL(b)), ONSRAM_RULE_HOLD(1), 99), 0);
	assert_int_equal(eager(SLICES(ALL(x), ALL(c)), ONSRAM_RULE_DROP(1), 0), 2);
	assert_int_equal(state_of(c), DRM_ONSRAM_RESIDENCY_NONE);
	assert_int_equal(eager(SLICES(ALL(x), ALL(b)), ONSRAM_RULE_HOLD(1), 3), 2);
	assert_int_equal(sim.spm.stats.prefetches, 1);
	/* a held output whose old contents are wanted is fetched, in free room only */
	assert_int_equal(eager(SLICES({ (int)x, 0, 8 }, ALL(a)), ONSRAM_RULE_HOLD(0), 99), 2);
	/* without a rule: the fallback, counted; it does not take a rule's place */
	assert_int_equal(sim.spm.stats.fallbacks, 0);
	assert_int_equal(step(0, DRM_ONSRAM_POLICY_AGENT, SLICES(ALL(c), ALL(x)), NULL), 0);
	assert_int_equal(sim.spm.stats.fallbacks, 1);
	assert_int_equal(sim.client[0].stats.fallbacks, 1);
	assert_int_equal(lru(0, SLICES(ALL(c), ALL(x))), 0);
	/* but priorities do not keep another client's LRU out */
	assert_int_equal(lru(1, SLICES(ALL(o), ALL(p))), 1);
	assert_int_equal(state_of(b), DRM_ONSRAM_RESIDENCY_NONE);
	assert_int_equal(state_of(a), DRM_ONSRAM_RESIDENCY_DIRTY);
}

/* Graph: 0: a = f(w), 1: b = f(a), 2: a2 = f(b), 3: out = f(a2, w) */
static struct onsram_residence *tensor_at(const struct onsram_residency_run *run, u32 index)
{
	(void)run;
	return &sim.tensor[index].res;
}

static struct onsram_plan *plan_of(const struct onsram_plan_interval *iv, u32 n,
				   const struct drm_onsram_op *ops, u32 nr_ops)
{
	struct onsram_plan_tensor tensors[SIM_TENSORS];
	struct onsram_plan_graph graph = { ops, nr_ops, tensors, sim.nr_tensors };
	struct onsram_plan *plan;
	const char *why;

	for (u32 t = 0; t < sim.nr_tensors; t++)
		tensors[t] = (struct onsram_plan_tensor){ sim.tensor[t].bytes, 0 };
	plan = onsram_plan_build(iv, n, &graph, (u64)sim.spm.granules * K, &why);
	if (IS_ERR(plan))
		fail_msg("plan refused: %s", why);
	return plan;
}

static void graph_op(struct drm_onsram_op *op, const struct sim_slice *slices)
{
	*op = make_op(ONSRAM_OP_COPY, 0);
	for (u32 s = 0; slices[s].tensor >= 0; s++) {
		operand(op, s, VIEW(I32, sim.tensor[slices[s].tensor].bytes / 4));
		op->operand[s].bo = slices[s].tensor;
	}
}

static void test_static(void **state)
{
	u32 w = sim_tensor(&sim, 0, 4 * K), a = sim_tensor(&sim, 0, 4 * K), b = sim_tensor(&sim, 0, 4 * K);
	u32 c = sim_tensor(&sim, 0, 4 * K), out = sim_tensor(&sim, 0, 4 * K);
	const struct sim_slice *ops[] = {
		SLICES(ALL(a), ALL(w)), SLICES(ALL(b), ALL(a)), SLICES(ALL(c), ALL(b)),
		SLICES(ALL(out), ALL(c), ALL(w)),
	};
	const struct onsram_plan_interval iv[] = {
		{ w, 0, 3, ONSRAM_INTERVAL_FETCH | ONSRAM_INTERVAL_KEEP, 12 * K, 4 * K, 0, 0, 4 },
		{ a, 0, 1, 0, 0, 4 * K, 0, 0, 2 },
		{ b, 1, 2, 0, 4 * K, 4 * K, 0, 1, 3 },
		{ c, 2, 3, 0, 0, 4 * K, 0, 2, 4 },
	};
	struct onsram_residency_run run = run_of(0, DRM_ONSRAM_POLICY_AGENT);
	struct drm_onsram_op uops[4];
	u32 stranger = sim_tensor(&sim, 1, 8 * K), x = sim_tensor(&sim, 1, K);

	(void)state;
	for (u32 i = 0; i < 4; i++)
		graph_op(&uops[i], ops[i]);
	run.plan = plan_of(iv, 4, uops, 4);
	run.tensor = tensor_at;
	/* somebody lies where the plan wants to place, dirty */
	lru(1, SLICES(ALL(stranger), ALL(x)));
	for (u32 pass = 0; pass < 3; pass++) {
		static const u32 resident[] = { 3, 3, 3, 6 };

		for (u32 i = 0; i < 4; i++) {
			struct onsram_residency_op op = { .index = i, .dies = i == 1 ? 2 : 0 };

			sim_op(&sim, &run, ONSRAM_OP_CONV, ops[i], &op);
			assert_int_equal(op.resident, resident[i]);
			sim_check(&sim);
		}
		assert_int_equal(state_of(w), DRM_ONSRAM_RESIDENCY_CLEAN);
		assert_int_equal(granule_of(w), 12);
		assert_int_equal(sim.spm.used, 4);
		/* kept from the first pass on */
		assert_int_equal(sim.spm.stats.prefetches, 1);
		/* b and c are written back at the end of their stay, a is dead */
		assert_int_equal(sim.spm.stats.writebacks, 1 + 2 * (pass + 1));
	}
	assert_int_equal(sim.spm.stats.evictions, 1);
	assert_int_equal(sim.client[0].stats.fallbacks, 0);
	onsram_plan_put((struct onsram_plan *)run.plan);
	/* no plan: the fallback */
	run.plan = NULL;
	struct onsram_residency_op op = {};

	sim_op(&sim, &run, ONSRAM_OP_CONV, ops[0], &op);
	assert_int_equal(sim.client[0].stats.fallbacks, 1);
	/* NONE, as which it acts, lets go of what it used */
	assert_int_equal(state_of(w), DRM_ONSRAM_RESIDENCY_NONE);
}

/* A tensor that lies elsewhere moves to where the plan says, with what it holds */
static void test_static_moves(void **state)
{
	u32 a = sim_tensor(&sim, 0, 4 * K), x = sim_tensor(&sim, 0, 4 * K);
	const struct sim_slice *ops[] = { SLICES(ALL(x), ALL(a)), SLICES(ALL(a), ALL(x)) };
	const struct onsram_plan_interval read = { a, 0, 1, ONSRAM_INTERVAL_FETCH, 8 * K, 4 * K, 0, 0, 2 };
	const struct onsram_plan_interval written = { a, 1, 1, 0, 12 * K, 4 * K, 0, 1, 2 };
	struct onsram_residency_run run = run_of(0, DRM_ONSRAM_POLICY_AGENT);
	struct onsram_residency_op op = {};
	struct drm_onsram_op uops[2];

	(void)state;
	graph_op(&uops[0], ops[0]);
	graph_op(&uops[1], ops[1]);
	run.tensor = tensor_at;
	lru(0, SLICES(ALL(a), ALL(x)));
	assert_int_equal(granule_of(a), 0);
	run.plan = plan_of(&read, 1, uops, 2);
	sim_op(&sim, &run, ONSRAM_OP_CONV, ops[0], &op);
	assert_int_equal(granule_of(a), 8);
	assert_int_equal(op.resident, 2);
	assert_int_equal(sim.spm.stats.writebacks, 1);
	assert_int_equal(sim.spm.stats.prefetches, 1);
	onsram_plan_put((struct onsram_plan *)run.plan);
	/* what is overwritten whole need not be carried along */
	run.plan = plan_of(&written, 1, uops, 2);
	op.index = 1;
	sim_op(&sim, &run, ONSRAM_OP_CONV, ops[1], &op);
	assert_int_equal(op.resident & 1, 1);
	assert_int_equal(sim.spm.stats.prefetches, 1);
	onsram_plan_put((struct onsram_plan *)run.plan);
}

/* What the plan holds stays until its interval ends, even where it was used longest ago */
static void test_static_holds(void **state)
{
	u32 h = sim_tensor(&sim, 0, 4 * K), s = sim_tensor(&sim, 0, 12 * K), p = sim_tensor(&sim, 0, 4 * K);
	u32 x = sim_tensor(&sim, 0, 4 * K);
	const struct sim_slice *ops[] = {
		SLICES(ALL(x), ALL(x)), SLICES(ALL(x), ALL(s)), SLICES(ALL(p), ALL(x)), SLICES(ALL(x), ALL(h)),
	};
	const struct onsram_plan_interval iv[] = {
		{ h, 0, 3, ONSRAM_INTERVAL_FETCH, 140 * K, 4 * K, 0, 0, 4 },
		{ p, 2, 3, 0, 130 * K, 4 * K, 0, 2, 4 },
	};
	struct onsram_residency_run run = run_of(0, DRM_ONSRAM_POLICY_AGENT);
	struct drm_onsram_op uops[4];

	(void)state;
	for (u32 i = 0; i < 4; i++)
		graph_op(&uops[i], ops[i]);
	run.plan = plan_of(iv, 2, uops, 4);
	run.tensor = tensor_at;
	lru(0, SLICES(ALL(s), ALL(x)));
	for (u32 i = 0; i < 4; i++) {
		struct onsram_residency_op op = { .index = i };

		sim_op(&sim, &run, ONSRAM_OP_CONV, ops[i], &op);
		assert_int_equal(state_of(s) != DRM_ONSRAM_RESIDENCY_NONE, i < 2);
		assert_int_equal(state_of(h) != DRM_ONSRAM_RESIDENCY_NONE, i < 3);
		assert_int_equal(op.resident, i == 1 || i == 3 ? 2 : i == 2);
	}
	assert_int_equal(sim.spm.stats.evictions, 1);
	onsram_plan_put((struct onsram_plan *)run.plan);
}

/* An output over the input that dies, which others still use; what was another's is not zeroed under it */
static void test_static_over(void **state)
{
	u32 w = sim_tensor(&sim, 0, 4 * K), a = sim_tensor(&sim, 0, 4 * K), b = sim_tensor(&sim, 0, 6 * K);
	u32 out = sim_tensor(&sim, 0, 6 * K), stranger = sim_tensor(&sim, 1, 8 * K), x = sim_tensor(&sim, 1, K);
	const struct sim_slice *ops[] = {
		SLICES(ALL(a), ALL(w)), SLICES(ALL(b), ALL(a), ALL(w), ALL(a)), SLICES(ALL(out), ALL(b)),
	};
	const struct onsram_plan_interval ahead[] = {
		{ a, 0, 1, 0, 0, 4 * K, 0, 0, 2 }, { b, 1, 2, ONSRAM_INTERVAL_OVERWRITE, 0, 6 * K, 0, 1, 3 },
	};
	const struct onsram_plan_interval amid[] = {
		{ a, 0, 1, 0, K, 4 * K, 0, 0, 2 }, { b, 1, 2, ONSRAM_INTERVAL_OVERWRITE, 0, 6 * K, 0, 1, 3 },
	};
	static const u32 born[] = { 1, 1, 0 }, dies[] = { 0, 2 | 8, 2 };
	struct onsram_plan_tensor tensors[SIM_TENSORS] = {};
	struct onsram_residency_run run = run_of(0, DRM_ONSRAM_POLICY_AGENT);
	struct drm_onsram_op uops[3];
	struct onsram_plan_graph graph = { uops, 3, tensors, sim.nr_tensors };
	const char *why;

	(void)state;
	for (u32 i = 0; i < 3; i++)
		graph_op(&uops[i], ops[i]);
	for (u32 t = 0; t < sim.nr_tensors; t++)
		tensors[t].bytes = sim.tensor[t].bytes;
	tensors[a].flags = tensors[b].flags = DRM_ONSRAM_TENSOR_TRANSIENT;
	run.tensor = tensor_at;
	for (u32 round = 0; round < 6; round++) {
		/* room for: all; the first placement alone */
		bool foreign = round & 1, is_amid = round & 2, no_room = round >= 4;

		run.plan = onsram_plan_build(is_amid ? amid : ahead, 2, &graph, (u64)sim.spm.granules * K, &why);
		assert_false(IS_ERR(run.plan));
		if (foreign)
			lru(1, SLICES(ALL(stranger), ALL(x)));
		for (u32 i = 0; i < 3; i++) {
			struct onsram_residency_op op = { .index = i, .born = born[i], .dies = dies[i] };
			bool over = i == 1 && !no_room && !(foreign && is_amid);
			u32 had = sim.over;

			sim_room(&sim, no_room && i == 1 ? 0 : 1000);
			sim_op(&sim, &run, ONSRAM_OP_CONV, ops[i], &op);
			assert_int_equal(sim.over - had, over ? 2 : 0);
			if (i == 1)
				assert_int_equal(op.resident, over ? 1 | 2 | 8 : 2 | 8);
			sim_check(&sim);
		}
		assert_int_equal(state_of(a), DRM_ONSRAM_RESIDENCY_NONE);
		assert_int_equal(state_of(b), DRM_ONSRAM_RESIDENCY_NONE);
		sim_room(&sim, 1000);
		assert_int_equal(onsram_residency_drop_all(&sim.spm, &sim.emit), 0);
		assert_int_equal(sim.spm.used, 0);
		onsram_plan_put((struct onsram_plan *)run.plan);
	}
	/* never more than the larger of both */
	assert_int_equal(sim.client[0].stats.peak_bytes, 6 * K);
	assert_int_equal(sim.client[0].stats.writebacks, 0);
}

#define test(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		test(test_none),
		test(test_lru),
		test(test_lru_room),
		test(test_partial),
		test(test_dies),
		test(test_odd_bytes),
		test(test_scrub),
		test(test_release),
		test(test_short_of_room),
		test(test_fetch_discard_reset),
		test(test_distrust),
		test(test_eager), test(test_steps),
		test(test_static),
		test(test_static_moves),
		test(test_static_holds),
		test(test_static_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
