// SPDX-License-Identifier: MIT
/* The shared DRAM channel and the lower bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "perf-ops.h"

static struct onsram_model model(uint32_t engines)
{
	struct onsram_model m;

	onsram_model_init(&m, ONSRAM_PRESET_DEFAULT);
	m.compute_engines = engines;
	return m;
}

static struct onsram_cost task(uint64_t overhead, uint64_t compute, uint64_t dram)
{
	return (struct onsram_cost){ .overhead_ps = overhead, .compute_ps = compute, .dram_ps = dram };
}

static void start(struct onsram_fluid *f, uint32_t e, uint64_t overhead, uint64_t compute, uint64_t dram)
{
	struct onsram_cost c = task(overhead, compute, dram);

	onsram_fluid_start(f, e, &c);
}

static void expect_end(struct onsram_fluid *f, int engine, uint64_t at)
{
	assert_int_equal(onsram_fluid_next(f), engine);
	assert_int_equal(f->now_ps, at);
}

/* Alone, an operation takes what its cost says */
static void test_alone(void **state)
{
	struct onsram_model m = model(1);
	struct onsram_fluid f;
	uint32_t seed = 7;
	uint64_t at = 0;

	(void)state;
	onsram_fluid_init(&f, &m);
	assert_int_equal(f.engines, 2);
	assert_int_equal(onsram_fluid_next(&f), -1);
	for (int i = 0; i < 500; i++) {
		struct onsram_perf_op op = gemm(ONSRAM_DTYPE_F16, 1, 1 + rnd(&seed) % 999,
						1 + rnd(&seed) % 999, 1 + rnd(&seed) % 999);
		struct onsram_cost c;

		cost(&m, &op, rnd(&seed) & 7, 0, &c);
		onsram_fluid_start(&f, 0, &c);
		at += c.time_ps;
		expect_end(&f, 0, at);
	}
	assert_int_equal(onsram_fluid_next(&f), -1);
}

static void test_fair_share(void **state)
{
	struct onsram_model m = model(2);
	struct onsram_fluid f;

	(void)state;
	onsram_fluid_init(&f, &m);
	start(&f, 0, 0, 0, 1000);
	start(&f, 1, 0, 0, 1000);
	expect_end(&f, 0, 2000);
	expect_end(&f, 1, 2000);

	/* The shorter ends at twice its work, the longer has the rest alone */
	onsram_fluid_init(&f, &m);
	start(&f, 0, 0, 0, 3000);
	start(&f, 1, 0, 0, 1000);
	expect_end(&f, 1, 2000);
	expect_end(&f, 0, 4000);

	/* Overhead delays the traffic, compute covers it */
	onsram_fluid_init(&f, &m);
	start(&f, 0, 500, 100, 1000);
	start(&f, 1, 0, 5000, 1000);
	expect_end(&f, 0, 500 + 500 * 2 + 500);
	expect_end(&f, 1, 5000);
}

static void test_copy_gets_the_rest(void **state)
{
	struct onsram_model m = model(1);
	struct onsram_fluid f;

	(void)state;
	onsram_fluid_init(&f, &m);
	/* Traffic 1000 of 3000 ps of compute: the copy has 1000 .. 3000 to itself, and then all */
	start(&f, 0, 0, 3000, 1000);
	start(&f, 1, 0, 0, 2500);
	expect_end(&f, 0, 3000);
	start(&f, 0, 0, 0, 700);
	expect_end(&f, 0, 3700);
	expect_end(&f, 1, 4200);
	assert_int_equal(onsram_fluid_next(&f), -1);
}

static void test_cancel(void **state)
{
	struct onsram_model m = model(2);
	struct onsram_fluid f;

	(void)state;
	onsram_fluid_init(&f, &m);
	start(&f, 0, 0, 0, 1000);
	start(&f, 1, 0, 0, 1000);
	onsram_fluid_cancel(&f, 0);
	expect_end(&f, 1, 1000);
	assert_int_equal(onsram_fluid_next(&f), -1);
}

/* Ends that fall between picoseconds round up, each on its own */
static void test_rounding(void **state)
{
	struct onsram_model m = model(4);
	struct onsram_fluid f;

	(void)state;
	onsram_fluid_init(&f, &m);
	start(&f, 0, 0, 0, 1);
	start(&f, 1, 0, 0, 1);
	start(&f, 2, 0, 0, 2);
	expect_end(&f, 0, 3);
	expect_end(&f, 1, 3);
	expect_end(&f, 2, 4);
	/* The longest tasks there are, until the clock stands still */
	onsram_fluid_init(&f, &m);
	for (int i = 0; i < 40; i++) {
		start(&f, 0, 1ull << 40, 1ull << 60, 1ull << 60);
		start(&f, 4, 1ull << 40, 0, 1ull << 60);
		assert_int_equal(onsram_fluid_next(&f), 0);
		assert_int_equal(onsram_fluid_next(&f), 4);
	}
	assert_true(f.now_ps == ONSRAM_BEYOND);
}

