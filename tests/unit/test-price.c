// SPDX-License-Identifier: MIT
/* What a plan costs: transfers beside compute, parts of tensors; and which plans there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/onsram_netlink.h>

#include "graphs.h"

#define FETCH	ONSRAM_INTERVAL_FETCH
#define KEEP	ONSRAM_INTERVAL_KEEP
#define MIB	(1024 * 1024)

static struct graph g;
static struct onsram_model m;

/* A byte takes 1 ns in DRAM, arithmetic 1 ns per vector FLOP; no overheads unless a test sets some */
static int set_up(void **state)
{
	(void)state;
	memset(&g, 0, sizeof(g));
	onsram_model_init(&m, ONSRAM_PRESET_DEFAULT);
	m.dram_bw = 1000000000;
	m.vector_flops = 1000000000;
	m.spm_bw = 1000000000000000ull;
	m.dram_latency_ps = 0;
	m.cmd_overhead_ps = 0;
	return 0;
}

static struct onsram_price price(const struct onsram_interval *iv, uint32_t n, bool again)
{
	struct onsram_plan_graph pg = graph_of(&g);
	struct onsram_price p;
	uint32_t wrong;

	assert_null(onsram_plan_check(&m, &pg, iv, n, &wrong));
	assert_int_equal(onsram_plan_price(&m, &pg, iv, n, again, &p), 0);
	return p;
}

#define IV(...) ((const struct onsram_interval[]){ __VA_ARGS__ })
#define PRICE(n, again, ...) price(IV(__VA_ARGS__), n, again)
#define TIME_NS(...) \
	(price(IV(__VA_ARGS__), sizeof(IV(__VA_ARGS__)) / sizeof(struct onsram_interval), false).time_ps / 1000)

/*
 * @flops of arithmetic: a maximum over a window of that size for each of 1024
 * outputs in a tensor of its own; the DRAM traffic is 2 KiB in, 2 KiB out.
 */
static void add_busy(uint32_t flops)
{
	struct onsram_perf_op op = { .opcode = ONSRAM_OP_POOL };
	uint32_t t[ONSRAM_MAX_OPERANDS] = { 0, 0, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX };

	op.attr.kernel[0] = (uint16_t)(flops / 1024);
	op.view[0] = op.view[1] = dense(ONSRAM_DTYPE_F16, 1, 1024);
	t[1] = add_tensor(&g, 2048, 0);
	t[0] = add_tensor(&g, 2048, 0);
	add_op(&g, &op, t);
}

/* Copies a constant of @kib to an output; returns the constant */
static uint32_t add_load(uint32_t kib)
{
	struct onsram_perf_op op = { .opcode = ONSRAM_OP_COPY };
	uint32_t t[ONSRAM_MAX_OPERANDS] = { 0, 0, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX };

	op.view[0] = op.view[1] = dense(ONSRAM_DTYPE_F16, 1, kib * 512);
	t[1] = add_tensor(&g, kib * 1024, DRM_ONSRAM_TENSOR_CONST);
	t[0] = add_tensor(&g, kib * 1024, 0);
	add_op(&g, &op, t);
	return t[1];
}

/* 100 us of arithmetic, then 64 KiB in and 64 KiB out */
static void test_prefetch(void **state)
{
	uint32_t w;

	(void)state;
	add_busy(100 * 1024);
	w = add_load(64);
	assert_int_equal(PRICE(0, false, { 0 }).time_ps / 1000, 102400 + 2 * 65536);
	/* Between the operations */
	assert_int_equal(TIME_NS({ w, FETCH, 0, 65536, 0, 1, 1, 1, 2 }), 102400 + 2 * 65536);
	/* Beside the first one, whose 4 KiB go first */
	assert_int_equal(TIME_NS({ w, FETCH, 0, 65536, 0, 0, 1, 1, 2 }), 102400 + 65536);
	/* A part */
	assert_int_equal(TIME_NS({ w, FETCH, 0, 16384, 0, 0, 1, 1, 2 }), 102400 + 65536 + 49152);
	assert_int_equal(TIME_NS({ w, FETCH, 16384, 32768, 0, 0, 1, 1, 2 }), 102400 + 65536 + 32768);
	/* Two parts, one of them late */
	assert_int_equal(TIME_NS({ w, FETCH, 0, 16384, 1024, 0, 1, 1, 2 },
				 { w, FETCH, 16384, 49152, 17408, 1, 1, 1, 2 }), 102400 + 65536 + 49152);
	/* What was fetched, streamed and written is each byte once */
	assert_int_equal(PRICE(1, false, { w, FETCH, 0, 16384, 0, 0, 1, 1, 2 }).dram_read_bytes,
			 2048 + 65536);
	assert_int_equal(PRICE(1, false, { w, FETCH, 0, 16384, 0, 0, 1, 1, 2 }).dram_write_bytes,
			 2048 + 65536);
}

