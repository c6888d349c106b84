// SPDX-License-Identifier: MIT
#include <errno.h>
#include <sys/socket.h>

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

int open_sockets(struct nl_sock **sock, struct nl_sock **events, int *family)
{
	int group;

	*sock = nl_socket_alloc();
	*events = nl_socket_alloc();
	if (!*sock || !*events || genl_connect(*sock) || genl_connect(*events) ||
	    nl_socket_set_buffer_size(*sock, 1 << 20, 1 << 20) ||
	    nl_socket_set_buffer_size(*events, 1 << 20, 0))
		return -1;
	*family = genl_ctrl_resolve(*sock, ONSRAM_FAMILY_NAME);
	group = genl_ctrl_resolve_grp(*sock, ONSRAM_FAMILY_NAME, ONSRAM_MCGRP_EVENTS);
	nl_socket_disable_seq_check(*events);
	return *family < 0 || group < 0 ? -1 : nl_socket_add_membership(*events, group);
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
			if (h->nr == MAX_ENTRIES)
				break;
			h->entry[h->nr].signature = nla_get_u64(tb[ONSRAM_A_RETIRED_SIGNATURE]);
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

uint64_t hear_sync(struct nl_sock *events, struct heard *h)
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
