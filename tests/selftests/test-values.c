// SPDX-License-Identifier: MIT
/*
 * What operations compute, against plain loops on the CPU, under every policy:
 * where a tensor lies must not change a value.
 */
#include "kselftest_harness.h"

#include <math.h>

#include "client.h"

FIXTURE(values) {
	struct client client;
};

FIXTURE_VARIANT(values) {
	const char *policy;
};

FIXTURE_VARIANT_ADD(values, none) { .policy = "none" };
FIXTURE_VARIANT_ADD(values, lru) { .policy = "lru" };
FIXTURE_VARIANT_ADD(values, static) { .policy = "static" };
FIXTURE_VARIANT_ADD(values, eager) { .policy = "eager" };

FIXTURE_SETUP(values)
{
	ASSERT_EQ(0, client_open(&self->client));
	ASSERT_EQ(0, onsram_device_set_policy(self->client.dev, variant->policy));
}

FIXTURE_TEARDOWN(values)
{
	client_close(&self->client);
}

static bool near(float got, double want)
{
	return fabs(got - want) <= 1e-5 + 1e-4 * fabs(want);
}

/* One statement, unlike the harness's own, so that a loop may do without braces */
#define EXPECT_NEAR(want, got, i) \
	do { \
		EXPECT_TRUE(near(got, want)) { \
			TH_LOG("element %u: %g, should be %g", i, (double)(got), (double)(want)); \
		} \
	} while (0)

TEST_F(values, fill)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = fill_op(-2.5f);
	float y[26];
	uint32_t i;

	/* Not a byte beside the view may change. */
	put_ramp(c, 0, y, 26, 100, 0);
	op.operand[0].offset = 4;
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 26));
	EXPECT_EQ(100, y[0]);
	EXPECT_EQ(100, y[25]);
	for (i = 1; i < 25; i++)
		EXPECT_NEAR(-2.5, y[i], i);
}

TEST_F(values, fill_integers)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_FILL };
	int64_t y[5];
	uint32_t i;

	set_operand(&op, 0, DENSE(I64, 5));
	op.attr.param[0] = 0x9abcdef0;
	op.attr.param[1] = 0x12345678;
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, onsram_bo_read(c->dev, &c->bo[0], y, sizeof(y)));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0x123456789abcdef0, y[i]);
	}
}

TEST_F(values, copy_transposed)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = copy_op();
	float x[24], y[24];
	uint32_t i, j;

	put_ramp(c, 1, x, 24, 0, 1);
	op.operand[1].view.strides[0] = 1;	/* element (i, j) of 4 x 6 is x[i + 4 j] */
	op.operand[1].view.strides[1] = 4;
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 24));
	for (i = 0; i < 4; i++)
		for (j = 0; j < 6; j++)
			EXPECT_NEAR(x[i + 4 * j], y[6 * i + j], 6 * i + j);
}

TEST_F(values, copy_reversed)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = copy_op();
	float x[24], y[24];
	uint32_t i;

	put_ramp(c, 1, x, 24, 0, 1);
	op.operand[1].offset = 23 * 4;
	op.operand[1].view.strides[0] = -6;
	op.operand[1].view.strides[1] = -1;
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 24));
	for (i = 0; i < 24; i++)
		EXPECT_NEAR(x[23 - i], y[i], i);
}

TEST_F(values, copy_converts)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = copy_op();
	float x[24] = { 0, -0.0f, 1, -2, 65504, 1e-8f, 0.333333f, 70000 };
	uint16_t y[24];

	ASSERT_EQ(0, put_floats(c, 1, x, 24));
	op.operand[0].view.dtype = ONSRAM_DTYPE_F16;
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, onsram_bo_read(c->dev, &c->bo[0], y, sizeof(y)));
	EXPECT_EQ(0x0000, y[0]);
	EXPECT_EQ(0x8000, y[1]);
	EXPECT_EQ(0x3c00, y[2]);
	EXPECT_EQ(0xc000, y[3]);
	EXPECT_EQ(0x7bff, y[4]);
	EXPECT_EQ(0x0000, y[5]);
	EXPECT_EQ(0x3555, y[6]);
	EXPECT_EQ(0x7c00, y[7]);
}

TEST_F(values, add_broadcast)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = add_op();
	float a[24], b[6], y[24];
	uint32_t i;

	put_ramp(c, 1, a, 24, -3, 0.5f);
	put_ramp(c, 2, b, 6, 10, 1);
	op.operand[2].view.strides[0] = 0;
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 24));
	for (i = 0; i < 24; i++)
		EXPECT_NEAR(a[i] + b[i % 6], y[i], i);
}

TEST_F(values, relu_in_place)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = add_op();
	float a[24], y[24];
	uint32_t i;

	put_ramp(c, 0, a, 24, -6, 0.5f);
	op.attr.func = ONSRAM_EW_RELU;
	memset(&op.operand[2], 0, sizeof(op.operand[2]));
	op.operand[1] = op.operand[0];
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 24));
	for (i = 0; i < 24; i++)
		EXPECT_NEAR(a[i] < 0 ? 0 : a[i], y[i], i);
}

