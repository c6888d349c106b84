// SPDX-License-Identifier: MIT
/*
 * Plans in which an output takes over the place of an input: what is refused, and
 * that results are the same. The test is the policy agent itself.
 */
#include "kselftest_harness.h"

#include "plan.h"

#define N	(BUFFER_BYTES / sizeof(float))
#define OVER	ONSRAM_INTERVAL_OVERWRITE

FIXTURE(overwrite) {
	struct client client;
	struct nl_sock *sock;
	int family;
	uint32_t graph;
};

/* On whole buffers: 3 = 1 + 1; 2 = 3 + 1; 0 = 2 + 1: tensors 2 and 3 transient, 1 input, 0 output */
FIXTURE_SETUP(overwrite)
{
	static const uint32_t operands[3][3] = { { 3, 1, 1 }, { 2, 3, 1 }, { 0, 2, 1 } };
	struct drm_onsram_tensor tensors[4] = {};
	struct client *c = &self->client;
	struct drm_onsram_op ops[3];
	uint32_t i, s;

	ASSERT_EQ(0, client_open(c));
	for (i = 0; i < 3; i++) {
		ops[i] = add_op();
		for (s = 0; s < 3; s++) {
			ops[i].operand[s].bo = operands[i][s];
			ops[i].operand[s].view = DENSE(F32, N);
		}
	}
	for (i = 0; i < 4; i++)
		tensors[i].handle = c->handle[i];
	tensors[2].flags = tensors[3].flags = DRM_ONSRAM_TENSOR_TRANSIENT;
	ASSERT_EQ(0, onsram_device_set_policy(c->dev, "static"));
	ASSERT_EQ(0, onsram_graph_create(c->dev, ops, 3, tensors, 4, &self->graph));
	self->sock = nl_socket_alloc();
	ASSERT_NE(NULL, self->sock);
	ASSERT_EQ(0, genl_connect(self->sock));
	self->family = genl_ctrl_resolve(self->sock, ONSRAM_FAMILY_NAME);
	ASSERT_LT(0, self->family);
	ASSERT_EQ(0, attach(self->sock, self->family, c));
}

FIXTURE_TEARDOWN(overwrite)
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

TEST_F(overwrite, bad)
{
	const uint32_t fetch = ONSRAM_INTERVAL_FETCH, keep = ONSRAM_INTERVAL_KEEP;

	EXPECT_EQ(EINVAL, PLAN(interval(3, 0, 1, 0, 0), interval(2, 1, 2, 0, 0)));	/* not said */
	EXPECT_EQ(EINVAL, PLAN(interval(3, 0, 2, 0, 0), interval(2, 1, 2, OVER, 0)));	/* it stays longer */
	EXPECT_EQ(EINVAL, PLAN(interval(1, 0, 1, fetch, 0), interval(2, 1, 2, OVER, 0))); /* an input */
	EXPECT_EQ(EINVAL, PLAN(interval(0, 2, 2, OVER, 0)));		/* the output is not transient */
	EXPECT_EQ(EINVAL, PLAN(interval(2, 2, 2, OVER, 0)));		/* made by another operation */
	EXPECT_EQ(EINVAL, PLAN(interval(2, 1, 2, OVER | fetch, 0)));
	EXPECT_EQ(EINVAL, PLAN(interval(2, 1, 2, OVER | keep, 0)));
	EXPECT_EQ(-ETIME, onsram_graph_wait_plan(self->client.dev, self->graph, 0));
}

TEST_F(overwrite, act)
{
	const uint32_t shift = self->client.dev->info.granule;
	struct client *c = &self->client;
	struct drm_onsram_stats st;
	float a[N], y[N];

	/* in the same place, and in one that begins or ends in it */
	for (uint32_t round = 0; round < 3; round++) {
		ASSERT_EQ(0, PLAN(interval(3, 0, 1, 0, round == 2 ? shift : 0),
				  interval(2, 1, 2, OVER, round == 1 ? shift : 0)));
		put_ramp(c, 1, a, N, (float)round, 1);
		ASSERT_EQ(0, run_graph(c, self->graph));
		ASSERT_EQ(0, get_floats(c, 0, y, N));
		for (uint32_t n = 0; n < N; n++)
			ASSERT_EQ(4 * a[n], y[n]);
		ASSERT_EQ(0, onsram_device_stats(c->dev, &st));
		EXPECT_EQ(PLACE + (round ? shift : 0), st.peak_bytes);
		/* 3 and 2 are written and read */
		EXPECT_EQ((round + 1) * 4 * PLACE, st.dram_avoided_bytes);
	}
	EXPECT_EQ(0, st.fallbacks);
	EXPECT_EQ(0, st.writebacks);
	EXPECT_EQ(0, st.resident_bytes);
}

TEST_HARNESS_MAIN
