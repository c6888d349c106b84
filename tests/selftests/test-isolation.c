// SPDX-License-Identifier: MIT
/* Two clients share the SPM: neither sees a byte of the other's */
#include "kselftest_harness.h"

#include "client.h"

#define SECRET		12345.75f
/* Buffers of this size, of which each operation writes only the first bytes */
#define PIECE		(64 * 1024)
#define MAX_PIECES	64

FIXTURE(isolation) {
	struct client a;
	struct client b;
	struct onsram_bo pieces[MAX_PIECES];
	uint32_t nr;
};

FIXTURE_SETUP(isolation)
{
	const struct drm_onsram_dev_info *info;

	ASSERT_EQ(0, client_open(&self->a));
	ASSERT_EQ(0, client_open(&self->b));
	ASSERT_EQ(0, onsram_device_set_policy(self->a.dev, "lru"));
	ASSERT_EQ(0, onsram_device_set_policy(self->b.dev, "lru"));
	info = &self->a.dev->info;
	self->nr = (info->model.spm_size - info->staging_min) / PIECE;
	if (self->nr > MAX_PIECES)
		self->nr = MAX_PIECES;
}

FIXTURE_TEARDOWN(isolation)
{
	client_close(&self->a);
	client_close(&self->b);
}

static int fill_piece(struct client *c, const struct onsram_bo *bo, uint32_t floats, float value)
{
	struct drm_onsram_op op = fill_op(value);

	op.operand[0].view = DENSE(F32, floats);
	return onsram_submit(c->dev, &op, 1, &bo->handle, 1, NULL, 0);
}

/* Fill the SPM with the secret. */
static int flood(struct client *c, struct onsram_bo *pieces, uint32_t nr)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; !ret && i < nr; i++) {
		ret = onsram_bo_create(c->dev, PIECE, &pieces[i]);
		if (!ret)
			ret = fill_piece(c, &pieces[i], PIECE / sizeof(float), SECRET);
	}
	return ret;
}

/* Bytes in b's buffers, all of which b wrote only in the first element, that are not zero */
static int64_t strange_bytes(struct client *b, uint32_t nr)
{
	unsigned char *bytes = malloc(PIECE);
	int64_t strange = 0;
	struct onsram_bo bo;
	uint32_t i, k;

	for (i = 0; bytes && i < nr; i++) {
		if (onsram_bo_create(b->dev, PIECE, &bo) || fill_piece(b, &bo, 1, 1) ||
		    onsram_bo_read(b->dev, &bo, bytes, PIECE)) {
			strange = -1;
			break;
		}
		for (k = sizeof(float); k < PIECE; k++)
			strange += bytes[k] != 0;
	}
	free(bytes);
	return strange;
}

TEST_F(isolation, after_close)
{
	ASSERT_EQ(0, flood(&self->a, self->pieces, self->nr));
	client_close(&self->a);
	EXPECT_EQ(0, strange_bytes(&self->b, self->nr));
}

TEST_F(isolation, while_both_are_open)
{
	float y;

	ASSERT_EQ(0, flood(&self->a, self->pieces, self->nr));
	EXPECT_EQ(0, strange_bytes(&self->b, self->nr));
	/* What b displaced of a's went home. */
	ASSERT_EQ(0, onsram_bo_read(self->a.dev, &self->pieces[0], &y, sizeof(y)));
	EXPECT_EQ(SECRET, y);
}

/* Statistics, too, are each client's own. */
TEST_F(isolation, statistics)
{
	struct drm_onsram_op op = add_op();
	struct drm_onsram_stats s;

	ASSERT_EQ(0, run_ops(&self->a, &op, 1));
	ASSERT_EQ(0, onsram_device_stats(self->b.dev, &s));
	EXPECT_EQ(0, s.jobs);
	EXPECT_EQ(0, s.time_ps);
	EXPECT_EQ(0, s.resident_bytes);
}

/* Two clients, alternately, many times: results stay each one's own. */
TEST_F(isolation, interleaved)
{
	struct drm_onsram_op op = add_op();
	float ya[24], yb[24], x[24];
	int round;

	for (round = 0; round < 20; round++) {
		put_ramp(&self->a, 1, x, 24, (float)round, 1);
		put_ramp(&self->b, 1, x, 24, 1000 + (float)round, 1);
		ASSERT_EQ(0, run_ops(&self->a, &op, 1));
		ASSERT_EQ(0, run_ops(&self->b, &op, 1));
		ASSERT_EQ(0, get_floats(&self->a, 0, ya, 24));
		ASSERT_EQ(0, get_floats(&self->b, 0, yb, 24));
		EXPECT_EQ(round + 23, ya[23]);
		EXPECT_EQ(1000 + round + 23, yb[23]);
	}
}

/* A client that keeps more tensors alive than the SPM holds. Return: values that were not its own */
static int churn(uint32_t nr, const char *policy, float base)
{
	static struct onsram_bo pieces[2 * MAX_PIECES];
	uint32_t round, i;
	int wrong = 0;
	struct client c;

	if (client_open(&c) || onsram_device_set_policy(c.dev, policy))
		return -1;
	for (i = 0; i < nr; i++)
		if (onsram_bo_create(c.dev, PIECE, &pieces[i]))
			return -1;
	for (round = 0; round < 4; round++) {
		for (i = 0; i < nr; i++)
			if (fill_piece(&c, &pieces[i], PIECE / sizeof(float),
				       base + (float)(round * nr + i)))
				return -1;
		for (i = 0; i < nr; i++) {
			float y[PIECE / sizeof(float)];

			if (onsram_bo_read(c.dev, &pieces[i], y, PIECE))
				return -1;
			wrong += y[0] != base + (float)(round * nr + i);
			wrong += y[PIECE / sizeof(float) - 1] != base + (float)(round * nr + i);
		}
	}
	client_close(&c);
	return wrong;
}

/* Four clients at once, under different policies, each with more than the SPM holds */
TEST_F(isolation, at_once)
{
	static const char *const policies[] = { "lru", "none", "lru", "eager" };
	pid_t child[4];
	int i, status;

	for (i = 0; i < 4; i++) {
		child[i] = fork();
		ASSERT_LE(0, child[i]);
		if (!child[i])
			_exit(churn(self->nr * 5 / 4, policies[i], 10000 * (float)(i + 1)) != 0);
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(child[i], waitpid(child[i], &status, 0));
		EXPECT_EQ(0, status);
	}
}

TEST_HARNESS_MAIN
