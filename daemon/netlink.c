// SPDX-License-Identifier: MIT
/* Sockets, requests and answers of the family. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <linux/genetlink.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "netlink-link.h"

/* A kernel that does not answer for so long never will */
#define ANSWER_SECONDS	10
/* Room for events of a busy device while the daemon plans */
#define EVENT_BUFFER	(8 << 20)
/* Room for a plan of ONSRAM_PLAN_MAX_INTERVALS, and for a message of so many rules */
#define REQUEST_BUFFER	(2 << 20)
#define HEADER_BYTES	256
#define INTERVAL_BYTES	96
#define RULE_BYTES	96
#define RULES_ONCE	256

static _Thread_local char why[256];

const char *onsram_nl_why(void)
{
	return why;
}

int onsram_nl_errno(int err)
{
	switch (-err) {
	case NLE_SUCCESS:
		return 0;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_OBJ_NOTFOUND:
	case NLE_NOATTR:
		return -ENOENT;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_AGAIN:
		return -ETIMEDOUT;
	case NLE_DUMP_INTR:
		return -EAGAIN;
	case NLE_NODEV:
		return -ENODEV;
	default:
		return -EIO;
	}
}

static void force_buffer(struct nl_sock *sk, int which, int forced, int bytes)
{
	/* Beyond the system's limit where we may, up to it where not */
	if (setsockopt(nl_socket_get_fd(sk), SOL_SOCKET, forced, &bytes, sizeof(bytes)))
		setsockopt(nl_socket_get_fd(sk), SOL_SOCKET, which, &bytes, sizeof(bytes));
}

