// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: SPM allocator and residency, with the kernel's drm_mm underneath.
 *
 * A machine of versions: every write of a tensor makes a new one, a granule of the
 * SPM and of the DRAM home of a tensor each hold a version of it.  What an operation
 * reads must be the latest.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include <linux/onsram_netlink.h>

#include "onsram_plan.h"
#include "onsram_residency.h"

#define NR_CLIENTS	2
#define NR_TENSORS	24
#define GRANULES	32
#define SPM_SIZE	(ONSRAM_STAGING_MIN + GRANULES * ONSRAM_SPM_GRANULE)
#define ALL_GRANULES	(SPM_SIZE / ONSRAM_SPM_GRANULE)
#define STEPS		20000

#define MAX_GRANULES	40

struct test_tensor {
	struct onsram_residence res;
	u32 latest;
	u32 dram[MAX_GRANULES];
};

/**
 * struct spm_test - the machine
 * @test: running
 * @emit: for the code under test
 * @spm: what is tested
 * @client: owners of the tensors, by turns
 * @stats: of each client
 * @tensor: buffers
 * @owner: asid per granule, 0 nobody
 * @holds: tensor + 1 per granule, 0 zeros
 * @version: of @holds
 * @rnd: same numbers in every run
 * @cur: operation: tensors it reads (from slot 1) and writes (slot 0)
 * @nr_cur: number of slots
 * @fetches: FETCH commands
 * @writebacks: WRITEBACK commands
 * @parts: operands that lay in the SPM in part
 */
struct spm_test {
	struct kunit *test;
	struct onsram_emit emit;
	struct onsram_spm spm;
	struct onsram_residency_client client[NR_CLIENTS];
	struct drm_onsram_stats stats[NR_CLIENTS];
	struct test_tensor tensor[NR_TENSORS];
	u32 owner[ALL_GRANULES];
	u32 holds[ALL_GRANULES];
	u32 version[ALL_GRANULES];
	struct rnd_state rnd;
	u32 cur[ONSRAM_MAX_OPERANDS];
	u32 nr_cur;
	u32 fetches;
	u32 writebacks;
	u32 parts;
};

static u32 spm_test_rnd(struct spm_test *t, u32 n)
{
	return prandom_u32_state(&t->rnd) % n;
}

static u32 spm_test_index(struct spm_test *t, const struct onsram_residence *res)
{
	return container_of(res, struct test_tensor, res) - t->tensor;
}

static u32 spm_test_granules(const struct test_tensor *tensor)
{
	return DIV_ROUND_UP(tensor->res.bytes, ONSRAM_SPM_GRANULE);
}

/* What holds a granule of tensor @i whose address is @addr */
static u32 *spm_test_at(struct spm_test *t, u32 i, u64 addr, u32 asid, bool write)
{
	u32 g = (addr & ~ONSRAM_ADDR_SPM) / ONSRAM_SPM_GRANULE;
	struct test_tensor *tensor = &t->tensor[i];

	KUNIT_EXPECT_EQ(t->test, tensor->res.client->asid, asid);
	if (!(addr & ONSRAM_ADDR_SPM)) {
		g = (addr - tensor->res.va) / ONSRAM_SPM_GRANULE;
		KUNIT_ASSERT_LT(t->test, g, spm_test_granules(tensor));
		return &tensor->dram[g];
	}
	KUNIT_ASSERT_LT(t->test, g, (u32)ALL_GRANULES);
	KUNIT_EXPECT_EQ(t->test, t->owner[g], asid);
	if (write)
		t->holds[g] = i + 1;
	KUNIT_EXPECT_EQ(t->test, t->holds[g], i + 1);
	return &t->version[g];
}

/* An operand, which is the whole tensor */
static void spm_test_operand(struct spm_test *t, const struct onsram_hw_cmd *cmd,
			     const struct onsram_hw_window *window, u32 s)
{
	u32 g, i = t->cur[s];
	struct test_tensor *tensor = &t->tensor[i];

	if (!s)
		tensor->latest++;
	for (g = 0; g < spm_test_granules(tensor); g++) {
		u64 addr = cmd->operand[s].addr + g * ONSRAM_SPM_GRANULE;
		u32 *version;

		if (window && addr >= window->va && addr - window->va < window->bytes)
			addr = ONSRAM_ADDR_SPM | (window->spm + addr - window->va);
		version = spm_test_at(t, i, addr, cmd->asid, !s);
		if (!s)
			*version = tensor->latest;
		KUNIT_EXPECT_EQ(t->test, *version, tensor->latest);
	}
	t->parts += window && window->bytes;
}

