// SPDX-License-Identifier: MIT
/* The performance model's costs: closed forms, invariants, extreme operands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "perf-ops.h"

static struct onsram_model model(void)
{
	struct onsram_model m;

	onsram_model_init(&m, ONSRAM_PRESET_DEFAULT);
	return m;
}

#define OVERHEAD_PS	133333u
#define LATENCY_PS	100000u
#define MIB		(1024u * 1024u)

static void test_defaults(void **state)
{
	struct onsram_model m;

	(void)state;
	onsram_model_init(&m, ONSRAM_PRESET_DEFAULT);
	assert_null(onsram_model_check(&m));
	assert_int_equal(m.spm_size, 2 * MIB);
	assert_int_equal(m.peak_flops, 3000000000000);
	assert_int_equal(m.dram_bw, 32000000000);
	/* 200 cycles at 1.5 GHz */
	assert_int_equal(m.cmd_overhead_ps, 200 * 1000000 / 1500);
	onsram_model_init(&m, ONSRAM_PRESET_PAPER);
	assert_null(onsram_model_check(&m));
}

static void test_model_check(void **state)
{
	struct { size_t field; uint64_t value; } bad[] = {
#define BAD(f, v) { offsetof(struct onsram_model, f), (v) }
		BAD(spm_size, ONSRAM_STAGING_MIN - 1024), BAD(spm_size, 2 * MIB + 1),
		BAD(spm_size, 1ull << 32), BAD(peak_flops, 999999), BAD(peak_flops, UINT64_MAX),
		BAD(vector_flops, 999999), BAD(dram_bw, 0), BAD(dram_bw, 1), BAD(dram_bw, 2000),
		BAD(dram_bw, UINT64_MAX), BAD(spm_bw, 0), BAD(spm_bw, 2000),
		BAD(spm_bw, UINT64_MAX), BAD(dram_latency_ps, UINT64_MAX),
		BAD(cmd_overhead_ps, UINT64_MAX), BAD(mac_rows, 0), BAD(mac_cols, 1ull << 32),
		BAD(compute_engines, 0), BAD(compute_engines, 5), BAD(preset, 2),
#undef BAD
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct onsram_model m = model();

		memcpy((char *)&m + bad[i].field, &bad[i].value, sizeof(uint64_t));
		assert_non_null(onsram_model_check(&m));
	}
	/* Alone each would do: together filling the SPM takes half an hour, or 1000 s */
	struct onsram_model m = model();

	m.spm_size = 1ull << 30;
	m.dram_bw = 600000;
	assert_string_equal(onsram_model_check(&m), "spm-size is so large, or dram-bw so low, "
			    "that filling the SPM would take over 1000 s");
	m.dram_bw = 1100000;
	assert_null(onsram_model_check(&m));
	m.spm_bw = 600000;
	assert_non_null(onsram_model_check(&m));
}

static void test_hash(void **state)
{
	struct onsram_model a = model(), b = model();
	uint64_t *field = (uint64_t *)&b;

	(void)state;
	assert_true(onsram_model_hash(&a) == onsram_model_hash(&b));
	for (size_t i = 0; i < sizeof(b) / sizeof(*field); i++) {
		b = a;
		field[i] ^= 1ull << 63;
		assert_true(onsram_model_hash(&a) != onsram_model_hash(&b));
	}
}

static void test_views(void **state)
{
	struct onsram_view v = dense(ONSRAM_DTYPE_F16, 3, 4, 5, 6);

	(void)state;
	assert_int_equal(onsram_view_elements(&v), 120);
	assert_int_equal(onsram_view_bytes(&v), 240);
	v.strides[1] = 0;
	assert_int_equal(onsram_view_elements(&v), 120);
	assert_int_equal(onsram_view_bytes(&v), 48);
	v.rank = 0;
	assert_int_equal(onsram_view_elements(&v), 1);
	assert_int_equal(onsram_view_bytes(&v), 2);
	v.dtype = ONSRAM_DTYPE_NONE;
	assert_int_equal(onsram_view_bytes(&v), 0);
}

