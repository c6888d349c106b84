// SPDX-License-Identifier: MIT
#include <string.h>

#include "policy.h"

const struct policy policies[NR_POLICIES] = {
	{ "none", ONSRAM_RUN_GRAPH, onsram_plan_none },
	{ "lru", ONSRAM_RUN_GRAPH, NULL },
	{ "static", ONSRAM_RUN_PLANNED, onsram_plan_static },
	{ "eager", ONSRAM_RUN_EAGER, NULL },
};

const struct policy *policy_find(const char *name, size_t len)
{
	for (size_t i = 0; i < NR_POLICIES; i++)
		if (strlen(policies[i].name) == len && !memcmp(policies[i].name, name, len))
			return &policies[i];
	return NULL;
}
