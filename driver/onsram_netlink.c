// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "onsram": devices, the policy agent, plans and rules.
 *
 * Requests are serialised by genetlink; onsram_link_mutex also keeps devices from
 * going away and sockets from closing meanwhile.
 */

#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/slab.h>

#include <drm/drm_managed.h>

#include "onsram_link.h"
#include "onsram_netlink.h"
#include "onsram_plan.h"

/* Guards the registry of devices, agents, and changes to plans and rules */
DEFINE_MUTEX(onsram_link_mutex);

/* accel index -> struct onsram_link; guarded by onsram_link_mutex */
static DEFINE_XARRAY(onsram_links);

struct onsram_link *onsram_link_find(const struct genl_info *info)
{
	struct nlattr *attr = info->attrs[ONSRAM_A_DEVICE_ID];
	struct onsram_link *link;

	if (!attr) {
		GENL_SET_ERR_MSG(info, "DEVICE_ID is missing");
		return ERR_PTR(-EINVAL);
	}
	link = xa_load(&onsram_links, nla_get_u32(attr));
	if (!link) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such device");
		return ERR_PTR(-ENODEV);
	}
	return link;
}

/* As onsram_link_find(), for what only the agent may ask */
static struct onsram_link *onsram_link_find_own(const struct genl_info *info)
{
	struct onsram_link *link = onsram_link_find(info);

	if (!IS_ERR(link) && link->agent != info->snd_portid) {
		GENL_SET_ERR_MSG(info, "this socket is not the policy agent: ATTACH first");
		return ERR_PTR(-EPERM);
	}
	return link;
}

static u32 onsram_link_id(const struct onsram_link *link)
{
	return link->odev->drm.accel->index;
}

int onsram_nl_put_policy(struct sk_buff *skb, const struct onsram_policy *policy)
{
	if (nla_put_u32(skb, ONSRAM_A_POLICY, policy->kind))
		return -EMSGSIZE;
	if (policy->kind == DRM_ONSRAM_POLICY_AGENT)
		return nla_put_string(skb, ONSRAM_A_POLICY_NAME, policy->name);
	return 0;
}

static int onsram_nl_put_device(struct sk_buff *skb, const struct onsram_link *link)
{
	struct onsram_device *odev = link->odev;
	struct onsram_policy policy;

	onsram_device_policy(odev, &policy);
	if (nla_put_u32(skb, ONSRAM_A_DEVICE_ID, onsram_link_id(link)) ||
	    nla_put_string(skb, ONSRAM_A_DEVICE_NAME, pci_name(odev->pdev)) ||
	    nla_put(skb, ONSRAM_A_MODEL, sizeof(odev->model), &odev->model) ||
	    onsram_nl_put_policy(skb, &policy) ||
	    nla_put_u32(skb, ONSRAM_A_FALLBACK_POLICY, READ_ONCE(odev->fallback)) ||
	    nla_put_u8(skb, ONSRAM_A_AGENT_ATTACHED, link->agent ? 1 + link->done : 0))
		return -EMSGSIZE;
	return 0;
}

/* Answers a request with what @put appends */
static int onsram_nl_reply(struct genl_info *info, const struct onsram_link *link, u8 cmd,
			   int (*put)(struct sk_buff *skb, const struct onsram_link *link))
{
	struct sk_buff *skb;
	void *hdr;
	int ret;

	skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put_reply(skb, info, &onsram_genl_family, 0, cmd);
	ret = hdr ? put(skb, link) : -EMSGSIZE;
	if (ret) {
		nlmsg_free(skb);
		return ret;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

static int onsram_nl_device_get(struct sk_buff *skb, struct genl_info *info)
{
	struct onsram_link *link;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	return onsram_nl_reply(info, link, ONSRAM_CMD_DEVICE_GET, onsram_nl_put_device);
}

static int onsram_nl_device_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct onsram_link *link;
	unsigned long id;
	void *hdr;

	guard(mutex)(&onsram_link_mutex);
	xa_for_each_start(&onsram_links, id, link, cb->args[0]) {
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				  &onsram_genl_family, NLM_F_MULTI, ONSRAM_CMD_DEVICE_GET);
		if (!hdr)
			break;
		if (onsram_nl_put_device(skb, link)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		cb->args[0] = id + 1;
	}
	return skb->len;
}

/* A policy of the agent's by name; sets @extack */
static int onsram_nl_parse_policy_name(const struct nlattr *attr, struct onsram_policy *policy,
				       struct netlink_ext_ack *extack)
{
	*policy = (struct onsram_policy){ .kind = DRM_ONSRAM_POLICY_AGENT };
	nla_strscpy(policy->name, attr, sizeof(policy->name));
	if (!onsram_policy_check(policy))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "not a name for a policy of an agent");
	return -EINVAL;
}