static int open_requests(struct onsram_nl *nl)
{
	struct timeval patience = { .tv_sec = ANSWER_SECONDS };
	int on = 1, ret;

	nl->req = nl_socket_alloc();
	if (!nl->req)
		return -ENOMEM;
	ret = onsram_nl_errno(genl_connect(nl->req));
	if (ret)
		return ret;
	nl_socket_enable_msg_peek(nl->req);
	setsockopt(nl_socket_get_fd(nl->req), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(nl_socket_get_fd(nl->req), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	force_buffer(nl->req, SO_SNDBUF, SO_SNDBUFFORCE, REQUEST_BUFFER);
	nl->family = genl_ctrl_resolve(nl->req, ONSRAM_FAMILY_NAME);
	return nl->family < 0 ? onsram_nl_errno(nl->family) : 0;
}

static int open_events(struct onsram_nl *nl)
{
	int group = genl_ctrl_resolve_grp(nl->req, ONSRAM_FAMILY_NAME, ONSRAM_MCGRP_EVENTS);
	int ctrl = genl_ctrl_resolve_grp(nl->req, "nlctrl", "notify"), ret;

	if (group < 0 || ctrl < 0)
		return onsram_nl_errno(group < 0 ? group : ctrl);
	nl->ev = nl_socket_alloc();
	if (!nl->ev)
		return -ENOMEM;
	ret = onsram_nl_errno(genl_connect(nl->ev));
	if (ret)
		return ret;
	nl_socket_enable_msg_peek(nl->ev);
	force_buffer(nl->ev, SO_RCVBUF, SO_RCVBUFFORCE, EVENT_BUFFER);
	nl_socket_set_nonblocking(nl->ev);
	/* The controller tells when the driver is unloaded */
	ret = nl_socket_add_memberships(nl->ev, group, ctrl, 0);
	return onsram_nl_errno(ret);
}

int onsram_nl_open(struct onsram_nl **out)
{
	struct onsram_nl *nl = calloc(1, sizeof(*nl));
	int ret;

	if (!nl)
		return -ENOMEM;
	pthread_mutex_init(&nl->lock, NULL);
	nl->refs = 1;
	ret = open_requests(nl);
	if (!ret)
		ret = open_events(nl);
	if (ret) {
		onsram_nl_close(nl);
		nl = NULL;
	}
	*out = nl;
	return ret;
}

void onsram_nl_close(struct onsram_nl *nl)
{
	if (!nl)
		return;
	pthread_mutex_lock(&nl->lock);
	nl_socket_free(nl->req);
	nl->req = NULL;
	pthread_mutex_unlock(&nl->lock);
	nl_socket_free(nl->ev);
	onsram_nl_put(nl);
}

struct onsram_nl *onsram_nl_get(struct onsram_nl *nl)
{
	nl->refs++;
	return nl;
}

void onsram_nl_put(struct onsram_nl *nl)
{
	if (--nl->refs)
		return;
	pthread_mutex_destroy(&nl->lock);
	free(nl);
}

int onsram_nl_event_fd(const struct onsram_nl *nl)
{
	return nl_socket_get_fd(nl->ev);
}

/* --- a request and its answers -------------------------------------------------- */

/**
 * struct answer - what became of a request
 * @message: called for each message of the answer; stops at its first error
 * @arg: for @message
 * @done: the answer is complete
 * @ret: outcome
 */
struct answer {
	int (*message)(struct nlmsghdr *nlh, void *arg);
	void *arg;
	bool done;
	int ret;
};

static int on_message(struct nl_msg *msg, void *arg)
{
	struct answer *a = arg;

	if (!a->ret && a->message)
		a->ret = a->message(nlmsg_hdr(msg), a->arg);
	return NL_OK;
}

static int on_end(struct nl_msg *msg, void *arg)
{
	struct answer *a = arg;

	(void)msg;
	a->done = true;
	return NL_STOP;
}

static int on_interrupted(struct nl_msg *msg, void *arg)
{
	struct answer *a = arg;

	(void)msg;
	if (!a->ret)
		a->ret = -EAGAIN;
	return NL_OK;
}

/* The kernel's words follow the request that it echoes */
static void note_why(const struct nlmsgerr *err)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)((const char *)err - NLMSG_HDRLEN);
	size_t skip = sizeof(*err);
	struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(err->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (nlh->nlmsg_len < NLMSG_HDRLEN + skip)
		return;
	attr = nla_find((struct nlattr *)((const char *)err + skip),
			(int)(nlh->nlmsg_len - NLMSG_HDRLEN - skip), NLMSGERR_ATTR_MSG);
	if (attr)
		nla_strlcpy(why, attr, sizeof(why));
}

static int on_error(struct sockaddr_nl *who, struct nlmsgerr *err, void *arg)
{
	struct answer *a = arg;

	(void)who;
	a->ret = err->error;
	a->done = true;
	note_why(err);
	return NL_STOP;
}

static struct nl_msg *request(struct onsram_nl *nl, uint8_t cmd, int flags, uint32_t device,
			      size_t payload)
{
	struct nl_msg *msg = nlmsg_alloc_size(HEADER_BYTES + payload);

	if (!msg)
		return NULL;
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0, flags, cmd,
			 ONSRAM_FAMILY_VERSION) ||
	    (device != UINT32_MAX && nla_put_u32(msg, ONSRAM_A_DEVICE_ID, device))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* Sends @msg, frees it, and waits for all of the answer */
static int ask(struct onsram_nl *nl, struct nl_msg *msg,
	       int (*message)(struct nlmsghdr *nlh, void *arg), void *arg)
{
	struct answer a = { .message = message, .arg = arg };
	struct nl_cb *cb;
	int ret;

	why[0] = '\0';
	if (!msg)
		return -ENOMEM;
	cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!cb) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_message, &a);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, &a);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, &a);
	nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, &a);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, &a);
	pthread_mutex_lock(&nl->lock);
	ret = nl->req ? nl_send_auto(nl->req, msg) : -NLE_NODEV;
	ret = ret < 0 ? onsram_nl_errno(ret) : 0;
	while (!ret && !a.done)
		ret = onsram_nl_errno(nl_recvmsgs(nl->req, cb));
	pthread_mutex_unlock(&nl->lock);
	nlmsg_free(msg);
	nl_cb_put(cb);
	return a.ret ? a.ret : ret;
}

