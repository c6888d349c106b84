// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "onsram": its requests and what each may carry.
 */

#include "onsram_link.h"
#include "onsram_netlink.h"

/* An attribute that is not listed is refused */

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

static const struct nla_policy onsram_nl_sync_policy[] = {
	[ONSRAM_A_DEVICE_ID] = { .type = NLA_U32 },
	[ONSRAM_A_SYNC] = { .type = NLA_U64 },
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
	ONSRAM_DO(SYNC_DONE, onsram_nl_sync_done, sync, GENL_ADMIN_PERM),
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

void *onsram_nl_dump_begin(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &onsram_genl_family, NLM_F_MULTI, cmd);
}

int onsram_nl_init(void)
{
	int ret;

	ret = genl_register_family(&onsram_genl_family);
	if (ret)
		return ret;
	ret = onsram_agent_init();
	if (ret)
		genl_unregister_family(&onsram_genl_family);
	return ret;
}

void onsram_nl_exit(void)
{
	onsram_agent_exit();
	genl_unregister_family(&onsram_genl_family);
}
