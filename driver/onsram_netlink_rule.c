// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "onsram": rules.
 */

#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <drm/drm_drv.h>

#include "onsram_link.h"
#include "onsram_netlink.h"

#define ONSRAM_RULE_MASK \
	(GENMASK(ONSRAM_MAX_OPERANDS - 1, 0) | GENMASK(8 + ONSRAM_MAX_OPERANDS - 1, 8))

const struct nla_policy onsram_nl_rule_policy[ONSRAM_A_RULE_MAX + 1] = {
	[ONSRAM_A_RULE_KEY] = { .type = NLA_U64 },
	[ONSRAM_A_RULE_ACTIONS] = NLA_POLICY_MASK(NLA_U32, ONSRAM_RULE_MASK),
	[ONSRAM_A_RULE_PRIORITY] = { .type = NLA_U32 },
	[ONSRAM_A_RULE_STATE] = NLA_POLICY_MIN(NLA_U32, 1),
	[ONSRAM_A_RULE_NEXT] = NLA_POLICY_MIN(NLA_U32, 1),
	[ONSRAM_A_RULE_PLACES] = NLA_POLICY_EXACT_LEN(ONSRAM_MAX_OPERANDS * sizeof(u32)),
};

/* What makes a rule a step: all of it, or nothing */
static int onsram_nl_parse_step(struct onsram_rule_what *what, struct nlattr **tb,
				struct nlattr *nest, struct netlink_ext_ack *extack)
{
	u32 s;

	if (!tb[ONSRAM_A_RULE_STATE] && !tb[ONSRAM_A_RULE_NEXT] && !tb[ONSRAM_A_RULE_PLACES])
		return 0;
	if (!tb[ONSRAM_A_RULE_STATE] || !tb[ONSRAM_A_RULE_NEXT] || !tb[ONSRAM_A_RULE_PLACES]) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "step lacks state, next or places");
		return -EINVAL;
	}
	what->next = nla_get_u32(tb[ONSRAM_A_RULE_NEXT]);
	memcpy(what->places, nla_data(tb[ONSRAM_A_RULE_PLACES]), sizeof(what->places));
	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		if (what->places[s] % ONSRAM_SPM_GRANULE) {
			NL_SET_ERR_MSG_ATTR(extack, nest, "place of a step between granules");
			return -EINVAL;
		}
	}
	return 0;
}

/* Parses one RULE nest; @del needs the key and, of a step, the state alone */
static int onsram_nl_parse_rule(struct onsram_rule_what *what, struct nlattr *nest, bool del,
				struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ONSRAM_A_RULE_MAX + 1];
	int ret;

	ret = nla_parse_nested(tb, ONSRAM_A_RULE_MAX, nest, onsram_nl_rule_policy, extack);
	if (ret)
		return ret;
	if (!tb[ONSRAM_A_RULE_KEY]) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "rule lacks its key");
		return -EINVAL;
	}
	what->key = nla_get_u64(tb[ONSRAM_A_RULE_KEY]);
	if (tb[ONSRAM_A_RULE_STATE])
		what->state = nla_get_u32(tb[ONSRAM_A_RULE_STATE]);
	if (del)
		return 0;
	if (!tb[ONSRAM_A_RULE_ACTIONS] || !tb[ONSRAM_A_RULE_PRIORITY]) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "rule lacks actions or priority");
		return -EINVAL;
	}
	what->actions = nla_get_u32(tb[ONSRAM_A_RULE_ACTIONS]);
	what->priority = nla_get_u32(tb[ONSRAM_A_RULE_PRIORITY]);
	return onsram_nl_parse_step(what, tb, nest, extack);
}

static int onsram_cmp_rule(const void *a, const void *b)
{
	const struct onsram_rule_what *ra = a, *rb = b;

	if (ra->state != rb->state)
		return ra->state < rb->state ? -1 : 1;
	return ra->key < rb->key ? -1 : ra->key > rb->key;
}

/* All RULE nests, by key; the caller frees */
static struct onsram_rule_what *onsram_nl_parse_rules(const struct genl_info *info, bool del,
						      u32 *nr)
{
	struct onsram_rule_what *what;
	struct nlattr *attr;
	u32 n = 0, i = 0;
	int rem, ret;

	nlmsg_for_each_attr_type(attr, ONSRAM_A_RULE, info->nlhdr, GENL_HDRLEN, rem)
		n++;
	what = kvcalloc(max(n, 1u), sizeof(*what), GFP_KERNEL);
	if (!what)
		return ERR_PTR(-ENOMEM);
	nlmsg_for_each_attr_type(attr, ONSRAM_A_RULE, info->nlhdr, GENL_HDRLEN, rem) {
		ret = onsram_nl_parse_rule(&what[i++], attr, del, info->extack);
		if (ret)
			goto err_free;
	}
	sort(what, n, sizeof(*what), onsram_cmp_rule, NULL);
	for (i = 1; i < n; i++) {
		if (!onsram_cmp_rule(&what[i - 1], &what[i])) {
			GENL_SET_ERR_MSG(info, "a rule is named twice");
			ret = -EINVAL;
			goto err_free;
		}
	}
	*nr = n;
	return what;

err_free:
	kvfree(what);
	return ERR_PTR(ret);
}

