// SPDX-License-Identifier: MIT
/* OnSRAM-Static: plans are valid, priced truly, and near the best there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/onsram_netlink.h>

#include "graphs.h"
#include "recent.h"

static struct graph g;

/* Plans as replay() carries them out */
static const struct onsram_plan_options strict = { .whole = true, .synchronous = true, .apart = true };

static struct onsram_model model(uint64_t spm_kib)
{
	struct onsram_model m;

	onsram_model_init(&m, ONSRAM_PRESET_DEFAULT);
	m.spm_size = spm_kib * 1024;
	return m;
}

static bool uses(uint32_t op, uint32_t t, bool write)
{
	for (int s = 0; s < (write ? 1 : ONSRAM_MAX_OPERANDS); s++)
		if (g.ops[op].operand[s].view.dtype && g.ops[op].operand[s].bo == t)
			return true;
	return false;
}

/*
 * What a run costs, replayed command by command with the state the driver
 * keeps: resident or not, dirty or not.
 */
static uint64_t replay(const struct onsram_model *m, const struct onsram_interval *iv, uint32_t n,
		       bool *resident)
{
	bool dirty[GRAPH_MAX_TENSORS] = { false };
	uint64_t time = 0;
	struct onsram_cost c;

	for (uint32_t i = 0; i < g.nr_ops; i++) {
		struct onsram_perf_op op = { .opcode = g.ops[i].opcode, .attr = g.ops[i].attr };
		uint64_t resident_bytes[ONSRAM_MAX_OPERANDS];
		uint64_t held = 0;
		uint32_t mask = 0;

		for (uint32_t k = 0; k < n; k++) {
			if (iv[k].first_op != i || resident[iv[k].tensor])
				continue;
			if (iv[k].flags & ONSRAM_INTERVAL_FETCH) {
				onsram_copy_cost(m, g.tensors[iv[k].tensor].bytes, false, &c);
				time += c.time_ps;
			}
			resident[iv[k].tensor] = true;
		}
		for (uint32_t t = 0; t < g.nr_tensors; t++)
			if (resident[t])
				held += (g.tensors[t].bytes + 1023) / 1024 * 1024;
		for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			op.view[s] = g.ops[i].operand[s].view;
			if (op.view[s].dtype && resident[g.ops[i].operand[s].bo])
				mask |= 1u << s;
		}
		onsram_resident_slots(resident_bytes, mask);
		onsram_op_cost(m, &op, resident_bytes, m->spm_size - held, &c);
		time += c.time_ps;
		if (mask & 1)
			dirty[g.ops[i].operand[0].bo] = true;
		for (uint32_t k = 0; k < n; k++) {
			uint32_t t = iv[k].tensor;
			bool dead = g.tensors[t].flags & DRM_ONSRAM_TENSOR_TRANSIENT;

			if (iv[k].last_op != i || (iv[k].flags & ONSRAM_INTERVAL_KEEP))
				continue;
			for (uint32_t j = i + 1; j < g.nr_ops; j++)
				dead &= !uses(j, t, false);
			if (dirty[t] && !dead) {
				onsram_copy_cost(m, g.tensors[t].bytes, true, &c);
				time += c.time_ps;
			}
			dirty[t] = false;
			resident[t] = false;
		}
	}
	return time;
}

static void check_intervals(const struct onsram_model *m, const struct onsram_plan *p)
{
	for (uint32_t i = 0; i < p->nr_intervals; i++) {
		const struct onsram_interval *a = &p->intervals[i];
		bool transient = g.tensors[a->tensor].flags & DRM_ONSRAM_TENSOR_TRANSIENT;

		assert_true(a->tensor < g.nr_tensors);
		assert_true(a->first_op <= a->last_op && a->last_op < g.nr_ops);
		assert_true(a->bytes == (g.tensors[a->tensor].bytes + 1023) / 1024 * 1024);
		assert_true(a->offset % 1024 == 0);
		assert_true(a->offset + (uint64_t)a->bytes <= m->spm_size);
		assert_int_equal(p->reason[a->tensor], ONSRAM_REASON_HELD);
		if (i)
			assert_true(a[-1].first_op <= a->first_op);
		if (a->flags & ONSRAM_INTERVAL_KEEP) {
			assert_true(a->first_op == 0 && a->last_op == g.nr_ops - 1);
			assert_true(g.tensors[a->tensor].flags & DRM_ONSRAM_TENSOR_CONST);
			assert_true(a->flags & ONSRAM_INTERVAL_FETCH);
		}
		if (!(a->flags & ONSRAM_INTERVAL_FETCH)) {
			bool first = true;

			for (uint32_t j = 0; j < a->first_op; j++)
				first &= !uses(j, a->tensor, false);
			if (transient)
				assert_true(first);
			else
				assert_true(uses(a->first_op, a->tensor, true) &&
					    onsram_view_bytes(&g.ops[a->first_op].operand[0].view) ==
					    g.tensors[a->tensor].bytes);
		}
		for (uint32_t j = 0; j < i; j++) {
			const struct onsram_interval *b = &p->intervals[j];

			if (b->first_op > a->last_op || a->first_op > b->last_op)
				continue;
			assert_true(a->tensor != b->tensor);
			assert_true(a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset);
		}
	}
}

