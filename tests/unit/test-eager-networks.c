// SPDX-License-Identifier: MIT
/*
 * The eager policy on real networks, operation by operation: what the driver's residency
 * code makes of the daemon's rules, against lru and static.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "eager-replay.h"
#include "planner.h"

#define NETWORKS 9
#define PASSES 5

static const char *const names[NETWORKS] = {
	"bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet",
	"squeezenet", "vgg19", "zfnet512",
};
enum { SHUFFLENET = 5, SQUEEZENET = 6, VGG19 = 7 };

#ifdef __SANITIZE_ADDRESS__
static const uint64_t spm_sizes[] = { 2 << 20 };
#else
static const uint64_t spm_sizes[] = { 256 << 10, 512 << 10, 2 << 20, 8 << 20 };
#endif

static struct onsram_program *program[NETWORKS][2];	/* fp32, fp16 */

static struct onsram_program *import(const char *network, uint32_t dtype)
{
	const char *cache = getenv("ONSRAM_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	struct onsram_import_options opt = { .fuse = true, .dtype = dtype };
	struct onsram_program *p;
	char *path, *err = NULL;

	assert_true(asprintf(&path, "%s%s/onnx-testdata/data/light/light_%s.onnx",
			     cache ? cache : xdg ? xdg : home ? home : "",
			     cache ? "" : xdg ? "/onsram" : "/.cache/onsram", network) >= 0);
	p = onsram_import(path, &opt, &err);
	if (!p)
		fail_msg("%s (scripts/fetch-trixie fetches the networks)", err ? err : path);
	free(path);
	return p;
}

static int import_all(void **state)
{
	(void)state;
	for (int n = 0; n < NETWORKS; n++) {
		program[n][0] = import(names[n], ONSRAM_DTYPE_F32);
		program[n][1] = import(names[n], ONSRAM_DTYPE_F16);
	}
	return 0;
}

static int free_all(void **state)
{
	(void)state;
	for (int n = 0; n < NETWORKS; n++) {
		onsram_program_free(program[n][0]);
		onsram_program_free(program[n][1]);
	}
	return 0;
}

static struct onsram_model model(uint64_t spm_size)
{
	struct onsram_model m;

