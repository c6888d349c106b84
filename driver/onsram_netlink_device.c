// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "onsram": what a device is, its default policies, its totals.
 */

#include "onsram_link.h"

int onsram_nl_put_policy(struct sk_buff *skb, const struct onsram_policy *policy)
{
	if (nla_put_u32(skb, ONSRAM_A_POLICY, policy->kind))
		return -EMSGSIZE;
	if (policy->kind == DRM_ONSRAM_POLICY_AGENT)
		return nla_put_string(skb, ONSRAM_A_POLICY_NAME, policy->name);
	return 0;
}

int onsram_nl_put_device(struct sk_buff *skb, struct onsram_link *link)
{
	struct onsram_device *odev = link->odev;
	struct onsram_policy policy;

	onsram_device_policy(odev, &policy);
	if (nla_put_u32(skb, ONSRAM_A_DEVICE_ID, onsram_link_id(link)) ||
	    nla_put_string(skb, ONSRAM_A_DEVICE_NAME, pci_name(odev->pdev)) ||
	    nla_put(skb, ONSRAM_A_MODEL, sizeof(odev->model), &odev->model) ||
	    onsram_nl_put_policy(skb, &policy) ||
	    nla_put_u32(skb, ONSRAM_A_FALLBACK_POLICY, READ_ONCE(odev->fallback)) ||
	    nla_put_u8(skb, ONSRAM_A_AGENT_ATTACHED, onsram_agent_attached(link)) ||
	    nla_put_u64_64bit(skb, ONSRAM_A_SYNC, onsram_agent_asked(link), ONSRAM_A_PAD))
		return -EMSGSIZE;
	return 0;
}

int onsram_nl_reply(struct genl_info *info, struct onsram_link *link, u8 cmd,
		    int (*put)(struct sk_buff *skb, struct onsram_link *link))
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

int onsram_nl_device_get(struct sk_buff *skb, struct genl_info *info)
{
	struct onsram_link *link;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	return onsram_nl_reply(info, link, ONSRAM_CMD_DEVICE_GET, onsram_nl_put_device);
}

int onsram_nl_device_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct onsram_link *link;
	unsigned long id;
	void *hdr;

	guard(mutex)(&onsram_link_mutex);
	for (id = cb->args[0]; (link = onsram_link_next(&id)); id++) {
		hdr = onsram_nl_dump_begin(skb, cb, ONSRAM_CMD_DEVICE_GET);
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

int onsram_nl_parse_policy_name(const struct nlattr *attr, struct onsram_policy *policy,
				struct netlink_ext_ack *extack)
{
	*policy = (struct onsram_policy){ .kind = DRM_ONSRAM_POLICY_AGENT };
	nla_strscpy(policy->name, attr, sizeof(policy->name));
	if (!onsram_policy_check(policy))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "not a name for a policy of an agent");
	return -EINVAL;
}

int onsram_nl_policy_set(struct sk_buff *skb, struct genl_info *info)
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

static int onsram_nl_put_stats(struct sk_buff *skb, struct onsram_link *link)
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

int onsram_nl_stats_get(struct sk_buff *skb, struct genl_info *info)
{
	struct onsram_link *link;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	return onsram_nl_reply(info, link, ONSRAM_CMD_STATS_GET, onsram_nl_put_stats);
}

/* What each request may carry; an attribute that is not listed is refused */
