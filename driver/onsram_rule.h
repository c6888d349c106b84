/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules of the eager policy: a table from an operation's key to actions.
 */
#ifndef _ONSRAM_RULE_H_
#define _ONSRAM_RULE_H_

#include <linux/hashtable.h>
#include <linux/types.h>

#include "onsram_residency.h"

#define ONSRAM_RULE_BITS	12

/**
 * struct onsram_rule - a rule in the table
 * @what: rule
 * @hits: look-ups that found it
 * @node: link in the table
 * @rcu: defers its end behind look-ups
 */
struct onsram_rule {
	struct onsram_rule_what what;
	atomic64_t hits;
	struct hlist_node node;
	struct rcu_head rcu;
};

/**
 * struct onsram_rules - of a device; the caller serialises writers, look-ups need no lock
 * @table: by key
 * @nr: rules in it
 * @sequence: counts changes, for consistent dumps
 */
struct onsram_rules {
	DECLARE_HASHTABLE(table, ONSRAM_RULE_BITS);
	u32 nr;
	atomic_t sequence;
};

void onsram_rules_init(struct onsram_rules *rules);
/**
 * onsram_rules_set() - adds or replaces rules with @n different keys
 *
 * Return: 0; -ENOSPC beyond ONSRAM_RULES_MAX or -ENOMEM: then nothing has changed
 */
int onsram_rules_set(struct onsram_rules *rules, const struct onsram_rule_what *what, u32 n);
/** onsram_rules_del() - Return: 0, or -ENOENT where one of them is missing: nothing has changed */
int onsram_rules_del(struct onsram_rules *rules, const struct onsram_rule_what *what, u32 n);
void onsram_rules_clear(struct onsram_rules *rules);
/**
 * onsram_rules_find() - what to do for @key in @state (0: by the rules that are no steps), if
 * anything; neither allocates nor sleeps
 */
bool onsram_rules_find(struct onsram_rules *rules, u32 state, u64 key,
		       struct onsram_rule_what *what);

#endif
