// SPDX-License-Identifier: MIT
/*
 * Plans that hold parts of tensors: what is refused, and that results do not
 * depend on what lies where. The test is the policy agent itself.
 */
#include "kselftest_harness.h"

#include "plan.h"

#define N	(BUFFER_BYTES / sizeof(float))

FIXTURE(parts) {
	struct client client;
	struct nl_sock *sock;
	int family;
	uint32_t graph;
};

/* On whole buffers: 3 = 1 + 2; 0 = 3 + 1: tensor 2 constant, 3 transient, 1 input, 0 output */
FIXTURE_SETUP(parts)
{
	struct drm_onsram_op ops[] = { add_op(), add_op() };
	struct drm_onsram_tensor tensors[4] = {};
	struct client *c = &self->client;
	uint32_t i, s;

	ASSERT_EQ(0, client_open(c));
	for (i = 0; i < 2; i++)
		for (s = 0; s < 3; s++)
			ops[i].operand[s].view = DENSE(F32, N);
	ops[0].operand[0].bo = 3;
	ops[1].operand[1].bo = 3;
	ops[1].operand[2].bo = 1;
	for (i = 0; i < 4; i++)
		tensors[i].handle = c->handle[i];
	tensors[2].flags = DRM_ONSRAM_TENSOR_CONST;
	tensors[3].flags = DRM_ONSRAM_TENSOR_TRANSIENT;
	ASSERT_EQ(0, onsram_device_set_policy(c->dev, "static"));
	ASSERT_EQ(0, onsram_graph_create(c->dev, ops, 2, tensors, 4, &self->graph));
	self->sock = nl_socket_alloc();
	ASSERT_NE(NULL, self->sock);
	ASSERT_EQ(0, genl_connect(self->sock));
	self->family = genl_ctrl_resolve(self->sock, ONSRAM_FAMILY_NAME);
	ASSERT_LT(0, self->family);
	ASSERT_EQ(0, attach(self->sock, self->family, c));
}

FIXTURE_TEARDOWN(parts)
{
	if (self->sock)
		nl_socket_free(self->sock);
	client_close(&self->client);
}

#define PLAN(...) ({ \
	const struct interval list_[] = { __VA_ARGS__ }; \
	set_plan(self->sock, self->family, &self->client, self->graph, list_, \
		 sizeof(list_) / sizeof(list_[0])); \
})

TEST_F(parts, bad)
{
	const uint32_t fetch = ONSRAM_INTERVAL_FETCH, g = self->client.dev->info.granule;

	EXPECT_EQ(EINVAL, PLAN(part(2, 0, 1, fetch, 0, 0, 0)));			/* nothing */
	EXPECT_EQ(EINVAL, PLAN(part(2, 0, 1, fetch, 0, 0, g / 2)));		/* half a granule */
	EXPECT_EQ(EINVAL, PLAN(part(2, 0, 1, fetch, g / 2, g / 2, g)));		/* between granules */
	EXPECT_EQ(EINVAL, PLAN(part(2, 0, 1, fetch, 0, g, PLACE)));		/* beyond the tensor */
	EXPECT_EQ(EINVAL, PLAN(part(2, 0, 1, fetch, 0, PLACE, g)));
	EXPECT_EQ(EINVAL, PLAN(part(2, 0, 1, fetch, 0, 1ull << 32, g)));
	EXPECT_EQ(EINVAL, PLAN(part(2, 0, 1, fetch, 0, -(uint64_t)g, g)));
	EXPECT_EQ(EINVAL, PLAN(part(3, 0, 1, 0, 0, 0, 2 * g),			/* overlapping parts of one */
			       part(3, 0, 1, 0, 0, g, 2 * g)));
	EXPECT_EQ(EINVAL, PLAN(part(3, 0, 1, 0, 0, 0, 2 * g),			/* of two */
			       part(2, 1, 1, fetch, g, 0, g)));
	EXPECT_EQ(EINVAL, PLAN(part(3, 0, 1, 0, 0, 0, g),			/* a hole between them */
			       part(3, 0, 1, 0, 0, 2 * g, g)));
	EXPECT_EQ(EINVAL, PLAN(part(3, 0, 1, 0, 0, 0, g),			/* here one and there one */
			       part(3, 0, 1, 0, PLACE, g, g)));
	EXPECT_EQ(EINVAL, PLAN(part(2, 0, 1, fetch, 0, 0, g),			/* what is left has a hole */
			       part(2, 0, 0, fetch, 0, g, g), part(2, 0, 1, fetch, 0, 2 * g, g)));
	EXPECT_EQ(EINVAL, PLAN(part(2, 0, 1, fetch, 0, 0, g), part(2, 1, 1, 0, 0, g, g)));	/* not fetched */
	EXPECT_EQ(-ETIME, onsram_graph_wait_plan(self->client.dev, self->graph, 0));
	EXPECT_EQ(0, PLAN(part(2, 0, 1, fetch, 0, g, g), part(2, 0, 0, fetch, 0, 0, g),
			  part(2, 1, 1, fetch, 0, 2 * g, PLACE - 2 * g)));
}

/* Parts that grow and shrink, of inputs, a constant, an intermediate result and the output */
TEST_F(parts, act)
{
	const uint32_t fetch = ONSRAM_INTERVAL_FETCH, keep = ONSRAM_INTERVAL_KEEP;
	struct client *c = &self->client;
	uint32_t g = c->dev->info.granule, n;
	float a[N], w[N], y[N];
	struct drm_onsram_bo_info info;
	struct drm_onsram_stats st;

	ASSERT_EQ(0, PLAN(
		part(3, 0, 1, 0, 0, g, 2 * g),
		part(2, 0, 1, fetch | keep, PLACE, g, g), part(2, 0, 0, fetch, PLACE, 0, g),
		part(1, 0, 1, fetch, 2 * PLACE, g, g), part(1, 1, 1, fetch, 2 * PLACE, 0, g),
		part(1, 1, 1, fetch, 2 * PLACE, 2 * g, 2 * g), part(0, 1, 1, 0, 3 * PLACE, 2 * g, g)));
	for (uint32_t round = 1; round <= 3; round++) {
		put_ramp(c, 1, a, N, (float)round, 1);
		if (round != 2)
			put_ramp(c, 2, w, N, 5, 2 * (float)round);
		ASSERT_EQ(0, run_graph(c, self->graph));
		ASSERT_EQ(0, onsram_bo_info(c->dev, &c->bo[2], &info));
		EXPECT_EQ(DRM_ONSRAM_RESIDENCY_CLEAN, info.residency);
		EXPECT_EQ(g, info.spm_bytes);
		EXPECT_EQ(PLACE + g, info.spm_offset);
		EXPECT_EQ(g, info.spm_begin);
		ASSERT_EQ(0, get_floats(c, 0, y, N));
		for (n = 0; n < N; n++)
			ASSERT_EQ(2 * a[n] + w[n], y[n]);
	}
	ASSERT_EQ(0, onsram_device_stats(c->dev, &st));
	EXPECT_EQ(0, st.fallbacks);
	EXPECT_EQ(8 * g, st.peak_bytes);
	/* 3 is written and read, 0 written; what 1 and 2 have is fetched, or some of it, each time */
	EXPECT_EQ(3 * (2 * 2 + 1) * g, st.dram_avoided_bytes);
}

TEST_HARNESS_MAIN
