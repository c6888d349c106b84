// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules of the eager policy: a table from an operation's key to actions.
 */

#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include <linux/onsram_netlink.h>

#include "onsram_rule.h"

void onsram_rules_init(struct onsram_rules *rules)
{
	hash_init(rules->table);
	atomic_set(&rules->sequence, 1);
}

static u64 onsram_rule_hash(u32 state, u64 key)
{
	return key ^ (u64)state << 32;
}

/* For writers and, under rcu_read_lock(), for look-ups */
static struct onsram_rule *onsram_rule_get(struct onsram_rules *rules, u32 state, u64 key)
{
	struct onsram_rule *rule;

	hash_for_each_possible_rcu_notrace(rules->table, rule, node,
					   onsram_rule_hash(state, key)) {
		if (rule->what.key == key && rule->what.state == state)
			return rule;
	}
	return NULL;
}

static void onsram_rule_drop(struct onsram_rules *rules, struct onsram_rule *rule)
{
	hash_del_rcu(&rule->node);
	rules->nr--;
	kfree_rcu(rule, rcu);
}

static struct onsram_rule **onsram_rules_alloc(const struct onsram_rule_what *what, u32 n)
{
	struct onsram_rule **new = kvcalloc(n, sizeof(*new), GFP_KERNEL);
	u32 i;

	for (i = 0; new && i < n; i++) {
		new[i] = kzalloc(sizeof(**new), GFP_KERNEL);
		if (!new[i])
			goto err_free;
		new[i]->what = what[i];
	}
	return new;

err_free:
	while (i--)
		kfree(new[i]);
	kvfree(new);
	return NULL;
}

int onsram_rules_set(struct onsram_rules *rules, const struct onsram_rule_what *what, u32 n)
{
	struct onsram_rule **new;
	u32 i, more = 0;

	for (i = 0; i < n; i++)
		more += !onsram_rule_get(rules, what[i].state, what[i].key);
	if (more > ONSRAM_RULES_MAX - rules->nr)
		return -ENOSPC;
	new = onsram_rules_alloc(what, n);
	if (!new)
		return -ENOMEM;

	for (i = 0; i < n; i++) {
		struct onsram_rule *old;

		old = onsram_rule_get(rules, what[i].state, what[i].key);

		if (old) {
			atomic64_set(&new[i]->hits, atomic64_read(&old->hits));
			hlist_replace_rcu(&old->node, &new[i]->node);
			kfree_rcu(old, rcu);
		} else {
			hash_add_rcu(rules->table, &new[i]->node,
				     onsram_rule_hash(what[i].state, what[i].key));
			rules->nr++;
		}
	}
	atomic_inc(&rules->sequence);
	kvfree(new);
	return 0;
}

int onsram_rules_del(struct onsram_rules *rules, const struct onsram_rule_what *what, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (!onsram_rule_get(rules, what[i].state, what[i].key))
			return -ENOENT;
	for (i = 0; i < n; i++)
		onsram_rule_drop(rules, onsram_rule_get(rules, what[i].state, what[i].key));
	atomic_inc(&rules->sequence);
	return 0;
}

void onsram_rules_clear(struct onsram_rules *rules)
{
	struct onsram_rule *rule;
	struct hlist_node *next;
	int bucket;

	hash_for_each_safe(rules->table, bucket, next, rule, node)
		onsram_rule_drop(rules, rule);
	atomic_inc(&rules->sequence);
}

bool onsram_rules_find(struct onsram_rules *rules, u32 state, u64 key,
		       struct onsram_rule_what *what)
{
	struct onsram_rule *rule;

	rcu_read_lock();
	rule = onsram_rule_get(rules, state, key);
	if (rule) {
		*what = rule->what;
		atomic64_inc(&rule->hits);
	}
	rcu_read_unlock();
	return rule;
}
