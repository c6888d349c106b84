/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules of the eager policy: a table from an operation's key to actions.
 */
#ifndef _ONSRAM_RULE_H_
#define _ONSRAM_RULE_H_

#include <linux/rhashtable.h>
#include <linux/types.h>

/**
 * struct onsram_rule - what to do with the operands of an operation
 * @key: signature in context
 * @actions: ONSRAM_RULE_*
 * @priority: who stays when room is short
 * @hits: look-ups that found it
 * @node: link in the table
 * @rcu: defers its end behind look-ups
 */
struct onsram_rule {
	u64 key;
	u32 actions;
	u32 priority;
	atomic64_t hits;
	struct rhash_head node;
	struct rcu_head rcu;
};

/** struct onsram_rules - of a device; the caller serialises writers, look-ups need no lock */
struct onsram_rules {
	struct rhashtable table;
};

int onsram_rules_init(struct onsram_rules *rules);
void onsram_rules_fini(struct onsram_rules *rules);
/** onsram_rules_set() - adds or replaces. Return: 0, -ENOSPC beyond ONSRAM_RULES_MAX, -ENOMEM */
int onsram_rules_set(struct onsram_rules *rules, u64 key, u32 actions, u32 priority);
/** onsram_rules_del() - Return: 0 or -ENOENT */
int onsram_rules_del(struct onsram_rules *rules, u64 key);
void onsram_rules_clear(struct onsram_rules *rules);
/** onsram_rules_find() - what to do for @key, if anything; neither allocates nor sleeps */
bool onsram_rules_find(struct onsram_rules *rules, u64 key, u32 *actions, u32 *priority);

#endif