/* The names an agent comes with */
static int onsram_link_name_policies(struct onsram_link *link, const struct genl_info *info)
{
	struct onsram_policy policy;
	struct nlattr *attr;
	int rem, ret;
	u32 n = 0;

	link->nr_policies = 0;
	nlmsg_for_each_attr_type(attr, ONSRAM_A_POLICY_NAME, info->nlhdr, GENL_HDRLEN, rem) {
		if (n == ONSRAM_AGENT_POLICIES_MAX) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr, "too many policies");
			return -E2BIG;
		}
		ret = onsram_nl_parse_policy_name(attr, &policy, info->extack);
		if (ret)
			return ret;
		memcpy(link->policies[n++], policy.name, sizeof(policy.name));
	}
	link->nr_policies = n;
	return 0;
}

/* onsram_link_mutex held */
static bool onsram_link_knows_policy(const struct onsram_link *link,
				     const struct onsram_policy *policy)
{
	u32 i;

	if (policy->kind != DRM_ONSRAM_POLICY_AGENT || !link->agent || !link->nr_policies)
		return true;
	for (i = 0; i < link->nr_policies; i++)
		if (!strcmp(link->policies[i], policy->name))
			return true;
	return false;
}

bool onsram_nl_knows_policy(struct onsram_device *odev, const struct onsram_policy *policy)
{
	guard(mutex)(&onsram_link_mutex);
	return onsram_link_knows_policy(odev->link, policy);
}

static int onsram_nl_attach(struct sk_buff *skb, struct genl_info *info)
{
	struct onsram_link *link;
	int ret;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	if (link->agent) {
		GENL_SET_ERR_MSG(info, "the device has a policy agent already");
		return -EBUSY;
	}
	ret = onsram_link_name_policies(link, info);
	if (ret)
		return ret;

	WRITE_ONCE(link->agent, info->snd_portid);
	ret = onsram_nl_reply(info, link, ONSRAM_CMD_ATTACH, onsram_nl_put_device);
	if (ret)
		WRITE_ONCE(link->agent, 0);
	return ret;
}