static void test_gemm(void **state)
{
	struct onsram_model m = model();
	struct onsram_perf_op op = gemm(ONSRAM_DTYPE_F16, 1, 100, 128, 256);
	struct onsram_cost c;

	(void)state;
	cost(&m, &op, 0, m.spm_size, &c);
	assert_int_equal(c.macs, 100 * 128 * 256);
	assert_int_equal(c.flops, 0);
	/* Fully used array: 2 FLOPs per MAC at 3 TFLOP/s */
	assert_int_equal(c.compute_ps, (2ull * 100 * 128 * 256 * 1000 + 2999) / 3000);
	assert_int_equal(c.dram_read_bytes, 2 * (100 * 128 + 128 * 256));
	assert_int_equal(c.dram_write_bytes, 2 * 100 * 256);
	/* 31.25 ps per byte */
	assert_int_equal(c.dram_ps, (c.dram_read_bytes + c.dram_write_bytes) * 125 / 4);
	assert_int_equal(c.overhead_ps, OVERHEAD_PS + LATENCY_PS);
	/* What streams passes the SPM's port */
	assert_int_equal(c.spm_bytes, 0);
	assert_int_equal(c.spm_ps, ((c.dram_read_bytes + c.dram_write_bytes) * 1000 + 383) / 384);
	assert_int_equal(c.time_ps, c.overhead_ps + c.dram_ps);
	assert_int_equal(c.energy_fj, c.macs * 1500 + (c.dram_read_bytes + c.dram_write_bytes) * 64000);

	/* Everything resident: no DRAM, no latency */
	cost(&m, &op, 7, m.spm_size, &c);
	assert_int_equal(c.dram_read_bytes + c.dram_write_bytes, 0);
	assert_int_equal(c.spm_bytes, 2 * (100 * 128 + 128 * 256 + 100 * 256));
	assert_int_equal(c.spm_ps, (c.spm_bytes * 1000 + 383) / 384);
	assert_int_equal(c.overhead_ps, OVERHEAD_PS);
	assert_int_equal(c.time_ps, OVERHEAD_PS + c.compute_ps);
}

static void test_array_fill(void **state)
{
	struct onsram_model m = model();
	struct onsram_perf_op op = gemm(ONSRAM_DTYPE_F16, 1, 10, 9, 65);
	struct onsram_cost c;

	(void)state;
	cost(&m, &op, 7, m.spm_size, &c);
	assert_int_equal(c.macs, 10 * 9 * 65);
	assert_int_equal(c.compute_ps, (2ull * 10 * 16 * 128 * 1000 + 2999) / 3000);
	m.preset = ONSRAM_PRESET_PAPER;
	cost(&m, &op, 7, m.spm_size, &c);
	assert_int_equal(c.compute_ps, (2ull * 10 * 9 * 65 * 1000 + 2999) / 3000);
	assert_int_equal(c.overhead_ps, 0);
}

/* A and W of 1 MiB each, staging windows of all sizes */
static void test_restream(void **state)
{
	struct onsram_model m = model();
	struct onsram_perf_op op = gemm(ONSRAM_DTYPE_F16, 1, 512, 1024, 512);
	const struct { uint64_t staging; uint64_t mib; } want[] = {
		{ 2 * MIB, 2 }, { 2 * MIB - 1024, 3 }, { MIB, 3 }, { MIB / 2, 5 }, { MIB / 4, 9 },
		{ MIB / 8, 17 }, { 1024, 17 }, { 0, 17 },
	};
	struct onsram_cost c;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		cost(&m, &op, 0, want[i].staging, &c);
		assert_int_equal(c.dram_read_bytes, want[i].mib * MIB);
		assert_int_equal(c.dram_write_bytes, MIB / 2);
		/* A resident factor frees the other of being streamed again */
		cost(&m, &op, 2, want[i].staging, &c);
		assert_int_equal(c.dram_read_bytes, MIB);
		cost(&m, &op, 4, want[i].staging, &c);
		assert_int_equal(c.dram_read_bytes, MIB);
	}
	m.preset = ONSRAM_PRESET_PAPER;
	cost(&m, &op, 0, 0, &c);
	assert_int_equal(c.dram_read_bytes, 2 * MIB);
}

