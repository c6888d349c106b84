/* SPDX-License-Identifier: MIT */
/*
 * Engines for residency tests: rings that run at any pace and in any order that
 * the semaphores allow, with contents as one number per granule.
 */
#ifndef TESTS_UNIT_RING_SIM_H
#define TESTS_UNIT_RING_SIM_H

#include "onsram_residency.h"
#include "driver-ops.h"

#define RING_CLIENTS	2
#define RING_TENSORS	8	/* by turns of one client and the other */
#define RING_PARTS	4	/* granules of the largest tensor */
#define RING_CAPACITY	8	/* granules that residents may take */
#define RING_GRANULES	(ONSRAM_STAGING_MIN / ONSRAM_SPM_GRANULE + RING_CAPACITY)
#define RING_ENTRIES	4096
#define RING_JOB_OPS	4	/* operations of the longest job */

/** struct ring_memory - everything that commands change */
struct ring_memory {
	u64 home[RING_TENSORS][RING_PARTS];
	u64 spm[RING_GRANULES];
	u32 owner[RING_GRANULES];
};

/** struct ring_slice - operand: parts [first, first + parts) of a tensor; tensor -1: none */
struct ring_slice {
	int tensor;
	u32 first;
	u32 parts;
};

/**
 * struct ring_cmd - a command on a ring
 * @operand: OP: what it works on
 * @expect: OP: number that its inputs have when all runs in the order of emission
 * @failed: it did nothing, or was given up
 * @misread: OP: its inputs were others when it ran
 */
struct ring_cmd {
	struct onsram_hw_cmd cmd;
	struct onsram_hw_windows windows;
	struct onsram_action action;
	struct ring_slice operand[ONSRAM_MAX_OPERANDS];
	u64 expect;
	bool failed;
	bool misread;
};

/**
 * struct ring_engine - an engine
 * @pushed: commands on its ring, free running like all of these
 * @run: those that have run
 * @retired: those accounted for
 */
struct ring_engine {
	struct ring_cmd *ring;
	u32 pushed;
	u32 run;
	u32 retired;
};

/**
 * struct ring_sim - the machine
 * @memory: as it is
 * @truth: as it would be had everything pushed run, and nothing failed
 * @res: tensors
 * @nr_parts: granules of each
 * @cur: operands of the operation being pushed
 * @fail_at: stamp of a command that does nothing, 0 none
 * @fail_one_in: so do as many of all, 0 none
 * @aware: the CPU was told that the tensor's contents are lost, and nothing was to write it since
 * @false_alarms: operations said to have read what is lost that had read the truth
 * @waits: NOPs that the job may push
 * @nops: those it did
 * @lives: jobs have tensors that live within them
 * @windows: operations some of whose operands lay in the SPM in part
 * @over: operations whose output lay where an input did
 * @seed: of every choice
 */
struct ring_sim {
	struct onsram_emit emit;
	struct onsram_spm spm;
	struct onsram_residency_client client[RING_CLIENTS];
	struct drm_onsram_stats stats[RING_CLIENTS];
	struct onsram_residence res[RING_TENSORS];
	u32 nr_parts[RING_TENSORS];
	struct ring_memory memory;
	struct ring_memory truth;
	struct ring_engine engine[ONSRAM_MAX_ENGINES];
	u32 nr_engines;
	struct ring_slice cur[ONSRAM_MAX_OPERANDS];
	u64 fail_at;
	u32 fail_one_in;
	bool aware[RING_TENSORS];
	u32 false_alarms;
	u32 waits;
	u32 nops;
	bool lives;
	u32 windows;
	u32 over;
	u32 seed;
};

void ring_init(struct ring_sim *sim, u32 nr_engines, u32 seed);
void ring_fini(struct ring_sim *sim);
/** ring_upto() - a choice from 0 to @n - 1 */
u32 ring_upto(struct ring_sim *sim, u32 n);
/** ring_begin() - a job on an engine that may push so many NOPs */
void ring_begin(struct ring_sim *sim, u32 engine, u32 waits);
/** ring_op() - pushes an operation of the job on whole tensors, under LRU; -1: none */
void ring_op(struct ring_sim *sim, int out, int in, int other);
/** ring_fetch() - pushes a prefetch on the copy engine */
void ring_fetch(struct ring_sim *sim, u32 tensor);
/** ring_job() - pushes a random job */
void ring_job(struct ring_sim *sim);
/** ring_runnable() - may the next command of an engine run, given how far the others are? */
bool ring_runnable(const struct ring_sim *sim, const u32 *run, u32 engine);
/** ring_execute() - what a command does to @memory. Return: false where the device refuses */
bool ring_execute(const struct ring_sim *sim, struct ring_memory *memory, const struct ring_cmd *cmd,
		  u64 *inputs);
/** ring_step() - runs or accounts for one command. Return: false where there is none */
bool ring_step(struct ring_sim *sim);
/** ring_reset() - a device reset: what has run counts, all else is given up */
void ring_reset(struct ring_sim *sim);
/** ring_cpu_reads() - brings a tensor home, waits for it, and wants the truth, or to be told */
void ring_cpu_reads(struct ring_sim *sim, u32 tensor);
/** ring_cpu_writes() - waits and writes all of a tensor */
void ring_cpu_writes(struct ring_sim *sim, u32 tensor);

#endif
