// SPDX-License-Identifier: MIT
/*
 * What the policy agent hears of operations, what its rules do, and who waits for
 * it. The test is the agent itself, so no other may be attached.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <pthread.h>

#include "agent.h"

#define MAX_ENTRIES	32
#define STALL_MS	"300"

/* What the events told, in order: operations by key, deaths by buffer */
struct heard {
	struct { uint64_t key; uint32_t bo; } entry[MAX_ENTRIES];
	uint32_t nr;
	uint32_t lost;
	uint64_t sync;
	uint32_t client;
	bool private;
};

FIXTURE(agent) {
	struct client client;
	struct nl_sock *sock;
	struct nl_sock *events;
	int family;
	char timeout_ms[16];
	struct heard heard;
};

/* The driver's parameter: how long the agent may be silent */
static int agent_timeout(char *text, size_t size, const char *set)
{
	int fd = open("/sys/module/onsram/parameters/agent_timeout_ms", set ? O_WRONLY : O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = set ? write(fd, set, strlen(set)) : read(fd, text, size - 1);
	close(fd);
	if (!set && n > 0)
		text[n] = '\0';
	return n > 0 ? 0 : -1;
}

FIXTURE_SETUP(agent)
{
	int group;

	ASSERT_EQ(0, client_open(&self->client));
	ASSERT_EQ(0, onsram_device_set_policy(self->client.dev, "eager"));
	self->sock = nl_socket_alloc();
	self->events = nl_socket_alloc();
	ASSERT_NE(NULL, self->sock);
	ASSERT_NE(NULL, self->events);
	ASSERT_EQ(0, genl_connect(self->sock));
	ASSERT_EQ(0, nl_socket_set_buffer_size(self->sock, 1 << 20, 1 << 20));
	ASSERT_EQ(0, genl_connect(self->events));
	ASSERT_EQ(0, nl_socket_set_buffer_size(self->events, 1 << 20, 0));
	self->family = genl_ctrl_resolve(self->sock, ONSRAM_FAMILY_NAME);
	ASSERT_LT(0, self->family);
	group = genl_ctrl_resolve_grp(self->sock, ONSRAM_FAMILY_NAME, ONSRAM_MCGRP_EVENTS);
	ASSERT_LT(0, group);
	nl_socket_disable_seq_check(self->events);
	ASSERT_EQ(0, nl_socket_add_membership(self->events, group));
	ASSERT_EQ(0, agent_timeout(self->timeout_ms, sizeof(self->timeout_ms), NULL));
}

FIXTURE_TEARDOWN(agent)
{
	agent_timeout(NULL, 0, self->timeout_ms);
	if (self->sock)
		nl_socket_free(self->sock);
	nl_socket_free(self->events);
	client_close(&self->client);
}

static void hear_died(struct heard *h, struct nlattr *nest)
{
	struct nlattr *tb[ONSRAM_A_DIED_MAX + 1];
	const uint32_t *bo;
	int i;

	nla_parse_nested(tb, ONSRAM_A_DIED_MAX, nest, NULL);
	bo = nla_data(tb[ONSRAM_A_DIED_BUFFERS]);
	for (i = 0; i < nla_len(tb[ONSRAM_A_DIED_BUFFERS]) / 4 && h->nr < MAX_ENTRIES; i++)
		h->entry[h->nr++].bo = bo[i];
}

static int hear(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct nlattr *attr, *tb[ONSRAM_A_RETIRED_MAX + 1];
	struct heard *h = arg;
	int rem;

	nla_for_each_attr(attr, genlmsg_attrdata(genlmsg_hdr(nlh), 0),
			  genlmsg_attrlen(genlmsg_hdr(nlh), 0), rem) {
		switch (nla_type(attr)) {
		case ONSRAM_A_RETIRED:
			nla_parse_nested(tb, ONSRAM_A_RETIRED_MAX, attr, NULL);
			if (h->nr < MAX_ENTRIES)
				h->entry[h->nr++].key = nla_get_u64(tb[ONSRAM_A_RETIRED_KEY]);
			break;
		case ONSRAM_A_DIED:
			hear_died(h, attr);
			break;
		case ONSRAM_A_LOST:
			h->lost += nla_get_u32(attr);
			break;
		case ONSRAM_A_SYNC:
			h->sync = nla_get_u64(attr);
			break;
		case ONSRAM_A_CLIENT_ID:
			h->client = nla_get_u32(attr);
			break;
		case ONSRAM_A_PRIVATE:
			h->private = true;
			break;
		}
	}
	return NL_OK;
}

/* Listen until a SYNC came. Return: its number, 0 where none came */
static uint64_t hear_sync(struct nl_sock *events, struct heard *h)
{
	struct timeval patience = { .tv_sec = 10 };

	setsockopt(nl_socket_get_fd(events), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	nl_socket_modify_cb(events, NL_CB_VALID, NL_CB_CUSTOM, hear, h);
	h->sync = 0;
	while (!h->sync)
		if (nl_recvmsgs_default(events) < 0)
			break;
	return h->sync;
}

static int sync_done(struct nl_sock *sock, int family, const struct client *c, uint64_t seq)
{
	struct nl_msg *msg = request(family, ONSRAM_CMD_SYNC_DONE, NLM_F_ACK);

	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, c->dev->index);
	nla_put_u64(msg, ONSRAM_A_SYNC, seq);
	return ask(sock, msg, NULL);
}

/* A client that waits, in a thread */
struct waiter {
	struct client *client;
	uint32_t flags;
	int64_t timeout_ns;
	int ret;
	pthread_t thread;
};

static void *wait_sync(void *arg)
{
	struct waiter *w = arg;

	w->ret = onsram_agent_sync(w->client->dev, w->flags, w->timeout_ns);
	return NULL;
}

static int start(struct waiter *w, struct client *c, uint32_t flags)
{
	*w = (struct waiter){ .client = c, .flags = flags, .timeout_ns = WAIT_NS };
	return pthread_create(&w->thread, NULL, wait_sync, w);
}

static int finish(struct waiter *w)
{
	pthread_join(w->thread, NULL);
	return w->ret;
}

#define ATTACH() ASSERT_EQ(0, attach(self->sock, self->family, &self->client))
#define SYNC_DONE(seq) sync_done(self->sock, self->family, &self->client, seq)
#define HEAR_SYNC() hear_sync(self->events, &self->heard)
#define AGENT_SYNC(timeout) onsram_agent_sync(self->client.dev, 0, timeout)

static void agent_state(const struct client *c, char *text, size_t size)
{
	char path[128];
	ssize_t n;
	int fd;

	onsram_sysfs_dir(c->dev->index, path, sizeof(path) - sizeof("/spm/agent"));
	strcat(path, "/spm/agent");
	fd = open(path, O_RDONLY);
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n - 1 : 0] = '\0';
}