TEST_F(values, gemm_epilogue)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = gemm_op();
	float a[24], b[30], bias[5], res[20], y[20];
	uint32_t i, j, k;

	put_ramp(c, 1, a, 24, -1, 0.125f);
	put_ramp(c, 2, b, 30, 2, -0.25f);
	put_ramp(c, 3, bias, 5, -8, 4);
	put_ramp(c, 4, res, 20, 5, -0.5f);
	op.attr.param[0] = f32_bits(0.5f);
	op.attr.param[1] = f32_bits(2);
	op.attr.act = ONSRAM_ACT_RELU;
	set_operand(&op, 4, DENSE(F32, 4, 5));
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 20));
	for (i = 0; i < 4; i++)
		for (j = 0; j < 5; j++) {
			double sum = 0;

			for (k = 0; k < 6; k++)
				sum += (double)a[6 * i + k] * b[5 * k + j];
			sum = 0.5 * sum + 2 * bias[j] + res[5 * i + j];
			EXPECT_NEAR(sum < 0 ? 0 : sum, y[5 * i + j], 5 * i + j);
		}
}

TEST_F(values, gemm_transposed)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = gemm_op();
	float a[24], b[30], y[20];
	uint32_t i, j, k;

	put_ramp(c, 1, a, 24, -1, 0.125f);
	put_ramp(c, 2, b, 30, 2, -0.25f);
	memset(&op.operand[3], 0, sizeof(op.operand[3]));
	op.attr.param[1] = 0;
	op.operand[2].view.strides[0] = 1;	/* B is stored as 5 x 6 */
	op.operand[2].view.strides[1] = 6;
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 20));
	for (i = 0; i < 4; i++)
		for (j = 0; j < 5; j++) {
			double sum = 0;

			for (k = 0; k < 6; k++)
				sum += (double)a[6 * i + k] * b[6 * j + k];
			EXPECT_NEAR(sum, y[5 * i + j], 5 * i + j);
		}
}

static double conv_at(const float *x, const float *w, const float *bias, int o, int row, int col,
		      int groups)
{
	int per_group = 2 / groups, c, i, j;
	double sum = bias[o];

	for (c = 0; c < per_group; c++)
		for (i = 0; i < 3; i++)
			for (j = 0; j < 3; j++) {
				int channel = o / (4 / groups) * per_group + c;
				int y = row + i - 1, z = col + j - 1;

				if (y >= 0 && y < 5 && z >= 0 && z < 5)
					sum += (double)x[25 * channel + 5 * y + z] *
					       w[(o * per_group + c) * 9 + 3 * i + j];
			}
	return sum;
}

static void check_conv(struct __test_metadata *_metadata, struct client *c, int groups)
{
	struct drm_onsram_op op = conv_op();
	float x[50], w[72], bias[4], y[100];
	uint32_t i;

	put_ramp(c, 1, x, 50, -2, 0.0625f);
	put_ramp(c, 2, w, 72, 1, -0.03125f);
	put_ramp(c, 3, bias, 4, -1, 0.5f);
	op.attr.groups = groups;
	op.operand[2].view = DENSE(F32, 4, 2u / groups, 3, 3);
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 100));
	for (i = 0; i < 100; i++)
		EXPECT_NEAR(conv_at(x, w, bias, i / 25, i / 5 % 5, i % 5, groups), y[i], i);
}

TEST_F(values, conv)
{
	check_conv(_metadata, &self->client, 1);
}

TEST_F(values, conv_groups)
{
	check_conv(_metadata, &self->client, 2);
}

TEST_F(values, max_pool)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = pool_op();
	float x[72], y[18];
	uint32_t i;

	put_ramp(c, 1, x, 72, 5, -1);
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 18));
	for (i = 0; i < 18; i++)	/* the ramp falls: the first of each window is its largest */
		EXPECT_NEAR(x[36 * (i / 9) + 12 * (i / 3 % 3) + 2 * (i % 3)], y[i], i);
}

TEST_F(values, average_pool_padding)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = pool_op();
	uint32_t func, i;
	float x[72], y[32];

	put_ramp(c, 1, x, 72, 12, 0);
	op.operand[0].view = DENSE(F32, 1, 2, 4, 4);
	for (i = 0; i < 2; i++)
		op.attr.pad_begin[i] = op.attr.pad_end[i] = 1;
	for (func = ONSRAM_POOL_AVG; func <= ONSRAM_POOL_AVG_PAD; func++) {
		op.attr.func = func;
		ASSERT_EQ(0, run_ops(c, &op, 1));
		ASSERT_EQ(0, get_floats(c, 0, y, 32));
		for (i = 0; i < 32; i++) {
			uint32_t edges = (i / 4 % 4 % 3 == 0) + (i % 4 % 3 == 0);

			/* An edge halves the elements that a window of 2 x 2 really has. */
			EXPECT_NEAR(func == ONSRAM_POOL_AVG ? 12 : 12 >> edges, y[i], i);
		}
	}
}

