/* SPDX-License-Identifier: MIT */
/* The policies that networks are run and planned under. */
#ifndef ONSRAM_POLICY_H
#define ONSRAM_POLICY_H

#include <stddef.h>

#include "planner.h"
#include "runner.h"

/**
 * struct policy - a policy by name
 * @name: as the device and the daemon know it
 * @mode: how a network is run under it
 * @plan: makes the plan that it follows; NULL where there is none
 */
struct policy {
	const char *name;
	enum onsram_runner_mode mode;
	struct onsram_plan *(*plan)(const struct onsram_model *m, const struct onsram_plan_graph *g,
				    const struct onsram_plan_options *opt);
};

#define NR_POLICIES	4
extern const struct policy policies[NR_POLICIES];
/** POLICY_NAMES - those of @policies in words */
#define POLICY_NAMES	"none, lru, static or eager"

/** policy_find() - by its name of @len bytes. Return: NULL where there is none */
const struct policy *policy_find(const char *name, size_t len);

#endif
