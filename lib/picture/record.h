/* SPDX-License-Identifier: MIT */
/*
 * A record of one pass over a network: what ran when, what was where.
 *
 * It comes from a plan as the performance model carries it out, or from what a device
 * did; pictures and traces are made of it.
 */
#ifndef ONSRAM_RECORD_H
#define ONSRAM_RECORD_H

#include <stdbool.h>
#include <stdint.h>

/** ONSRAM_RECORD_KINDS - what a tensor is to its network */
#define ONSRAM_RECORD_KINDS(X) \
	X(ACTIVATION, "activation") \
	X(WEIGHT, "weight") \
	X(INPUT, "input") \
	X(OUTPUT, "output")

enum onsram_record_kind {
#define ONSRAM_X(name, what) ONSRAM_RECORD_##name,
	ONSRAM_RECORD_KINDS(ONSRAM_X)
#undef ONSRAM_X
	ONSRAM_RECORD_KIND_COUNT
};

/** onsram_record_kind_name() - in words */
const char *onsram_record_kind_name(enum onsram_record_kind kind);

/** struct onsram_record_tensor - a tensor */
struct onsram_record_tensor {
	const char *name;
	enum onsram_record_kind kind;
	uint64_t bytes;
};

enum onsram_record_what {
	ONSRAM_RECORD_OPERATION,
	ONSRAM_RECORD_FETCH,
	ONSRAM_RECORD_WRITEBACK,
	ONSRAM_RECORD_SCRUB,
};

/** ONSRAM_RECORD_NONE - no tensor */
#define ONSRAM_RECORD_NONE	UINT32_MAX

/**
 * struct onsram_record_task - a command that an engine carried out
 * @what: enum onsram_record_what
 * @engine: on which one
 * @name: of an operation
 * @tensor: of a transfer, or ONSRAM_RECORD_NONE
 * @start_ps: modelled
 * @end_ps: likewise
 * @compute_ps: arithmetic alone
 * @dram_read_bytes: of DRAM
 * @dram_write_bytes: likewise
 * @spm_bytes: to and from the SPM
 */
struct onsram_record_task {
	enum onsram_record_what what;
	uint32_t engine;
	const char *name;
	uint32_t tensor;
	uint64_t start_ps;
	uint64_t end_ps;
	uint64_t compute_ps;
	uint64_t dram_read_bytes;
	uint64_t dram_write_bytes;
	uint64_t spm_bytes;
};

/**
 * struct onsram_record_stay - bytes of a tensor that have a place in the SPM
 * @tensor: whose, or ONSRAM_RECORD_NONE: another network's
 * @begin: first byte of the tensor that is there
 * @offset: place
 * @bytes: how many
 * @reserve_op: operation from which on the place is taken
 * @first_op: first one that finds the bytes there
 * @last_op: last one, inclusive
 * @release_op: operation from which on the place is free; the number of operations
 *	where it is not freed before the pass ends
 * @from_ps: time of @reserve_op
 * @to_ps: time of @release_op
 */
struct onsram_record_stay {
	uint32_t tensor;
	uint64_t begin;
	uint64_t offset;
	uint64_t bytes;
	uint32_t reserve_op;
	uint32_t first_op;
	uint32_t last_op;
	uint32_t release_op;
	uint64_t from_ps;
	uint64_t to_ps;
};

/**
 * struct onsram_record - a pass
 * @network: its name
 * @policy: under which it ran
 * @origin: "planned", or "ran on the device"
 * @spm_size: bytes
 * @dram_bw: bytes per second
 * @engines: compute engines, and the copy engine, which is the last
 * @nr_ops: operations
 * @tasks: on each engine none begins before the one before it has ended
 * @time_ps: of the pass
 * @baseline_ps: with nothing held, 0 where it is not known
 * @bound_ps: no pass can be shorter
 */
struct onsram_record {
	const char *network;
	const char *policy;
	const char *origin;
	uint64_t spm_size;
	uint64_t dram_bw;
	uint32_t engines;
	uint32_t nr_ops;
	struct onsram_record_tensor *tensors;
	uint32_t nr_tensors;
	struct onsram_record_task *tasks;
	uint32_t nr_tasks;
	struct onsram_record_stay *stays;
	uint32_t nr_stays;
	uint64_t time_ps;
	uint64_t baseline_ps;
	uint64_t bound_ps;
};

/** struct onsram_record_level - the SPM during an operation, bytes; @free_largest: its largest free piece */
struct onsram_record_level {
	uint64_t held;
	uint64_t free_largest;
};

/** onsram_record_levels() - the SPM during each operation. Return: free() it; NULL without memory */
struct onsram_record_level *onsram_record_levels(const struct onsram_record *r);

/** struct onsram_record_step - a figure that changes at @ps to @value */
struct onsram_record_step {
	uint64_t ps;
	double value;
};

/**
 * onsram_record_bandwidth() - bytes per second over DRAM, as an average over each task
 * @n: out: how many steps, in order of time; the last one is 0
 * Return: free() it; NULL without memory
 */
struct onsram_record_step *onsram_record_bandwidth(const struct onsram_record *r, uint32_t *n);
/** onsram_record_occupancy() - bytes of the SPM that are taken, likewise */
struct onsram_record_step *onsram_record_occupancy(const struct onsram_record *r, uint32_t *n);

/**
 * onsram_record_lanes() - rows for the stays, so that no two on a row overlap in time
 * @lane: out: row of each stay
 * Return: how many rows; 0 without stays, or without memory
 */
uint32_t onsram_record_lanes(const struct onsram_record *r, uint32_t *lane);

#endif
