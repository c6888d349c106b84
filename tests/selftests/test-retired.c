// SPDX-License-Identifier: MIT
/* What is reported as completed, and when */
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include <linux/onsram_netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "client.h"

FIXTURE(retired) {
	struct client client;
	struct nl_sock *sock;
	int knobs;
	uint32_t nr_events;
};

FIXTURE_SETUP(retired)
{
	struct client *c = &self->client;
	int group;

	self->knobs = open(KNOBS, O_RDWR);
	if (self->knobs < 0)
		SKIP(return, "no " KNOBS);
	ASSERT_EQ(0, write_file(TIMEOUT, "500"));
	ASSERT_EQ(0, client_open(c));
	ASSERT_EQ(0, onsram_device_set_policy(c->dev, "eager"));
	self->sock = nl_socket_alloc();
	ASSERT_NE(NULL, self->sock);
	nl_socket_disable_seq_check(self->sock);
	ASSERT_EQ(0, genl_connect(self->sock));
	group = genl_ctrl_resolve_grp(self->sock, ONSRAM_FAMILY_NAME, ONSRAM_MCGRP_EVENTS);
	ASSERT_LT(0, group);
	ASSERT_EQ(0, nl_socket_add_membership(self->sock, group));
}

FIXTURE_TEARDOWN(retired)
{
	if (self->sock)
		nl_socket_free(self->sock);
	client_close(&self->client);
	write_file(TIMEOUT, "30000");
	if (self->knobs >= 0)
		close(self->knobs);
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct genlmsghdr *hdr = nlmsg_data(nlmsg_hdr(msg));
	uint32_t *nr_events = arg;
	struct nlattr *nest;
	int rest;

	if (hdr->cmd != ONSRAM_CMD_OP_RETIRED)
		return NL_OK;
	nla_for_each_attr(nest, genlmsg_attrdata(hdr, 0), genlmsg_attrlen(hdr, 0), rest)
		*nr_events += nla_type(nest) == ONSRAM_A_RETIRED;
	return NL_OK;
}

/**
 * struct last_words - events of a client that closes its file
 * @gone: its id, once that was told
 * @before: operations told until then, of whatever client
 * @behind: operations of it told after
 */
struct last_words {
	uint32_t gone;
	uint32_t before;
	uint32_t behind;
};

static int on_last_words(struct nl_msg *msg, void *arg)
{
	struct genlmsghdr *hdr = nlmsg_data(nlmsg_hdr(msg));
	struct last_words *w = arg;
	struct nlattr *attr;
	int rest;

	nla_for_each_attr(attr, genlmsg_attrdata(hdr, 0), genlmsg_attrlen(hdr, 0), rest) {
		if (hdr->cmd == ONSRAM_CMD_CLIENT_GONE && nla_type(attr) == ONSRAM_A_CLIENT_ID)
			w->gone = nla_get_u32(attr);
		if (hdr->cmd != ONSRAM_CMD_OP_RETIRED || nla_type(attr) != ONSRAM_A_RETIRED)
			continue;
		if (!w->gone)
			w->before++;
		else
			w->behind += nla_get_u32(nla_find(nla_data(attr), nla_len(attr),
							  ONSRAM_A_RETIRED_CLIENT_ID)) == w->gone;
	}
	return NL_OK;
}

/* Who learns from clients forgets one when it goes, and must not hear of it again */
TEST_F(retired, nothing_of_a_client_that_is_gone)
{
	struct drm_onsram_op ops[3] = { add_op(), add_op(), add_op() };
	struct pollfd pfd = { .fd = nl_socket_get_fd(self->sock), .events = POLLIN };
	struct last_words words;
	struct client c;

	nl_socket_modify_cb(self->sock, NL_CB_VALID, NL_CB_CUSTOM, on_last_words, &words);
	for (int i = 0; i < 20; i++) {
		words = (struct last_words){ 0 };
		ASSERT_EQ(0, client_open(&c));
		ASSERT_EQ(0, onsram_device_set_policy(c.dev, "eager"));
		ASSERT_EQ(0, run_ops(&c, ops, 3));
		client_close(&c);
		while (poll(&pfd, 1, 100) > 0)
			nl_recvmsgs_default(self->sock);
		EXPECT_NE(0, words.gone);
		EXPECT_EQ(3, words.before);
		EXPECT_EQ(0, words.behind);
	}
}

TEST_F(retired, not_what_was_given_up)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = add_op(), other = fill_all_op(2), ops[3] = { op, op, op };
	struct pollfd pfd = { .fd = nl_socket_get_fd(self->sock), .events = POLLIN };

	nl_socket_modify_cb(self->sock, NL_CB_VALID, NL_CB_CUSTOM, on_event, &self->nr_events);
	other.operand[0].bo = 3;
	ASSERT_EQ(0, knob(self->knobs, "set hang-next 0"));
	EXPECT_EQ(-EIO, run_ops(c, ops, 3));
	ASSERT_EQ(0, run_ops(c, &other, 1));
	/* Until none comes for a while */
	while (self->nr_events < 2 && poll(&pfd, 1, 1000) > 0)
		nl_recvmsgs_default(self->sock);
	EXPECT_EQ(1, self->nr_events);
}

TEST_HARNESS_MAIN
