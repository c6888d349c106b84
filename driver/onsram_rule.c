// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules of the eager policy: a table from an operation's key to actions.
 */

#include <linux/slab.h>

#include <linux/onsram_netlink.h>

#include "onsram_rule.h"

static const struct rhashtable_params onsram_rule_params = {
	.key_len = sizeof_field(struct onsram_rule, key),
	.key_offset = offsetof(struct onsram_rule, key),
	.head_offset = offsetof(struct onsram_rule, node),
	.automatic_shrinking = true,
};

int onsram_rules_init(struct onsram_rules *rules)
{
	return rhashtable_init(&rules->table, &onsram_rule_params);
}

static void onsram_rule_free(void *ptr, void *arg)
{
	kfree(ptr);
}

void onsram_rules_fini(struct onsram_rules *rules)
{
	rhashtable_free_and_destroy(&rules->table, onsram_rule_free, NULL);
}

static void onsram_rule_drop(struct onsram_rules *rules, struct onsram_rule *rule)
{
	rhashtable_remove_fast(&rules->table, &rule->node, onsram_rule_params);
	kfree_rcu(rule, rcu);
}

int onsram_rules_set(struct onsram_rules *rules, u64 key, u32 actions, u32 priority)
{
	struct onsram_rule *rule, *old;
	int ret;

	old = rhashtable_lookup_fast(&rules->table, &key, onsram_rule_params);
	if (!old && atomic_read(&rules->table.nelems) >= ONSRAM_RULES_MAX)
		return -ENOSPC;

	rule = kzalloc(sizeof(*rule), GFP_KERNEL);
	if (!rule)
		return -ENOMEM;
	rule->key = key;
	rule->actions = actions;
	rule->priority = priority;

	if (old) {
		atomic64_set(&rule->hits, atomic64_read(&old->hits));
		ret = rhashtable_replace_fast(&rules->table, &old->node, &rule->node,
					      onsram_rule_params);
	} else {
		ret = rhashtable_insert_fast(&rules->table, &rule->node, onsram_rule_params);
	}
	if (ret)
		kfree(rule);
	else if (old)
		kfree_rcu(old, rcu);
	return ret;
}

int onsram_rules_del(struct onsram_rules *rules, u64 key)
{
	struct onsram_rule *rule;

	rule = rhashtable_lookup_fast(&rules->table, &key, onsram_rule_params);
	if (!rule)
		return -ENOENT;
	onsram_rule_drop(rules, rule);
	return 0;
}

void onsram_rules_clear(struct onsram_rules *rules)
{
	struct rhashtable_iter iter;
	struct onsram_rule *rule;

	rhashtable_walk_enter(&rules->table, &iter);
	rhashtable_walk_start(&iter);
	while ((rule = rhashtable_walk_next(&iter))) {
		/* -EAGAIN: the table was resized and the walk starts again */
		if (!IS_ERR(rule))
			onsram_rule_drop(rules, rule);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

bool onsram_rules_find(struct onsram_rules *rules, u64 key, u32 *actions, u32 *priority)
{
	struct onsram_rule *rule;

	rcu_read_lock();
	rule = rhashtable_lookup(&rules->table, &key, onsram_rule_params);
	if (rule) {
		*actions = rule->actions;
		*priority = rule->priority;
		atomic64_inc(&rule->hits);
	}
	rcu_read_unlock();
	return rule;
}
