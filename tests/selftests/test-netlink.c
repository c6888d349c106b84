// SPDX-License-Identifier: MIT
/*
 * The policy family: who may, what is refused, and what plans and rules do.
 * The test is the policy agent itself, so no other may be attached.
 */
#include <sys/socket.h>

#include "kselftest_harness.h"

#include "agent.h"
#include "plan.h"

#define NR_OPS		2

FIXTURE(netlink) {
	struct client client;
	struct nl_sock *sock;
	int family;
	uint32_t graph;
	struct drm_onsram_op ops[NR_OPS];
	struct drm_onsram_tensor tensors[4];
};

/* 3 = 1 + 2; 0 = 3 + 1: tensor 2 constant, 3 transient, 1 input, 0 output */
FIXTURE_SETUP(netlink)
{
	struct client *c = &self->client;
	int room = 2 << 20;	/* more than a message of any number of intervals takes */
	uint32_t i;

	ASSERT_EQ(0, client_open(c));
	self->ops[0] = self->ops[1] = add_op();
	self->ops[0].operand[0].bo = 3;
	self->ops[1].operand[1].bo = 3;
	self->ops[1].operand[2].bo = 1;
	for (i = 0; i < 4; i++)
		self->tensors[i].handle = c->handle[i];
	self->tensors[2].flags = DRM_ONSRAM_TENSOR_CONST;
	self->tensors[3].flags = DRM_ONSRAM_TENSOR_TRANSIENT;
	ASSERT_EQ(0, onsram_device_set_policy(c->dev, "static"));
	ASSERT_EQ(0, onsram_graph_create(c->dev, self->ops, NR_OPS, self->tensors, 4, &self->graph));
	self->sock = nl_socket_alloc();
	ASSERT_NE(NULL, self->sock);
	ASSERT_EQ(0, genl_connect(self->sock));
	ASSERT_EQ(0, setsockopt(nl_socket_get_fd(self->sock), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)));
	self->family = genl_ctrl_resolve(self->sock, ONSRAM_FAMILY_NAME);
	ASSERT_LT(0, self->family);
}

FIXTURE_TEARDOWN(netlink)
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

TEST_F(netlink, unprivileged)
{
	uint32_t index = self->client.dev->index;
	int group = genl_ctrl_resolve_grp(self->sock, ONSRAM_FAMILY_NAME, ONSRAM_MCGRP_EVENTS);
	struct nl_sock *sock;

	ASSERT_LT(0, group);
	ASSERT_EQ(0, setgid(65534));
	ASSERT_EQ(0, setuid(65534));
	sock = nl_socket_alloc();
	ASSERT_EQ(0, genl_connect(sock));
	EXPECT_EQ(EPERM, simple(sock, self->family, ONSRAM_CMD_ATTACH, index));
	EXPECT_EQ(EPERM, simple(sock, self->family, ONSRAM_CMD_DONE, index));
	EXPECT_EQ(EPERM, simple(sock, self->family, ONSRAM_CMD_PLAN_SET, index));
	EXPECT_EQ(EPERM, simple(sock, self->family, ONSRAM_CMD_RULE_SET, index));
	EXPECT_EQ(EPERM, simple(sock, self->family, ONSRAM_CMD_RULE_DEL, index));
	EXPECT_EQ(EPERM, simple(sock, self->family, ONSRAM_CMD_POLICY_SET, index));
	EXPECT_NE(0, nl_socket_add_membership(sock, group));
	/* Looking is allowed. */
	EXPECT_EQ(0, simple(sock, self->family, ONSRAM_CMD_DEVICE_GET, index));
	EXPECT_EQ(0, simple(sock, self->family, ONSRAM_CMD_STATS_GET, index));
	nl_socket_free(sock);
}

TEST_F(netlink, unknown_device)
{
	EXPECT_EQ(ENODEV, simple(self->sock, self->family, ONSRAM_CMD_DEVICE_GET, 200));
	EXPECT_EQ(ENODEV, simple(self->sock, self->family, ONSRAM_CMD_ATTACH, 200));
}

TEST_F(netlink, device_missing)
{
	EXPECT_EQ(EINVAL, ask(self->sock, request(self->family, ONSRAM_CMD_ATTACH, NLM_F_ACK), NULL));
}

TEST_F(netlink, unknown_attribute)
{
	struct nl_msg *msg = request(self->family, ONSRAM_CMD_DEVICE_GET, NLM_F_ACK);

	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, self->client.dev->index);
	nla_put_u32(msg, ONSRAM_A_MAX + 1, 1);
	EXPECT_EQ(EINVAL, ask(self->sock, msg, NULL));
}

