// SPDX-License-Identifier: MIT
/*
 * Residency, model-checked: random jobs of several clients under every policy,
 * with little room on the ring and resets in between.  The simulator
 * checks each read against the latest contents, each command against the
 * owners, and DRAM whenever it is meant to be up to date.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/bits.h>
#include <linux/err.h>

#include "spm-sim.h"

#define GRANULES	24
#define PER_CLIENT	8
#define MAX_OPS		12
#define JOBS		3000

static struct sim sim;
static u32 seed;

static u32 upto(u32 n)
{
	return rnd(&seed) % n;
}

/* A job's operations, as the simulator and as the planner see them */
struct job {
	u32 client;
	u32 nr_ops;
	u32 opcode[MAX_OPS];
	struct sim_slice slice[MAX_OPS][ONSRAM_MAX_OPERANDS + 1];
	u32 born[MAX_OPS];
	u32 dies[MAX_OPS];
	struct drm_onsram_op uop[MAX_OPS];
	u32 flags[SIM_TENSORS];
};

static struct onsram_residence *tensor_at(const struct onsram_residency_run *run, u32 index)
{
	(void)run;
	return &sim.tensor[index].res;
}

static struct sim_slice random_slice(u32 client)
{
	struct sim_slice slice = { .tensor = client * PER_CLIENT + upto(PER_CLIENT) };
	u32 words = sim.tensor[slice.tensor].bytes / 4;

	if (sim.tensor[slice.tensor].bytes % 4 || upto(3) == 0) {
		slice.first = upto(words);
		slice.words = 1 + upto(words - slice.first);
	}
	return slice;
}

static void random_job(struct job *job)
{
	bool seen[SIM_TENSORS] = {};
	u32 rare;

	memset(job, 0, sizeof(*job));
	job->client = upto(SIM_CLIENTS);
	job->nr_ops = 1 + upto(MAX_OPS);
	rare = 1 + upto(3);
	for (u32 t = 0; t < SIM_TENSORS; t++)
		if (upto(rare) == 0)
			job->flags[t] = DRM_ONSRAM_TENSOR_TRANSIENT;
	for (u32 i = 0; i < job->nr_ops; i++) {
		u32 slots = 1 + upto(4);

		job->opcode[i] = upto(2) ? ONSRAM_OP_CONV : ONSRAM_OP_ELEMENTWISE;
		for (u32 s = 0; s <= ONSRAM_MAX_OPERANDS; s++)
			job->slice[i][s].tensor = -1;
		for (u32 s = 0; s < slots; s++)
			job->slice[i][s] = random_slice(job->client);
		job->uop[i] = make_op(ONSRAM_OP_COPY, 0);
		for (u32 s = 0; s < slots; s++) {
			u32 t = job->slice[i][s].tensor, words = job->slice[i][s].words;

			operand(&job->uop[i], s, VIEW(I32, words ? words : sim.tensor[t].bytes / 4));
			job->uop[i].operand[s].bo = t;
			if (job->flags[t] && !seen[t])
				job->born[i] |= BIT(s);
		}
		for (u32 s = 0; s < slots; s++)
			seen[job->slice[i][s].tensor] = true;
	}
	memset(seen, 0, sizeof(seen));
	for (u32 i = job->nr_ops; i-- > 0;) {
		for (u32 s = 0; s < ONSRAM_MAX_OPERANDS && job->slice[i][s].tensor >= 0; s++)
			if (job->flags[job->slice[i][s].tensor] && !seen[job->slice[i][s].tensor])
				job->dies[i] |= BIT(s);
		for (u32 s = 0; s < ONSRAM_MAX_OPERANDS && job->slice[i][s].tensor >= 0; s++)
			seen[job->slice[i][s].tensor] = true;
	}
}

