// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "onsram": dumps of graphs.
 */

#include <drm/drm_drv.h>

#include "onsram_link.h"

/**
 * struct onsram_graph_dump - where a dump of graphs stands
 * @odev: device, a reference
 * @graph: the one graph it is about, a reference, or NULL for the list
 * @next: list: lowest id not sent; one graph: next entry, operations before tensors
 * @headed: the graph's own attributes were sent
 */
struct onsram_graph_dump {
	struct onsram_device *odev;
	struct onsram_graph *graph;
	u32 next;
	bool headed;
};

int onsram_nl_graph_dump_start(struct netlink_callback *cb)
{
	struct onsram_graph_dump *dump = (struct onsram_graph_dump *)cb->ctx;
	const struct genl_info *info = genl_info_dump(cb);
	struct nlattr *attr = info->attrs[ONSRAM_A_GRAPH_ID];
	struct onsram_link *link;

	BUILD_BUG_ON(sizeof(*dump) > sizeof(cb->ctx));
	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	if (attr) {
		dump->graph = onsram_graph_lookup(link->odev, nla_get_u32(attr));
		if (!dump->graph) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such graph");
			return -ENOENT;
		}
	}
	dump->odev = link->odev;
	drm_dev_get(&dump->odev->drm);
	return 0;
}

int onsram_nl_graph_dump_done(struct netlink_callback *cb)
{
	struct onsram_graph_dump *dump = (struct onsram_graph_dump *)cb->ctx;

	if (dump->graph)
		onsram_graph_put(dump->graph);
	if (dump->odev)
		drm_dev_put(&dump->odev->drm);
	return 0;
}

static int onsram_nl_put_graph(struct sk_buff *skb, struct onsram_graph *graph)
{
	struct onsram_policy policy;
	bool has_plan;

	onsram_context_policy(graph->ctx, &policy);
	mutex_lock(&graph->lock);
	has_plan = graph->plan;
	mutex_unlock(&graph->lock);

	if (nla_put_u32(skb, ONSRAM_A_DEVICE_ID, graph->odev->drm.accel->index) ||
	    nla_put_u32(skb, ONSRAM_A_GRAPH_ID, graph->id) ||
	    nla_put_u32(skb, ONSRAM_A_CLIENT_ID, graph->ctx->client.id) ||
	    onsram_nl_put_policy(skb, &policy) ||
	    nla_put_u32(skb, ONSRAM_A_NR_OPS, graph->nr_ops) ||
	    nla_put_u32(skb, ONSRAM_A_NR_TENSORS, graph->nr_tensors) ||
	    nla_put_u8(skb, ONSRAM_A_HAS_PLAN, has_plan))
		return -EMSGSIZE;
	return 0;
}

static int onsram_nl_put_tensor(struct sk_buff *skb, struct onsram_graph *graph, u32 i)
{
	struct nlattr *nest = nla_nest_start(skb, ONSRAM_A_TENSOR);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, ONSRAM_A_TENSOR_INDEX, i) ||
	    nla_put_u32(skb, ONSRAM_A_TENSOR_FLAGS, graph->tensor_flags[i]) ||
	    nla_put_u64_64bit(skb, ONSRAM_A_TENSOR_BYTES, graph->bos[i]->bytes,
			      ONSRAM_A_TENSOR_PAD)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* One message with as many entries as fit; the graph does not change while it is dumped */
static int onsram_nl_dump_one(struct sk_buff *skb, struct netlink_callback *cb,
			      struct onsram_graph_dump *dump)
{
	struct onsram_graph *graph = dump->graph;
	u32 first = dump->next;
	void *hdr;
	int ret;

	if (dump->headed && first == graph->nr_ops + graph->nr_tensors)
		return 0;
	hdr = onsram_nl_dump_begin(skb, cb, ONSRAM_CMD_GRAPH_GET);
	if (!hdr)
		return -EMSGSIZE;
	ret = dump->headed ? 0 : onsram_nl_put_graph(skb, graph);
	if (ret) {
		genlmsg_cancel(skb, hdr);
		return ret;
	}

	for (; dump->next < graph->nr_ops + graph->nr_tensors; dump->next++) {
		u32 i = dump->next;

		if (i < graph->nr_ops)
			ret = nla_put(skb, ONSRAM_A_OP, sizeof(graph->uops[i]), &graph->uops[i]);
		else
			ret = onsram_nl_put_tensor(skb, graph, i - graph->nr_ops);
		if (ret)
			break;
	}
	if (dump->headed && dump->next == first) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	dump->headed = true;
	genlmsg_end(skb, hdr);
	return skb->len;
}

static int onsram_nl_dump_list(struct sk_buff *skb, struct netlink_callback *cb,
			       struct onsram_graph_dump *dump)
{
	struct onsram_graph *graph;
	void *hdr;
	int ret;

	cb->seq = atomic_read(&dump->odev->link->sequence);
	while ((graph = onsram_graph_next(dump->odev, dump->next))) {
		ret = -EMSGSIZE;
		hdr = onsram_nl_dump_begin(skb, cb, ONSRAM_CMD_GRAPH_GET);
		if (hdr) {
			genl_dump_check_consistent(cb, hdr);
			ret = onsram_nl_put_graph(skb, graph);
			if (ret)
				genlmsg_cancel(skb, hdr);
			else
				genlmsg_end(skb, hdr);
		}
		if (!ret)
			dump->next = graph->id + 1;
		onsram_graph_put(graph);
		if (ret)
			break;
	}
	return skb->len;
}

int onsram_nl_graph_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct onsram_graph_dump *dump = (struct onsram_graph_dump *)cb->ctx;

	if (dump->graph)
		return onsram_nl_dump_one(skb, cb, dump);
	return onsram_nl_dump_list(skb, cb, dump);
}