/* A prefetch that is not through when its operation is due */
static void test_late(void **state)
{
	uint32_t w;

	(void)state;
	add_busy(32 * 1024);
	w = add_load(64);
	/* 4 KiB of the first operation's own, then 28 KiB in its time, 36 KiB behind it */
	assert_int_equal(TIME_NS({ w, FETCH, 0, 65536, 0, 0, 1, 1, 2 }), 4096 + 65536 + 65536);
	/* Half of it is in time */
	assert_int_equal(TIME_NS({ w, FETCH, 0, 28 * 1024, 0, 0, 1, 1, 2 }), 32768 + 65536 + 36 * 1024);
}

/* An output leaves the SPM beside the next operation */
static void test_writeback(void **state)
{
	uint32_t w;

	(void)state;
	w = add_load(64);
	add_busy(100 * 1024);
	assert_int_equal(PRICE(0, false, { 0 }).time_ps / 1000, 102400 + 2 * 65536);
	assert_int_equal(TIME_NS({ w + 1, 0, 0, 65536, 0, 0, 0, 0, 1 }), 102400 + 2 * 65536);
	assert_int_equal(TIME_NS({ w + 1, 0, 0, 65536, 0, 0, 0, 0, 2 }), 102400 + 65536);
	assert_int_equal(TIME_NS({ w + 1, 0, 32768, 32768, 0, 0, 0, 0, 2 }), 102400 + 65536 + 32768);
	assert_int_equal(PRICE(1, false, { w + 1, 0, 0, 65536, 0, 0, 0, 0, 2 }).dram_write_bytes,
			 2048 + 65536);
}

/* Two fetches beside one operation: the queue's order decides who waits */
static void test_queue(void **state)
{
	uint32_t a, b;

	(void)state;
	add_busy(68 * 1024);
	a = add_load(64);
	b = add_load(64);
	assert_int_equal(TIME_NS({ a, FETCH, 0, 65536, 0, 0, 1, 1, 2 },
				 { b, FETCH, 0, 65536, 65536, 0, 2, 2, 3 }),
			 69632 + 65536 + 65536 + 65536);
	/* The one that is needed last goes first */
	assert_int_equal(TIME_NS({ b, FETCH, 0, 65536, 65536, 0, 2, 2, 3 },
				 { a, FETCH, 0, 65536, 0, 0, 1, 1, 2 }),
			 69632 + 65536 + 65536 + 65536);
	/* Write-backs go before fetches of the same operation */
	assert_int_equal(TIME_NS({ b, FETCH, 0, 65536, 65536, 1, 2, 2, 3 },
				 { 1, 0, 0, 2048, 0, 0, 0, 0, 1 }),
			 69632 + 2048 + 2 * 65536 + 65536 + 65536);
}

/* Overheads of transfers pass beside compute, too */
static void test_overhead(void **state)
{
	uint32_t w;

	(void)state;
	m.cmd_overhead_ps = 1000000;
	m.dram_latency_ps = 500000;
	add_busy(100 * 1024);
	w = add_load(64);
	assert_int_equal(PRICE(0, false, { 0 }).time_ps / 1000, 1500 + 102400 + 1500 + 2 * 65536);
	assert_int_equal(TIME_NS({ w, FETCH, 0, 65536, 0, 1, 1, 1, 2 }),
			 1500 + 102400 + 1500 + 65536 + 1500 + 65536);
	assert_int_equal(TIME_NS({ w, FETCH, 0, 65536, 0, 0, 1, 1, 2 }), 1500 + 102400 + 1500 + 65536);
}