#define EXPECT_STATE(want) do { \
	char state_[32]; \
	agent_state(&self->client, state_, sizeof(state_)); \
	EXPECT_STREQ(want, state_); \
} while (0)

TEST_F(agent, bad_call)
{
	struct drm_onsram_agent_sync arg = { .flags = 2, .timeout_ns = past() };

	EXPECT_EQ(EINVAL, raw(&self->client, DRM_IOCTL_ONSRAM_AGENT_SYNC, &arg));
	arg = (struct drm_onsram_agent_sync){ .reserved = 1, .timeout_ns = past() };
	EXPECT_EQ(EINVAL, raw(&self->client, DRM_IOCTL_ONSRAM_AGENT_SYNC, &arg));
}

TEST_F(agent, no_agent)
{
	EXPECT_STATE("none");
	EXPECT_EQ(-ENOTCONN, AGENT_SYNC(WAIT_NS));
}

TEST_F(agent, bad_answers)
{
	uint32_t index = self->client.dev->index;

	EXPECT_EQ(EPERM, SYNC_DONE(0));
	ATTACH();
	EXPECT_EQ(EINVAL, simple(self->sock, self->family, ONSRAM_CMD_SYNC_DONE, index));
	EXPECT_EQ(EINVAL, SYNC_DONE(1ull << 63));
	EXPECT_EQ(0, SYNC_DONE(0));
	ASSERT_EQ(0, setgid(65534));
	ASSERT_EQ(0, setuid(65534));
	EXPECT_EQ(EPERM, SYNC_DONE(0));
}