	onsram_model_init(&m, ONSRAM_PRESET_DEFAULT);
	m.spm_size = spm_size;
	return m;
}

/* Passes over one network. Return: time of the last */
static uint64_t run(const struct onsram_model *m, const struct onsram_program *p,
		    const struct replay_options *opt, struct replay_pass *pass, int nr)
{
	struct replay *r = replay_new(m, opt);

	replay_add(r, p);
	for (int i = 0; i < nr; i++)
		replay_pass(r, 0, 0, &pass[i]);
	replay_free(r);
	return pass[nr - 1].time_ps;
}

static uint64_t steady(const struct onsram_model *m, const struct onsram_program *p, uint32_t policy)
{
	const struct replay_options opt = { .policy = policy };
	struct replay_pass pass[2];

	return run(m, p, &opt, pass, 2);
}

/* What static takes, in a later run, with what the driver can carry out */
static uint64_t planned(const struct onsram_model *m, const struct onsram_program *p)
{
	struct onsram_plan_tensor *tensors = calloc(p->nr_tensors, sizeof(*tensors));
	struct drm_onsram_op *ops = calloc(p->nr_ops, sizeof(*ops));
	struct onsram_plan_graph g = {
		.ops = ops, .nr_ops = p->nr_ops, .tensors = tensors, .nr_tensors = p->nr_tensors,
	};
	/* What steps can carry out */
	const struct onsram_plan_options opt = { .whole = true, .synchronous = true, .apart = true };
	struct onsram_plan *plan;
	uint64_t time;

	for (uint32_t i = 0; i < p->nr_ops; i++)
		ops[i] = p->ops[i].op;
	for (uint32_t t = 0; t < p->nr_tensors; t++) {
		tensors[t].bytes = p->tensors[t].bytes;
		if (p->tensors[t].role == ONSRAM_ROLE_WEIGHT)
			tensors[t].flags = DRM_ONSRAM_TENSOR_CONST;
		else if (p->tensors[t].role == ONSRAM_ROLE_ACTIVATION)
			tensors[t].flags = DRM_ONSRAM_TENSOR_TRANSIENT;
	}
	plan = onsram_plan_static(m, &g, &opt);
	assert_non_null(plan);
	time = plan->time_ps_again;
	onsram_plan_free(plan);
	free(tensors);
	free(ops);
	return time;
}

/* Static is never behind lru, whose outputs have yet to leave the SPM when it is done */
static void test_static(void **state)
{
	const struct replay_options opt = { .policy = DRM_ONSRAM_POLICY_LRU };

	(void)state;
	for (size_t s = 0; s < sizeof(spm_sizes) / sizeof(spm_sizes[0]); s++) {
		const struct onsram_model m = model(spm_sizes[s]);

		for (int k = 0; k < 2 * NETWORKS; k++) {
			const struct onsram_program *p = program[k / 2][k % 2];
			struct replay_pass pass[2];
			uint64_t plan = planned(&m, p), lru = run(&m, p, &opt, pass, 2) + pass[1].clean_ps;

			if (plan > lru)
				fail_msg("%s %s, SPM %llu KiB: static %llu us, lru %llu us", names[k / 2],
					 k % 2 ? "fp16" : "fp32", (unsigned long long)spm_sizes[s] >> 10,
					 (unsigned long long)plan / 1000000,
					 (unsigned long long)lru / 1000000);
		}
	}
}

/* The first passes run as lru does; from a repetition on eager is as good as static */
static void check_network(uint64_t spm_size, int n, int half, bool marks)
{
	const struct replay_options opt = { .policy = DRM_ONSRAM_POLICY_AGENT, .marks = marks };
	const struct onsram_program *p = program[n][half];
	const struct onsram_model m = model(spm_size);
	struct replay_pass pass[PASSES], again[PASSES];
	uint64_t lru = steady(&m, p, DRM_ONSRAM_POLICY_LRU), plan = planned(&m, p);
	int known = marks ? 1 : 2;	/* the first pass that is predicted */

	run(&m, p, &opt, pass, PASSES);
	run(&m, p, &opt, again, PASSES);
	assert_memory_equal(pass, again, sizeof(pass));
	for (int i = 0; i < PASSES; i++) {
		/* The pass that brings in what stays for later ones pays for it */
		uint64_t limit = i == known ? lru + lru / 25 : lru + lru / 50;

		if (pass[i].time_ps > limit)
			fail_msg("%s %s, SPM %llu KiB, pass %d: %llu us, lru %llu us", names[n],
				 half ? "fp16" : "fp32", (unsigned long long)spm_size >> 10, i + 1,
				 (unsigned long long)pass[i].time_ps / 1000000,
				 (unsigned long long)lru / 1000000);
		assert_int_equal(pass[i].steps, i < known ? 0 : p->nr_ops);
	}
	if (marks && spm_size == 2 << 20)
		print_message("# %-12s %s  lru %9.1f us  eager %9.1f %9.1f %9.1f  static %9.1f\n", names[n],
			      half ? "fp16" : "fp32", (double)lru / 1e6, (double)pass[0].time_ps / 1e6,
			      (double)pass[1].time_ps / 1e6, (double)pass[PASSES - 1].time_ps / 1e6,
			      (double)plan / 1e6);
	if (pass[PASSES - 1].time_ps > plan + plan / 50)
		fail_msg("%s %s, SPM %llu KiB: %llu us, static %llu us", names[n], half ? "fp16" : "fp32",
			 (unsigned long long)spm_size >> 10,
			 (unsigned long long)pass[PASSES - 1].time_ps / 1000000,
			 (unsigned long long)plan / 1000000);
}

static void check_all(bool marks)
{
	for (size_t k = 0; k < sizeof(spm_sizes) / sizeof(spm_sizes[0]); k++)
		for (int n = 0; n < NETWORKS; n++)
			for (int half = 0; half < 2; half++)
				check_network(spm_sizes[k], n, half, marks);
}

static void test_marked_passes(void **state)
{
	(void)state;
	check_all(true);
}

static void test_unmarked_passes(void **state)
{
	(void)state;
	check_all(false);
}

/* What a plan holds may cost more staging than it saves: eager, like static, knows */
static void test_staging(void **state)
{
	const struct replay_options opt = { .policy = DRM_ONSRAM_POLICY_AGENT, .marks = true };
	const struct onsram_model m = model(2 << 20);
	const struct onsram_program *p = program[VGG19][0];
	struct replay_pass pass[3];

	(void)state;
	assert_true(run(&m, p, &opt, pass, 3) <= steady(&m, p, DRM_ONSRAM_POLICY_NONE));
}

/* Two networks in turn: each is known from its second pass on, and a returning one at once */
static void test_returning(void **state)
{
	static const uint32_t order[] = { 0, 0, 0, 1, 1, 1, 0, 1, 0, 1 };
	const struct replay_options opt = { .policy = DRM_ONSRAM_POLICY_AGENT, .marks = true };
	const struct onsram_model m = model(2 << 20);
	const struct onsram_program *p[2] = { program[SQUEEZENET][0], program[SHUFFLENET][0] };
	struct replay *r = replay_new(&m, &opt);
	struct replay_pass pass;
	uint32_t seen[2] = { 0 };

	(void)state;
	for (int i = 0; i < 2; i++)
		replay_add(r, p[i]);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		uint32_t n = order[i];

		replay_pass(r, n, 0, &pass);
		assert_int_equal(pass.steps, seen[n] ? p[n]->nr_ops : 0);
		assert_true(pass.time_ps <= steady(&m, p[n], DRM_ONSRAM_POLICY_LRU) / 50 * 51);
		seen[n]++;
	}
	replay_free(r);
}

