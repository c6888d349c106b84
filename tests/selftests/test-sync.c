// SPDX-License-Identifier: MIT
/* Fences: syncobjs into and out of jobs, and the order that shared buffers impose */
#include "kselftest_harness.h"

#include "client.h"

FIXTURE(sync) {
	struct client client;
	uint32_t in;
	uint32_t out;
};

FIXTURE_SETUP(sync)
{
	ASSERT_EQ(0, client_open(&self->client));
	ASSERT_EQ(0, onsram_sync_create(self->client.dev, &self->in));
	ASSERT_EQ(0, onsram_sync_create(self->client.dev, &self->out));
}

FIXTURE_TEARDOWN(sync)
{
	client_close(&self->client);
}

static int submit(struct client *c, const struct drm_onsram_op *op,
		  const struct drm_onsram_sync *syncs, uint32_t nr)
{
	return onsram_submit(c->dev, op, 1, c->handle, NR_BUFFERS, syncs, nr);
}

static int signal_timeline(struct client *c, uint32_t handle, uint64_t point)
{
	struct drm_syncobj_timeline_array arg = {
		.handles = (uintptr_t)&handle, .points = (uintptr_t)&point, .count_handles = 1,
	};

	return raw(c, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &arg);
}

TEST_F(sync, binary_out)
{
	struct drm_onsram_sync sync = { .handle = self->out, .flags = DRM_ONSRAM_SYNC_SIGNAL };
	struct drm_onsram_op op = fill_op(3);
	float y;

	ASSERT_EQ(0, submit(&self->client, &op, &sync, 1));
	EXPECT_EQ(0, onsram_sync_wait(self->client.dev, self->out, 0, WAIT_NS));
	ASSERT_EQ(0, get_floats(&self->client, 0, &y, 1));
	EXPECT_EQ(3, y);
}

TEST_F(sync, binary_in)
{
	struct client *c = &self->client;
	struct drm_onsram_sync first = { .handle = self->in, .flags = DRM_ONSRAM_SYNC_SIGNAL };
	struct drm_onsram_sync second[] = {
		{ .handle = self->in, .flags = DRM_ONSRAM_SYNC_WAIT },
		{ .handle = self->out, .flags = DRM_ONSRAM_SYNC_SIGNAL },
	};
	struct drm_onsram_op one = fill_op(1), two = fill_op(2);

	two.operand[0].bo = 1;
	ASSERT_EQ(0, submit(c, &one, &first, 1));
	ASSERT_EQ(0, submit(c, &two, second, 2));
	EXPECT_EQ(0, onsram_sync_wait(c->dev, self->out, 0, WAIT_NS));
	EXPECT_EQ(0, onsram_sync_wait(c->dev, self->in, 0, 0));
}

TEST_F(sync, timeline_out)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = fill_op(1);
	uint64_t point;

	for (point = 1; point <= 5; point++) {
		struct drm_onsram_sync sync = {
			.handle = self->out, .flags = DRM_ONSRAM_SYNC_SIGNAL, .point = point,
		};

		ASSERT_EQ(0, submit(c, &op, &sync, 1));
	}
	EXPECT_EQ(0, onsram_sync_wait(c->dev, self->out, 5, WAIT_NS));
	EXPECT_EQ(0, onsram_sync_wait(c->dev, self->out, 3, 0));
	EXPECT_EQ(-ETIME, onsram_sync_wait(c->dev, self->out, 6, 1000000));
}