/* Batches that share nothing are products of their own; a shared factor is one big product */
static void test_batched_gemm(void **state)
{
	struct onsram_model m = model();
	struct onsram_perf_op op = gemm(ONSRAM_DTYPE_F16, 8, 256, 256, 256);
	struct onsram_cost c;

	(void)state;
	cost(&m, &op, 0, 256 * 1024, &c);
	assert_int_equal(c.macs, 8ull * 256 * 256 * 256);
	assert_int_equal(c.dram_read_bytes, 2 * 8 * 128 * 1024);
	op.view[2].strides[0] = 0;
	cost(&m, &op, 0, 256 * 1024, &c);
	assert_int_equal(c.dram_read_bytes, (8 + 1) * 128 * 1024);
	cost(&m, &op, 0, 128 * 1024, &c);
	assert_int_equal(c.dram_read_bytes, (2 * 8 + 1) * 128 * 1024);
}

static void test_conv(void **state)
{
	struct onsram_model m = model();
	struct onsram_perf_op op = conv(ONSRAM_DTYPE_F16, 64, 56, 128, 3, 1);
	struct onsram_cost c;

	(void)state;
	cost(&m, &op, 0, m.spm_size, &c);
	assert_int_equal(c.macs, 128ull * 56 * 56 * 64 * 9);
	assert_int_equal(c.compute_ps, (2 * c.macs * 1000 + 2999) / 3000);
	assert_int_equal(c.dram_read_bytes, 2 * (64 * 56 * 56 + 128 * 64 * 9));
	assert_int_equal(c.dram_write_bytes, 2 * 128 * 56 * 56);
	assert_int_equal(c.time_ps, c.overhead_ps + c.compute_ps);

	/* Epilogue: bias, residual and ReLU on the vector unit, in step */
	op.view[3] = dense(ONSRAM_DTYPE_F16, 1, 128);
	op.view[4] = op.view[0];
	op.attr.act = ONSRAM_ACT_RELU;
	cost(&m, &op, 0, m.spm_size, &c);
	assert_int_equal(c.flops, 3ull * 128 * 56 * 56);
	assert_int_equal(c.compute_ps, (2 * c.macs * 1000 + 2999) / 3000);
	assert_int_equal(c.dram_read_bytes, 2 * (64 * 56 * 56 + 128 * 64 * 9 + 128 + 128 * 56 * 56));
	m.vector_flops = 1000000000;
	cost(&m, &op, 0, m.spm_size, &c);
	assert_int_equal(c.compute_ps, c.flops * 1000);
}

static void test_depthwise(void **state)
{
	struct onsram_model m = model();
	struct onsram_perf_op op = conv(ONSRAM_DTYPE_F16, 512, 14, 512, 3, 512);
	uint64_t macs = 512ull * 14 * 14 * 9;
	struct onsram_cost c;

	(void)state;
	cost(&m, &op, 0, m.spm_size, &c);
	assert_int_equal(c.macs, macs);
	/* Array: depth 9 fills 16 rows, 1 column of 64; the vector unit is faster */
	assert_int_equal(c.compute_ps, (2 * macs * 1000 + 374) / 375);
	/* Where the vector unit is slow, the array does it */
	m.vector_flops = 1000000000;
	cost(&m, &op, 0, m.spm_size, &c);
	assert_int_equal(c.compute_ps, (2 * 512ull * 14 * 14 * 16 * 64 * 1000 + 2999) / 3000);
	/* The paper's array is never derated */
	m.preset = ONSRAM_PRESET_PAPER;
	cost(&m, &op, 0, m.spm_size, &c);
	assert_int_equal(c.compute_ps, (2 * macs * 1000 + 2999) / 3000);
}