/* A part that is beyond range takes the clock there; tasks start and end all the same */
static void test_beyond(void **state)
{
	struct onsram_model m = model(2);
	struct onsram_fluid f;

	(void)state;
	for (int part = 0; part < 3; part++) {
		struct onsram_cost c = task(10, 20, 30);

		*(part == 0 ? &c.compute_ps : part == 1 ? &c.spm_ps : &c.dram_ps) = ONSRAM_BEYOND;
		onsram_fluid_init(&f, &m);
		start(&f, 1, 10, 0, 100);
		onsram_fluid_start(&f, 0, &c);
		assert_int_equal(onsram_fluid_next(&f), 1);
		assert_true(f.now_ps >= 110 && f.now_ps < 200);
		assert_int_equal(onsram_fluid_next(&f), 0);
		assert_true(f.now_ps == ONSRAM_BEYOND);
		start(&f, 1, 10, 0, 100);
		onsram_fluid_start(&f, 0, &c);
		start(&f, 2, 10, 5, 100);
		for (int i = 0; i < 3; i++)
			assert_true(onsram_fluid_next(&f) >= 0);
		assert_int_equal(onsram_fluid_next(&f), -1);
		assert_true(f.now_ps == ONSRAM_BEYOND);
	}
}

/*
 * Random tasks on five engines.  Nobody ends before its own cost allows; the
 * channel is never oversubscribed, nor idle while somebody could use it (but
 * for less than a picosecond per event).
 */
static void test_conservation(void **state)
{
	uint32_t seed = 99;

	(void)state;
	for (uint32_t engines = 1; engines <= 4; engines++) {
		struct onsram_model m = model(engines);
		uint64_t work = 0, events = 0, begun[ONSRAM_FLUID_ENGINES];
		struct onsram_cost c[ONSRAM_FLUID_ENGINES];
		struct onsram_fluid f;

		onsram_fluid_init(&f, &m);
		for (int i = 0; i < 20000; i++) {
			uint32_t e = rnd(&seed) % f.engines;
			int ended;

			if (!f.task[e].active && i < 19900) {
				/* DRAM-bound throughout, no overhead: the channel is always busy */
				c[e] = task(0, rnd(&seed) % 10, 1000 + rnd(&seed) % 100000);
				begun[e] = f.now_ps;
				work += c[e].dram_ps;
				onsram_fluid_start(&f, e, &c[e]);
				continue;
			}
			ended = onsram_fluid_next(&f);
			if (ended < 0)
				continue;
			events++;
			assert_true(f.now_ps >= begun[ended] + c[ended].dram_ps);
			if (ended < (int)engines)
				assert_true(f.now_ps <= begun[ended] + engines * (c[ended].dram_ps + 100000));
		}
		assert_true(f.now_ps >= work);
		assert_true(f.now_ps <= work + events);
		assert_true(events > 1000);
	}
}

/* --- the lower bound ----------------------------------------------------- */

#define MAX_OPS 9

struct problem {
	struct onsram_bound_op ops[MAX_OPS];
	struct onsram_bound_tensor tensors[32];
	size_t nops;
	size_t ntensors;
};

static uint64_t ceil_ps(uint64_t bytes, const struct onsram_model *m)
{
	return ((unsigned __int128)bytes * 1000000000000ull + m->dram_bw - 1) / m->dram_bw;
}

/* One window by the definition: distinct sources, outputs, floors */
static uint64_t window(const struct problem *p, const struct onsram_model *m, size_t from, size_t to)
{
	uint64_t in = 0, out = 0, floor = 0;
	bool seen[32] = { false };

	for (size_t i = from; i < to; i++) {
		struct onsram_cost c;

		cost(m, &p->ops[i].op, 0x3f, 0, &c);
		floor += c.time_ps;
		for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			uint32_t t = p->ops[i].tensor[s];

			if (t == UINT32_MAX || seen[t])
				continue;
			if (p->tensors[t].kind == ONSRAM_BOUND_SOURCE && s) {
				in += p->tensors[t].bytes;
				seen[t] = true;
			}
			if (p->tensors[t].kind == ONSRAM_BOUND_OUTPUT && !s) {
				out += p->tensors[t].bytes;
				seen[t] = true;
			}
		}
	}
	if (from)
		in = in > m->spm_size ? in - m->spm_size : 0;
	if (to < p->nops)
		out = out > m->spm_size ? out - m->spm_size : 0;
	in = ceil_ps(in + out, m);
	return floor > in ? floor : in;
}