TEST_F(netlink, attribute_too_short)
{
	struct nl_msg *msg = request(self->family, ONSRAM_CMD_DEVICE_GET, NLM_F_ACK);

	nla_put_u16(msg, ONSRAM_A_DEVICE_ID, 0);
	EXPECT_NE(0, ask(self->sock, msg, NULL));
}

TEST_F(netlink, unknown_command)
{
	EXPECT_EQ(EOPNOTSUPP, simple(self->sock, self->family, ONSRAM_CMD_MAX + 1,
				     self->client.dev->index));
}

TEST_F(netlink, only_the_agent)
{
	const struct interval plan = interval(3, 0, 1, 0, 0);
	struct nl_sock *second = nl_socket_alloc();
	uint32_t index = self->client.dev->index;

	ASSERT_EQ(0, genl_connect(second));
	EXPECT_EQ(EPERM, simple(self->sock, self->family, ONSRAM_CMD_DONE, index));
	EXPECT_EQ(EPERM, PLAN(plan));
	ASSERT_EQ(0, attach(self->sock, self->family, &self->client));
	EXPECT_EQ(EBUSY, simple(second, self->family, ONSRAM_CMD_ATTACH, index));
	EXPECT_EQ(EBUSY, simple(self->sock, self->family, ONSRAM_CMD_ATTACH, index));
	EXPECT_EQ(EPERM, set_plan(second, self->family, &self->client, self->graph, &plan, 1));
	nl_socket_free(second);
	/* The other socket's end is not the agent's. */
	EXPECT_EQ(0, PLAN(plan));
}

TEST_F(netlink, bad_plans)
{
	uint32_t spm = self->client.dev->info.model.spm_size;
	struct interval iv;
	uint32_t a;

	ASSERT_EQ(0, attach(self->sock, self->family, &self->client));
	EXPECT_EQ(EINVAL, PLAN(interval(4, 0, 1, 0, 0)));		/* foreign tensor */
	EXPECT_EQ(EINVAL, PLAN(interval(UINT32_MAX, 0, 1, 0, 0)));
	EXPECT_EQ(EINVAL, PLAN(interval(3, 0, NR_OPS, 0, 0)));		/* foreign operation */
	EXPECT_EQ(EINVAL, PLAN(interval(3, UINT32_MAX, UINT32_MAX, 0, 0)));
	EXPECT_EQ(EINVAL, PLAN(interval(3, 1, 0, 0, 0)));		/* backwards */
	EXPECT_EQ(EINVAL, PLAN(interval(3, 0, 1, 8, 0)));		/* unknown flag */
	EXPECT_EQ(EINVAL, PLAN(interval(3, 0, 1, 0, 512)));		/* between granules */
	EXPECT_EQ(EINVAL, PLAN(interval(3, 0, 1, 0, spm)));		/* behind the SPM */
	EXPECT_EQ(EINVAL, PLAN(interval(3, 0, 1, 0, UINT32_MAX & ~1023u)));
	EXPECT_EQ(EINVAL, PLAN(interval(2, 0, 0, ONSRAM_INTERVAL_KEEP | ONSRAM_INTERVAL_FETCH, 0)));
	EXPECT_EQ(EINVAL, PLAN(interval(2, 0, 0, 0, 0)));		/* constant, not fetched */
	EXPECT_EQ(EINVAL, PLAN(interval(1, 0, 1, 0, 0)));		/* input, not fetched */
	EXPECT_EQ(EINVAL, PLAN(interval(3, 0, 1, 0, 0),			/* same place, same time */
			       interval(1, 0, 1, ONSRAM_INTERVAL_FETCH, PLACE - 1024)));
	for (a = ONSRAM_A_INTERVAL_TENSOR; a <= ONSRAM_A_INTERVAL_MAX; a++) {
		if (a == ONSRAM_A_INTERVAL_PAD)
			continue;
		iv = interval(3, 0, 1, 0, 0);
		iv.leave_out = a;
		EXPECT_EQ(EINVAL, PLAN(iv)) {
			TH_LOG("attribute %u left out", a);
		}
	}
	EXPECT_EQ(ENOENT, set_plan(self->sock, self->family, &self->client, self->graph + 1000, &iv, 1));
	/* None of them became the graph's plan. */
	EXPECT_EQ(-ETIME, onsram_graph_wait_plan(self->client.dev, self->graph, 0));
}