static void test_vector_ops(void **state)
{
	struct onsram_model m = model();
	struct onsram_perf_op op = { 0 };
	struct onsram_cost c;

	(void)state;
	op.view[0] = dense(ONSRAM_DTYPE_F32, 2, 100, 1000);
	op.view[1] = op.view[0];
	op.view[2] = op.view[0];
	op.opcode = ONSRAM_OP_ELEMENTWISE;
	op.attr.func = ONSRAM_EW_ADD;
	cost(&m, &op, 0, 0, &c);
	assert_int_equal(c.flops, 100000);
	assert_int_equal(c.macs, 0);
	assert_int_equal(c.compute_ps, (100000ull * 1000 + 374) / 375);
	assert_int_equal(c.dram_read_bytes, 800000);
	assert_int_equal(c.dram_write_bytes, 400000);
	assert_int_equal(c.energy_fj, 50000ull * 1500 + 1200000ull * 64000);
	op.view[2].strides[0] = 0;	/* a row, broadcast */
	cost(&m, &op, 0, 0, &c);
	assert_int_equal(c.dram_read_bytes, 404000);

	op.attr.func = ONSRAM_EW_TANH;
	op.view[2].dtype = ONSRAM_DTYPE_NONE;
	assert_int_equal(onsram_op_flops(&op), 600000);
	op.opcode = ONSRAM_OP_SOFTMAX;
	op.attr.func = 0;
	assert_int_equal(onsram_op_flops(&op), 600000);
	op.opcode = ONSRAM_OP_NORM;
	op.attr.func = ONSRAM_NORM_BATCH;
	assert_int_equal(onsram_op_flops(&op), 200000);
	op.attr.func = ONSRAM_NORM_LRN;
	assert_int_equal(onsram_op_flops(&op), 1000000);
	op.attr.func = ONSRAM_NORM_LAYER;
	assert_int_equal(onsram_op_flops(&op), 800000);
	op.opcode = ONSRAM_OP_POOL;
	op.attr.func = ONSRAM_POOL_MAX;
	op.attr.kernel[0] = 3;
	op.attr.kernel[1] = 2;
	assert_int_equal(onsram_op_flops(&op), 600000);
	op.opcode = ONSRAM_OP_COPY;
	assert_int_equal(onsram_op_flops(&op), 0);
	op.opcode = ONSRAM_OP_FILL;
	op.view[1].dtype = ONSRAM_DTYPE_NONE;
	cost(&m, &op, 0, 0, &c);
	assert_int_equal(c.dram_read_bytes, 0);
	assert_int_equal(c.dram_write_bytes, 400000);

	op.opcode = ONSRAM_OP_REDUCE;
	op.view[1] = dense(ONSRAM_DTYPE_F32, 2, 100, 1000);
	op.view[0] = dense(ONSRAM_DTYPE_F32, 2, 100, 1);
	op.attr.func = ONSRAM_REDUCE_MEAN;
	assert_int_equal(onsram_op_flops(&op), 100000);
	op.attr.func = ONSRAM_REDUCE_SUM_SQUARE;
	assert_int_equal(onsram_op_flops(&op), 200000);

	op.opcode = ONSRAM_OP_RESIZE;
	op.view[1] = dense(ONSRAM_DTYPE_F32, 4, 1, 8, 10, 10);
	op.view[0] = dense(ONSRAM_DTYPE_F32, 4, 1, 8, 20, 20);
	op.attr.func = ONSRAM_RESIZE_NEAREST;
	assert_int_equal(onsram_op_flops(&op), 3200);
	op.attr.func = ONSRAM_RESIZE_LINEAR;
	assert_int_equal(onsram_op_flops(&op), 8 * 3200);
}

/* A look-up reads the rows it names, not the table */
static void test_gather(void **state)
{
	struct onsram_model m = model();
	struct onsram_perf_op op = { .opcode = ONSRAM_OP_GATHER };
	struct onsram_cost c;

	(void)state;
	op.view[0] = dense(ONSRAM_DTYPE_F16, 2, 10, 768);
	op.view[1] = dense(ONSRAM_DTYPE_F16, 2, 30000, 768);
	op.view[2] = dense(ONSRAM_DTYPE_I64, 1, 10);
	cost(&m, &op, 0, 0, &c);
	assert_int_equal(c.dram_read_bytes, 10 * 768 * 2 + 80);
	cost(&m, &op, 2, 0, &c);
	assert_int_equal(c.dram_read_bytes, 80);
	assert_int_equal(c.spm_bytes, 10 * 768 * 2);
}