static int onsram_nl_done(struct sk_buff *skb, struct genl_info *info)
{
	struct onsram_link *link;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find_own(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	link->done = true;
	return 0;
}

/* The agent is gone: what it decided goes with it, the fallback policy takes over */
static void onsram_link_detach(struct onsram_link *link)
{
	struct onsram_device *odev = link->odev;
	struct onsram_graph *graph;
	u32 id = 0;

	WRITE_ONCE(link->agent, 0);
	link->done = false;
	onsram_rules_clear(&link->rules);
	while ((graph = onsram_graph_next(odev, id))) {
		id = graph->id + 1;
		onsram_graph_set_plan(graph, NULL);
		onsram_graph_put(graph);
	}
	onsram_graph_agent_changed(odev);
}

static int onsram_nl_socket_closed(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct netlink_notify *notify = data;
	struct onsram_link *link;
	unsigned long id;

	if (event != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC ||
	    !net_eq(notify->net, &init_net) || !notify->portid)
		return NOTIFY_DONE;

	guard(mutex)(&onsram_link_mutex);
	xa_for_each(&onsram_links, id, link) {
		if (link->agent == notify->portid)
			onsram_link_detach(link);
	}
	return NOTIFY_OK;
}

static struct notifier_block onsram_nl_notifier = {
	.notifier_call = onsram_nl_socket_closed,
};

static const struct nla_policy onsram_nl_interval_policy[] = {
	[ONSRAM_A_INTERVAL_TENSOR] = { .type = NLA_U32 },
	[ONSRAM_A_INTERVAL_FIRST_OP] = { .type = NLA_U32 },
	[ONSRAM_A_INTERVAL_LAST_OP] = { .type = NLA_U32 },
	[ONSRAM_A_INTERVAL_FLAGS] = NLA_POLICY_MASK(NLA_U32, ONSRAM_INTERVAL_FETCH |
							     ONSRAM_INTERVAL_KEEP),
	[ONSRAM_A_INTERVAL_OFFSET] = { .type = NLA_U32 },
	[ONSRAM_A_INTERVAL_BYTES] = { .type = NLA_U32 },
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
		if (NL_REQ_ATTR_CHECK(extack, nest, tb, i)) {
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

static int onsram_nl_plan_set(struct sk_buff *skb, struct genl_info *info)
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

#define ONSRAM_RULE_MASK \
	(GENMASK(ONSRAM_MAX_OPERANDS - 1, 0) | GENMASK(8 + ONSRAM_MAX_OPERANDS - 1, 8))

static const struct nla_policy onsram_nl_rule_policy[] = {
	[ONSRAM_A_RULE_KEY] = { .type = NLA_U64 },
	[ONSRAM_A_RULE_ACTIONS] = NLA_POLICY_MASK(NLA_U32, ONSRAM_RULE_MASK),
	[ONSRAM_A_RULE_PRIORITY] = { .type = NLA_U32 },
};

/* Parses one RULE nest; @del needs the key alone */
static int onsram_nl_parse_rule(struct nlattr **tb, struct nlattr *nest, bool del,
				struct netlink_ext_ack *extack)
{
	int ret;

	ret = nla_parse_nested(tb, ONSRAM_A_RULE_PRIORITY, nest, onsram_nl_rule_policy, extack);
	if (ret)
		return ret;
	if (!tb[ONSRAM_A_RULE_KEY]) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "rule lacks its key");
		return -EINVAL;
	}
	if (!del && (!tb[ONSRAM_A_RULE_ACTIONS] || !tb[ONSRAM_A_RULE_PRIORITY])) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "rule lacks actions or priority");
		return -EINVAL;
	}
	return 0;
}

/* Checks every nest before the first one takes effect */
static int onsram_nl_check_rules(const struct genl_info *info, bool del, u32 *n)
{
	struct nlattr *tb[ONSRAM_A_RULE_PRIORITY + 1];
	struct nlattr *attr;
	int rem, ret;

	*n = 0;
	nlmsg_for_each_attr_type(attr, ONSRAM_A_RULE, info->nlhdr, GENL_HDRLEN, rem) {
		ret = onsram_nl_parse_rule(tb, attr, del, info->extack);
		if (ret)
			return ret;
		++*n;
	}
	return 0;
}