/* All but the staging window may be planned, not a byte more */
TEST_F(netlink, plan_larger_than_the_spm)
{
	const struct drm_onsram_dev_info *info = &self->client.dev->info;
	uint64_t capacity = info->model.spm_size - info->staging_min;
	struct drm_onsram_tensor t;
	struct drm_onsram_op op = fill_op(1);
	struct interval iv;
	struct onsram_bo bo;
	uint32_t graph;

	ASSERT_EQ(0, attach(self->sock, self->family, &self->client));
	ASSERT_EQ(0, onsram_bo_create(self->client.dev, capacity + info->granule, &bo));
	t = (struct drm_onsram_tensor){ .handle = bo.handle, .flags = DRM_ONSRAM_TENSOR_TRANSIENT };
	ASSERT_EQ(0, onsram_graph_create(self->client.dev, &op, 1, &t, 1, &graph));
	iv = interval(0, 0, 0, 0, 0);
	iv.field[ONSRAM_A_INTERVAL_BYTES] = capacity + info->granule;
	EXPECT_EQ(ENOSPC, set_plan(self->sock, self->family, &self->client, graph, &iv, 1));
}

TEST_F(netlink, too_many_intervals)
{
	struct interval *list = calloc(ONSRAM_PLAN_MAX_INTERVALS + 1, sizeof(*list));
	uint32_t i;

	ASSERT_NE(NULL, list);
	ASSERT_EQ(0, attach(self->sock, self->family, &self->client));
	for (i = 0; i <= ONSRAM_PLAN_MAX_INTERVALS; i++) {
		list[i] = interval(3, 0, 1, 0, 0);
		list[i].leave_out = ONSRAM_A_INTERVAL_BYTES;
	}
	EXPECT_EQ(E2BIG, set_plan(self->sock, self->family, &self->client, self->graph, list,
				  ONSRAM_PLAN_MAX_INTERVALS + 1));
	free(list);
}

TEST_F(netlink, plan_acts)
{
	struct client *c = &self->client;
	float a[24], w[24], y[24];
	struct drm_onsram_stats s;
	int round;

	put_ramp(c, 1, a, 24, 1, 1);
	put_ramp(c, 2, w, 24, 5, 2);
	EXPECT_EQ(-ENOTCONN, onsram_graph_wait_plan(c->dev, self->graph, 0));
	ASSERT_EQ(0, attach(self->sock, self->family, c));
	EXPECT_EQ(-ETIME, onsram_graph_wait_plan(c->dev, self->graph, 1000000));
	ASSERT_EQ(0, PLAN(interval(3, 0, 1, 0, 0),
			  interval(2, 0, 1, ONSRAM_INTERVAL_FETCH | ONSRAM_INTERVAL_KEEP, PLACE),
			  interval(1, 0, 1, ONSRAM_INTERVAL_FETCH, 2 * PLACE)));
	EXPECT_EQ(0, onsram_graph_wait_plan(c->dev, self->graph, 0));
	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, run_graph(c, self->graph));
		ASSERT_EQ(0, get_floats(c, 0, y, 24));
		EXPECT_EQ(2 * a[23] + w[23], y[23]);
	}
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s));
	EXPECT_EQ(0, s.fallbacks);
	/* tensors 3 and 1 at operation 1 of each run, and 2 at operation 0 of all but the first */
	EXPECT_LE(3 * 2 + 2, s.hits);
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_CLEAN, residency(c, 2));	/* kept */
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_NONE, residency(c, 3));
}

TEST_F(netlink, empty_plan)
{
	struct client *c = &self->client;
	struct drm_onsram_stats s;

	ASSERT_EQ(0, attach(self->sock, self->family, c));
	ASSERT_EQ(0, set_plan(self->sock, self->family, c, self->graph, NULL, 0));
	EXPECT_EQ(0, onsram_graph_wait_plan(c->dev, self->graph, 0));
	ASSERT_EQ(0, run_graph(c, self->graph));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s));
	EXPECT_EQ(0, s.fallbacks);
	EXPECT_EQ(0, s.peak_bytes);
}

/* The agent dies: its plans go with it, and the fallback runs the graph to the same result. */
TEST_F(netlink, agent_gone)
{
	struct client *c = &self->client;
	float a[24], w[24], y[24];
	struct drm_onsram_stats s;

	put_ramp(c, 1, a, 24, 1, 1);
	put_ramp(c, 2, w, 24, 5, 2);
	ASSERT_EQ(0, attach(self->sock, self->family, c));
	ASSERT_EQ(0, PLAN(interval(3, 0, 1, 0, 0)));
	ASSERT_EQ(0, run_graph(c, self->graph));
	nl_socket_free(self->sock);
	self->sock = NULL;
	EXPECT_EQ(-ENOTCONN, onsram_graph_wait_plan(c->dev, self->graph, WAIT_NS));
	ASSERT_EQ(0, run_graph(c, self->graph));
	ASSERT_EQ(0, get_floats(c, 0, y, 24));
	EXPECT_EQ(2 * a[23] + w[23], y[23]);
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s));
	EXPECT_EQ(NR_OPS, s.fallbacks);
	EXPECT_EQ(0, s.errors);
}

