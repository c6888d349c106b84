/* SPDX-License-Identifier: MIT */
/*
 * A machine for residency tests: it carries the commands out on bytes, at once,
 * and checks each of them as the device would, and against the contents every
 * tensor must have.
 */
#ifndef TESTS_UNIT_SPM_SIM_H
#define TESTS_UNIT_SPM_SIM_H

#include "onsram_plan.h"
#include "onsram_residency.h"
#include "driver-ops.h"

#define SIM_CLIENTS	3
#define SIM_TENSORS	64
#define SIM_TENSOR_MAX	(64 * 1024)

/**
 * struct sim_tensor - a buffer
 * @res: what is tested
 * @client: index of its owner
 * @dram: its home
 * @truth: contents in queue order
 * @wanted: per byte: must a read see @truth
 */
struct sim_tensor {
	struct onsram_residence res;
	u32 client;
	u64 bytes;
	u8 *dram;
	u8 *truth;
	bool *wanted;
};

struct sim_client {
	struct onsram_residency_client base;
	struct drm_onsram_stats stats;
};

/**
 * struct sim - the machine
 * @emit: given to the code under test
 * @mem: SPM
 * @owner: per granule: asid, 0 nobody
 * @tag: per granule: client index + 1 whose data it holds, 0 zeros
 * @room: placement commands the call may still push
 * @count: commands per kind
 * @moved: bytes that they moved
 * @released: RELEASE commands among the ASSIGNs
 * @parts: operands that lay in the SPM in part
 * @resized: transfers of less than a resident extent
 * @over: inputs that lay where the output was written
 * @idle: the device carries nothing out
 * @op: operation being pushed: tensor index per slot, -1 absent
 * @seed: for what operations write
 */
struct sim {
	struct onsram_emit emit;
	struct onsram_spm spm;
	struct sim_client client[SIM_CLIENTS];
	struct sim_tensor tensor[SIM_TENSORS];
	u32 nr_tensors;
	u8 *mem;
	u16 *owner;
	u8 *tag;
	u32 room;
	u32 count[ONSRAM_PUSH_FETCH + 1];
	u64 moved[ONSRAM_PUSH_FETCH + 1];
	u32 released;
	u32 parts;
	u32 resized;
	u32 over;
	bool idle;
	int op[ONSRAM_MAX_OPERANDS];
	u32 seed;
};

/** sim_init() - an SPM with @granules for residents beside the staging window */
void sim_init(struct sim *sim, u32 granules);
/** sim_fini() - cleans every tensor, compares DRAM with the truth, frees */
void sim_fini(struct sim *sim);
/** sim_tensor() - a new tensor of random contents. Return: its index */
u32 sim_tensor(struct sim *sim, u32 client, u64 bytes);
/** sim_room() - the next calls may push @n placement commands */
void sim_room(struct sim *sim, u32 n);
/** sim_unwanted() - contents of a tensor are not wanted any more */
void sim_unwanted(struct sim *sim, u32 tensor);
/** sim_check_ranges() - what must hold of places and counters between any two calls */
void sim_check_ranges(struct sim *sim);
/** sim_check() - likewise, and DRAM has what it is meant to have */
void sim_check(struct sim *sim);
/** sim_cpu_reads() - the CPU reads a tensor whose DRAM is up to date */
void sim_cpu_reads(struct sim *sim, u32 tensor);
/** sim_take_losses() - contents that the code under test reports as lost are not wanted any more */
void sim_take_losses(struct sim *sim);
/** sim_reset() - a device reset */
void sim_reset(struct sim *sim);

/** struct sim_slice - operand: words [first, first + words) of a tensor; words 0: all of it */
struct sim_slice {
	int tensor;
	u32 first;
	u32 words;
};

/**
 * sim_op() - an operation through onsram_residency_op()
 * @opcode: decides whether it uses the staging window
 * @slices: up to ONSRAM_MAX_OPERANDS, slot 0 first; ends at tensor -1
 * @op: index, born, dies, rule filled in by the caller, the rest by this
 */
void sim_op(struct sim *sim, const struct onsram_residency_run *run, u32 opcode,
	    const struct sim_slice *slices, struct onsram_residency_op *op);

#endif
