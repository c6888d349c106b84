// SPDX-License-Identifier: MIT
/* Graphs: registered once, run many times, under every policy */
#include "kselftest_harness.h"

#include "client.h"

#define NR_OPS 3

FIXTURE(graph) {
	struct client client;
	struct drm_onsram_op ops[NR_OPS];
	struct drm_onsram_tensor tensors[NR_BUFFERS];
	uint32_t id;
	uint32_t sync;
};

FIXTURE_VARIANT(graph) {
	const char *policy;
};

FIXTURE_VARIANT_ADD(graph, none) { .policy = "none" };
FIXTURE_VARIANT_ADD(graph, lru) { .policy = "lru" };
FIXTURE_VARIANT_ADD(graph, static) { .policy = "static" };
FIXTURE_VARIANT_ADD(graph, eager) { .policy = "eager" };

FIXTURE_SETUP(graph)
{
	struct client *c = &self->client;
	uint32_t i;

	ASSERT_EQ(0, client_open(c));
	ASSERT_EQ(0, onsram_device_set_policy(c->dev, variant->policy));
	ASSERT_EQ(0, onsram_sync_create(c->dev, &self->sync));
	/* 0 output, 1 input, 2 weights, 3 and 4 activations: 3 = 1 + 2; 4 = 3 + 2; 0 = 4 + 3 */
	for (i = 0; i < NR_OPS; i++)
		self->ops[i] = add_op();
	self->ops[0].operand[0].bo = 3;
	self->ops[1].operand[0].bo = 4;
	self->ops[1].operand[1].bo = 3;
	self->ops[2].operand[1].bo = 4;
	self->ops[2].operand[2].bo = 3;
	for (i = 0; i < NR_BUFFERS; i++)
		self->tensors[i].handle = c->handle[i];
	self->tensors[2].flags = DRM_ONSRAM_TENSOR_CONST;
	self->tensors[3].flags = DRM_ONSRAM_TENSOR_TRANSIENT;
	self->tensors[4].flags = DRM_ONSRAM_TENSOR_TRANSIENT;
	ASSERT_EQ(0, onsram_graph_create(c->dev, self->ops, NR_OPS, self->tensors, 5, &self->id));
}

FIXTURE_TEARDOWN(graph)
{
	client_close(&self->client);
}

static int run(struct client *c, uint32_t id, uint32_t sync, uint64_t point)
{
	struct drm_onsram_sync out = {
		.handle = sync, .flags = DRM_ONSRAM_SYNC_SIGNAL, .point = point,
	};

	return onsram_graph_run(c->dev, id, &out, 1);
}

TEST_F(graph, many_runs)
{
	struct client *c = &self->client;
	struct drm_onsram_stats s;
	float in[24], w[24], y[24];
	uint32_t round, i;

	put_ramp(c, 2, w, 24, 3, 2);
	for (round = 1; round <= 4; round++) {
		put_ramp(c, 1, in, 24, (float)round, 1);
		ASSERT_EQ(0, run(c, self->id, self->sync, round));
		ASSERT_EQ(0, onsram_sync_wait(c->dev, self->sync, round, WAIT_NS));
		ASSERT_EQ(0, get_floats(c, 0, y, 24));
		for (i = 0; i < 24; i++) {
			EXPECT_EQ(2 * in[i] + 3 * w[i], y[i]);
		}
	}
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s));
	EXPECT_EQ(4, s.jobs);
	EXPECT_EQ(4 * NR_OPS, s.ops);
	EXPECT_EQ(0, s.errors);
}

TEST_F(graph, back_to_back)
{
	struct client *c = &self->client;
	float in[24], w[24], y[24];
	uint32_t round;

	put_ramp(c, 1, in, 24, 1, 1);
	put_ramp(c, 2, w, 24, 3, 2);
	for (round = 1; round <= 20; round++) {
		ASSERT_EQ(0, run(c, self->id, self->sync, round));
	}
	ASSERT_EQ(0, onsram_sync_wait(c->dev, self->sync, 20, WAIT_NS));
	ASSERT_EQ(0, get_floats(c, 0, y, 24));
	EXPECT_EQ(2 * in[23] + 3 * w[23], y[23]);
}

TEST_F(graph, destroyed_while_running)
{
	struct client *c = &self->client;
	uint32_t round;

	for (round = 1; round <= 10; round++) {
		ASSERT_EQ(0, run(c, self->id, self->sync, round));
	}
	EXPECT_EQ(0, onsram_graph_destroy(c->dev, self->id));
	EXPECT_EQ(-ENOENT, onsram_graph_destroy(c->dev, self->id));
	EXPECT_EQ(-ENOENT, run(c, self->id, self->sync, 11));
	EXPECT_EQ(0, onsram_sync_wait(c->dev, self->sync, 10, WAIT_NS));
}

TEST_F(graph, keeps_its_buffers)
{
	struct client *c = &self->client;
	float w[24], in[24], y[24];

	put_ramp(c, 1, in, 24, 1, 1);
	put_ramp(c, 2, w, 24, 3, 2);
	onsram_bo_destroy(c->dev, &c->bo[2]);
	onsram_bo_destroy(c->dev, &c->bo[3]);
	ASSERT_EQ(0, run(c, self->id, self->sync, 1));
	ASSERT_EQ(0, onsram_sync_wait(c->dev, self->sync, 1, WAIT_NS));
	ASSERT_EQ(0, get_floats(c, 0, y, 24));
	EXPECT_EQ(2 * in[7] + 3 * w[7], y[7]);
}

/* What was validated is the kernel's own copy. */
TEST_F(graph, later_changes_do_not_matter)
{
	struct client *c = &self->client;
	float w[24], in[24], y[24];

	put_ramp(c, 1, in, 24, 1, 1);
	put_ramp(c, 2, w, 24, 3, 2);
	memset(self->ops, 0xff, sizeof(self->ops));
	memset(self->tensors, 0xff, sizeof(self->tensors));
	ASSERT_EQ(0, run(c, self->id, self->sync, 1));
	ASSERT_EQ(0, onsram_sync_wait(c->dev, self->sync, 1, WAIT_NS));
	ASSERT_EQ(0, get_floats(c, 0, y, 24));
	EXPECT_EQ(2 * in[7] + 3 * w[7], y[7]);
}

TEST_F(graph, largest)
{
	struct client *c = &self->client;
	struct drm_onsram_op *ops = calloc(DRM_ONSRAM_MAX_OPS, sizeof(*ops));
	uint32_t i, id;
	float y;

	ASSERT_NE(NULL, ops);
	for (i = 0; i < DRM_ONSRAM_MAX_OPS; i++)
		ops[i] = fill_op((float)i);
	ASSERT_EQ(0, onsram_graph_create(c->dev, ops, DRM_ONSRAM_MAX_OPS, self->tensors, 1, &id));
	free(ops);
	ASSERT_EQ(0, run(c, id, self->sync, 1));
	ASSERT_EQ(0, onsram_sync_wait(c->dev, self->sync, 1, WAIT_NS));
	ASSERT_EQ(0, get_floats(c, 0, &y, 1));
	EXPECT_EQ(DRM_ONSRAM_MAX_OPS - 1, y);
}

TEST_F(graph, ids_are_not_reused)
{
	uint32_t id;

	ASSERT_EQ(0, onsram_graph_destroy(self->client.dev, self->id));
	ASSERT_EQ(0, onsram_graph_create(self->client.dev, self->ops, NR_OPS, self->tensors, 5,
					 &id));
	EXPECT_NE(self->id, id);
}

TEST_HARNESS_MAIN