static int onsram_nl_change_rules(struct genl_info *info, bool del)
{
	struct onsram_rule_what *what;
	struct onsram_link *link;
	int ret = 0;
	u32 n;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find_own(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	what = onsram_nl_parse_rules(info, del, &n);
	if (IS_ERR(what))
		return PTR_ERR(what);
	if (!n && del) {
		onsram_rules_clear(&link->rules);
	} else if (!n) {
		GENL_SET_ERR_MSG(info, "RULE is missing");
		ret = -EINVAL;
	} else if (del) {
		ret = onsram_rules_del(&link->rules, what, n);
	} else {
		ret = onsram_rules_set(&link->rules, what, n);
	}
	if (ret == -ENOENT)
		GENL_SET_ERR_MSG(info, "no such rule: none was deleted");
	else if (ret == -ENOSPC)
		GENL_SET_ERR_MSG(info, "no room for so many more rules: none was set");
	kvfree(what);
	return ret;
}

int onsram_nl_rule_set(struct sk_buff *skb, struct genl_info *info)
{
	return onsram_nl_change_rules(info, false);
}

int onsram_nl_rule_del(struct sk_buff *skb, struct genl_info *info)
{
	return onsram_nl_change_rules(info, true);
}

bool onsram_rule_lookup(struct onsram_context *ctx, const struct onsram_op *op,
			struct onsram_rule_what *what)
{
	struct onsram_rules *rules = &ctx->odev->link->rules;
	bool found;

	/* The step that is expected, or the first one of a sequence */
	found = onsram_rules_find(rules, ctx->state, op->signature, what);
	if (!found && ctx->state != ONSRAM_STATE_START)
		found = onsram_rules_find(rules, ONSRAM_STATE_START, op->signature, what);
	ctx->state = found ? what->next : ONSRAM_STATE_START;
	return found || onsram_rules_find(rules, 0, op->key, what);
}

/**
 * struct onsram_rule_dump - where a dump of rules stands
 * @odev: device, a reference
 * @bucket: of the table
 * @skip: rules of the bucket that were sent
 */
struct onsram_rule_dump {
	struct onsram_device *odev;
	u32 bucket;
	u32 skip;
};

int onsram_nl_rule_dump_start(struct netlink_callback *cb)
{
	struct onsram_rule_dump *dump = (struct onsram_rule_dump *)cb->ctx;
	struct onsram_link *link;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find(genl_info_dump(cb));
	if (IS_ERR(link))
		return PTR_ERR(link);
	dump->odev = link->odev;
	drm_dev_get(&dump->odev->drm);
	return 0;
}

int onsram_nl_rule_dump_done(struct netlink_callback *cb)
{
	struct onsram_rule_dump *dump = (struct onsram_rule_dump *)cb->ctx;

	if (dump->odev)
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
	genl_dump_check_consistent(cb, hdr);
	if (nla_put_u32(skb, ONSRAM_A_DEVICE_ID, odev->drm.accel->index))
		goto cancel;
	nest = nla_nest_start(skb, ONSRAM_A_RULE);
	if (!nest ||
	    nla_put_u64_64bit(skb, ONSRAM_A_RULE_KEY, rule->what.key, ONSRAM_A_RULE_PAD) ||
	    nla_put_u32(skb, ONSRAM_A_RULE_ACTIONS, rule->what.actions) ||
	    nla_put_u32(skb, ONSRAM_A_RULE_PRIORITY, rule->what.priority) ||
	    nla_put_u64_64bit(skb, ONSRAM_A_RULE_HITS, atomic64_read(&rule->hits),
			      ONSRAM_A_RULE_PAD))
		goto cancel;
	if (rule->what.state &&
	    (nla_put_u32(skb, ONSRAM_A_RULE_STATE, rule->what.state) ||
	     nla_put_u32(skb, ONSRAM_A_RULE_NEXT, rule->what.next) ||
	     nla_put(skb, ONSRAM_A_RULE_PLACES, sizeof(rule->what.places), rule->what.places)))
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
	struct onsram_rules *rules = &dump->odev->link->rules;
	struct onsram_rule *rule;
	u32 i;

	cb->seq = atomic_read(&rules->sequence);
	rcu_read_lock();
	for (; dump->bucket < HASH_SIZE(rules->table); dump->bucket++, dump->skip = 0) {
		i = 0;
		hlist_for_each_entry_rcu(rule, &rules->table[dump->bucket], node) {
			if (i++ < dump->skip)
				continue;
			if (onsram_nl_put_rule(skb, cb, dump->odev, rule))
				goto out;
			dump->skip++;
		}
	}
out:
	rcu_read_unlock();
	return skb->len;
}
