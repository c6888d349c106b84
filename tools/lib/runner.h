/* SPDX-License-Identifier: MIT */
/*
 * The runner: a program on a device.
 *
 * It gives every tensor a buffer, brings the weights there, and runs passes over
 * the network under one residency policy: as a graph, or one operation at a time,
 * freeing activations as an eager framework does.
 */
#ifndef ONSRAM_RUNNER_H
#define ONSRAM_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "program.h"

/**
 * enum onsram_runner_mode - what the device is given
 * @ONSRAM_RUN_GRAPH: the network as a graph
 * @ONSRAM_RUN_PLANNED: the same, once the daemon has planned it
 * @ONSRAM_RUN_EAGER: one operation at a time
 */
enum onsram_runner_mode { ONSRAM_RUN_GRAPH, ONSRAM_RUN_PLANNED, ONSRAM_RUN_EAGER };

/**
 * struct onsram_runner_options - how a program is run
 * @policy: its name
 * @mode: how it is run
 * @agent_timeout_ns: how long a wait for the policy daemon may take: of PLANNED for a plan, of
 *	PLANNED and EAGER before each pass until it has digested the one before
 * @progress: told what goes on and how far it is; may be NULL
 * @warn: told what is not as asked for, but no error; may be NULL
 * @ctx: first argument of the two
 */
struct onsram_runner_options {
	const char *policy;
	enum onsram_runner_mode mode;
	int64_t agent_timeout_ns;
	void (*progress)(void *ctx, const char *what, uint64_t done, uint64_t total);
	void (*warn)(void *ctx, const char *text);
	void *ctx;
};

/**
 * struct onsram_pass - what a pass cost
 * @stats: modelled, of this pass alone; resident_bytes and peak_bytes are
 *	those of the open file at its end
 * @host_wall_ns: wall time from the first submission to the last completion
 */
struct onsram_pass {
	struct drm_onsram_stats stats;
	uint64_t host_wall_ns;
};

struct onsram_runner;

/**
 * onsram_runner_create() - put @program on @dev and wait until its weights are there
 * @err: on failure what went wrong; caller frees
 * Return: a runner, or NULL.  @dev and @program must outlive it.
 */
struct onsram_runner *onsram_runner_create(struct onsram_device *dev,
					   const struct onsram_program *program,
					   const struct onsram_runner_options *opt, char **err);
/** onsram_runner_destroy() - free its buffers; NULL is allowed */
void onsram_runner_destroy(struct onsram_runner *r);

/** onsram_runner_set_input() - contents of input @i; shape and type must be the tensor's. Return: 0, or -1 with *@err set */
int onsram_runner_set_input(struct onsram_runner *r, uint32_t i, const struct onsram_array *a,
			    char **err);
/** onsram_runner_pass() - run the network once and wait. Return: 0, or -1 with *@err set */
int onsram_runner_pass(struct onsram_runner *r, struct onsram_pass *pass, char **err);
/** onsram_runner_get_output() - contents of output @i; caller releases. Return: 0, or -1 with *@err set */
int onsram_runner_get_output(struct onsram_runner *r, uint32_t i, struct onsram_array *a,
			     char **err);

#endif