static void check_plan(const struct onsram_model *m, const struct onsram_plan *p)
{
	struct onsram_plan_graph pg = graph_of(&g);
	uint64_t capacity = m->spm_size - ONSRAM_STAGING_MIN, peak = 0;
	bool resident[GRAPH_MAX_TENSORS] = { false };
	struct onsram_price price;

	check_intervals(m, p);
	assert_null(onsram_plan_check(m, &pg, p->intervals, p->nr_intervals, NULL));
	for (uint32_t i = 0; i < g.nr_ops; i++) {
		uint64_t held = 0;

		for (uint32_t k = 0; k < p->nr_intervals; k++)
			if (p->intervals[k].first_op <= i && i <= p->intervals[k].last_op)
				held += p->intervals[k].bytes;
		assert_true(held <= capacity);
		peak = held > peak ? held : peak;
	}
	assert_true(p->peak_bytes == peak);
	assert_true(p->time_ps <= p->baseline_ps);
	assert_true(p->time_ps_again <= p->time_ps);
	assert_true(p->time_ps >= p->bound_ps);

	assert_int_equal(onsram_plan_price(m, &pg, NULL, 0, false, &price), 0);
	assert_true(price.time_ps == p->baseline_ps);
	assert_int_equal(onsram_plan_price(m, &pg, p->intervals, p->nr_intervals, false, &price), 0);
	assert_true(price.time_ps == p->time_ps);
	assert_int_equal(onsram_plan_price(m, &pg, p->intervals, p->nr_intervals, true, &price), 0);
	assert_true(price.time_ps == p->time_ps_again);
	/* The second replay starts with what the first one kept */
	assert_true(replay(m, p->intervals, p->nr_intervals, resident) == p->time_ps);
	assert_true(replay(m, p->intervals, p->nr_intervals, resident) == p->time_ps_again);
}

static struct onsram_plan *plan(const struct onsram_model *m)
{
	struct onsram_plan_graph pg = graph_of(&g);
	struct onsram_plan *p = onsram_plan_static(m, &pg, &strict);

	assert_non_null(p);
	check_plan(m, p);
	return p;
}

/* An activation that fits stays for its whole life, and crosses DRAM not once */
static void test_chain(void **state)
{
	struct onsram_model m = model(2048);
	struct onsram_plan_graph pg;
	struct onsram_price price;
	struct onsram_plan *p;
	uint32_t x, w, y;

	(void)state;
	memset(&g, 0, sizeof(g));
	x = add_tensor(&g, 200000, 0);
	w = add_tensor(&g, 200000, 0);
	y = add_binary(&g, x, w, 100000, DRM_ONSRAM_TENSOR_TRANSIENT);
	add_binary(&g, y, y, 100000, 0);
	p = plan(&m);
	assert_int_equal(p->nr_intervals, 1);
	assert_int_equal(p->intervals[0].tensor, y);
	assert_int_equal(p->intervals[0].first_op, 0);
	assert_int_equal(p->intervals[0].last_op, 1);
	assert_int_equal(p->reason[x], ONSRAM_REASON_BOUNDARY);
	assert_int_equal(p->reason[3], ONSRAM_REASON_BOUNDARY);
	pg = graph_of(&g);
	assert_int_equal(onsram_plan_price(&m, &pg, p->intervals, 1, false, &price), 0);
	assert_int_equal(price.dram_read_bytes, 400000);
	assert_int_equal(price.dram_write_bytes, 200000);
	onsram_plan_free(p);

	p = onsram_plan_none(&m, &pg, NULL);
	assert_non_null(p);
	check_plan(&m, p);
	assert_int_equal(p->nr_intervals, 0);
	assert_true(p->time_ps == p->baseline_ps);
	onsram_plan_free(p);
}

