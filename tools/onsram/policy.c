// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "policy.h"

const struct policy policies[NR_POLICIES] = {
	{ "none", ONSRAM_RUN_GRAPH, onsram_plan_none, NULL, false },
	{ "lru", ONSRAM_RUN_GRAPH, NULL, NULL, false },
	{ "static-paper", ONSRAM_RUN_PLANNED, onsram_plan_paper, onsram_paper_order, false },
	{ "static", ONSRAM_RUN_PLANNED, onsram_plan_static, NULL, false },
	{ "eager", ONSRAM_RUN_EAGER, NULL, NULL, false },
	{ "ideal", ONSRAM_RUN_GRAPH, onsram_plan_ideal, NULL, true },
};

const struct policy *policy_find(const char *name, size_t len)
{
	for (size_t i = 0; i < NR_POLICIES; i++)
		if (strlen(policies[i].name) == len && !memcmp(policies[i].name, name, len))
			return &policies[i];
	return NULL;
}

int parse_policies(const char *cmd, const char *text, struct policy_list *list)
{
	const char *p = text;

	list->nr = 0;
	if (!strcmp(text, "all")) {
		for (uint32_t i = 0; i < NR_POLICIES; i++)
			if (!policies[i].modelled)
				list->policy[list->nr++] = &policies[i];
		return 0;
	}
	for (;;) {
		size_t len = strcspn(p, ",");
		const struct policy *policy = policy_find(p, len);

		if (!policy)
			return usage_error(cmd, "unknown policy \"%.*s\" (%s, or all)", (int)len, p,
					   POLICY_NAMES);
		for (uint32_t i = 0; i < list->nr; i++)
			if (list->policy[i] == policy)
				return usage_error(cmd, "policy %s is named twice", policy->name);
		list->policy[list->nr++] = policy;
		if (!p[len])
			return 0;
		p += len + 1;
	}
}

int policy_price(const struct policy *policy, const struct onsram_model *m, const struct onsram_plan_graph *g,
		 bool again, struct onsram_price *price, uint64_t *peak_bytes)
{
	struct onsram_plan *plan = policy->plan(m, g, NULL);
	int ret = -1;

	/* Beyond any plan */
	if (plan && policy->plan == onsram_plan_ideal)
		ret = onsram_price_ideal(m, g, price);
	else if (plan)
		ret = onsram_plan_price(m, g, plan->intervals, plan->nr_intervals, again, price);
	*peak_bytes = plan ? plan->peak_bytes : 0;
	onsram_plan_free(plan);
	return ret;
}

int policy_program(const struct policy *policy, const struct onsram_model *m,
		   const struct onsram_program *p, struct onsram_program *out)
{
	uint32_t *order = calloc((size_t)p->nr_ops + 1, sizeof(*order));
	struct plan_input in;
	int ret = plan_input_init(&in, p);

	*out = *p;
	out->ops = calloc((size_t)p->nr_ops + 1, sizeof(*out->ops));
	for (uint32_t i = 0; order && i < p->nr_ops; i++)
		order[i] = i;
	if (!ret && policy->order && order)
		ret = policy->order(m, &in.graph, order);
	if (!ret)
		plan_input_release(&in);
	if (ret || !order || !out->ops) {
		free(order);
		free(out->ops);
		out->ops = NULL;
		return -1;
	}
	for (uint32_t i = 0; i < p->nr_ops; i++)
		out->ops[i] = p->ops[order[i]];
	free(order);
	return 0;
}