static void spm_test_copy(struct spm_test *t, const struct onsram_hw_cmd *cmd, u32 i)
{
	u32 g, n = DIV_ROUND_UP(cmd->operand[0].view.dims[0], ONSRAM_SPM_GRANULE / sizeof(u32));

	for (g = 0; g < n; g++) {
		u64 at = g * ONSRAM_SPM_GRANULE;
		u32 version = *spm_test_at(t, i, cmd->operand[1].addr + at, cmd->asid, false);

		KUNIT_EXPECT_EQ(t->test, version, t->tensor[i].latest);
		*spm_test_at(t, i, cmd->operand[0].addr + at, cmd->asid, true) = version;
	}
}

static void spm_test_assign(struct spm_test *t, const struct onsram_hw_cmd *cmd)
{
	u32 start = cmd->arg[0] / ONSRAM_SPM_GRANULE, n = cmd->arg[1] / ONSRAM_SPM_GRANULE, g;

	KUNIT_ASSERT_LE(t->test, start + n, (u32)ALL_GRANULES);
	for (g = start; g < start + n; g++) {
		if (cmd->arg[2] & ONSRAM_ASSIGN_SCRUB)
			t->holds[g] = 0;
		t->owner[g] = cmd->arg[2] & ONSRAM_ASSIGN_RELEASE ? 0 : cmd->asid;
		if (t->owner[g] && t->holds[g])
			KUNIT_EXPECT_EQ(t->test, cmd->asid,
					t->tensor[t->holds[g] - 1].res.client->asid);
	}
}

static void spm_test_push(struct onsram_emit *emit, const struct onsram_hw_cmd *cmd,
			  const struct onsram_hw_windows *windows,
			  const struct onsram_action *action)
{
	struct spm_test *t = container_of(emit, struct spm_test, emit);
	u32 s;

	switch (action->kind) {
	case ONSRAM_PUSH_ASSIGN:
		spm_test_assign(t, cmd);
		break;
	case ONSRAM_PUSH_WRITEBACK:
	case ONSRAM_PUSH_FETCH:
		spm_test_copy(t, cmd, spm_test_index(t, action->res));
		t->fetches += action->kind == ONSRAM_PUSH_FETCH;
		t->writebacks += action->kind == ONSRAM_PUSH_WRITEBACK;
		break;
	case ONSRAM_PUSH_OP:
		for (s = t->nr_cur; s-- > 0;)
			spm_test_operand(t, cmd, windows ? &windows->slot[s] : NULL, s);
		break;
	}
}

static struct onsram_residence *spm_test_tensor(const struct onsram_residency_run *run, u32 index)
{
	return &container_of(run->client, struct spm_test,
			     client[run->client->asid - 1])->tensor[index].res;
}

/* A view of all of a tensor */
static struct onsram_view spm_test_view(const struct test_tensor *tensor)
{
	return (struct onsram_view) {
		.dtype = ONSRAM_DTYPE_BOOL, .rank = 1,
		.dims = { tensor->res.bytes }, .strides = { 1 },
	};
}

/* Random parts of the operation's tensors, kept behind it; NULL where the check refuses them */
static struct onsram_plan *spm_test_plan(struct spm_test *t, const u32 *tensors, u32 n)
{
	struct drm_onsram_op *op = kunit_kzalloc(t->test, sizeof(*op), GFP_KERNEL);
	struct onsram_plan_tensor sizes[NR_TENSORS];
	struct onsram_plan_graph graph = { op, 1, sizes, NR_TENSORS };
	struct onsram_plan_interval iv[4];
	struct onsram_plan *plan;
	const char *why;
	u32 i, s;