/**
 * struct device_visit - the caller's function of onsram_nl_devices()
 * @fn: function
 * @arg: for @fn
 */
struct device_visit {
	void (*fn)(void *arg, const struct onsram_nl_device *dev);
	void *arg;
};

static int on_device(struct nlmsghdr *nlh, void *arg)
{
	struct device_visit *v = arg;
	struct onsram_nl_device dev;
	int ret = onsram_nl_parse_device(nlh, &dev);

	if (!ret)
		v->fn(v->arg, &dev);
	return ret;
}

int onsram_nl_devices(struct onsram_nl *nl, void (*fn)(void *arg, const struct onsram_nl_device *dev),
		      void *arg)
{
	struct device_visit v = { fn, arg };

	return ask(nl, request(nl, ONSRAM_CMD_DEVICE_GET, NLM_F_DUMP, UINT32_MAX, 0), on_device, &v);
}

static int on_attached(struct nlmsghdr *nlh, void *arg)
{
	return onsram_nl_parse_device(nlh, arg);
}

int onsram_nl_attach(struct onsram_nl *nl, uint32_t device, const char *const *policies, uint32_t n,
		     struct onsram_nl_device *dev)
{
	struct nl_msg *msg = request(nl, ONSRAM_CMD_ATTACH, NLM_F_ACK, device,
				     n * nla_total_size(DRM_ONSRAM_POLICY_NAME_LEN));

	for (uint32_t i = 0; msg && i < n; i++) {
		if (nla_put_string(msg, ONSRAM_A_POLICY_NAME, policies[i])) {
			nlmsg_free(msg);
			msg = NULL;
		}
	}
	return ask(nl, msg, on_attached, dev);
}

int onsram_nl_done(struct onsram_nl *nl, uint32_t device)
{
	return ask(nl, request(nl, ONSRAM_CMD_DONE, NLM_F_ACK, device, 0), NULL, NULL);
}

/**
 * struct graph_visit - the caller's function of onsram_nl_graphs()
 * @fn: function
 * @arg: for @fn
 */
struct graph_visit {
	void (*fn)(void *arg, const struct onsram_nl_graph *graph);
	void *arg;
};

static int on_graph(struct nlmsghdr *nlh, void *arg)
{
	struct graph_visit *v = arg;
	struct onsram_nl_graph graph;
	int ret = onsram_nl_parse_graph(nlh, &graph, NULL);

	if (!ret)
		v->fn(v->arg, &graph);
	return ret;
}

int onsram_nl_graphs(struct onsram_nl *nl, uint32_t device,
		     void (*fn)(void *arg, const struct onsram_nl_graph *graph), void *arg)
{
	struct graph_visit v = { fn, arg };

	return ask(nl, request(nl, ONSRAM_CMD_GRAPH_GET, NLM_F_DUMP, device, 0), on_graph, &v);
}

static int on_copy(struct nlmsghdr *nlh, void *arg)
{
	return onsram_nl_parse_copy(nlh, arg);
}

int onsram_nl_read_graph(struct onsram_nl *nl, uint32_t device, uint32_t graph,
			 struct onsram_nl_copy *copy)
{
	struct nl_msg *msg = request(nl, ONSRAM_CMD_GRAPH_GET, NLM_F_DUMP, device, 0);
	int ret;

