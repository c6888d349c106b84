// SPDX-License-Identifier: MIT
/*
 * What the policy agent hears of operations, and who waits for it. The test is the
 * agent itself, so no other may be attached.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <pthread.h>

#include "agent.h"

#define STALL_MS	"300"

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
	ASSERT_EQ(0, client_open(&self->client));
	ASSERT_EQ(0, onsram_device_set_policy(self->client.dev, "eager"));
	ASSERT_EQ(0, open_sockets(&self->sock, &self->events, &self->family));
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

/* However far the sender of events has got when the client asks */
TEST_F_TIMEOUT(agent, digested_while_sending, 300)
{
	struct drm_onsram_op ops[MAX_ENTRIES];
	struct client *c = &self->client;
	uint32_t i;

	ATTACH();
	for (i = 0; i < MAX_ENTRIES; i++)
		ops[i] = fill_op(1);
	for (i = 0; i < 200; i++) {
		self->heard.nr = 0;
		ASSERT_EQ(0, run_ops(c, ops, MAX_ENTRIES));
		usleep(i * 50);
		EXPECT_EQ(-ETIME, AGENT_SYNC(0));
		ASSERT_NE(0, HEAR_SYNC());
		EXPECT_EQ(MAX_ENTRIES, self->heard.nr);
		ASSERT_EQ(0, SYNC_DONE(self->heard.sync));
	}
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

TEST_HARNESS_MAIN
