/* SPDX-License-Identifier: MIT */
/* What a network costs under a policy: passes over it on the device, or in the model. */
#ifndef ONSRAM_MEASURE_H
#define ONSRAM_MEASURE_H

#include "policy.h"
#include "record.h"
#include "runner.h"

/** struct measure_pass - a pass; @sha256: of its outputs, "" where there are none */
struct measure_pass {
	struct onsram_pass cost;
	char sha256[65];
};

/**
 * struct measurement - a network under one policy
 * @policy: which
 * @passes: in order; the caller frees
 * @nr_passes: how many have been made
 * @spm_peak_bytes: most SPM taken by them
 */
struct measurement {
	const struct policy *policy;
	struct measure_pass *passes;
	uint32_t nr_passes;
	uint64_t spm_peak_bytes;
};

/**
 * struct measure - what is measured
 * @cmd: subcommand that messages and progress name
 * @program: network
 * @inputs: as many as it has
 * @passes: over it under each policy
 * @outputs: called with the outputs of every pass on the device, which it may change;
 *	returns 0, or -1 with a message; may be NULL
 * @ctx: its first argument
 * @record: with its texts: gets the last pass; NULL: nothing is recorded
 */
struct measure {
	const char *cmd;
	const struct onsram_program *program;
	const struct onsram_array *inputs;
	uint32_t passes;
	int (*outputs)(void *ctx, const struct measurement *m, struct onsram_array *outputs, char **err);
	void *ctx;
	struct onsram_record *record;
};

/**
 * measure() - run, or price, passes under @policy
 * @config: out: the device's performance model
 * @err: on failure a message, which the caller frees
 *
 * Every policy has an open file of its own: statistics and residency start from nothing.
 * Return: 0 or -1
 */
int measure(const struct measure *w, const struct policy *policy, struct measurement *m,
	    struct onsram_model *config, char **err);
/** measure_bound() - lower bound of any policy. Return: 0, or -1 with *@err set */
int measure_bound(const struct onsram_program *p, const struct onsram_model *config, uint64_t *bound_ps,
		  char **err);
/** measure_last() - the last pass */
static inline const struct drm_onsram_stats *measure_last(const struct measurement *m)
{
	return &m->passes[m->nr_passes - 1].cost.stats;
}
/** measure_agree() - whether all passes of @n measurements on the device gave the same outputs */
bool measure_agree(const struct measurement *m, uint32_t n);

#endif