/* What completed is told before the SYNC, and the client goes on with its answer only */
TEST_F(agent, digested)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = fill_op(1);
	struct waiter w;
	uint64_t seq;
	uint32_t i;

	ATTACH();
	EXPECT_STATE("ready");
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, run_ops(c, &op, 1));
	EXPECT_EQ(-ETIME, AGENT_SYNC(0));
	EXPECT_NE(0, HEAR_SYNC());
	EXPECT_EQ(5, self->heard.nr);
	EXPECT_EQ(0, self->heard.lost);
	EXPECT_FALSE(self->heard.private);

	ASSERT_EQ(0, start(&w, c, DRM_ONSRAM_AGENT_SYNC_PRIVATE));
	seq = HEAR_SYNC();
	EXPECT_TRUE(self->heard.private);
	/* An old one is a sign of life, no answer */
	EXPECT_EQ(0, SYNC_DONE(seq - 1));
	usleep(100000);
	EXPECT_EQ(EBUSY, pthread_tryjoin_np(w.thread, NULL));
	EXPECT_EQ(0, SYNC_DONE(seq));
	EXPECT_EQ(0, finish(&w));
}

TEST_F(agent, gone_while_waiting)
{
	struct waiter w;

	ATTACH();
	ASSERT_EQ(0, start(&w, &self->client, 0));
	EXPECT_NE(0, HEAR_SYNC());
	nl_socket_free(self->sock);
	self->sock = NULL;
	EXPECT_EQ(-ENOTCONN, finish(&w));
	EXPECT_STATE("none");
}

/* One missed deadline, and nobody waits until the agent answers */
TEST_F(agent, stalled)
{
	struct client *c = &self->client;
	struct drm_onsram_tensor tensor = { .handle = c->handle[0] };
	struct drm_onsram_op op = fill_op(1);
	struct waiter w;
	uint32_t graph;
	uint64_t seq;

	ASSERT_EQ(0, agent_timeout(NULL, 0, STALL_MS));
	ASSERT_EQ(0, onsram_graph_create(c->dev, &op, 1, &tensor, 1, &graph));
	ATTACH();
	EXPECT_EQ(-EHOSTDOWN, AGENT_SYNC(WAIT_NS));
	EXPECT_STATE("stalled");
	EXPECT_EQ(-EHOSTDOWN, AGENT_SYNC(WAIT_NS));
	EXPECT_EQ(-EHOSTDOWN, onsram_graph_wait_plan(c->dev, graph, WAIT_NS));
	/* Jobs go on */
	EXPECT_EQ(0, run_ops(c, &op, 1));

	EXPECT_EQ(0, SYNC_DONE(HEAR_SYNC()));
	EXPECT_STATE("ready");
	ASSERT_EQ(0, start(&w, c, 0));
	/* An agent that works and says so is waited for */
	seq = HEAR_SYNC();
	for (int i = 0; i < 10; i++) {
		usleep(100000);
		EXPECT_EQ(0, SYNC_DONE(seq - 1));
	}
	EXPECT_EQ(0, SYNC_DONE(seq));
	EXPECT_EQ(0, finish(&w));
	/* Also who waits for a plan notices */
	EXPECT_EQ(-EHOSTDOWN, onsram_graph_wait_plan(c->dev, graph, WAIT_NS));
}

/* Deaths are told in the client's order, whenever the operations complete */
TEST_F(agent, deaths)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = fill_op(1);
	struct onsram_bo bo;
	uint32_t i;

	ATTACH();
	ASSERT_EQ(0, onsram_bo_create(c->dev, BUFFER_BYTES, &bo));
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, onsram_bo_advise(c->dev, &c->bo[1], DRM_ONSRAM_ADVICE_DEAD));
	/* Once dead it does not die again */
	ASSERT_EQ(0, onsram_bo_advise(c->dev, &c->bo[1], DRM_ONSRAM_ADVICE_DEAD));
	onsram_bo_destroy(c->dev, &bo);
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, onsram_bo_advise(c->dev, &c->bo[0], DRM_ONSRAM_ADVICE_DEAD));
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(-ETIME, AGENT_SYNC(0));
	ASSERT_NE(0, HEAR_SYNC());
	/* An operation, two deaths, an operation, a death, an operation */
	ASSERT_EQ(6, self->heard.nr);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(i == 1 || i == 2 || i == 4, !self->heard.entry[i].key) {
			TH_LOG("entry %u", i);
		}
	EXPECT_NE(self->heard.entry[1].bo, self->heard.entry[2].bo);
	EXPECT_NE(self->heard.entry[1].bo, self->heard.entry[4].bo);
}