	*copy = (struct onsram_nl_copy){ 0 };
	if (msg && nla_put_u32(msg, ONSRAM_A_GRAPH_ID, graph)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	ret = ask(nl, msg, on_copy, copy);
	return ret ? ret : onsram_nl_copy_check(copy);
}

static int put_interval(struct nl_msg *msg, const struct onsram_interval *iv)
{
	/* The kernel's strict validation wants nests flagged */
	struct nlattr *nest = nla_nest_start(msg, ONSRAM_A_INTERVAL | NLA_F_NESTED);

	if (!nest ||
	    nla_put_u32(msg, ONSRAM_A_INTERVAL_TENSOR, iv->tensor) ||
	    nla_put_u32(msg, ONSRAM_A_INTERVAL_FIRST_OP, iv->first_op) ||
	    nla_put_u32(msg, ONSRAM_A_INTERVAL_LAST_OP, iv->last_op) ||
	    nla_put_u32(msg, ONSRAM_A_INTERVAL_FLAGS, iv->flags) ||
	    nla_put_u32(msg, ONSRAM_A_INTERVAL_OFFSET, iv->offset) ||
	    nla_put_u32(msg, ONSRAM_A_INTERVAL_BYTES, iv->bytes) ||
	    nla_put_u64(msg, ONSRAM_A_INTERVAL_BEGIN, iv->begin) ||
	    nla_put_u32(msg, ONSRAM_A_INTERVAL_RESERVE_OP, iv->reserve_op) ||
	    nla_put_u32(msg, ONSRAM_A_INTERVAL_RELEASE_OP, iv->release_op))
		return -1;
	return nla_nest_end(msg, nest);
}

int onsram_nl_set_plan(struct onsram_nl *nl, uint32_t device, uint32_t graph,
		       const struct onsram_interval *iv, uint32_t n)
{
	struct nl_msg *msg = request(nl, ONSRAM_CMD_PLAN_SET, NLM_F_ACK, device,
				     (size_t)n * INTERVAL_BYTES);
	int bad = !msg || nla_put_u32(msg, ONSRAM_A_GRAPH_ID, graph);

	for (uint32_t i = 0; i < n && !bad; i++)
		bad = put_interval(msg, &iv[i]);
	if (bad) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return ask(nl, msg, NULL, NULL);
}

static int put_rule(struct nl_msg *msg, const struct onsram_rule *rule, bool gone)
{
	struct nlattr *nest = nla_nest_start(msg, ONSRAM_A_RULE | NLA_F_NESTED);

	if (!nest || nla_put_u64(msg, ONSRAM_A_RULE_KEY, rule->key) ||
	    (rule->state && nla_put_u32(msg, ONSRAM_A_RULE_STATE, rule->state)))
		return -1;
	if (!gone && (nla_put_u32(msg, ONSRAM_A_RULE_ACTIONS, rule->actions) ||
		      nla_put_u32(msg, ONSRAM_A_RULE_PRIORITY, rule->priority)))
		return -1;
	if (!gone && rule->state &&
	    (nla_put_u32(msg, ONSRAM_A_RULE_NEXT, rule->next) ||
	     nla_put(msg, ONSRAM_A_RULE_PLACES, sizeof(rule->place), rule->place)))
		return -1;
	return nla_nest_end(msg, nest);
}

int onsram_nl_set_rules(struct onsram_nl *nl, uint32_t device, const struct onsram_rule *rules,
			uint32_t n, bool gone)
{
	uint8_t cmd = gone ? ONSRAM_CMD_RULE_DEL : ONSRAM_CMD_RULE_SET;
	uint32_t i = 0;
	int ret;

	do {
		uint32_t end = n - i > RULES_ONCE ? i + RULES_ONCE : n;
		struct nl_msg *msg = request(nl, cmd, NLM_F_ACK, device,
					     (size_t)(end - i) * RULE_BYTES);
		int bad = !msg;

		for (; i < end && !bad; i++)
			bad = put_rule(msg, &rules[i], gone);
		if (bad) {
			nlmsg_free(msg);
			return -ENOMEM;
		}
		ret = ask(nl, msg, NULL, NULL);
	} while (i < n && !ret);
	return ret;
}

int onsram_nl_sync_done(struct onsram_nl *nl, uint32_t device, uint64_t seq)
{
	struct nl_msg *msg = request(nl, ONSRAM_CMD_SYNC_DONE, NLM_F_ACK, device, 0);

	if (msg && nla_put_u64(msg, ONSRAM_A_SYNC, seq)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return ask(nl, msg, NULL, NULL);
}