	KUNIT_ASSERT_NOT_NULL(t->test, op);
	op->opcode = ONSRAM_OP_CONV;
	for (i = 0; i < NR_TENSORS; i++)
		sizes[i] = (struct onsram_plan_tensor) { .bytes = t->tensor[i].res.bytes };
	for (s = 0; s < n; s++) {
		u32 granules = spm_test_granules(&t->tensor[tensors[s]]);
		u32 first = spm_test_rnd(t, granules), base = 8 * spm_test_rnd(t, 3);

		op->operand[s].bo = tensors[s];
		op->operand[s].view = spm_test_view(&t->tensor[tensors[s]]);
		iv[s] = (struct onsram_plan_interval) {
			.tensor = tensors[s],
			.flags = ONSRAM_INTERVAL_FETCH |
				 (spm_test_rnd(t, 2) ? ONSRAM_INTERVAL_KEEP : 0),
			.offset = (base + first) * ONSRAM_SPM_GRANULE,
			.bytes = (1 + spm_test_rnd(t, granules - first)) * ONSRAM_SPM_GRANULE,
			.begin = first * ONSRAM_SPM_GRANULE,
			.release_op = 1,
		};
	}
	plan = onsram_plan_build(iv, n, &graph, SPM_SIZE, &why);
	kunit_kfree(t->test, op);
	return IS_ERR(plan) ? NULL : plan;
}

/* An operation on whole tensors: tensor[0] = f(the others) */
static void spm_test_op(struct spm_test *t, u32 policy, const u32 *tensors, u32 n,
			u32 actions, u32 priority, const struct onsram_plan *plan)
{
	struct onsram_hw_cmd *cmd = kunit_kzalloc(t->test, sizeof(*cmd), GFP_KERNEL);
	struct onsram_residency_run run = {
		.client = t->tensor[tensors[0]].res.client,
		.policy = policy,
		.fallback = DRM_ONSRAM_POLICY_LRU,
		.plan = plan,
		.tensor = spm_test_tensor,
	};
	const struct onsram_rule_what rule = { .actions = actions, .priority = priority };
	struct onsram_residency_op op = {
		.cmd = cmd,
		.writes_all = true,
		.rule = policy == DRM_ONSRAM_POLICY_AGENT ? &rule : NULL,
	};
	u32 s;

	KUNIT_ASSERT_NOT_NULL(t->test, cmd);
	cmd->opcode = ONSRAM_OP_CONV;
	for (s = 0; s < n; s++) {
		op.res[s] = &t->tensor[tensors[s]].res;
		cmd->operand[s].addr = op.res[s]->va;
		cmd->operand[s].view = spm_test_view(&t->tensor[tensors[s]]);
		t->cur[s] = tensors[s];
	}
	t->nr_cur = n;
	t->emit.room = 64;
	mutex_lock(&t->spm.lock);
	onsram_residency_op(&t->spm, &t->emit, &run, &op);
	mutex_unlock(&t->spm.lock);
	KUNIT_ASSERT_LE(t->test, t->spm.used, (u32)GRANULES);
	kunit_kfree(t->test, cmd);
}

static void spm_test_writes(struct spm_test *t, u32 policy, u32 out, u32 in)
{
	const u32 tensors[] = { out, in };

	spm_test_op(t, policy, tensors, 2, 0, 0, NULL);
}

static void spm_test_size(struct spm_test *t, u32 i, u32 client, u64 bytes)
{
	onsram_residence_init(&t->tensor[i].res, &t->client[client], (u64)(i + 1) * SZ_1M, bytes);
}

static int spm_test_init(struct kunit *test)
{
	struct spm_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->emit.push = spm_test_push;
	prandom_seed_state(&t->rnd, 4711);
	KUNIT_ASSERT_EQ(test, onsram_spm_init(&t->spm, SPM_SIZE, 1), 0);
	for (i = 0; i < NR_CLIENTS; i++)
		t->client[i] = (struct onsram_residency_client){ 10 + i, 1 + i, &t->stats[i] };
	for (i = 0; i < NR_TENSORS; i++)
		spm_test_size(t, i, i % NR_CLIENTS, SZ_8K);
	test->priv = t;
	return 0;
}