/* A part of a tensor, at times beside one that stays already: behind it or in front of it */
static void random_part(struct onsram_plan_interval *iv, const struct onsram_plan_interval *beside)
{
	u32 granules = (sim.tensor[iv->tensor].bytes + ONSRAM_SPM_GRANULE - 1) / ONSRAM_SPM_GRANULE;
	u32 first = 0, n = granules;

	if (beside) {
		u32 low = beside->begin / ONSRAM_SPM_GRANULE, high = low + beside->bytes / ONSRAM_SPM_GRANULE;
		bool behind = low == 0 || (high < granules && upto(2));

		n = 1 + upto(behind ? granules - high + (high == granules) : low);
		first = behind ? high : low - n;
		iv->offset = beside->offset + (first - low) * ONSRAM_SPM_GRANULE;
	} else if (upto(3)) {
		first = upto(granules);
		n = 1 + upto(granules - first);
	}
	iv->begin = (u64)first * ONSRAM_SPM_GRANULE;
	iv->bytes = n * ONSRAM_SPM_GRANULE;
}

/* An output over an input that dies, or else that input, so that the next one finds it */
static void random_over(struct onsram_plan_interval *iv, const struct job *job,
			const struct onsram_plan_interval *others, u32 n)
{
	u32 op = upto(job->nr_ops);

	while (op < job->nr_ops && !(job->dies[op] & ~BIT(0) && job->born[op] & BIT(0)))
		op++;
	if (op == job->nr_ops)
		return;
	iv->tensor = job->slice[op][__builtin_ctz(job->dies[op] & ~BIT(0))].tensor;
	iv->first_op = upto(op + 1);
	iv->last_op = op;
	iv->flags = ONSRAM_INTERVAL_FETCH;
	for (u32 k = 0; k < n; k++) {
		if (others[k].tensor != iv->tensor || others[k].last_op != op)
			continue;
		iv->tensor = job->slice[op][0].tensor;
		iv->first_op = op;
		iv->last_op = op + upto(job->nr_ops - op);
		iv->flags = ONSRAM_INTERVAL_OVERWRITE;
		iv->offset = others[k].offset + (upto(2) ? upto(4) * ONSRAM_SPM_GRANULE : 0);
		break;
	}
	random_part(iv, NULL);
}

/* As many random intervals as the check lets pass, out of a few tries */
static struct onsram_plan *random_plan(const struct job *job)
{
	struct onsram_plan_tensor tensors[SIM_TENSORS];
	struct onsram_plan_graph graph = { job->uop, job->nr_ops, tensors, sim.nr_tensors };
	struct onsram_plan_interval iv[16];
	struct onsram_plan *plan = NULL, *next;
	const char *why;
	u32 n = 0;

	for (u32 t = 0; t < sim.nr_tensors; t++)
		tensors[t] = (struct onsram_plan_tensor){ sim.tensor[t].bytes, job->flags[t] };
	for (u32 tries = 0; tries < 60 && n < 16; tries++) {
		const struct onsram_plan_interval *beside = n && upto(2) ? &iv[upto(n)] : NULL;
		u32 t = beside ? beside->tensor : job->client * PER_CLIENT + upto(PER_CLIENT);
		u32 first = upto(job->nr_ops), last = first + upto(job->nr_ops - first);

		iv[n] = (struct onsram_plan_interval){
			.tensor = t, .first_op = first, .last_op = last,
			.flags = upto(2) * ONSRAM_INTERVAL_FETCH |
				 (last == job->nr_ops - 1) * upto(2) * ONSRAM_INTERVAL_KEEP,
			.offset = upto(sim.spm.granules) * ONSRAM_SPM_GRANULE,
		};
		random_part(&iv[n], beside);
		if (upto(2))
			random_over(&iv[n], job, iv, n);
		iv[n].reserve_op = iv[n].first_op;
		if (iv[n].flags & ONSRAM_INTERVAL_FETCH)
			iv[n].reserve_op -= upto(iv[n].first_op + 1);
		iv[n].release_op = iv[n].last_op + 1 + upto(job->nr_ops - iv[n].last_op);
		next = onsram_plan_build(iv, n + 1, &graph, (u64)sim.spm.granules * ONSRAM_SPM_GRANULE,
					 &why);
		if (IS_ERR(next))
			continue;
		onsram_plan_put(plan);
		plan = next;
		n++;
	}
	return plan;
}