/*
 * A transient tensor that a plan places and an operation writes only in part shows
 * what the SPM held before: nothing of another client's may be there.
 */
TEST_F(netlink, scrubbed)
{
	struct client *c = &self->client, other;
	struct drm_onsram_op ops[2] = { fill_op(1), copy_op() };
	struct drm_onsram_op secret = fill_all_op(12345.75f);
	uint32_t floats = BUFFER_BYTES / sizeof(float), i;
	struct drm_onsram_bo_info info;
	struct drm_onsram_stats s;
	float *y = malloc(BUFFER_BYTES);
	uint32_t graph;

	ASSERT_NE(NULL, y);
	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, onsram_device_set_policy(other.dev, "lru"));
	ASSERT_EQ(0, run_ops(&other, &secret, 1));
	ASSERT_EQ(0, onsram_bo_info(other.dev, &other.bo[0], &info));
	ASSERT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, info.residency);
	client_close(&other);

	ops[0].operand[0].bo = 3;
	ops[0].operand[0].view = DENSE(F32, 1);
	ops[1].operand[0].view = ops[1].operand[1].view = DENSE(F32, BUFFER_BYTES / sizeof(float));
	ops[1].operand[1].bo = 3;
	ASSERT_EQ(0, onsram_graph_create(c->dev, ops, 2, self->tensors, 4, &graph));
	ASSERT_EQ(0, attach(self->sock, self->family, c));
	ASSERT_EQ(0, set_plan(self->sock, self->family, c, graph,
			      (struct interval[]){ interval(3, 0, 1, 0, info.spm_offset) }, 1));
	ASSERT_EQ(0, run_graph(c, graph));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s));
	EXPECT_EQ(0, s.fallbacks);
	EXPECT_LT(0, s.scrubs);
	ASSERT_EQ(0, get_floats(c, 0, y, floats));
	EXPECT_EQ(1, y[0]);
	for (i = 1; i < floats && !y[i]; i++)
		;
	EXPECT_EQ(floats, i);
	free(y);
}

/* Somebody waits for a plan when the agent attaches, and gets it when it comes */
TEST_F(netlink, wait_is_woken)
{
	struct client *c = &self->client;
	pid_t child;
	int status;

	ASSERT_EQ(0, attach(self->sock, self->family, c));
	child = fork();
	if (!child) {
		usleep(200000);
		_exit(PLAN(interval(3, 0, 1, 0, 0)));
	}
	EXPECT_EQ(0, onsram_graph_wait_plan(c->dev, self->graph, WAIT_NS));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(netlink, policy_set)
{
	struct nl_msg *msg = request(self->family, ONSRAM_CMD_POLICY_SET, NLM_F_ACK);

	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, self->client.dev->index);
	nla_put_u32(msg, ONSRAM_A_POLICY, DRM_ONSRAM_POLICY_COUNT);
	EXPECT_NE(0, ask(self->sock, msg, NULL));
	msg = request(self->family, ONSRAM_CMD_POLICY_SET, NLM_F_ACK);
	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, self->client.dev->index);
	nla_put_u32(msg, ONSRAM_A_FALLBACK_POLICY, DRM_ONSRAM_POLICY_AGENT);
	EXPECT_NE(0, ask(self->sock, msg, NULL));
}

static struct nl_msg *named(int family, uint8_t cmd, const struct client *c, const char *name)
{
	struct nl_msg *msg = request(family, cmd, NLM_F_ACK);

	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, c->dev->index);
	if (name)
		nla_put_string(msg, ONSRAM_A_POLICY_NAME, name);
	return msg;
}