/* Operands of which a part lies in the SPM */
static void test_parts(void **state)
{
	struct onsram_model m = model();
	struct onsram_perf_op op = gemm(ONSRAM_DTYPE_F16, 1, 512, 1024, 512);
	uint64_t resident[ONSRAM_MAX_OPERANDS] = { 0 };
	struct onsram_cost c;

	(void)state;
	/* Of W (1 MiB) 600 KiB: what is left fits half of a window of 1 MiB */
	resident[2] = 600 * 1024;
	onsram_op_cost(&m, &op, resident, MIB, &c);
	assert_int_equal(c.dram_read_bytes, MIB + 424 * 1024);
	assert_int_equal(c.spm_bytes, 600 * 1024);
	/* In half of it, not quite: A crosses twice, or what is left of W four times */
	onsram_op_cost(&m, &op, resident, MIB / 2, &c);
	assert_int_equal(c.dram_read_bytes, 2 * MIB + 424 * 1024);
	/* Of the output all but a byte */
	resident[0] = MIB / 2 - 1;
	onsram_op_cost(&m, &op, resident, MIB, &c);
	assert_int_equal(c.dram_write_bytes, 1);
	assert_int_equal(c.spm_bytes, 600 * 1024 + MIB / 2 - 1);
	/* More than there is counts as all */
	resident[0] = MIB;
	onsram_op_cost(&m, &op, resident, MIB, &c);
	assert_int_equal(c.dram_write_bytes, 0);
	assert_int_equal(c.spm_bytes, 600 * 1024 + MIB / 2);

	/* A quarter of a table serves a quarter of the rows looked up */
	op = (struct onsram_perf_op){ .opcode = ONSRAM_OP_GATHER };
	op.view[0] = dense(ONSRAM_DTYPE_F16, 2, 10, 768);
	op.view[1] = dense(ONSRAM_DTYPE_F16, 2, 30000, 768);
	op.view[2] = dense(ONSRAM_DTYPE_I64, 1, 10);
	memset(resident, 0, sizeof(resident));
	resident[1] = 30000 * 768 * 2 / 4;
	onsram_op_cost(&m, &op, resident, 0, &c);
	assert_int_equal(c.spm_bytes, 10 * 768 * 2 / 4);
	assert_int_equal(c.dram_read_bytes, 10 * 768 * 2 - 10 * 768 * 2 / 4 + 80);
}

/* The resident bytes of a view from a window of its tensor */
static void test_slot_resident(void **state)
{
	struct onsram_view v = dense(ONSRAM_DTYPE_F16, 2, 10, 50);

	(void)state;
	assert_int_equal(onsram_slot_resident(&v, 5000, 0, 0), 0);
	assert_int_equal(onsram_slot_resident(&v, 5000, 5000, 0), 0);
	assert_int_equal(onsram_slot_resident(&v, 5000, 0, 5000), 0);
	assert_int_equal(onsram_slot_resident(&v, 5000, 6000, 1000), 0);
	assert_int_equal(onsram_slot_resident(&v, 5000, 5000, 1000), 1000);
	assert_int_equal(onsram_slot_resident(&v, 5000, 0, UINT64_MAX), 1000);
	assert_int_equal(onsram_slot_resident(&v, 5000, 5999, 1000), 1);
	assert_int_equal(onsram_slot_resident(&v, 5000, 4999, 2), 1);
	assert_int_equal(onsram_slot_resident(&v, 5000, 5100, 33), 33);
	/* Every other row: 900 + 100 bytes of extent hold 500, rounded down */
	v = dense(ONSRAM_DTYPE_F16, 2, 5, 50);
	v.strides[0] = 100;
	assert_int_equal(onsram_slot_resident(&v, 5000, 5000, 900), 500);
	assert_int_equal(onsram_slot_resident(&v, 5000, 5000, 450), 250);
	assert_int_equal(onsram_slot_resident(&v, 5000, 5000, 100), 55);
	/* Backwards: the extent ends behind the first element */
	v.strides[0] = -100;
	assert_int_equal(onsram_slot_resident(&v, 5800, 5000, 900), 500);
	assert_int_equal(onsram_slot_resident(&v, 5800, 5000, 450), 250);
	/* A broadcast dimension adds nothing */
	v.strides[0] = 0;
	assert_int_equal(onsram_slot_resident(&v, 5000, 5000, 50), 50);
	/* A scalar, and the far ends of the address space */
	v = (struct onsram_view){ .dtype = ONSRAM_DTYPE_I64 };
	assert_int_equal(onsram_slot_resident(&v, 64, 64, 8), 8);
	assert_int_equal(onsram_slot_resident(&v, 64, 64, 7), 7);
	assert_int_equal(onsram_slot_resident(&v, UINT64_MAX, UINT64_MAX, UINT64_MAX), 8);
	v.dtype = ONSRAM_DTYPE_NONE;
	assert_int_equal(onsram_slot_resident(&v, 64, 0, UINT64_MAX), 0);
	memset(&v, 0xff, sizeof(v));
	assert_int_equal(onsram_slot_resident(&v, 0, 0, UINT64_MAX), 0);
}