static int onsram_nl_change_rules(struct genl_info *info, bool del)
{
	struct nlattr *tb[ONSRAM_A_RULE_PRIORITY + 1];
	struct onsram_rules *rules;
	struct onsram_link *link;
	struct nlattr *attr;
	int rem, ret;
	u32 n;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find_own(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	rules = &link->rules;
	ret = onsram_nl_check_rules(info, del, &n);
	if (ret)
		return ret;
	if (!n && del) {
		onsram_rules_clear(rules);
		return 0;
	}
	if (!n) {
		GENL_SET_ERR_MSG(info, "RULE is missing");
		return -EINVAL;
	}

	nlmsg_for_each_attr_type(attr, ONSRAM_A_RULE, info->nlhdr, GENL_HDRLEN, rem) {
		ret = onsram_nl_parse_rule(tb, attr, del, info->extack);
		if (ret)
			return ret;
		if (del)
			ret = onsram_rules_del(rules, nla_get_u64(tb[ONSRAM_A_RULE_KEY]));
		else
			ret = onsram_rules_set(rules, nla_get_u64(tb[ONSRAM_A_RULE_KEY]),
					       nla_get_u32(tb[ONSRAM_A_RULE_ACTIONS]),
					       nla_get_u32(tb[ONSRAM_A_RULE_PRIORITY]));
		if (ret == -ENOENT)
			NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such rule");
		else if (ret == -ENOSPC)
			NL_SET_ERR_MSG_ATTR(info->extack, attr, "no room for more rules");
		if (ret)
			return ret;
	}
	return 0;
}

static int onsram_nl_rule_set(struct sk_buff *skb, struct genl_info *info)
{
	return onsram_nl_change_rules(info, false);
}

static int onsram_nl_rule_del(struct sk_buff *skb, struct genl_info *info)
{
	return onsram_nl_change_rules(info, true);
}

static int onsram_nl_policy_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *policy = info->attrs[ONSRAM_A_POLICY];
	struct nlattr *name = info->attrs[ONSRAM_A_POLICY_NAME];
	struct nlattr *fallback = info->attrs[ONSRAM_A_FALLBACK_POLICY];
	struct onsram_policy wanted = { .kind = policy ? nla_get_u32(policy) : 0 };
	struct onsram_link *link;
	int ret;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	if (!policy && !fallback) {
		GENL_SET_ERR_MSG(info, "neither POLICY nor FALLBACK_POLICY");
		return -EINVAL;
	}
	if (name ? wanted.kind != DRM_ONSRAM_POLICY_AGENT :
		   wanted.kind == DRM_ONSRAM_POLICY_AGENT) {
		GENL_SET_ERR_MSG(info, "POLICY_NAME goes with an agent's POLICY, and only with it");
		return -EINVAL;
	}
	if (name) {
		ret = onsram_nl_parse_policy_name(name, &wanted, info->extack);
		if (ret)
			return ret;
	}
	if (!onsram_link_knows_policy(link, &wanted)) {
		NL_SET_ERR_MSG_ATTR(info->extack, name, "the agent has no policy of that name");
		return -ENOENT;
	}
	if (policy)
		onsram_device_set_policy(link->odev, &wanted);
	if (fallback)
		WRITE_ONCE(link->odev->fallback, nla_get_u32(fallback));
	return 0;
}