/* A SUBMIT that fails leaves no trace in the history that makes the keys */
TEST_F(agent, failed_submit)
{
	struct client *c = &self->client;
	struct drm_onsram_op a = fill_op(1), b = copy_op();
	struct drm_onsram_sync bad = { .handle = 12345, .flags = DRM_ONSRAM_SYNC_WAIT };
	uint32_t i;

	ATTACH();
	for (i = 0; i < 2; i++) {
		for (int k = 0; k < 4; k++)
			ASSERT_EQ(0, run_ops(c, &a, 1));
		if (i)
			EXPECT_EQ(-ENOENT, onsram_submit(c->dev, &a, 1, c->handle, NR_BUFFERS,
							 &bad, 1));
		ASSERT_EQ(0, run_ops(c, &b, 1));
	}
	ASSERT_EQ(-ETIME, AGENT_SYNC(0));
	ASSERT_NE(0, HEAR_SYNC());
	ASSERT_EQ(10, self->heard.nr);
	EXPECT_EQ(self->heard.entry[4].key, self->heard.entry[9].key);
}

/* The keys of a private history are like no other's */
TEST_F(agent, private_keys)
{
	struct client other;
	struct drm_onsram_op op = fill_op(1);

	ATTACH();
	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, onsram_device_set_policy(other.dev, "eager"));
	ASSERT_EQ(0, run_ops(&self->client, &op, 1));
	ASSERT_EQ(0, run_ops(&other, &op, 1));
	ASSERT_EQ(-ETIME, onsram_agent_sync(other.dev, DRM_ONSRAM_AGENT_SYNC_PRIVATE, 0));
	ASSERT_EQ(0, run_ops(&other, &op, 1));
	client_close(&other);
	ASSERT_EQ(-ETIME, AGENT_SYNC(0));
	ASSERT_NE(0, HEAR_SYNC());
	ASSERT_NE(0, HEAR_SYNC());
	ASSERT_LE(3, self->heard.nr);
	EXPECT_EQ(self->heard.entry[0].key, self->heard.entry[1].key);
	EXPECT_NE(self->heard.entry[0].key, self->heard.entry[2].key);
}

static int rule(struct nl_sock *sock, int family, const struct client *c, uint8_t cmd,
		uint64_t first_key, uint32_t nr, uint32_t actions, uint32_t leave_out)
{
	struct nl_msg *msg = request(family, cmd, NLM_F_ACK);
	struct nlattr *nest;
	uint32_t i;

	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, c->dev->index);
	for (i = 0; i < nr; i++) {
		nest = nla_nest_start(msg, ONSRAM_A_RULE | NLA_F_NESTED);
		if (leave_out != ONSRAM_A_RULE_KEY)
			nla_put_u64(msg, ONSRAM_A_RULE_KEY, first_key + i);
		if (cmd == ONSRAM_CMD_RULE_SET && leave_out != ONSRAM_A_RULE_ACTIONS)
			nla_put_u32(msg, ONSRAM_A_RULE_ACTIONS, actions);
		if (cmd == ONSRAM_CMD_RULE_SET && leave_out != ONSRAM_A_RULE_PRIORITY)
			nla_put_u32(msg, ONSRAM_A_RULE_PRIORITY, 1);
		nla_nest_end(msg, nest);
	}
	return ask(sock, msg, NULL);
}

#define RULE(cmd, key, nr, actions, leave_out) \
	rule(self->sock, self->family, &self->client, ONSRAM_CMD_RULE_##cmd, key, nr, actions, \
	     leave_out)

/* So many rules are in force */
static int count_rules(struct nl_sock *sock, int family, const struct client *c)
{
	struct nl_msg *msg = request(family, ONSRAM_CMD_RULE_GET, NLM_F_DUMP);
	int n = 0;

	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, c->dev->index);
	return ask(sock, msg, &n) ? -1 : n;
}

