// SPDX-License-Identifier: MIT
#include <string.h>

#include "policy.h"

const struct onsram_policy onsram_policies[ONSRAM_NR_POLICIES] = {
	{ "static", onsram_plan_static },
	{ "static-paper", onsram_plan_paper },
	{ "eager", NULL },
};

const struct onsram_policy *onsram_policy_find(const char *name)
{
	for (uint32_t i = 0; i < ONSRAM_NR_POLICIES; i++)
		if (!strcmp(onsram_policies[i].name, name))
			return &onsram_policies[i];
	return NULL;
}