static int onsram_nl_put_stats(struct sk_buff *skb, const struct onsram_link *link)
{
	struct onsram_device *odev = link->odev;
	struct drm_onsram_stats stats;
	struct nlattr *nest;

	onsram_device_stats(odev, &stats);
	nest = nla_nest_start(skb, ONSRAM_A_STATS);
	if (!nest)
		return -EMSGSIZE;

#define ONSRAM_PUT(attr, value) \
	nla_put_u64_64bit(skb, ONSRAM_A_STATS_##attr, value, ONSRAM_A_STATS_PAD)
	if (nla_put_u32(skb, ONSRAM_A_DEVICE_ID, onsram_link_id(link)) ||
	    ONSRAM_PUT(SPM_USED, stats.resident_bytes) ||
	    ONSRAM_PUT(SPM_PEAK, stats.peak_bytes) ||
	    ONSRAM_PUT(HITS, stats.hits) ||
	    ONSRAM_PUT(MISSES, stats.misses) ||
	    ONSRAM_PUT(EVICTIONS, stats.evictions) ||
	    ONSRAM_PUT(WRITEBACKS, stats.writebacks) ||
	    ONSRAM_PUT(PREFETCHES, stats.prefetches) ||
	    ONSRAM_PUT(FALLBACKS, stats.fallbacks) ||
	    ONSRAM_PUT(EVENTS_LOST, onsram_events_lost(&odev->link->events)))
		return -EMSGSIZE;
#undef ONSRAM_PUT

	nla_nest_end(skb, nest);
	return 0;
}

static int onsram_nl_stats_get(struct sk_buff *skb, struct genl_info *info)
{
	struct onsram_link *link;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	return onsram_nl_reply(info, link, ONSRAM_CMD_STATS_GET, onsram_nl_put_stats);
}

/* What each request may carry; an attribute that is not listed is refused */

static const struct nla_policy onsram_nl_empty_policy[ONSRAM_A_PAD + 1] = { };

static const struct nla_policy onsram_nl_device_policy[] = {
	[ONSRAM_A_DEVICE_ID] = { .type = NLA_U32 },
};

static const struct nla_policy onsram_nl_attach_policy[] = {
	[ONSRAM_A_DEVICE_ID] = { .type = NLA_U32 },
	[ONSRAM_A_POLICY_NAME] = { .type = NLA_NUL_STRING,
				   .len = DRM_ONSRAM_POLICY_NAME_LEN - 1 },
};

static const struct nla_policy onsram_nl_graph_policy[] = {
	[ONSRAM_A_DEVICE_ID] = { .type = NLA_U32 },
	[ONSRAM_A_GRAPH_ID] = { .type = NLA_U32 },
};

static const struct nla_policy onsram_nl_plan_policy[] = {
	[ONSRAM_A_DEVICE_ID] = { .type = NLA_U32 },
	[ONSRAM_A_GRAPH_ID] = { .type = NLA_U32 },
	[ONSRAM_A_INTERVAL] = NLA_POLICY_NESTED(onsram_nl_interval_policy),
};

static const struct nla_policy onsram_nl_rules_policy[] = {
	[ONSRAM_A_DEVICE_ID] = { .type = NLA_U32 },
	[ONSRAM_A_RULE] = NLA_POLICY_NESTED(onsram_nl_rule_policy),
};

static const struct nla_policy onsram_nl_policy_policy[] = {
	[ONSRAM_A_DEVICE_ID] = { .type = NLA_U32 },
	[ONSRAM_A_POLICY] = NLA_POLICY_RANGE(NLA_U32, DRM_ONSRAM_POLICY_NONE,
					     DRM_ONSRAM_POLICY_AGENT),
	[ONSRAM_A_POLICY_NAME] = { .type = NLA_NUL_STRING,
				   .len = DRM_ONSRAM_POLICY_NAME_LEN - 1 },
	[ONSRAM_A_FALLBACK_POLICY] = NLA_POLICY_RANGE(NLA_U32, DRM_ONSRAM_POLICY_NONE,
						      DRM_ONSRAM_POLICY_LRU),
};

#define ONSRAM_DO(name, func, attrs, admin) \
	{ \
		.cmd = ONSRAM_CMD_##name, \
		.doit = func, \
		.policy = onsram_nl_##attrs##_policy, \
		.maxattr = ARRAY_SIZE(onsram_nl_##attrs##_policy) - 1, \
		.flags = GENL_CMD_CAP_DO | (admin), \
	}

/* By command, do before dump */
static const struct genl_split_ops onsram_nl_ops[] = {
	ONSRAM_DO(DEVICE_GET, onsram_nl_device_get, device, 0),
	{
		.cmd = ONSRAM_CMD_DEVICE_GET,
		.dumpit = onsram_nl_device_dump,
		.policy = onsram_nl_empty_policy,
		.maxattr = ARRAY_SIZE(onsram_nl_empty_policy) - 1,
		.flags = GENL_CMD_CAP_DUMP,
	},
	ONSRAM_DO(ATTACH, onsram_nl_attach, attach, GENL_ADMIN_PERM),
	ONSRAM_DO(DONE, onsram_nl_done, device, GENL_ADMIN_PERM),
	{
		.cmd = ONSRAM_CMD_GRAPH_GET,
		.start = onsram_nl_graph_dump_start,
		.dumpit = onsram_nl_graph_dump,
		.done = onsram_nl_graph_dump_done,
		.policy = onsram_nl_graph_policy,
		.maxattr = ARRAY_SIZE(onsram_nl_graph_policy) - 1,
		.flags = GENL_CMD_CAP_DUMP | GENL_ADMIN_PERM,
	},
	ONSRAM_DO(PLAN_SET, onsram_nl_plan_set, plan, GENL_ADMIN_PERM),
	ONSRAM_DO(RULE_SET, onsram_nl_rule_set, rules, GENL_ADMIN_PERM),
	ONSRAM_DO(RULE_DEL, onsram_nl_rule_del, rules, GENL_ADMIN_PERM),
	{
		.cmd = ONSRAM_CMD_RULE_GET,
		.start = onsram_nl_rule_dump_start,
		.dumpit = onsram_nl_rule_dump,
		.done = onsram_nl_rule_dump_done,
		.policy = onsram_nl_device_policy,
		.maxattr = ARRAY_SIZE(onsram_nl_device_policy) - 1,
		.flags = GENL_CMD_CAP_DUMP | GENL_ADMIN_PERM,
	},
	ONSRAM_DO(POLICY_SET, onsram_nl_policy_set, policy, GENL_ADMIN_PERM),
	ONSRAM_DO(STATS_GET, onsram_nl_stats_get, device, 0),
};

static const struct genl_multicast_group onsram_nl_groups[] = {
	[ONSRAM_GROUP_EVENTS] = {
		.name = ONSRAM_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

struct genl_family onsram_genl_family __ro_after_init = {
	.name = ONSRAM_FAMILY_NAME,
	.version = ONSRAM_FAMILY_VERSION,
	.module = THIS_MODULE,
	.split_ops = onsram_nl_ops,
	.n_split_ops = ARRAY_SIZE(onsram_nl_ops),
	.mcgrps = onsram_nl_groups,
	.n_mcgrps = ARRAY_SIZE(onsram_nl_groups),
	.resv_start_op = ONSRAM_CMD_DEVICE_GET,
};

static void onsram_link_release(struct drm_device *drm, void *data)
{
	struct onsram_link *link = data;

	onsram_events_fini(&link->events);
	onsram_rules_fini(&link->rules);
}

int onsram_nl_device_init(struct onsram_device *odev)
{
	struct onsram_link *link;
	int ret;

	link = drmm_kzalloc(&odev->drm, sizeof(*link), GFP_KERNEL);
	if (!link)
		return -ENOMEM;
	link->odev = odev;
	atomic_set(&link->sequence, 1);
	ret = onsram_rules_init(&link->rules);
	if (ret)
		return ret;
	ret = onsram_events_init(&link->events, onsram_link_send_retired);
	if (ret) {
		onsram_rules_fini(&link->rules);
		return ret;
	}
	odev->link = link;
	return drmm_add_action_or_reset(&odev->drm, onsram_link_release, link);
}

int onsram_nl_device_add(struct onsram_device *odev)
{
	guard(mutex)(&onsram_link_mutex);
	return xa_err(xa_store(&onsram_links, onsram_link_id(odev->link), odev->link, GFP_KERNEL));
}

void onsram_nl_device_remove(struct onsram_device *odev)
{
	guard(mutex)(&onsram_link_mutex);
	xa_erase(&onsram_links, onsram_link_id(odev->link));
	onsram_link_detach(odev->link);
}

bool onsram_nl_agent_attached(struct onsram_device *odev)
{
	return READ_ONCE(odev->link->agent);
}

bool onsram_rule_lookup(struct onsram_device *odev, u64 key, u32 *actions, u32 *priority)
{
	return onsram_rules_find(&odev->link->rules, key, actions, priority);
}

int onsram_nl_init(void)
{
	int ret;

	ret = genl_register_family(&onsram_genl_family);
	if (ret)
		return ret;
	ret = netlink_register_notifier(&onsram_nl_notifier);
	if (ret)
		genl_unregister_family(&onsram_genl_family);
	return ret;
}

void onsram_nl_exit(void)
{
	netlink_unregister_notifier(&onsram_nl_notifier);
	genl_unregister_family(&onsram_genl_family);
}