/* @rules: its operations were submitted singly */
static void run_job(const struct job *job, u32 policy, bool rules, const struct onsram_plan *plan)
{
	struct onsram_residency_run run = {
		.client = &sim.client[job->client].base,
		.policy = policy,
		.fallback = upto(2) ? DRM_ONSRAM_POLICY_LRU : DRM_ONSRAM_POLICY_NONE,
		.plan = plan,
		.tensor = tensor_at,
	};

	sim_room(&sim, upto(4) ? 1000 : upto(12));
	for (u32 i = 0; i < job->nr_ops; i++) {
		struct onsram_rule_what rule = {
			.actions = upto(1 << 14) & 0x3f3f,
			.priority = upto(4),
			.state = upto(2),
		};
		struct onsram_residency_op op = {
			.index = i,
			.born = job->born[i],
			.dies = job->dies[i],
			.rule = upto(2) && rules ? &rule : NULL,
		};
		u64 hits = sim.spm.stats.hits, misses = sim.spm.stats.misses;
		u32 operands = 0, resident = 0;

		/* Places also where none can be, and one over the other */
		for (u32 s = 0; s < ONSRAM_MAX_OPERANDS; s++)
			rule.places[s] = upto(80) * ONSRAM_SPM_GRANULE;
		sim_op(&sim, &run, job->opcode[i], job->slice[i], &op);
		while (job->slice[i][operands].tensor >= 0)
			operands++;
		resident = __builtin_popcount(op.resident);
		assert_int_equal(sim.spm.stats.hits + sim.spm.stats.misses, hits + misses + operands);
		assert_true(sim.spm.stats.hits - hits <= resident);
		sim_check_ranges(&sim);
	}
}

static void something_else(void)
{
	u32 t = upto(sim.nr_tensors);
	struct onsram_residence *res = &sim.tensor[t].res;

	sim_room(&sim, 1000);
	switch (upto(12)) {
	case 0:
		assert_int_equal(onsram_residency_clean(&sim.spm, &sim.emit, res), 0);
		sim_cpu_reads(&sim, t);
		break;
	case 1:
	case 2:
		assert_int_equal(onsram_residency_evict(&sim.spm, &sim.emit, res), 0);
		sim_cpu_reads(&sim, t);
		break;
	case 3:
	case 4:
		onsram_residency_fetch(&sim.spm, &sim.emit, res);
		break;
	case 5:
		if (onsram_residency_discard(&sim.spm, res))
			sim_unwanted(&sim, t);
		break;
	case 6:
		if (upto(10) == 0)
			sim_reset(&sim);
		break;
	case 7:
		if (upto(10))
			break;
		sim_room(&sim, upto(3));
		while (onsram_residency_drop_all(&sim.spm, &sim.emit)) {
			sim_check(&sim);
			sim_room(&sim, 1 + upto(3));
		}
		assert_int_equal(sim.spm.used, 0);
		break;
	}
	sim_check(&sim);
}

static void test_jobs(void **state)
{
	const struct drm_onsram_stats *st = &sim.spm.stats;
	u64 kept = 0;

	(void)state;
	seed = 77;
	sim_init(&sim, GRANULES);
	for (u32 c = 0; c < SIM_CLIENTS; c++)
		for (u32 t = 0; t < PER_CLIENT; t++)
			sim_tensor(&sim, c, 8 + upto(t < 6 ? 6000 : 20000) / (t % 3 ? 4 : 1) * (t % 3 ? 4 : 1));
	for (u32 j = 0; j < JOBS; j++) {
		struct onsram_plan *plan = NULL;
		struct job job;
		u32 kind = upto(4);
		u32 policy = DRM_ONSRAM_POLICY_NONE + (kind < 3 ? kind : 2);
		bool rules = kind == 3;

		random_job(&job);
		if (kind == 2 && upto(8))
			plan = random_plan(&job);
		for (u32 pass = 0; pass <= upto(3); pass++)
			run_job(&job, policy, rules, plan);
		kept += plan != NULL;
		onsram_plan_put(plan);
		something_else();
	}
	/* the walk went everywhere */
	assert_true(kept > JOBS / 10);
	assert_true(st->evictions > JOBS / 10);
	assert_true(st->writebacks > JOBS / 10);
	assert_true(st->prefetches > JOBS / 10);
	assert_true(st->scrubs > JOBS / 10);
	assert_true(st->hits > JOBS && st->misses > JOBS);
	assert_true(st->fallbacks > JOBS / 10);
	assert_true(sim.released > JOBS / 10);
	assert_true(sim.parts > JOBS && sim.resized > JOBS / 10);
	assert_true(sim.over > JOBS / 30);
	sim_fini(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
