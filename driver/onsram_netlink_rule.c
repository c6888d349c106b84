// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "onsram": rules.
 */

#include <drm/drm_drv.h>

#include "onsram_link.h"
#include "onsram_netlink.h"

#define ONSRAM_RULE_MASK \
	(GENMASK(ONSRAM_MAX_OPERANDS - 1, 0) | GENMASK(8 + ONSRAM_MAX_OPERANDS - 1, 8))

const struct nla_policy onsram_nl_rule_policy[ONSRAM_A_RULE_PRIORITY + 1] = {
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

int onsram_nl_rule_set(struct sk_buff *skb, struct genl_info *info)
{
	return onsram_nl_change_rules(info, false);
}

int onsram_nl_rule_del(struct sk_buff *skb, struct genl_info *info)
{
	return onsram_nl_change_rules(info, true);
}

bool onsram_rule_lookup(struct onsram_device *odev, u64 key, u32 *actions, u32 *priority)
{
	return onsram_rules_find(&odev->link->rules, key, actions, priority);
}

/**
 * struct onsram_rule_dump - where a dump of rules stands
 * @odev: device, a reference
 * @iter: position in the table
 */
struct onsram_rule_dump {
	struct onsram_device *odev;
	struct rhashtable_iter *iter;
};

int onsram_nl_rule_dump_start(struct netlink_callback *cb)
{
	struct onsram_rule_dump *dump = (struct onsram_rule_dump *)cb->ctx;
	struct onsram_link *link;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find(genl_info_dump(cb));
	if (IS_ERR(link))
		return PTR_ERR(link);
	dump->iter = kzalloc(sizeof(*dump->iter), GFP_KERNEL);
	if (!dump->iter)
		return -ENOMEM;
	rhashtable_walk_enter(&link->rules.table, dump->iter);
	dump->odev = link->odev;
	drm_dev_get(&dump->odev->drm);
	return 0;
}

int onsram_nl_rule_dump_done(struct netlink_callback *cb)
{
	struct onsram_rule_dump *dump = (struct onsram_rule_dump *)cb->ctx;

	if (!dump->odev)
		return 0;
	rhashtable_walk_exit(dump->iter);
	kfree(dump->iter);
	drm_dev_put(&dump->odev->drm);
	return 0;
}

static int onsram_nl_put_rule(struct sk_buff *skb, struct netlink_callback *cb,
			      const struct onsram_device *odev, const struct onsram_rule *rule)
{
	struct nlattr *nest;
	void *hdr;

	hdr = onsram_nl_dump_begin(skb, cb, ONSRAM_CMD_RULE_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(skb, ONSRAM_A_DEVICE_ID, odev->drm.accel->index))
		goto cancel;
	nest = nla_nest_start(skb, ONSRAM_A_RULE);
	if (!nest ||
	    nla_put_u64_64bit(skb, ONSRAM_A_RULE_KEY, rule->key, ONSRAM_A_RULE_PAD) ||
	    nla_put_u32(skb, ONSRAM_A_RULE_ACTIONS, rule->actions) ||
	    nla_put_u32(skb, ONSRAM_A_RULE_PRIORITY, rule->priority) ||
	    nla_put_u64_64bit(skb, ONSRAM_A_RULE_HITS, atomic64_read(&rule->hits),
			      ONSRAM_A_RULE_PAD))
		goto cancel;
	nla_nest_end(skb, nest);
	genlmsg_end(skb, hdr);
	return 0;
cancel:
	genlmsg_cancel(skb, hdr);
	return -EMSGSIZE;
}

int onsram_nl_rule_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct onsram_rule_dump *dump = (struct onsram_rule_dump *)cb->ctx;
	struct onsram_rule *rule;
	int ret = 0;

	rhashtable_walk_start(dump->iter);
	/* The rule that found no room the last time is looked at again */
	rule = rhashtable_walk_peek(dump->iter);
	while (rule && !ret) {
		if (IS_ERR(rule)) {
			/* The table was resized: what follows may repeat or leave out rules */
			cb->prev_seq = 1;
			cb->seq = 2;
		} else {
			ret = onsram_nl_put_rule(skb, cb, dump->odev, rule);
		}
		if (!ret)
			rule = rhashtable_walk_next(dump->iter);
	}
	rhashtable_walk_stop(dump->iter);
	return skb->len;
}
