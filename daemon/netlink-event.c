// SPDX-License-Identifier: MIT
/* Events of the family as they arrive. */
#include <errno.h>

#include <linux/genetlink.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "netlink-link.h"

/**
 * struct event_read - reading what waits
 * @nl: link
 * @handler: who is told
 * @gone: the family was unregistered
 */
struct event_read {
	struct onsram_nl *nl;
	const struct onsram_nl_handler *handler;
	bool gone;
};

static int on_event(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct event_read *r = arg;

	if (nlh->nlmsg_type == r->nl->family) {
		/* A malformed event is no reason to miss those behind it */
		onsram_nl_parse_event(nlh, r->handler);
	} else if (nlh->nlmsg_type == GENL_ID_CTRL && genlmsg_valid_hdr(nlh, 0) &&
		   genlmsg_hdr(nlh)->cmd == CTRL_CMD_DELFAMILY) {
		struct nlattr *tb[CTRL_ATTR_MAX + 1];

		if (!genlmsg_parse(nlh, 0, tb, CTRL_ATTR_MAX, NULL) && tb[CTRL_ATTR_FAMILY_ID] &&
		    nla_len(tb[CTRL_ATTR_FAMILY_ID]) >= 2)
			r->gone |= nla_get_u16(tb[CTRL_ATTR_FAMILY_ID]) == r->nl->family;
	}
	return NL_OK;
}

/* Events have no sequence to check */
static int on_event_sequence(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

int onsram_nl_read_events(struct onsram_nl *nl, const struct onsram_nl_handler *handler)
{
	struct event_read r = { .nl = nl, .handler = handler };
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_event, &r);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_event_sequence, NULL);
	do {
		ret = nl_recvmsgs_report(nl->ev, cb);
	} while (ret > 0 && !r.gone);
	nl_cb_put(cb);
	if (r.gone)
		return -ENODEV;
	/* The library's word for ENOBUFS is NLE_NOMEM */
	return ret == -NLE_NOMEM ? -ENOBUFS : ret == -NLE_AGAIN ? 0 : onsram_nl_errno(ret);
}
