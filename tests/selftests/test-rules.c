// SPDX-License-Identifier: MIT
/*
 * Rules of the policy agent and the steps of its sequences. The test is the agent
 * itself, so no other may be attached.
 */
#include "kselftest_harness.h"

#include "agent.h"

FIXTURE(rules) {
	struct client client;
	struct nl_sock *sock;
	struct nl_sock *events;
	int family;
	struct heard heard;
};

FIXTURE_SETUP(rules)
{
	ASSERT_EQ(0, client_open(&self->client));
	ASSERT_EQ(0, onsram_device_set_policy(self->client.dev, "eager"));
	ASSERT_EQ(0, open_sockets(&self->sock, &self->events, &self->family));
	ASSERT_EQ(0, attach(self->sock, self->family, &self->client));
}

FIXTURE_TEARDOWN(rules)
{
	nl_socket_free(self->sock);
	nl_socket_free(self->events);
	client_close(&self->client);
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

TEST_F(rules, set_and_delete)
{
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
TEST_F(rules, too_many)
{
	uint32_t n;

	/* As many as a message has room for */
	for (n = 1; n < ONSRAM_RULES_MAX; n += 4095)
		EXPECT_EQ(0, RULE(SET, n, ONSRAM_RULES_MAX - n < 4095 ? ONSRAM_RULES_MAX - n : 4095,
				  ONSRAM_RULE_HOLD(0), 0));
	EXPECT_EQ(ENOSPC, RULE(SET, ONSRAM_RULES_MAX - 1, 3, ONSRAM_RULE_HOLD(0), 0));
	EXPECT_RULES(ONSRAM_RULES_MAX - 1);
	EXPECT_EQ(0, RULE(SET, ONSRAM_RULES_MAX - 1, 2, ONSRAM_RULE_HOLD(0), 0));
	EXPECT_EQ(ENOSPC, RULE(SET, ONSRAM_RULES_MAX + 1, 1, ONSRAM_RULE_HOLD(0), 0));
	EXPECT_EQ(0, RULE(DEL, 0, 0, 0, 0));
	EXPECT_EQ(0, RULE(SET, ONSRAM_RULES_MAX + 1, 1, ONSRAM_RULE_HOLD(0), 0));
}

/* A rule that a message names twice would be two rules */
TEST_F(rules, twice)
{
	uint8_t cmds[] = { ONSRAM_CMD_RULE_SET, ONSRAM_CMD_RULE_DEL };
	struct nlattr *nest;
	uint32_t i, k;

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

/* A step of a sequence */
struct step {
	uint64_t key;
	uint32_t state;
	uint32_t next;
	uint32_t actions;
	uint32_t place;		/* of every slot */
	uint32_t leave_out;	/* attribute, or 0 */
	uint32_t places;	/* bytes of PLACES, 0: all */
};

static int set_step(struct nl_sock *sock, int family, const struct client *c, const struct step *s)
{
	struct nl_msg *msg = request(family, ONSRAM_CMD_RULE_SET, NLM_F_ACK);
	uint32_t places[ONSRAM_MAX_OPERANDS + 1];
	struct nlattr *nest;
	uint32_t i;

	for (i = 0; i <= ONSRAM_MAX_OPERANDS; i++)
		places[i] = s->place;
	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, c->dev->index);
	nest = nla_nest_start(msg, ONSRAM_A_RULE | NLA_F_NESTED);
	nla_put_u64(msg, ONSRAM_A_RULE_KEY, s->key);
	nla_put_u32(msg, ONSRAM_A_RULE_ACTIONS, s->actions);
	nla_put_u32(msg, ONSRAM_A_RULE_PRIORITY, 0);
	if (s->leave_out != ONSRAM_A_RULE_STATE)
		nla_put_u32(msg, ONSRAM_A_RULE_STATE, s->state);
	if (s->leave_out != ONSRAM_A_RULE_NEXT)
		nla_put_u32(msg, ONSRAM_A_RULE_NEXT, s->next);
	if (s->leave_out != ONSRAM_A_RULE_PLACES)
		nla_put(msg, ONSRAM_A_RULE_PLACES, s->places ? s->places : sizeof(places) - 4, places);
	nla_nest_end(msg, nest);
	return ask(sock, msg, NULL);
}

#define STEP(key_, state_, next_, actions_, place_, ...) ({ \
	const struct step step_ = { .key = key_, .state = state_, .next = next_, \
				    .actions = actions_, .place = place_, __VA_ARGS__ }; \
	set_step(self->sock, self->family, &self->client, &step_); \
})