/* Parts that move together are one transfer; what goes elsewhere or at another time is none of it */
static void test_joined(void **state)
{
	const uint64_t alone = 1500 + 102400 + 1500 + 65536 + 1500 + 65536;
	uint32_t w;

	(void)state;
	m.cmd_overhead_ps = 1000000;
	m.dram_latency_ps = 500000;
	add_busy(100 * 1024);
	w = add_load(64);
	assert_int_equal(TIME_NS({ w, FETCH, 16384, 32768, 16384, 1, 1, 1, 2 },
				 { w, FETCH, 49152, 16384, 49152, 1, 1, 1, 2 },
				 { w, FETCH, 0, 16384, 0, 1, 1, 1, 2 }), alone);
	assert_int_equal(TIME_NS({ w, FETCH, 0, 16384, 0, 0, 1, 1, 2 },
				 { w, FETCH, 16384, 49152, 16384, 1, 1, 1, 2 }), alone - 16384);
	/* The output, written in two parts and left */
	assert_int_equal(TIME_NS({ w + 1, 0, 0, 16384, 0, 1, 1, 1, 2 },
				 { w + 1, 0, 16384, 49152, 16384, 1, 1, 1, 2 }), alone);
	assert_int_equal(PRICE(2, false, { w + 1, 0, 0, 16384, 0, 1, 1, 1, 2 },
			       { w + 1, 0, 16384, 49152, 16384, 1, 1, 1, 2 }).dram_write_bytes, 2048 + 65536);
}

/* What stays for the next run is not fetched by it */
static void test_keep(void **state)
{
	struct onsram_price first, again;
	uint32_t w;

	(void)state;
	add_load(4);
	w = add_load(64);
	first = PRICE(1, false, { w, FETCH | KEEP, 0, 65536, 0, 0, 1, 1, 2 });
	again = PRICE(1, true, { w, FETCH | KEEP, 0, 65536, 0, 0, 1, 1, 2 });
	assert_int_equal(first.dram_read_bytes, 4096 + 65536);
	assert_int_equal(again.dram_read_bytes, 4096);
	/* 8 KiB of the first operation, then the fetch is awaited, then the write */
	assert_int_equal(first.time_ps / 1000, 8192 + 65536 + 65536);
	assert_int_equal(again.time_ps / 1000, 8192 + 65536);
}

/* The staging window is what no interval has taken, also while its fetch is under way */
static void test_staging(void **state)
{
	struct onsram_perf_op op = conv(ONSRAM_DTYPE_F16, 512, 28, 512, 1, 1);
	uint32_t t[ONSRAM_MAX_OPERANDS] = { 0, 0, 0, UINT32_MAX, UINT32_MAX, UINT32_MAX };
	struct onsram_interval iv = { 3, FETCH, 0, 1536 * 1024, 0, 1, 1, 1, 2 };
	uint64_t with, without;

	(void)state;
	for (int i = 0; i < 3; i++)
		t[(i + 1) % 3] = add_tensor(&g, 2 * MIB, 0);
	add_op(&g, &op, t);
	add_load(1536);
	without = PRICE(0, false, { 0 }).dram_read_bytes;
	with = price(&iv, 1, false).dram_read_bytes;
	assert_true(with == without);
	/* The place is taken beside the convolution, which reads more */
	iv.reserve_op = 0;
	assert_true(price(&iv, 1, false).dram_read_bytes > without);
}

/* --- plans that there are not ---------------------------------------------- */