static void test_copy(void **state)
{
	struct onsram_model m = model();
	struct onsram_cost c;

	(void)state;
	onsram_copy_cost(&m, 1000000, false, &c);
	assert_int_equal(c.dram_read_bytes, 1000000);
	assert_int_equal(c.dram_write_bytes, 0);
	assert_int_equal(c.spm_bytes, 1000000);
	assert_int_equal(c.time_ps, OVERHEAD_PS + LATENCY_PS + 31250000);
	onsram_copy_cost(&m, 1000000, true, &c);
	assert_int_equal(c.dram_read_bytes, 0);
	assert_int_equal(c.dram_write_bytes, 1000000);
	assert_int_equal(c.energy_fj, 1000000ull * (1600 + 64000));

	/* The COPY command that moves a tensor costs the same */
	for (int writeback = 0; writeback < 2; writeback++) {
		struct onsram_perf_op op = { .opcode = ONSRAM_OP_COPY };
		struct onsram_cost d;

		op.view[0] = dense(ONSRAM_DTYPE_BOOL, 1, 12345);
		op.view[1] = op.view[0];
		m.spm_bw = 1000000000;
		cost(&m, &op, writeback ? 2 : 1, 0, &d);
		onsram_copy_cost(&m, 12345, writeback, &c);
		assert_memory_equal(&c, &d, sizeof(c));
	}
}

static void test_static_energy(void **state)
{
	struct onsram_model m = model();

	(void)state;
	m.static_uw = 2500;
	/* 2.5 mW for a millisecond: 2.5 uJ */
	assert_int_equal(onsram_static_energy_fj(&m, 1000000000), 2500000000);
	m.static_uw = UINT64_MAX;
	assert_true(onsram_static_energy_fj(&m, UINT64_MAX) == UINT64_MAX);
}

static void check_invariants(const struct onsram_model *m, const struct onsram_perf_op *op,
			     const uint64_t resident[ONSRAM_MAX_OPERANDS], uint64_t staging)
{
	uint64_t more[ONSRAM_MAX_OPERANDS];
	struct onsram_model half = *m;
	struct onsram_cost c, d;
	uint64_t work;

	onsram_op_cost(m, op, resident, staging, &c);
	work = c.compute_ps;
	work = c.spm_ps > work ? c.spm_ps : work;
	work = c.dram_ps > work ? c.dram_ps : work;
	assert_true(c.time_ps == onsram_sat_add(c.overhead_ps, work));

	onsram_op_cost(m, op, resident, staging * 2, &d);
	assert_true(d.time_ps <= c.time_ps);
	memcpy(more, resident, sizeof(more));
	for (unsigned int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		const uint64_t add[] = { 1, 2, 1000, UINT64_MAX - resident[s] };

		for (size_t i = 0; i < sizeof(add) / sizeof(add[0]); i++) {
			if (resident[s] > UINT64_MAX - add[i])
				continue;
			more[s] = resident[s] + add[i];
			onsram_op_cost(m, op, more, staging, &d);
			assert_true(d.time_ps <= c.time_ps);
			assert_true(d.dram_read_bytes <= c.dram_read_bytes);
			assert_true(d.dram_write_bytes <= c.dram_write_bytes);
		}
		more[s] = resident[s];
	}
	half.dram_bw = m->dram_bw / 2;
	onsram_op_cost(&half, op, resident, staging, &d);
	assert_true(d.time_ps >= c.time_ps);
	if (c.dram_ps < 1ull << 58) {
		assert_true(d.dram_ps <= 2 * c.dram_ps);
		assert_true(d.dram_ps + 1 >= 2 * c.dram_ps - (c.dram_ps > 0));
	}
}

