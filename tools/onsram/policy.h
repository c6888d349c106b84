/* SPDX-License-Identifier: MIT */
/* The policies that networks are run and planned under. */
#ifndef ONSRAM_POLICY_H
#define ONSRAM_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "planner.h"
#include "runner.h"

/**
 * struct policy - a policy by name
 * @name: as the device and the daemon know it
 * @mode: how a network is run under it
 * @plan: makes the plan that it follows; NULL where there is none
 * @order: the order that it runs operations in; NULL: the network's own
 * @modelled: no device can run it: its figures are the model's
 */
struct policy {
	const char *name;
	enum onsram_runner_mode mode;
	struct onsram_plan *(*plan)(const struct onsram_model *m, const struct onsram_plan_graph *g,
				    const struct onsram_plan_options *opt);
	int (*order)(const struct onsram_model *m, const struct onsram_plan_graph *g, uint32_t *order);
	bool modelled;
};

#define NR_POLICIES	6
extern const struct policy policies[NR_POLICIES];
/** POLICY_NAMES - those of @policies in words */
#define POLICY_NAMES	"none, lru, static-paper, static, eager or ideal"

/** policy_find() - by its name of @len bytes. Return: NULL where there is none */
const struct policy *policy_find(const char *name, size_t len);
/** struct policy_list - policies that were asked for, each once */
struct policy_list {
	const struct policy *policy[NR_POLICIES];
	uint32_t nr;
};

/**
 * parse_policies() - a comma list, or "all" that a device runs
 * Return: 0, or the exit status
 */
int parse_policies(const char *cmd, const char *text, struct policy_list *list);
/**
 * policy_price() - what a run under a modelled policy costs
 * @again: a later run
 * @peak_bytes: out: most SPM taken
 * Return: 0, or -1 without memory
 */
int policy_price(const struct policy *policy, const struct onsram_model *m, const struct onsram_plan_graph *g,
		 bool again, struct onsram_price *price, uint64_t *peak_bytes);
/**
 * policy_program() - a program as a policy runs it
 * @out: shares everything but its array of operations with @p: free(@out->ops)
 * Return: 0, or -1 without memory
 */
int policy_program(const struct policy *policy, const struct onsram_model *m,
		   const struct onsram_program *p, struct onsram_program *out);

#endif
