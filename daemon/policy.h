/* SPDX-License-Identifier: MIT */
/* The policies of this daemon, by name. */
#ifndef ONSRAM_DAEMON_POLICY_H
#define ONSRAM_DAEMON_POLICY_H

#include "planner.h"

/**
 * struct onsram_policy - what the daemon does for clients that want it
 * @name: as clients know it
 * @plan: plans their graphs; NULL: it does not
 *
 * What the clients of any of them submit singly is learnt from, and gets rules.
 */
struct onsram_policy {
	const char *name;
	struct onsram_plan *(*plan)(const struct onsram_model *m, const struct onsram_plan_graph *g,
				    const struct onsram_plan_options *opt);
};

#define ONSRAM_NR_POLICIES	3
extern const struct onsram_policy onsram_policies[ONSRAM_NR_POLICIES];

/** onsram_policy_find() - Return: NULL where there is none of that name */
const struct onsram_policy *onsram_policy_find(const char *name);

#endif