static void test_reasons(void **state)
{
	struct onsram_model m = model(1152);
	struct onsram_plan *p;
	uint32_t x, big, unused, a, b;

	(void)state;
	memset(&g, 0, sizeof(g));
	x = add_tensor(&g, 2000000, 0);
	unused = add_tensor(&g, 1000, DRM_ONSRAM_TENSOR_TRANSIENT);
	big = add_binary(&g, x, x, 1000000, DRM_ONSRAM_TENSOR_TRANSIENT);
	/* Two of 600 kB that live at the same time, 1 MiB to hold them in */
	a = add_binary(&g, big, big, 300000, DRM_ONSRAM_TENSOR_TRANSIENT);
	b = add_binary(&g, big, big, 300000, DRM_ONSRAM_TENSOR_TRANSIENT);
	add_binary(&g, a, b, 300000, 0);
	p = plan(&m);
	assert_int_equal(p->reason[big], ONSRAM_REASON_TOO_LARGE);
	assert_int_equal(p->reason[unused], ONSRAM_REASON_UNUSED);
	assert_true((p->reason[a] == ONSRAM_REASON_HELD) != (p->reason[b] == ONSRAM_REASON_HELD));
	assert_true(p->reason[a] == ONSRAM_REASON_NO_ROOM || p->reason[b] == ONSRAM_REASON_NO_ROOM);
	onsram_plan_free(p);
	for (int r = 0; r < ONSRAM_REASON_COUNT; r++)
		assert_string_not_equal(onsram_reason_text((enum onsram_reason)r), "unknown");
	assert_string_equal(onsram_reason_text(ONSRAM_REASON_COUNT), "unknown");
}

/* A plan without restrictions is one, and costs what it says */
static struct onsram_plan *free_plan(const struct onsram_model *m, const struct onsram_plan_options *opt)
{
	struct onsram_plan_graph pg = graph_of(&g);
	struct onsram_plan *p = onsram_plan_static(m, &pg, opt);
	struct onsram_price price;

	assert_non_null(p);
	assert_null(onsram_plan_check(m, &pg, p->intervals, p->nr_intervals, NULL));
	assert_int_equal(onsram_plan_price(m, &pg, p->intervals, p->nr_intervals, false, &price), 0);
	assert_true(price.time_ps == p->time_ps);
	assert_int_equal(onsram_plan_price(m, &pg, p->intervals, p->nr_intervals, true, &price), 0);
	assert_true(price.time_ps == p->time_ps_again);
	assert_true(p->time_ps <= p->baseline_ps && p->time_ps >= p->bound_ps);
	assert_true(p->time_ps_again <= p->time_ps);
	for (uint32_t i = 0; i < p->nr_intervals; i++) {
		const struct onsram_interval *iv = &p->intervals[i];

		assert_int_equal(p->reason[iv->tensor], ONSRAM_REASON_HELD);
		if (opt && opt->whole)
			assert_true(iv->begin == 0 && iv->bytes >= g.tensors[iv->tensor].bytes);
		if (opt && opt->synchronous)
			assert_true(iv->reserve_op == iv->first_op && iv->release_op == iv->last_op + 1);
		if (opt && opt->activations_only)
			assert_false(g.tensors[iv->tensor].flags & DRM_ONSRAM_TENSOR_CONST);
	}
	return p;
}

