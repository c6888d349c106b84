// SPDX-License-Identifier: MIT
/*
 * Plans that hold parts of tensors: what is refused, and that results do not
 * depend on what lies where. The test is the policy agent itself.
 */
#include <fcntl.h>

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

static struct interval beside(struct interval iv, uint32_t reserve, uint32_t release)
{
	iv.field[ONSRAM_A_INTERVAL_RESERVE_OP] = reserve;
	iv.field[ONSRAM_A_INTERVAL_RELEASE_OP] = release;
	return iv;
}

TEST_F(parts, bad_transfers)
{
	const uint32_t fetch = ONSRAM_INTERVAL_FETCH, g = self->client.dev->info.granule;
	const struct interval one = part(1, 1, 1, fetch, 0, 0, g), w = part(2, 0, 0, fetch, 0, 0, g);

	EXPECT_EQ(EINVAL, PLAN(beside(one, 2, 2)));			/* comes behind its use */
	EXPECT_EQ(EINVAL, PLAN(beside(one, UINT32_MAX, 2)));
	EXPECT_EQ(EINVAL, PLAN(beside(one, 0, 1)));			/* is gone before its use is through */
	EXPECT_EQ(EINVAL, PLAN(beside(one, 0, 0)));
	EXPECT_EQ(EINVAL, PLAN(beside(one, 0, 3)));			/* never gone */
	EXPECT_EQ(EINVAL, PLAN(beside(one, 0, UINT32_MAX)));
	EXPECT_EQ(EINVAL, PLAN(beside(part(0, 1, 1, 0, 0, 0, g), 0, 2)));	/* nothing to bring in */
	EXPECT_EQ(EINVAL, PLAN(beside(w, 0, 2), beside(one, 1, 2)));	/* two places at a time */
	EXPECT_EQ(EINVAL, PLAN(w, beside(one, 0, 2)));
	EXPECT_EQ(-ETIME, onsram_graph_wait_plan(self->client.dev, self->graph, 0));
	EXPECT_EQ(0, PLAN(w, beside(part(1, 1, 1, fetch, PLACE, 0, g), 0, 2)));
}

/* 3 leaves while 0 is made of what is left of it, and 1 comes for that */
#define BESIDE(g) PLAN( \
	beside(part(3, 0, 0, 0, 0, 0, 3 * (g)), 0, 2), \
	beside(part(2, 0, 0, ONSRAM_INTERVAL_FETCH, PLACE, 0, 2 * (g)), 0, 1), \
	beside(part(1, 1, 1, ONSRAM_INTERVAL_FETCH, 2 * PLACE, g, 3 * (g)), 0, 2), \
	beside(part(0, 1, 1, 0, 3 * PLACE, 2 * (g), 2 * (g)), 1, 2))

/* Transfers beside operations: of what is used later, and of what was */
TEST_F(parts, transfers)
{
	struct client *c = &self->client;
	uint32_t g = c->dev->info.granule, n;
	struct drm_onsram_stats st, before;
	float a[N], w[N], y[N];

	ASSERT_EQ(0, BESIDE(g));
	for (uint32_t round = 1; round <= 4; round++) {
		put_ramp(c, 1, a, N, (float)round, 1);
		put_ramp(c, 2, w, N, 5, 2 * (float)round);
		ASSERT_EQ(0, onsram_device_stats(c->dev, &before));
		ASSERT_EQ(0, run_graph(c, self->graph));
		ASSERT_EQ(0, onsram_device_stats(c->dev, &st));
		EXPECT_EQ(2, st.prefetches - before.prefetches);
		EXPECT_EQ(2, st.writebacks - before.writebacks);
		/* the copy engine's are the run's, too: all but what operations found there */
		EXPECT_EQ(4 * PLACE - 6 * g, st.dram_read_bytes - before.dram_read_bytes);
		EXPECT_EQ(2 * PLACE, st.dram_write_bytes - before.dram_write_bytes);
		ASSERT_EQ(0, get_floats(c, 0, y, N));
		for (n = 0; n < N; n++)
			ASSERT_EQ(2 * a[n] + w[n], y[n]);
	}
	EXPECT_EQ(0, st.fallbacks);
	EXPECT_EQ(0, st.errors);
}

/* A transfer that hangs is tried again; one that fails, fails the run, and the next one is whole */
TEST_F(parts, broken_transfers)
{
	static const char *const faults[] = { "hang-next", "error-next" };
	struct client *c = &self->client;
	uint32_t copy = c->dev->info.model.compute_engines, n;
	int knobs = open(KNOBS, O_RDWR);
	struct drm_onsram_stats st, before;
	float a[N], w[N], y[N];
	char request[32];

	if (knobs < 0)
		SKIP(return, "no " KNOBS);
	ASSERT_EQ(0, write_file(TIMEOUT, "500"));
	ASSERT_EQ(0, BESIDE(c->dev->info.granule));
	for (uint32_t i = 0; i < 8; i++) {
		bool again = i % 2, error = i / 2 % 2;

		put_ramp(c, 1, a, N, (float)i, 1);
		put_ramp(c, 2, w, N, 5, 2 * (float)i);
		/* of the copy engine, then of the one that waits for it */
		snprintf(request, sizeof(request), "set %s %u", faults[error], i < 4 ? copy : 0);
		if (!again)
			ASSERT_EQ(0, knob(knobs, request));
		if (!again && error) {
			ASSERT_EQ(0, onsram_device_stats(c->dev, &before));
			EXPECT_EQ(0, run_graph(c, self->graph));
			ASSERT_EQ(0, onsram_device_stats(c->dev, &st));
			EXPECT_EQ(1, st.errors - before.errors);
			/* the loss is told once */
			onsram_bo_prep(c->dev, &c->bo[0], DRM_ONSRAM_CPU_READ, WAIT_NS);
			continue;
		}
		ASSERT_EQ(0, run_graph(c, self->graph));
		ASSERT_EQ(0, get_floats(c, 0, y, N));
		for (n = 0; n < N; n++)
			ASSERT_EQ(2 * a[n] + w[n], y[n]);
	}
	write_file(TIMEOUT, "30000");
	close(knobs);
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