static uint64_t brute_force(const struct problem *p, const struct onsram_model *m)
{
	uint64_t best = 0;

	for (uint32_t cuts = 0; cuts < 1u << (p->nops - 1); cuts++) {
		uint64_t sum = 0;
		size_t from = 0;

		for (size_t i = 0; i < p->nops; i++) {
			if (i + 1 == p->nops || cuts & (1u << i)) {
				sum += window(p, m, from, i + 1);
				from = i + 1;
			}
		}
		best = sum > best ? sum : best;
	}
	return best;
}

static void test_bound_brute_force(void **state)
{
	struct onsram_model m = model(1);
	uint32_t seed = 4242;

	(void)state;
	m.spm_size = 256 * 1024;
	for (int round = 0; round < 300; round++) {
		struct problem p = { .nops = 1 + rnd(&seed) % MAX_OPS };

		/* A chain of products; weights at times shared, outputs at times wanted */
		p.tensors[p.ntensors++] = (struct onsram_bound_tensor){ .kind = ONSRAM_BOUND_SOURCE };
		for (size_t i = 0; i < p.nops; i++) {
			struct onsram_bound_op *o = &p.ops[i];
			uint32_t w = 0;

			memset(o->tensor, 0xff, sizeof(o->tensor));
			o->op = gemm(ONSRAM_DTYPE_F16, 1, 256, 256, 256 + 64 * (rnd(&seed) % 2));
			o->tensor[1] = i ? p.ops[i - 1].tensor[0] : 0;
			if (i && rnd(&seed) % 3 == 0) {
				w = p.ops[i - 1].tensor[2];
				o->op = p.ops[i - 1].op;
			}
			o->tensor[2] = w ? w : p.ntensors;
			if (!w)
				p.tensors[p.ntensors++].kind = ONSRAM_BOUND_SOURCE;
			p.tensors[o->tensor[2]].bytes = onsram_view_bytes(&o->op.view[2]);
			o->tensor[0] = p.ntensors;
			p.tensors[p.ntensors].kind = i + 1 == p.nops || rnd(&seed) % 3 == 0 ?
				ONSRAM_BOUND_OUTPUT : ONSRAM_BOUND_INTERNAL;
			p.tensors[p.ntensors++].bytes = onsram_view_bytes(&o->op.view[0]);
		}
		p.tensors[0].bytes = onsram_view_bytes(&p.ops[0].op.view[1]);
		assert_int_equal(onsram_bound(&m, p.ops, p.nops, p.tensors, p.ntensors),
				 brute_force(&p, &m));
	}
}

static void test_bound_closed_forms(void **state)
{
	struct onsram_model m = model(1);
	struct onsram_bound_op op = { .op = gemm(ONSRAM_DTYPE_F16, 1, 64, 512, 512) };
	struct onsram_bound_tensor t[3] = {
		{ 64 * 512 * 2, ONSRAM_BOUND_OUTPUT }, { 64 * 512 * 2, ONSRAM_BOUND_SOURCE },
		{ 512 * 512 * 2, ONSRAM_BOUND_SOURCE },
	};
	struct onsram_bound_op chain[2];
	struct onsram_cost c;

	(void)state;
	memset(op.tensor, 0xff, sizeof(op.tensor));
	op.tensor[0] = 0;
	op.tensor[1] = 1;
	op.tensor[2] = 2;
	assert_int_equal(onsram_bound(&m, NULL, 0, NULL, 0), 0);
	/* One DRAM-bound operation: all its bytes */
	assert_int_equal(onsram_bound(&m, &op, 1, t, 3), ceil_ps(2 * 64 * 512 * 2 + 512 * 512 * 2, &m));
	/* Nothing need cross DRAM: the floor */
	t[0].kind = t[1].kind = t[2].kind = ONSRAM_BOUND_INTERNAL;
	cost(&m, &op.op, 7, m.spm_size, &c);
	assert_int_equal(onsram_bound(&m, &op, 1, t, 3), c.time_ps);
	/* A source read twice crosses once; a tensor index out of range is none */
	t[2].kind = ONSRAM_BOUND_SOURCE;
	chain[0] = op;
	chain[1] = op;
	chain[1].tensor[1] = 77;
	assert_int_equal(onsram_bound(&m, chain, 2, t, 3),
			 ceil_ps(512 * 512 * 2, &m) + (ceil_ps(512 * 512 * 2, &m) > c.time_ps ?
						     c.time_ps : 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_fair_share),
		cmocka_unit_test(test_copy_gets_the_rest),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_beyond),
		cmocka_unit_test(test_conservation),
		cmocka_unit_test(test_bound_brute_force),
		cmocka_unit_test(test_bound_closed_forms),
	};

	return cmocka_run_group_tests_name("fluid", tests, NULL, NULL);
}