/* A point that somebody promised, and other clients go on meanwhile */
TEST_F(sync, timeline_in)
{
	struct client *c = &self->client, other;
	struct drm_onsram_sync syncs[] = {
		{ .handle = self->in, .flags = DRM_ONSRAM_SYNC_WAIT, .point = 7 },
		{ .handle = self->out, .flags = DRM_ONSRAM_SYNC_SIGNAL, .point = 1 },
	};
	struct drm_onsram_sync submitted = {
		.handle = self->in, .flags = DRM_ONSRAM_SYNC_SIGNAL, .point = 7,
	};
	struct drm_onsram_op op = fill_op(9), copy = copy_op();
	float y = 0;

	/* Nobody has promised point 7 yet. */
	EXPECT_EQ(-EINVAL, submit(c, &op, syncs, 2));
	ASSERT_EQ(0, submit(c, &copy, &submitted, 1));
	ASSERT_EQ(0, submit(c, &op, syncs, 2));
	ASSERT_EQ(0, client_open(&other));
	EXPECT_EQ(0, run_ops(&other, &op, 1));
	client_close(&other);
	EXPECT_EQ(0, onsram_sync_wait(c->dev, self->out, 1, WAIT_NS));
	ASSERT_EQ(0, get_floats(c, 0, &y, 1));
	EXPECT_EQ(9, y);
}

TEST_F(sync, signalled_timeline_in)
{
	struct client *c = &self->client;
	struct drm_onsram_sync syncs[] = {
		{ .handle = self->in, .flags = DRM_ONSRAM_SYNC_WAIT, .point = 3 },
		{ .handle = self->out, .flags = DRM_ONSRAM_SYNC_SIGNAL },
	};
	struct drm_onsram_op op = fill_op(4);

	ASSERT_EQ(0, signal_timeline(c, self->in, 3));
	ASSERT_EQ(0, submit(c, &op, syncs, 2));
	EXPECT_EQ(0, onsram_sync_wait(c->dev, self->out, 0, WAIT_NS));
}

TEST_F(sync, max_syncs)
{
	struct drm_onsram_sync syncs[DRM_ONSRAM_MAX_SYNCS];
	struct client *c = &self->client;
	struct drm_onsram_op op = fill_op(1);
	uint32_t i;

	for (i = 0; i < DRM_ONSRAM_MAX_SYNCS; i++) {
		syncs[i] = (struct drm_onsram_sync){ .flags = DRM_ONSRAM_SYNC_SIGNAL };
		ASSERT_EQ(0, onsram_sync_create(c->dev, &syncs[i].handle));
	}
	ASSERT_EQ(0, submit(c, &op, syncs, DRM_ONSRAM_MAX_SYNCS));
	for (i = 0; i < DRM_ONSRAM_MAX_SYNCS; i++) {
		EXPECT_EQ(0, onsram_sync_wait(c->dev, syncs[i].handle, 0, WAIT_NS));
	}
}

/* No syncobj at all: jobs that share a buffer run in the order of their submission */
TEST_F(sync, implicit_order)
{
	struct client *c = &self->client;
	struct drm_onsram_op fill = fill_op(1), add = add_op();
	float y[24];
	int round;

	fill.operand[0].bo = 1;
	ASSERT_EQ(0, submit(c, &fill, NULL, 0));
	/* Each addition doubles: x1 = x1 + x1 is not in place on another view, so go to and fro. */
	for (round = 0; round < 10; round++) {
		add.operand[0].bo = round % 2 ? 1 : 0;
		add.operand[1].bo = add.operand[2].bo = round % 2 ? 0 : 1;
		ASSERT_EQ(0, submit(c, &add, NULL, 0));
	}
	ASSERT_EQ(0, get_floats(c, 1, y, 24));
	EXPECT_EQ(1024, y[0]);
	EXPECT_EQ(1024, y[23]);
}

TEST_F(sync, prep_waits)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = fill_op(5);
	float y[24];
	int i;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, submit(c, &op, NULL, 0));
	}
	ASSERT_EQ(0, get_floats(c, 0, y, 24));
	EXPECT_EQ(5, y[23]);
}

TEST_F(sync, close_with_jobs_queued)
{
	struct drm_onsram_op op = fill_op(5);
	int round, i;

	for (round = 0; round < 5; round++) {
		struct client c;

		ASSERT_EQ(0, client_open(&c));
		for (i = 0; i < 30; i++) {
			ASSERT_EQ(0, submit(&c, &op, NULL, 0));
		}
		client_close(&c);
	}
	EXPECT_EQ(0, run_ops(&self->client, &op, 1));
}

TEST_HARNESS_MAIN