/* A weight of several uses is fetched once; one of a single use stays for the next run */
static void test_weights(void **state)
{
	struct onsram_model m = model(2048);
	struct onsram_plan *p;
	uint32_t w, x, single, keeps = 0;

	(void)state;
	memset(&g, 0, sizeof(g));
	w = add_tensor(&g, 400000, DRM_ONSRAM_TENSOR_CONST);
	x = add_tensor(&g, 400000, 0);
	for (int i = 0; i < 40; i++)
		x = add_binary(&g, x, w, 200000, DRM_ONSRAM_TENSOR_TRANSIENT);
	/* A layer that is all weights */
	single = add_conv(&g, x, 400, 1, 500, 1, 0) - 1;
	p = plan(&m);
	assert_int_equal(p->reason[w], ONSRAM_REASON_HELD);
	onsram_plan_free(p);
	p = free_plan(&m, NULL);
	assert_int_equal(p->reason[w], ONSRAM_REASON_HELD);
	assert_int_equal(p->reason[single], ONSRAM_REASON_HELD);
	for (uint32_t i = 0; i < p->nr_intervals; i++)
		if (p->intervals[i].tensor == single) {
			assert_true(p->intervals[i].flags & ONSRAM_INTERVAL_KEEP);
			keeps++;
		}
	assert_int_equal(keeps, 1);
	assert_true(p->time_ps_again < p->time_ps);
	onsram_plan_free(p);
}

/* Residency that would make large factors stream again is not worth it */
static void test_staging_price(void **state)
{
	struct onsram_model m = model(2048);
	struct onsram_plan *p;
	uint32_t x, t, y;

	(void)state;
	memset(&g, 0, sizeof(g));
	x = add_tensor(&g, 2ull * 512 * 28 * 28, 0);
	/* t waits beside a convolution whose factors just fit the full window */
	t = add_binary(&g, x, x, 40 * 1024, DRM_ONSRAM_TENSOR_TRANSIENT);
	y = x;
	for (int i = 0; i < 6; i++)
		y = add_conv(&g, y, 512, 28, 512, 1, DRM_ONSRAM_TENSOR_TRANSIENT);
	add_binary(&g, t, y, 40 * 1024, 0);
	p = plan(&m);
	/* Whatever was chosen, its side effects are in the time (check_plan), and it pays */
	assert_true(p->time_ps < p->baseline_ps);
	onsram_plan_free(p);
}

static void test_densenet(void **state)
{
	static const uint64_t spm[] = { 128, 256, 1024, 2048, 8192, 65536 };
	uint64_t before = UINT64_MAX;

	(void)state;
	densenet(&g);
	assert_int_equal(g.nr_ops, 58 * 8 + 7);
	for (size_t i = 0; i < sizeof(spm) / sizeof(spm[0]); i++) {
		struct onsram_model m = model(spm[i]);
		struct onsram_plan *p = plan(&m);

		if (spm[i] == 128)
			assert_int_equal(p->nr_intervals, 0);
		else
			assert_true(p->time_ps < p->baseline_ps);
		assert_true(p->time_ps <= before);
		before = p->time_ps;
		onsram_plan_free(p);
	}
}

/* Each of them takes most of the SPM and is made of the one before: a place passes on, or DRAM has them */
static void test_overwrite(void **state)
{
	const struct onsram_plan_options apart = { .apart = true }, free = { 0 };
	struct onsram_model m = model(2048);
	struct onsram_plan *p, *other;
	uint32_t x;

	(void)state;
	memset(&g, 0, sizeof(g));
	x = add_tensor(&g, 1500 * 1024, 0);
	for (int i = 0; i < 6; i++)
		x = add_binary(&g, x, x, 750 * 1024, DRM_ONSRAM_TENSOR_TRANSIENT);
	add_binary(&g, x, x, 750 * 1024, 0);
	p = free_plan(&m, &free);
	other = free_plan(&m, &apart);
	for (uint32_t k = 0; k < other->nr_intervals; k++)
		assert_false(other->intervals[k].flags & ONSRAM_INTERVAL_OVERWRITE);
	for (uint32_t i = 0; i < p->nr_intervals; i++)
		assert_true(p->reason[p->intervals[i].tensor] == ONSRAM_REASON_HELD);
	assert_int_equal(p->peak_bytes, 1500 * 1024);
	assert_true(p->time_ps < other->time_ps);
	onsram_plan_free(p);
	onsram_plan_free(other);
}