static void refuse(const char *why, uint32_t n, const struct onsram_interval *iv)
{
	struct onsram_plan_graph pg = graph_of(&g);
	uint32_t wrong = UINT32_MAX;
	const char *got = onsram_plan_check(&m, &pg, iv, n, &wrong);

	assert_non_null(got);
	assert_string_equal(got, why);
	assert_int_equal(wrong, n - 1);
}

#define REFUSE(why, ...) \
	refuse(why, sizeof(IV(__VA_ARGS__)) / sizeof(struct onsram_interval), IV(__VA_ARGS__))
#define ACCEPT(...) \
	price(IV(__VA_ARGS__), sizeof(IV(__VA_ARGS__)) / sizeof(struct onsram_interval), false)

/* x -> a -> b -> a again -> out, of 64 KiB each; w constant */
enum { X, W, A, B, OUT, NR_OPS = 4 };

static void build_check_graph(void)
{
	static const uint32_t flags[] = { 0, DRM_ONSRAM_TENSOR_CONST, DRM_ONSRAM_TENSOR_TRANSIENT,
					  DRM_ONSRAM_TENSOR_TRANSIENT, 0 };
	static const uint32_t io[NR_OPS][3] = { { A, X, W }, { B, A, W }, { A, B, W }, { OUT, A, W } };
	struct onsram_perf_op op = { .opcode = ONSRAM_OP_ELEMENTWISE, .attr.func = ONSRAM_EW_ADD };

	memset(&g, 0, sizeof(g));
	for (int t = 0; t < 5; t++)
		add_tensor(&g, 65536 - 10, flags[t]);
	op.view[0] = op.view[1] = op.view[2] = dense(ONSRAM_DTYPE_F16, 1, (65536 - 10) / 2);
	for (int i = 0; i < NR_OPS; i++)
		add_op(&g, &op, (uint32_t[6]){ io[i][0], io[i][1], io[i][2], UINT32_MAX, UINT32_MAX,
					       UINT32_MAX });
}

static void test_check_numbers(void **state)
{
	(void)state;
	build_check_graph();
	ACCEPT({ W, FETCH, 1024, 64512, 0, 0, 0, 3, 4 });
	REFUSE("the graph has no such tensor", { 5, FETCH, 0, 65536, 0, 0, 0, 3, 4 });
	REFUSE("unknown flags", { W, FETCH | 8, 0, 65536, 0, 0, 0, 3, 4 });
	REFUSE("the graph has no such operations", { W, FETCH, 0, 65536, 0, 0, 3, 2, 4 });
	REFUSE("the graph has no such operations", { W, FETCH, 0, 65536, 0, 0, 0, 4, 5 });
	REFUSE("reserved behind its first operation", { W, FETCH, 0, 65536, 0, 2, 1, 3, 4 });
	REFUSE("released before its last operation has completed, or never",
	       { W, FETCH, 0, 65536, 0, 0, 0, 3, 3 });
	REFUSE("released before its last operation has completed, or never",
	       { W, FETCH, 0, 65536, 0, 0, 0, 3, 5 });
	REFUSE("part or place are not in granules", { W, FETCH, 0, 0, 0, 0, 0, 3, 4 });
	REFUSE("part or place are not in granules", { W, FETCH, 0, 1000, 0, 0, 0, 3, 4 });
	REFUSE("part or place are not in granules", { W, FETCH, 10, 1024, 0, 0, 0, 3, 4 });
	REFUSE("part or place are not in granules", { W, FETCH, 0, 1024, 512, 0, 0, 3, 4 });
	REFUSE("the tensor has no such part", { W, FETCH, 65536, 1024, 0, 0, 0, 3, 4 });
	REFUSE("the tensor has no such part", { W, FETCH, 1024, 65536, 0, 0, 0, 3, 4 });
	REFUSE("beyond the SPM", { W, FETCH, 0, 65536, 2 * MIB - 1024, 0, 0, 3, 4 });
	REFUSE("kept, but does not reach the last operation",
	       { W, FETCH | KEEP, 0, 65536, 0, 0, 0, 2, 4 });
}