/* The device's default by netlink: an agent's policy has a name, others have none */
TEST_F(netlink, policy_set_named)
{
	struct client *c = &self->client;
	struct nl_msg *msg = named(self->family, ONSRAM_CMD_POLICY_SET, c, "static");

	nla_put_u32(msg, ONSRAM_A_POLICY, DRM_ONSRAM_POLICY_LRU);
	EXPECT_EQ(EINVAL, ask(self->sock, msg, NULL));
	msg = named(self->family, ONSRAM_CMD_POLICY_SET, c, NULL);
	nla_put_u32(msg, ONSRAM_A_POLICY, DRM_ONSRAM_POLICY_AGENT);
	EXPECT_EQ(EINVAL, ask(self->sock, msg, NULL));
	msg = named(self->family, ONSRAM_CMD_POLICY_SET, c, "none");
	nla_put_u32(msg, ONSRAM_A_POLICY, DRM_ONSRAM_POLICY_AGENT);
	EXPECT_EQ(EINVAL, ask(self->sock, msg, NULL));
	msg = named(self->family, ONSRAM_CMD_POLICY_SET, c, "my-own");
	nla_put_u32(msg, ONSRAM_A_POLICY, DRM_ONSRAM_POLICY_AGENT);
	EXPECT_EQ(0, ask(self->sock, msg, NULL));
	msg = named(self->family, ONSRAM_CMD_POLICY_SET, c, NULL);
	nla_put_u32(msg, ONSRAM_A_POLICY, DRM_ONSRAM_POLICY_LRU);
	EXPECT_EQ(0, ask(self->sock, msg, NULL));
}

/* Clients may want what the agent named, and anything where it named nothing */
TEST_F(netlink, agent_names_its_policies)
{
	struct client *c = &self->client;
	struct nl_msg *msg = named(self->family, ONSRAM_CMD_ATTACH, c, "mine");
	int answers = -1;
	uint32_t i;

	EXPECT_EQ(0, onsram_device_set_policy(c->dev, "yours"));
	nla_put_string(msg, ONSRAM_A_POLICY_NAME, "my-other");
	ASSERT_EQ(0, ask(self->sock, msg, &answers));
	EXPECT_EQ(-ENOENT, onsram_device_set_policy(c->dev, "yours"));
	EXPECT_EQ(-ENOENT, onsram_device_set_policy(c->dev, "min"));
	EXPECT_EQ(0, onsram_device_set_policy(c->dev, "mine"));
	EXPECT_EQ(0, onsram_device_set_policy(c->dev, "my-other"));
	EXPECT_EQ(0, onsram_device_set_policy(c->dev, "lru"));
	msg = named(self->family, ONSRAM_CMD_POLICY_SET, c, "yours");
	nla_put_u32(msg, ONSRAM_A_POLICY, DRM_ONSRAM_POLICY_AGENT);
	EXPECT_EQ(ENOENT, ask(self->sock, msg, NULL));

	nl_socket_free(self->sock);
	self->sock = nl_socket_alloc();
	ASSERT_EQ(0, genl_connect(self->sock));
	EXPECT_EQ(0, onsram_device_set_policy(c->dev, "yours"));
	EXPECT_EQ(EINVAL, ask(self->sock, named(self->family, ONSRAM_CMD_ATTACH, c, "no name"), NULL));
	EXPECT_EQ(EINVAL, ask(self->sock, named(self->family, ONSRAM_CMD_ATTACH, c, "lru"), NULL));
	EXPECT_NE(0, ask(self->sock, named(self->family, ONSRAM_CMD_ATTACH, c,
					   "longer-than-it-may-be"), NULL));
	msg = named(self->family, ONSRAM_CMD_ATTACH, c, "mine");
	for (i = 0; i < ONSRAM_AGENT_POLICIES_MAX; i++)
		nla_put_string(msg, ONSRAM_A_POLICY_NAME, "more");
	EXPECT_EQ(E2BIG, ask(self->sock, msg, NULL));
	ASSERT_EQ(0, attach(self->sock, self->family, c));
	EXPECT_EQ(0, onsram_device_set_policy(c->dev, "yours"));
}

/* The dump of a graph too large for one message comes in several, and is whole */
TEST_F(netlink, large_graph_dump)
{
	struct drm_onsram_op *ops = calloc(DRM_ONSRAM_MAX_OPS, sizeof(*ops));
	struct nl_msg *msg;
	uint32_t graph, i;
	int messages = 0;

	ASSERT_NE(NULL, ops);
	for (i = 0; i < DRM_ONSRAM_MAX_OPS; i++)
		ops[i] = add_op();
	ASSERT_EQ(0, onsram_graph_create(self->client.dev, ops, DRM_ONSRAM_MAX_OPS, self->tensors, 4,
					 &graph));
	free(ops);
	msg = request(self->family, ONSRAM_CMD_GRAPH_GET, NLM_F_DUMP);
	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, self->client.dev->index);
	nla_put_u32(msg, ONSRAM_A_GRAPH_ID, graph);
	EXPECT_EQ(0, ask(self->sock, msg, &messages));
	EXPECT_LT(10, messages);
}

TEST_HARNESS_MAIN