TEST_F(rules, bad_steps)
{
	EXPECT_EQ(EINVAL, STEP(7, 1, 2, 1, 0, .leave_out = ONSRAM_A_RULE_STATE));
	EXPECT_EQ(EINVAL, STEP(7, 1, 2, 1, 0, .leave_out = ONSRAM_A_RULE_NEXT));
	EXPECT_EQ(EINVAL, STEP(7, 1, 2, 1, 0, .leave_out = ONSRAM_A_RULE_PLACES));
	EXPECT_NE(0, STEP(7, 0, 2, 1, 0));
	EXPECT_NE(0, STEP(7, 1, 0, 1, 0));
	EXPECT_EQ(EINVAL, STEP(7, 1, 2, 1, 512));
	EXPECT_NE(0, STEP(7, 1, 2, 1, 0, .places = 20));
	EXPECT_NE(0, STEP(7, 1, 2, 1, 0, .places = 28));
	EXPECT_RULES(0);
	/* A rule and two steps with the same key, in states of their own */
	EXPECT_EQ(0, RULE(SET, 7, 1, ONSRAM_RULE_HOLD(0), 0));
	EXPECT_EQ(0, STEP(7, 1, 2, 1, 0));
	EXPECT_EQ(0, STEP(7, 2, 1, 1, 0));
	EXPECT_EQ(0, STEP(7, 2, 1, 0, 1024));
	EXPECT_RULES(3);
	EXPECT_EQ(0, RULE(DEL, 7, 1, 0, 0));
	EXPECT_RULES(2);
}

/* Steps are taken one behind the other; an operation that none expects ends that without harm */
TEST_F(rules, steps)
{
	struct client *c = &self->client;
	struct drm_onsram_op a = fill_op(1), b = fill_all_op(2);
	struct drm_onsram_bo_info info;
	struct drm_onsram_stats s;
	float y[4];
	int i;

	ASSERT_EQ(0, run_ops(c, &a, 1));
	ASSERT_EQ(0, run_ops(c, &b, 1));
	ASSERT_EQ(-ETIME, onsram_agent_sync(c->dev, 0, 0));
	ASSERT_NE(0, hear_sync(self->events, &self->heard));
	ASSERT_EQ(2, self->heard.nr);
	/* b behind a, and only there, goes to a place of its own */
	ASSERT_EQ(0, STEP(self->heard.entry[0].signature, ONSRAM_STATE_START, 2, 0, 0));
	ASSERT_EQ(0, STEP(self->heard.entry[1].signature, 2, ONSRAM_STATE_START, ONSRAM_RULE_HOLD(0),
			  7 * BUFFER_BYTES));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, onsram_bo_advise(c->dev, &c->bo[0], DRM_ONSRAM_ADVICE_DEAD));
		ASSERT_EQ(0, run_ops(c, &a, 1));
		ASSERT_EQ(0, run_ops(c, &b, 1));
		ASSERT_EQ(0, onsram_bo_info(c->dev, &c->bo[0], &info));
		EXPECT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, info.residency);
		EXPECT_EQ(7 * BUFFER_BYTES, info.spm_offset);
	}
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s));
	/* The second b is expected by nobody: the fallback policy places it */
	ASSERT_EQ(0, onsram_bo_advise(c->dev, &c->bo[0], DRM_ONSRAM_ADVICE_DEAD));
	ASSERT_EQ(0, run_ops(c, &b, 1));
	ASSERT_EQ(0, onsram_bo_info(c->dev, &c->bo[0], &info));
	EXPECT_NE(7 * BUFFER_BYTES, info.spm_offset);
	EXPECT_EQ(s.fallbacks + 1, (onsram_device_stats(c->dev, &s), s.fallbacks));
	/* A place that no buffer can have is no place */
	ASSERT_EQ(0, STEP(self->heard.entry[0].signature, ONSRAM_STATE_START, 2, ONSRAM_RULE_HOLD(0),
			  UINT32_MAX & ~1023u));
	ASSERT_EQ(0, run_ops(c, &a, 1));
	ASSERT_EQ(0, run_ops(c, &b, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 4));
	EXPECT_EQ(2, y[3]);
}

TEST_HARNESS_MAIN