static void test_check_contents(void **state)
{
	const char *unfetched = "begins without a fetch where the tensor's contents are wanted";

	(void)state;
	build_check_graph();
	REFUSE(unfetched, { W, 0, 0, 65536, 0, 0, 0, 3, 4 });
	ACCEPT({ A, 0, 0, 65536, 0, 0, 0, 1, 2 });
	/* The third operation writes it whole */
	ACCEPT({ A, 0, 0, 65536, 0, 2, 2, 3, 4 });
	REFUSE(unfetched, { A, 0, 0, 65536, 0, 1, 1, 3, 4 });
	ACCEPT({ A, FETCH, 0, 65536, 0, 1, 1, 3, 4 });
	REFUSE("the tensor is used while it may be fetched", { A, FETCH, 0, 65536, 0, 0, 1, 3, 4 });
	/* Behind its first operation A is wanted: written back */
	REFUSE("the tensor is used while it may be written back", { A, 0, 0, 65536, 0, 0, 0, 0, 2 });
	ACCEPT({ A, 0, 0, 65536, 0, 0, 0, 0, 1 });
	ACCEPT({ B, 0, 0, 65536, 0, 0, 1, 2, 4 });
	/* Brought back, but not before it has left */
	ACCEPT({ A, 0, 0, 65536, 0, 0, 0, 0, 1 }, { A, FETCH, 0, 65536, 65536, 1, 1, 1, 2 });
	REFUSE("the tensor is used while it may be fetched",
	       { A, 0, 0, 65536, 0, 0, 0, 0, 1 }, { A, FETCH, 0, 65536, 65536, 0, 1, 1, 2 });
}

static void test_check_pairs(void **state)
{
	const char *place = "two intervals have the same place at the same time";
	const char *spm = "the parts that an operation uses do not follow each other in the SPM";
	const char *tensor = "the parts that an operation uses do not follow each other in the tensor";

	(void)state;
	build_check_graph();
	REFUSE(place, { W, FETCH, 0, 65536, 0, 0, 0, 1, 2 }, { A, 0, 0, 65536, 64512, 0, 0, 1, 2 });
	REFUSE(place, { W, FETCH, 0, 65536, 0, 0, 0, 0, 2 }, { B, 0, 0, 65536, 0, 1, 1, 2, 3 });
	REFUSE(place, { W, FETCH, 0, 65536, 0, 0, 0, 0, 1 }, { X, FETCH, 0, 65536, 0, 0, 0, 0, 1 });
	ACCEPT({ W, FETCH, 0, 65536, 0, 0, 0, 0, 1 }, { B, 0, 0, 65536, 0, 1, 1, 2, 3 });
	/* What is kept has its place from the start */
	REFUSE(place, { X, FETCH, 0, 65536, 0, 0, 0, 0, 1 }, { W, FETCH | KEEP, 0, 65536, 0, 1, 1, 3, 4 });
	REFUSE("two intervals hold the same part at the same time",
	       { W, FETCH, 0, 4096, 0, 0, 0, 1, 2 }, { W, FETCH, 3072, 4096, 8192, 1, 1, 2, 3 });
	ACCEPT({ W, FETCH, 0, 4096, 0, 0, 0, 3, 4 }, { W, FETCH, 4096, 4096, 4096, 2, 2, 2, 3 });
	REFUSE(spm, { W, FETCH, 0, 4096, 0, 0, 0, 3, 4 }, { W, FETCH, 4096, 4096, 8192, 2, 2, 2, 3 });
	REFUSE(tensor, { W, FETCH, 0, 4096, 0, 0, 0, 3, 4 }, { W, FETCH, 5120, 4096, 5120, 2, 2, 2, 3 });
	m.spm_size = 256 * 1024;
	REFUSE("more held at once than the SPM less the staging window",
	       { W, FETCH, 0, 65536, 0, 0, 0, 3, 4 }, { A, 0, 0, 65536, 65536, 0, 0, 3, 4 },
	       { X, FETCH, 0, 1024, 131072, 1, 1, 1, 2 });
}

/* --- any plan ----------------------------------------------------------------- */