/* Every restriction costs, or nothing changes; and every plan beats the one of a smaller SPM */
static void test_restrictions(void **state)
{
	static const struct onsram_plan_options opt[] = {
		{ 0 }, { .whole = true }, { .synchronous = true }, { .activations_only = true },
		{ .whole = true, .synchronous = true },
		{ .whole = true, .synchronous = true, .activations_only = true },
		{ .whole = true, .synchronous = true, .activations_only = true, .apart = true },
	};
	uint32_t seed = 606;

	(void)state;
	for (int round = 0; round < 8; round++) {
		struct onsram_model m = model(128 + 64 * (rnd(&seed) % 30));
		struct onsram_plan_graph pg;
		struct onsram_plan *paper;
		uint64_t time[7];

		random_graph(&g, 1 + rnd(&seed) % 60, 1 + rnd(&seed) % 800, &seed);
		for (int k = 0; k < 7; k++) {
			struct onsram_plan *p = free_plan(&m, &opt[k]);

			time[k] = p->time_ps;
			onsram_plan_free(p);
			assert_true(time[0] <= time[k]);
		}
		assert_true(time[1] <= time[4] && time[2] <= time[4] && time[4] <= time[5] && time[5] <= time[6]);
		pg = graph_of(&g);
		paper = onsram_plan_paper(&m, &pg, NULL);
		assert_non_null(paper);
		assert_true(time[5] <= paper->time_ps);
		onsram_plan_free(paper);
	}
}

/* What lru would hold is a plan, and no better than what static makes under any restriction */
static void test_recent(void **state)
{
	uint32_t seed = 1971, held = 0;

	(void)state;
	for (int round = 0; round < 40; round++) {
		struct onsram_model m = model(128 + 64 * (rnd(&seed) % 30));
		struct onsram_plan_graph pg;
		struct onsram_interval *iv;
		struct onsram_price price;
		struct onsram_flow f;
		struct onsram_plan *p;
		uint32_t n;

		random_graph(&g, 1 + rnd(&seed) % 60, 1 + rnd(&seed) % 800, &seed);
		pg = graph_of(&g);
		assert_int_equal(onsram_flow_init(&f, &m, &pg), 0);
		iv = calloc(f.first[pg.nr_tensors] + 1, sizeof(*iv));
		assert_non_null(iv);
		assert_int_equal(onsram_recent_choose(&f, iv, &n), 0);
		assert_null(onsram_plan_check(&m, &pg, iv, n, NULL));
		assert_int_equal(onsram_plan_price(&m, &pg, iv, n, false, &price), 0);
		p = plan(&m);
		assert_true(p->time_ps <= price.time_ps);
		held += n;
		onsram_plan_free(p);
		onsram_flow_fini(&f);
		free(iv);
	}
	assert_true(held);
}

static void test_more_is_faster(void **state)
{
	uint32_t seed = 77;

	(void)state;
	for (int round = 0; round < 4; round++) {
		uint64_t before = UINT64_MAX;

		random_graph(&g, 1 + rnd(&seed) % 60, 1 + rnd(&seed) % 800, &seed);
		for (uint64_t kib = 128; kib <= 16384; kib *= 2) {
			struct onsram_model m = model(kib);
			struct onsram_plan *p = free_plan(&m, NULL);

			assert_true(p->time_ps <= before);
			before = p->time_ps;
			onsram_plan_free(p);
		}
		before = UINT64_MAX;
		for (uint64_t gbs = 1; gbs <= 1024; gbs *= 2) {
			struct onsram_model m = model(1024);
			struct onsram_plan *p;

			m.dram_bw = gbs * 1000000000;
			p = free_plan(&m, NULL);
			assert_true(p->time_ps <= before);
			before = p->time_ps;
			onsram_plan_free(p);
		}
	}
}

/* --- against all choices of whole lives ----------------------------------- */

struct choice {
	struct onsram_interval iv[16];
	uint32_t n;
	uint64_t best;
};

/* Tries every set of whole-life stays; offsets by an allocation that is exact at this size */
static void try_all(const struct onsram_model *m, const struct onsram_plan_graph *pg,
		    struct choice *c, struct onsram_interval *set, uint32_t k, uint32_t i)
{
	struct onsram_rect r[16];
	uint64_t height;
	struct onsram_price price;

	if (i < c->n) {
		try_all(m, pg, c, set, k, i + 1);
		set[k] = c->iv[i];
		try_all(m, pg, c, set, k + 1, i + 1);
		return;
	}
	for (uint32_t j = 0; j < k; j++)
		r[j] = (struct onsram_rect){ set[j].first_op, set[j].last_op + 1, set[j].bytes, 0 };
	if (onsram_allocate(r, k, m->spm_size - ONSRAM_STAGING_MIN, NULL, &height) != ONSRAM_ALLOCATED)
		return;
	assert_int_equal(onsram_plan_price(m, pg, set, k, false, &price), 0);
	c->best = price.time_ps < c->best ? price.time_ps : c->best;
}