TEST_F(values, softmax)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = softmax_op();
	float x[24], y[24];
	uint32_t i, j;

	put_ramp(c, 1, x, 24, -90, 7.5f);
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 24));
	for (i = 0; i < 24; i++) {
		double sum = 0;

		for (j = 0; j < 6; j++)
			sum += exp((double)x[i / 6 * 6 + j] - x[i]);
		EXPECT_NEAR(1 / sum, y[i], i);
	}
}

TEST_F(values, batch_norm)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = batch_norm_op();
	float x[48], y[48], p[4][3];
	uint32_t i, slot;

	put_ramp(c, 1, x, 48, -3, 0.25f);
	for (slot = 2; slot < 6; slot++)	/* scale, bias, mean, variance */
		put_ramp(c, slot, p[slot - 2], 3, (float)slot, 0.5f);
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 48));
	for (i = 0; i < 48; i++) {
		uint32_t ch = i / 16;

		EXPECT_NEAR(p[0][ch] * (x[i] - p[2][ch]) / sqrt(p[3][ch] + 1e-5) + p[1][ch], y[i], i);
	}
}

TEST_F(values, lrn)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = lrn_op();
	float x[24], y[24];
	int i, k;

	put_ramp(c, 1, x, 24, -3, 0.25f);
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 24));
	for (i = 0; i < 24; i++) {
		double sum = 0;

		for (k = -1; k <= 1; k++)
			if (i / 4 + k >= 0 && i / 4 + k < 6)
				sum += (double)x[i + 4 * k] * x[i + 4 * k];
		EXPECT_NEAR(x[i] / pow(1 + 0.5 / 3 * sum, 0.75), y[i], i);
	}
}

TEST_F(values, reduce_mean)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = reduce_op();
	float x[24], y[4];
	uint32_t i, j;

	put_ramp(c, 1, x, 24, -3, 0.75f);
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 4));
	for (i = 0; i < 4; i++) {
		double sum = 0;

		for (j = 0; j < 6; j++)
			sum += x[6 * i + j];
		EXPECT_NEAR(sum / 6, y[i], i);
	}
}

TEST_F(values, gather)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = gather_op();
	const int32_t indices[] = { 2, 0, -1 };	/* -1 is the last row */
	float x[24], y[18];
	uint32_t i;

	put_ramp(c, 1, x, 24, 0, 1);
	ASSERT_EQ(0, onsram_bo_write(c->dev, &c->bo[2], indices, sizeof(indices)));
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 18));
	for (i = 0; i < 18; i++)
		EXPECT_NEAR(x[(indices[i / 6] + 4) % 4 * 6 + i % 6], y[i], i);
}

/* A producer and its consumers in one job: the middle one is overwritten while it may be resident */
TEST_F(values, chain)
{
	struct client *c = &self->client;
	struct drm_onsram_op ops[3] = { add_op(), add_op(), add_op() };
	float a[24], b[24], y[24], z[24];
	uint32_t i;

	put_ramp(c, 1, a, 24, 1, 1);
	put_ramp(c, 2, b, 24, 10, -1);
	ops[0].operand[0].bo = 3;		/* t = a + b */
	ops[1].operand[0].bo = 4;		/* u = t + t */
	ops[1].operand[1].bo = ops[1].operand[2].bo = 3;
	ops[2].operand[0].bo = 3;		/* t = u + a */
	ops[2].operand[1].bo = 4;
	ops[2].operand[2].bo = 1;
	ASSERT_EQ(0, run_ops(c, ops, 3));
	ASSERT_EQ(0, get_floats(c, 4, y, 24));
	ASSERT_EQ(0, get_floats(c, 3, z, 24));
	for (i = 0; i < 24; i++) {
		EXPECT_NEAR(2 * (a[i] + b[i]), y[i], i);
		EXPECT_NEAR(2 * (a[i] + b[i]) + a[i], z[i], i);
	}
}

/* CPU writes between jobs must reach operations, whatever was resident */
TEST_F(values, cpu_writes_between_jobs)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = add_op();
	float a[24], b[24], y[24];
	uint32_t round, i;

	for (round = 0; round < 3; round++) {
		put_ramp(c, 1, a, 24, (float)round, 1);
		put_ramp(c, 2, b, 24, 100 * (float)round, 2);
		ASSERT_EQ(0, run_ops(c, &op, 1));
		ASSERT_EQ(0, get_floats(c, 0, y, 24));
		for (i = 0; i < 24; i++)
			EXPECT_NEAR(a[i] + b[i], y[i], i);
	}
}

TEST_HARNESS_MAIN