#define EXPECT_RULES(n) EXPECT_EQ(n, count_rules(self->sock, self->family, &self->client))

TEST_F(agent, rules)
{
	ATTACH();
	EXPECT_EQ(0, RULE(SET, 1, 3, ONSRAM_RULE_HOLD(0), 0));
	EXPECT_EQ(0, RULE(SET, 1, 1, ONSRAM_RULE_HOLD(1) | ONSRAM_RULE_DROP(2), 0));
	EXPECT_RULES(3);
	EXPECT_EQ(0, RULE(DEL, 2, 1, 0, 0));
	EXPECT_EQ(ENOENT, RULE(DEL, 2, 1, 0, 0));
	/* One that is missing: none of them is deleted */
	EXPECT_EQ(ENOENT, RULE(DEL, 1, 3, 0, 0));
	EXPECT_RULES(2);
	EXPECT_EQ(EINVAL, RULE(SET, 9, 0, 0, 0));
	EXPECT_EQ(EINVAL, RULE(SET, 9, 1, 1u << 6, 0));
	EXPECT_EQ(EINVAL, RULE(SET, 9, 1, 1u << 31, 0));
	EXPECT_EQ(EINVAL, RULE(SET, 9, 1, 1, ONSRAM_A_RULE_KEY));
	EXPECT_EQ(EINVAL, RULE(SET, 9, 1, 1, ONSRAM_A_RULE_ACTIONS));
	EXPECT_EQ(EINVAL, RULE(SET, 9, 1, 1, ONSRAM_A_RULE_PRIORITY));
	EXPECT_EQ(0, RULE(DEL, 0, 0, 0, 0));
	EXPECT_EQ(ENOENT, RULE(DEL, 1, 1, 0, 0));
}

/* All that a message names, or nothing */
TEST_F(agent, too_many_rules)
{
	ATTACH();
	EXPECT_EQ(0, RULE(SET, 1, ONSRAM_RULES_MAX - 1, ONSRAM_RULE_HOLD(0), 0));
	EXPECT_EQ(ENOSPC, RULE(SET, ONSRAM_RULES_MAX - 1, 3, ONSRAM_RULE_HOLD(0), 0));
	EXPECT_RULES(ONSRAM_RULES_MAX - 1);
	EXPECT_EQ(0, RULE(SET, ONSRAM_RULES_MAX - 1, 2, ONSRAM_RULE_HOLD(0), 0));
	EXPECT_EQ(ENOSPC, RULE(SET, ONSRAM_RULES_MAX + 1, 1, ONSRAM_RULE_HOLD(0), 0));
	EXPECT_EQ(0, RULE(DEL, 0, 0, 0, 0));
	EXPECT_EQ(0, RULE(SET, ONSRAM_RULES_MAX + 1, 1, ONSRAM_RULE_HOLD(0), 0));
}

/* A rule that a message names twice would be two rules */
TEST_F(agent, rule_twice)
{
	uint8_t cmds[] = { ONSRAM_CMD_RULE_SET, ONSRAM_CMD_RULE_DEL };
	struct nlattr *nest;
	uint32_t i, k;

	ATTACH();
	ASSERT_EQ(0, RULE(SET, 7, 1, ONSRAM_RULE_HOLD(0), 0));
	for (i = 0; i < 2; i++) {
		struct nl_msg *msg = request(self->family, cmds[i], NLM_F_ACK);

		nla_put_u32(msg, ONSRAM_A_DEVICE_ID, self->client.dev->index);
		for (k = 0; k < 2; k++) {
			nest = nla_nest_start(msg, ONSRAM_A_RULE | NLA_F_NESTED);
			nla_put_u64(msg, ONSRAM_A_RULE_KEY, 7);
			if (!i) {
				nla_put_u32(msg, ONSRAM_A_RULE_ACTIONS, 1);
				nla_put_u32(msg, ONSRAM_A_RULE_PRIORITY, 1);
			}
			nla_nest_end(msg, nest);
		}
		EXPECT_EQ(EINVAL, ask(self->sock, msg, NULL));
	}
	EXPECT_RULES(1);
}

TEST_HARNESS_MAIN