/* Intervals at random, those that make no plan left out */
static uint32_t random_plan(struct onsram_interval *iv, uint32_t most, uint32_t *seed)
{
	struct onsram_plan_graph pg = graph_of(&g);
	uint32_t n = 0;

	for (uint32_t tries = 0; tries < 40 * most && n < most; tries++) {
		uint32_t t = rnd(seed) % g.nr_tensors, granules = (uint32_t)((g.tensors[t].bytes + 1023) / 1024);
		uint32_t begin = rnd(seed) % 3 ? 0 : rnd(seed) % granules;

		iv[n] = (struct onsram_interval){
			.tensor = t, .flags = rnd(seed) % 3 ? FETCH : 0, .begin = 1024ull * begin,
			.bytes = 1024 * (rnd(seed) % 3 ? granules - begin : 1 + rnd(seed) % (granules - begin)),
			.offset = 1024 * (rnd(seed) % (uint32_t)(m.spm_size / 1024)),
			.first_op = rnd(seed) % g.nr_ops,
		};
		iv[n].reserve_op = iv[n].first_op - rnd(seed) % (1 + (iv[n].first_op < 5 ? iv[n].first_op : 5));
		iv[n].last_op = iv[n].first_op + rnd(seed) % (g.nr_ops - iv[n].first_op);
		if (rnd(seed) % 2 && iv[n].last_op > iv[n].first_op + 3)
			iv[n].last_op = iv[n].first_op + 3;
		iv[n].release_op = iv[n].last_op + 1 + rnd(seed) % (g.nr_ops - iv[n].last_op);
		if (rnd(seed) % 2)
			iv[n].release_op = iv[n].last_op + 1;
		if (!onsram_plan_check(&m, &pg, iv, n + 1, NULL))
			n++;
	}
	return n;
}

/* No plan beats the bound, costs less than its parts, or moves less than there is to move */
static void test_random(void **state)
{
	uint32_t seed = 4711, moved = 0;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct onsram_interval iv[24];
		struct onsram_plan_graph pg;
		struct onsram_price none, with;
		struct onsram_plan *p;
		uint32_t n;

		onsram_model_init(&m, rnd(&seed) % 4 ? ONSRAM_PRESET_DEFAULT : ONSRAM_PRESET_PAPER);
		m.spm_size = 1024 * (256 + rnd(&seed) % 2048);
		random_graph(&g, 1 + rnd(&seed) % 40, 1 + rnd(&seed) % 500, &seed);
		pg = graph_of(&g);
		n = random_plan(iv, 24, &seed);
		moved += n;
		p = onsram_plan_none(&m, &pg, NULL);
		assert_non_null(p);
		none = price(NULL, 0, false);
		with = price(iv, n, false);
		assert_true(none.time_ps == p->baseline_ps);
		assert_true(with.time_ps >= p->bound_ps);
		assert_true(with.compute_ps == none.compute_ps);
		assert_true(with.time_ps >= with.compute_ps);
		/* The channel carries a byte after the other */
		assert_true((with.dram_read_bytes + with.dram_write_bytes) / (double)m.dram_bw * 1e12 <=
			    (double)with.time_ps + g.nr_ops + 2 * n);
		onsram_plan_free(p);
	}
	assert_true(moved > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_prefetch, set_up),
		cmocka_unit_test_setup(test_late, set_up),
		cmocka_unit_test_setup(test_writeback, set_up),
		cmocka_unit_test_setup(test_queue, set_up),
		cmocka_unit_test_setup(test_overhead, set_up),
		cmocka_unit_test_setup(test_joined, set_up),
		cmocka_unit_test_setup(test_keep, set_up),
		cmocka_unit_test_setup(test_staging, set_up),
		cmocka_unit_test_setup(test_check_numbers, set_up),
		cmocka_unit_test_setup(test_check_contents, set_up),
		cmocka_unit_test_setup(test_check_pairs, set_up),
		cmocka_unit_test_setup(test_random, set_up),
	};

	return cmocka_run_group_tests_name("price", tests, NULL, NULL);
}
