/* SPDX-License-Identifier: MIT */
/*
 * A network as a client runs it, through the driver's own residency code and a
 * history's rules, priced by the performance model: what a guest would report.
 */
#ifndef TESTS_UNIT_EAGER_REPLAY_H
#define TESTS_UNIT_EAGER_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "eager.h"
#include "program.h"

/**
 * struct replay_options - how networks are run
 * @policy: enum drm_onsram_policy; under AGENT one operation at a time, else as a graph
 * @late: activations are freed at the end of a pass, not behind their last use
 * @marks: the client says where its passes end
 * @ignorant: nothing is learnt
 */
struct replay_options {
	uint32_t policy;
	bool late;
	bool marks;
	bool ignorant;
};

/**
 * struct replay_pass - what a pass costs
 * @clean_ps: what writing back outputs takes behind it
 * @steps: operations that a sequence predicted
 */
struct replay_pass {
	uint64_t time_ps;
	uint64_t clean_ps;
	uint64_t dram_bytes;
	uint64_t evictions;
	uint64_t writebacks;
	uint64_t fetches;
	uint32_t steps;
};

struct replay;

/** replay_new() - a client, with an SPM to itself */
struct replay *replay_new(const struct onsram_model *m, const struct replay_options *opt);
void replay_free(struct replay *r);
/** replay_add() - a network that it can run; @program must outlive it. Return: its number, from 0 on */
uint32_t replay_add(struct replay *r, const struct onsram_program *program);
/**
 * replay_pass() - run a network once
 * @nr_ops: its first so many operations; 0: all
 *
 * The rules that a pass teaches are in force from the next one on.
 */
void replay_pass(struct replay *r, uint32_t network, uint32_t nr_ops, struct replay_pass *pass);

#endif