/*
 * Where everything is freed at the end of a pass, what gives its place to another is written back.
 * A plan is carried out only where it is worth that, else eager is lru.
 */
static void test_late_frees(void **state)
{
	const struct replay_options opt = {
		.policy = DRM_ONSRAM_POLICY_AGENT, .late = true, .marks = true,
	};
	const struct replay_options none = {
		.policy = DRM_ONSRAM_POLICY_AGENT, .late = true, .ignorant = true,
	};
	const struct onsram_model m = model(2 << 20);
	uint32_t planned = 0;

	(void)state;
	for (int i = 0; i < 2 * NETWORKS; i++) {
		const struct onsram_program *p = program[i / 2][i % 2];
		struct replay_pass pass[PASSES], base[PASSES];

		run(&m, p, &opt, pass, PASSES);
		run(&m, p, &none, base, PASSES);
		/* Other places are other gaps: a few per cent either way */
		for (int k = 0; k < PASSES; k++)
			assert_true(pass[k].time_ps <= base[k].time_ps + base[k].time_ps / 25);
		planned += pass[PASSES - 1].steps > 0;
	}
	assert_in_range(planned, 1, 2 * NETWORKS - 1);
}

/* A pass that ends early, or goes another way, leaves no harm behind */
static void test_mismatch(void **state)
{
	const struct replay_options opt = { .policy = DRM_ONSRAM_POLICY_AGENT, .marks = true };
	const struct replay_options none = {
		.policy = DRM_ONSRAM_POLICY_AGENT, .ignorant = true,
	};
	const struct onsram_model m = model(2 << 20);

	(void)state;
	for (int n = 0; n < NETWORKS; n++) {
		const struct onsram_program *p = program[n][0];
		struct replay *r = replay_new(&m, &opt), *lru = replay_new(&m, &none);
		struct replay_pass pass, base;

		replay_add(r, p);
		replay_add(lru, p);
		for (int i = 0; i < 3; i++) {
			replay_pass(r, 0, 0, &pass);
			replay_pass(lru, 0, 0, &base);
		}
		for (uint32_t cut = 1; cut < p->nr_ops; cut += 1 + p->nr_ops / 7) {
			replay_pass(r, 0, cut, &pass);
			replay_pass(lru, 0, cut, &base);
			assert_true(pass.time_ps <= base.time_ps + base.time_ps / 20);
			replay_pass(r, 0, 0, &pass);
			replay_pass(lru, 0, 0, &base);
			assert_true(pass.time_ps <= base.time_ps + base.time_ps / 50);
		}
		replay_free(r);
		replay_free(lru);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_static),
		cmocka_unit_test(test_marked_passes),
		cmocka_unit_test(test_unmarked_passes),
		cmocka_unit_test(test_staging),
		cmocka_unit_test(test_returning),
		cmocka_unit_test(test_late_frees),
		cmocka_unit_test(test_mismatch),
	};

	return cmocka_run_group_tests_name("eager-networks", tests, import_all, free_all);
}
