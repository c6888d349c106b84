// SPDX-License-Identifier: MIT
/* Operations that were given up are not reported as completed */
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