/* What DRAM has is the latest */
static void spm_test_home(struct spm_test *t, u32 i)
{
	u32 g;

	for (g = 0; g < spm_test_granules(&t->tensor[i]); g++)
		KUNIT_EXPECT_EQ(t->test, t->tensor[i].dram[g], t->tensor[i].latest);
}

/* Everything goes home, where everybody's latest version must be */
static void spm_test_exit(struct kunit *test)
{
	struct spm_test *t = test->priv;
	u32 i;

	if (!t)
		return;
	t->emit.room = NR_TENSORS;
	KUNIT_EXPECT_EQ(test, onsram_residency_drop_all(&t->spm, &t->emit), 0);
	for (i = 0; i < NR_TENSORS; i++)
		spm_test_home(t, i);
	KUNIT_EXPECT_EQ(test, t->spm.used, 0);
	KUNIT_EXPECT_EQ(test, t->spm.stats.writebacks, t->writebacks);
	KUNIT_EXPECT_EQ(test, t->spm.stats.prefetches, t->fetches);
	onsram_spm_fini(&t->spm);
}

static void onsram_spm_sizes(struct kunit *test)
{
	struct onsram_spm spm;

	KUNIT_EXPECT_EQ(test, onsram_spm_init(&spm, SPM_SIZE + 1, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, onsram_spm_init(&spm, ONSRAM_STAGING_MIN / 2, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, onsram_spm_init(&spm, 2ull << 32, 1), -EINVAL);
	KUNIT_ASSERT_EQ(test, onsram_spm_init(&spm, ONSRAM_STAGING_MIN, 1), 0);
	KUNIT_EXPECT_EQ(test, onsram_spm_largest_free(&spm), 0);
	onsram_spm_fini(&spm);
}

static void onsram_residency_lru(struct kunit *test)
{
	struct spm_test *t = test->priv;
	u32 i;

	for (i = 2; i <= 8; i += 2)
		spm_test_writes(t, DRM_ONSRAM_POLICY_LRU, i, 0);
	KUNIT_EXPECT_EQ(test, onsram_spm_largest_free(&t->spm), 0);
	/* tensor 2 is used, so that tensor 4 is the one to go */
	spm_test_writes(t, DRM_ONSRAM_POLICY_LRU, 10, 2);
	KUNIT_EXPECT_EQ(test, t->tensor[2].res.state, DRM_ONSRAM_RESIDENCY_DIRTY);
	KUNIT_EXPECT_EQ(test, t->tensor[4].res.state, DRM_ONSRAM_RESIDENCY_NONE);
	spm_test_home(t, 4);
	KUNIT_EXPECT_EQ(test, t->tensor[4].latest, 1);
	KUNIT_EXPECT_EQ(test, t->stats[0].evictions, 1);
	KUNIT_EXPECT_EQ(test, t->stats[0].resident_bytes, GRANULES * ONSRAM_SPM_GRANULE);
}

static void onsram_residency_scrubs(struct kunit *test)
{
	struct spm_test *t = test->priv;

	spm_test_size(t, 2, 0, SZ_32K);
	spm_test_size(t, 3, 1, SZ_32K);
	spm_test_writes(t, DRM_ONSRAM_POLICY_LRU, 2, 0);
	KUNIT_EXPECT_EQ(test, t->spm.stats.scrubs, 0);
	spm_test_writes(t, DRM_ONSRAM_POLICY_LRU, 3, 1);
	KUNIT_EXPECT_EQ(test, t->stats[1].scrubs, 1);
	KUNIT_EXPECT_EQ(test, t->stats[0].evictions, 1);
	KUNIT_EXPECT_EQ(test, t->stats[0].resident_bytes, 0);
	spm_test_writes(t, DRM_ONSRAM_POLICY_LRU, 3, 1);
	KUNIT_EXPECT_EQ(test, t->stats[1].scrubs, 1);
}

static void onsram_residency_priority(struct kunit *test)
{
	const u32 a[] = { 2, 0 }, b[] = { 4, 0 };
	struct spm_test *t = test->priv;

	spm_test_size(t, 2, 0, SZ_32K);
	spm_test_size(t, 4, 0, SZ_32K);
	spm_test_op(t, DRM_ONSRAM_POLICY_AGENT, a, 2, ONSRAM_RULE_HOLD(0), 5, NULL);
	spm_test_op(t, DRM_ONSRAM_POLICY_AGENT, b, 2, ONSRAM_RULE_HOLD(0), 4, NULL);
	KUNIT_EXPECT_EQ(test, t->tensor[4].res.state, DRM_ONSRAM_RESIDENCY_NONE);
	spm_test_op(t, DRM_ONSRAM_POLICY_AGENT, b, 2, ONSRAM_RULE_HOLD(0), 6, NULL);
	KUNIT_EXPECT_EQ(test, t->tensor[4].res.state, DRM_ONSRAM_RESIDENCY_DIRTY);
	KUNIT_EXPECT_EQ(test, t->tensor[2].res.state, DRM_ONSRAM_RESIDENCY_NONE);
}

/* Whatever two clients do, nobody reads anything but the latest version */
static void onsram_residency_walk(struct kunit *test)
{
	struct spm_test *t = test->priv;
	u32 i, s, step;

	for (i = 0; i < NR_TENSORS; i++)
		spm_test_size(t, i, i % NR_CLIENTS,
			      1 + spm_test_rnd(t, i < 18 ? SZ_8K : MAX_GRANULES * SZ_1K));
	for (step = 0; step < STEPS; step++) {
		static const u32 policies[] = {
			DRM_ONSRAM_POLICY_NONE, DRM_ONSRAM_POLICY_LRU, DRM_ONSRAM_POLICY_AGENT,
		};
		u32 tensors[4], n = 1 + spm_test_rnd(t, 4), client = spm_test_rnd(t, NR_CLIENTS);
		u32 policy = policies[spm_test_rnd(t, ARRAY_SIZE(policies))];
		struct onsram_plan *plan = NULL;
		struct onsram_residence *res;

		for (s = 0; s < n; s++)
			tensors[s] = client + NR_CLIENTS * spm_test_rnd(t, NR_TENSORS / NR_CLIENTS);
		if (policy == DRM_ONSRAM_POLICY_AGENT && spm_test_rnd(t, 2))
			plan = spm_test_plan(t, tensors, n);
		spm_test_op(t, policy, tensors, n, spm_test_rnd(t, 1 << 14) & 0x0f0f,
			    spm_test_rnd(t, 3), plan);
		onsram_plan_put(plan);

		i = spm_test_rnd(t, NR_TENSORS);
		res = &t->tensor[i].res;
		t->emit.room = 2;
		if (spm_test_rnd(t, 8) == 0) {
			KUNIT_EXPECT_EQ(test, onsram_residency_clean(&t->spm, &t->emit, res), 0);
			spm_test_home(t, i);
		} else if (spm_test_rnd(t, 8) == 0) {
			onsram_residency_fetch(&t->spm, &t->emit, res);
		} else if (spm_test_rnd(t, 32) == 0) {
			onsram_residency_discard(&t->spm, res);
			/* and the CPU writes it */
			t->tensor[i].latest++;
			for (s = 0; s < spm_test_granules(&t->tensor[i]); s++)
				t->tensor[i].dram[s] = t->tensor[i].latest;
		}
	}
	KUNIT_EXPECT_GT(test, t->spm.stats.evictions, STEPS / 20);
	KUNIT_EXPECT_GT(test, t->spm.stats.scrubs, STEPS / 20);
	KUNIT_EXPECT_GT(test, t->spm.stats.prefetches, STEPS / 20);
	KUNIT_EXPECT_GT(test, t->parts, STEPS / 20);
}

static struct kunit_case onsram_residency_test_cases[] = {
	KUNIT_CASE(onsram_spm_sizes),
	KUNIT_CASE(onsram_residency_lru),
	KUNIT_CASE(onsram_residency_scrubs),
	KUNIT_CASE(onsram_residency_priority),
	KUNIT_CASE_SLOW(onsram_residency_walk),
	{}
};

static struct kunit_suite onsram_residency_test_suite = {
	.name = "onsram_residency",
	.init = spm_test_init,
	.exit = spm_test_exit,
	.test_cases = onsram_residency_test_cases,
};

kunit_test_suite(onsram_residency_test_suite);