/* None, all or some of each operand */
static void random_residency(uint64_t resident[ONSRAM_MAX_OPERANDS], uint32_t *seed)
{
	for (unsigned int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		const uint64_t choice[] = { 0, UINT64_MAX, rnd(seed) % (8 * MIB), rnd(seed) % 5000 };

		resident[s] = choice[rnd(seed) % 4];
	}
}

static void test_invariants(void **state)
{
	struct onsram_model m = model();
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct onsram_perf_op op;
		uint64_t resident[ONSRAM_MAX_OPERANDS];
		uint64_t staging = 1024ull * (rnd(&seed) % 2048);

		if (i % 2)
			op = gemm(ONSRAM_DTYPE_F16, 1 + rnd(&seed) % 4, 1 + rnd(&seed) % 2000,
				  1 + rnd(&seed) % 2000, 1 + rnd(&seed) % 2000);
		else
			op = conv(ONSRAM_DTYPE_F32, 32 * (1 + rnd(&seed) % 16), 1 + rnd(&seed) % 100,
				  32 * (1 + rnd(&seed) % 16), 1 + rnd(&seed) % 7, 1u << rnd(&seed) % 6);
		m.preset = rnd(&seed) % 4 ? ONSRAM_PRESET_DEFAULT : ONSRAM_PRESET_PAPER;
		m.spm_bw = 1ull << rnd(&seed) % 40;
		random_residency(resident, &seed);
		check_invariants(&m, &op, resident, staging);
	}
}

/* What a hostile guest may write down: every dimension 2^32 - 1, stride 0 */
static void test_extremes(void **state)
{
	struct onsram_model slow = model(), m = model();
	uint64_t none[ONSRAM_MAX_OPERANDS], all[ONSRAM_MAX_OPERANDS];

	(void)state;
	onsram_resident_slots(none, 0);
	onsram_resident_slots(all, UINT32_MAX);
	slow.peak_flops = 2;
	slow.vector_flops = 1;
	slow.dram_bw = 1;
	slow.spm_bw = 1;
	slow.mac_rows = 65536;
	slow.mac_cols = 65536;
	for (uint32_t code = 0; code < ONSRAM_OP_COUNT + 1; code++) {
		struct onsram_perf_op op;
		struct onsram_cost c;

		for (int strided = 0; strided < 2; strided++) {
			memset(&op, 0xff, sizeof(op));
			op.opcode = code;
			for (unsigned int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
				op.view[s].dtype = ONSRAM_DTYPE_I64;
				op.view[s].rank = ONSRAM_MAX_RANK;
				for (unsigned int d = 0; d < ONSRAM_MAX_RANK && !strided; d++)
					op.view[s].strides[d] = 0;
			}
			check_invariants(&m, &op, none, 0);
			check_invariants(&m, &op, all, UINT64_MAX / 2);
			cost(&slow, &op, 0, 0, &c);
			assert_true(c.time_ps == ONSRAM_BEYOND ||
				    (c.time_ps >= c.overhead_ps && c.time_ps <= (1ull << 60) + c.overhead_ps));
			/* Dimensions that all count, at a byte a second */
			if (strided)
				assert_true(c.dram_ps == ONSRAM_BEYOND && c.time_ps == ONSRAM_BEYOND);
			cost(&slow, &op, 0x3f, 0, &c);
			assert_true(c.time_ps >= c.overhead_ps);
		}
	}
	/* A rank the validator would refuse reads no further than the arrays */
	struct onsram_perf_op op = gemm(ONSRAM_DTYPE_F16, 1, 2, 3, 4);

	op.view[0].rank = op.view[1].rank = op.view[2].rank = UINT32_MAX;
	assert_true(onsram_op_macs(&op) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_model_check),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_gemm),
		cmocka_unit_test(test_array_fill),
		cmocka_unit_test(test_restream),
		cmocka_unit_test(test_batched_gemm),
		cmocka_unit_test(test_conv),
		cmocka_unit_test(test_depthwise),
		cmocka_unit_test(test_vector_ops),
		cmocka_unit_test(test_gather),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_slot_resident),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_static_energy),
		cmocka_unit_test(test_invariants),
		cmocka_unit_test(test_extremes),
	};

	return cmocka_run_group_tests_name("perf", tests, NULL, NULL);
}
