// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "onsram": plans.
 */

#include <linux/slab.h>

#include "onsram_link.h"
#include "onsram_plan.h"

const struct nla_policy onsram_nl_interval_policy[ONSRAM_A_INTERVAL_MAX + 1] = {
	[ONSRAM_A_INTERVAL_TENSOR] = { .type = NLA_U32 },
	[ONSRAM_A_INTERVAL_FIRST_OP] = { .type = NLA_U32 },
	[ONSRAM_A_INTERVAL_LAST_OP] = { .type = NLA_U32 },
	[ONSRAM_A_INTERVAL_FLAGS] = NLA_POLICY_MASK(NLA_U32, ONSRAM_INTERVAL_FETCH |
							     ONSRAM_INTERVAL_KEEP |
							     ONSRAM_INTERVAL_OVERWRITE),
	[ONSRAM_A_INTERVAL_OFFSET] = { .type = NLA_U32 },
	[ONSRAM_A_INTERVAL_BYTES] = { .type = NLA_U32 },
	[ONSRAM_A_INTERVAL_BEGIN] = { .type = NLA_U64 },
	[ONSRAM_A_INTERVAL_RESERVE_OP] = { .type = NLA_U32 },
	[ONSRAM_A_INTERVAL_RELEASE_OP] = { .type = NLA_U32 },
};

static int onsram_nl_parse_interval(struct onsram_plan_interval *iv, struct nlattr *nest,
				    struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ONSRAM_A_INTERVAL_MAX + 1];
	int i, ret;

	ret = nla_parse_nested(tb, ONSRAM_A_INTERVAL_MAX, nest, onsram_nl_interval_policy, extack);
	if (ret)
		return ret;
	for (i = ONSRAM_A_INTERVAL_TENSOR; i <= ONSRAM_A_INTERVAL_MAX; i++) {
		if (i != ONSRAM_A_INTERVAL_PAD && NL_REQ_ATTR_CHECK(extack, nest, tb, i)) {
			NL_SET_ERR_MSG_ATTR(extack, nest, "interval lacks an attribute");
			return -EINVAL;
		}
	}
	iv->tensor = nla_get_u32(tb[ONSRAM_A_INTERVAL_TENSOR]);
	iv->first_op = nla_get_u32(tb[ONSRAM_A_INTERVAL_FIRST_OP]);
	iv->last_op = nla_get_u32(tb[ONSRAM_A_INTERVAL_LAST_OP]);
	iv->flags = nla_get_u32(tb[ONSRAM_A_INTERVAL_FLAGS]);
	iv->offset = nla_get_u32(tb[ONSRAM_A_INTERVAL_OFFSET]);
	iv->bytes = nla_get_u32(tb[ONSRAM_A_INTERVAL_BYTES]);
	iv->begin = nla_get_u64(tb[ONSRAM_A_INTERVAL_BEGIN]);
	iv->reserve_op = nla_get_u32(tb[ONSRAM_A_INTERVAL_RESERVE_OP]);
	iv->release_op = nla_get_u32(tb[ONSRAM_A_INTERVAL_RELEASE_OP]);
	return 0;
}

static struct onsram_plan *onsram_nl_build_plan(struct onsram_graph *graph,
						const struct onsram_plan_interval *iv, u32 n,
						struct netlink_ext_ack *extack)
{
	struct onsram_plan_graph pg = {
		.ops = graph->uops,
		.nr_ops = graph->nr_ops,
		.nr_tensors = graph->nr_tensors,
	};
	struct onsram_plan_tensor *tensors;
	struct onsram_plan *plan;
	const char *why = NULL;
	u32 i;

	tensors = kvmalloc_array(graph->nr_tensors, sizeof(*tensors), GFP_KERNEL);
	if (!tensors)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < graph->nr_tensors; i++) {
		tensors[i].bytes = graph->bos[i]->bytes;
		tensors[i].flags = graph->tensor_flags[i];
	}
	pg.tensors = tensors;

	plan = onsram_plan_build(iv, n, &pg, graph->odev->model.spm_size, &why);
	if (IS_ERR(plan) && why)
		NL_SET_ERR_MSG_FMT(extack, "plan refused: %s", why);
	kvfree(tensors);
	return plan;
}

int onsram_nl_plan_set(struct sk_buff *skb, struct genl_info *info)
{
	struct onsram_plan_interval *iv = NULL;
	struct onsram_graph *graph;
	struct onsram_plan *plan;
	struct onsram_link *link;
	struct nlattr *attr;
	u32 n = 0, i = 0;
	int rem, ret;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find_own(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	attr = info->attrs[ONSRAM_A_GRAPH_ID];
	if (!attr) {
		GENL_SET_ERR_MSG(info, "GRAPH_ID is missing");
		return -EINVAL;
	}
	graph = onsram_graph_lookup(link->odev, nla_get_u32(attr));
	if (!graph) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such graph");
		return -ENOENT;
	}

	nlmsg_for_each_attr_type(attr, ONSRAM_A_INTERVAL, info->nlhdr, GENL_HDRLEN, rem)
		n++;
	if (n > ONSRAM_PLAN_MAX_INTERVALS) {
		GENL_SET_ERR_MSG(info, "too many intervals");
		ret = -E2BIG;
		goto out;
	}
	iv = kvcalloc(max(n, 1u), sizeof(*iv), GFP_KERNEL);
	if (!iv) {
		ret = -ENOMEM;
		goto out;
	}
	nlmsg_for_each_attr_type(attr, ONSRAM_A_INTERVAL, info->nlhdr, GENL_HDRLEN, rem) {
		ret = onsram_nl_parse_interval(&iv[i++], attr, info->extack);
		if (ret)
			goto out;
	}

	plan = onsram_nl_build_plan(graph, iv, n, info->extack);
	ret = PTR_ERR_OR_ZERO(plan);
	if (!ret)
		onsram_graph_set_plan(graph, plan);
out:
	kvfree(iv);
	onsram_graph_put(graph);
	return ret;
}