static void test_brute_force(void **state)
{
	uint32_t seed = 31337, optimal = 0, rounds = 150;

	(void)state;
	for (uint32_t round = 0; round < rounds; round++) {
		struct onsram_model m = model(128 + 64 * (1 + rnd(&seed) % 6));
		struct choice c = { .best = UINT64_MAX };
		struct onsram_interval set[16];
		struct onsram_plan_graph pg;
		struct onsram_plan *p;

		random_graph(&g, 2 + rnd(&seed) % 6, 200, &seed);
		pg = graph_of(&g);
		for (uint32_t t = 0; t < g.nr_tensors; t++) {
			struct onsram_interval iv = { .tensor = t, .first_op = UINT32_MAX };

			for (uint32_t i = 0; i < g.nr_ops; i++) {
				if (!uses(i, t, false))
					continue;
				if (iv.first_op == UINT32_MAX) {
					iv.reserve_op = i;
					iv.first_op = i;
					iv.flags = uses(i, t, true) ? 0 : ONSRAM_INTERVAL_FETCH;
				}
				iv.last_op = i;
				iv.release_op = i + 1;
			}
			iv.bytes = (uint32_t)((g.tensors[t].bytes + 1023) / 1024 * 1024);
			if (iv.first_op != UINT32_MAX)
				c.iv[c.n++] = iv;
		}
		try_all(&m, &pg, &c, set, 0, 0);
		p = plan(&m);
		assert_true(p->time_ps <= c.best + c.best / 24);
		optimal += p->time_ps <= c.best;
		onsram_plan_free(p);
	}
	assert_true(optimal * 20 >= rounds * 19);
}

static void test_fuzz(void **state)
{
	uint32_t seed = 2024;

	(void)state;
	for (int round = 0; round < 24; round++) {
		struct onsram_model m = model(128 + 32 * (rnd(&seed) % 60));
		struct onsram_plan *p;

		m.preset = rnd(&seed) % 3 ? ONSRAM_PRESET_DEFAULT : ONSRAM_PRESET_PAPER;
		m.dram_bw >>= rnd(&seed) % 4;
		random_graph(&g, 1 + rnd(&seed) % 100, 1 + rnd(&seed) % 1000, &seed);
		p = plan(&m);
		onsram_plan_free(p);
		p = free_plan(&m, NULL);
		onsram_plan_free(p);
	}
}

/* The planner's own answer must not depend on anything but its input */
static void test_deterministic(void **state)
{
	struct onsram_model m = model(2048);
	struct onsram_plan *p, *q;
	uint32_t seed = 5;

	(void)state;
	random_graph(&g, 120, 600, &seed);
	p = free_plan(&m, NULL);
	q = free_plan(&m, NULL);
	assert_int_equal(p->nr_intervals, q->nr_intervals);
	assert_memory_equal(p->intervals, q->intervals, p->nr_intervals * sizeof(*p->intervals));
	onsram_plan_free(p);
	onsram_plan_free(q);
}

static void test_degenerate(void **state)
{
	struct onsram_model m = model(2048);
	struct onsram_plan *p;

	(void)state;
	memset(&g, 0, sizeof(g));
	p = plan(&m);
	assert_int_equal(p->nr_intervals, 0);
	assert_true(p->time_ps == 0 && p->bound_ps == 0);
	onsram_plan_free(p);
	/* A slot that names no tensor of the graph is priced as DRAM and not planned */
	add_binary(&g, 99, 100, 5000, DRM_ONSRAM_TENSOR_TRANSIENT);
	{
		struct onsram_plan_graph pg = graph_of(&g);

		p = onsram_plan_static(&m, &pg, NULL);
	}
	assert_non_null(p);
	assert_true(p->time_ps <= p->baseline_ps);
	onsram_plan_free(p);
	onsram_plan_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_staging_price),
		cmocka_unit_test(test_densenet),
		cmocka_unit_test(test_overwrite),
		cmocka_unit_test(test_restrictions),
		cmocka_unit_test(test_recent),
		cmocka_unit_test(test_more_is_faster),
		cmocka_unit_test(test_brute_force),
		cmocka_unit_test(test_fuzz),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_degenerate),
	};

	return cmocka_run_group_tests_name("planner", tests, NULL, NULL);
}
