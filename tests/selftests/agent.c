// SPDX-License-Identifier: MIT
#include <errno.h>

#include "agent.h"

struct nl_msg *request(int family, uint8_t cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(1 << 20);

	if (msg)
		genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, flags, cmd,
			    ONSRAM_FAMILY_VERSION);
	return msg;
}

/* Answers are taken as messages, an error's is kept: libnl's own codes lose the errno */
static int on_error(struct sockaddr_nl *who, struct nlmsgerr *e, void *arg)
{
	(void)who;
	*(int *)arg = -e->error;
	return NL_STOP;
}

static int on_end(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_STOP;
}

static int count_message(struct nl_msg *msg, void *arg)
{
	(void)msg;
	++*(int *)arg;
	return NL_OK;
}

int ask(struct nl_sock *sock, struct nl_msg *msg, int *messages)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int error = 0, count = 0, ret;

	nl_cb_err(cb, NL_CB_CUSTOM, on_error, &error);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, NULL);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, NULL);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, count_message, &count);
	ret = nl_send_auto(sock, msg);
	nlmsg_free(msg);
	if (ret >= 0)
		ret = nl_recvmsgs(sock, cb);
	/* A do-request with an answer sends the answer first, then its acknowledgement. */
	if (ret >= 0 && !error && count && messages && *messages < 0)
		ret = nl_recvmsgs(sock, cb);
	nl_cb_put(cb);
	if (messages)
		*messages = count;
	return error ? error : ret < 0 ? EIO : 0;
}

int simple(struct nl_sock *sock, int family, uint8_t cmd, uint32_t device)
{
	struct nl_msg *msg = request(family, cmd, NLM_F_ACK);
	int answers = -1;

	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, device);
	return ask(sock, msg, &answers);
}

int attach(struct nl_sock *sock, int family, const struct client *c)
{
	int ret = simple(sock, family, ONSRAM_CMD_ATTACH, c->dev->index);

	return ret ? ret : simple(sock, family, ONSRAM_CMD_DONE, c->dev->index);
}
