/* SPDX-License-Identifier: MIT */
/*
 * Sequences of operations that repeat: found in what a client retired, planned as a
 * graph would be, told as steps.
 *
 * Pure: no device, no netlink.
 */
#ifndef ONSRAM_SEQUENCE_H
#define ONSRAM_SEQUENCE_H

#include "eager.h"
#include "planner.h"

/** ONSRAM_SEQUENCE_MAX - operations of a sequence; a client's record holds two of the longest */
#define ONSRAM_SEQUENCE_MAX	2048

/**
 * struct onsram_sequence - a pass of a client, as a graph
 * @nr_ops: operations
 * @ops: operations; operand.bo indexes @tensors
 * @signature: of each operation, as the kernel reported it
 * @nr_tensors: tensors: a buffer that dies and is written anew is another one
 * @tensors: CONST where no operation writes it, TRANSIENT where it died within the pass
 * @hash: names the sequence
 * @late: tensors died some time behind their last use
 * @ops_ps: modelled time of its operations, as they ran, without transfers
 */
struct onsram_sequence {
	uint32_t nr_ops;
	struct drm_onsram_op *ops;
	uint64_t *signature;
	uint32_t nr_tensors;
	struct onsram_plan_tensor *tensors;
	uint64_t hash;
	bool late;
	uint64_t ops_ps;
};

void onsram_sequence_free(struct onsram_sequence *s);

/**
 * onsram_sequence_steps() - plan a sequence
 * @first: states from here on are its own: as many as it has operations
 * @steps: out: as many as it has operations
 *
 * Where tensors die late, whatever gives its place to another is written back, which no
 * plan can avoid.  With all of that it has to be faster than the operations alone were.
 *
 * Return: 0; 1 where it cannot be told to be worth it; -1 without memory
 */
int onsram_sequence_steps(const struct onsram_sequence *s, const struct onsram_model *m,
			  uint32_t first, struct onsram_rule *steps);

/* --- finding them ---------------------------------------------------------------- */

/** struct onsram_recorder - what a client did last */
struct onsram_recorder;

/** onsram_recorder_new() - Return: NULL without memory */
struct onsram_recorder *onsram_recorder_new(void);
/** onsram_recorder_free() - NULL is allowed */
void onsram_recorder_free(struct onsram_recorder *rec);
/** onsram_recorder_op() - an operation; in the order they retired. Return: whether a pass has just repeated */
bool onsram_recorder_op(struct onsram_recorder *rec, const struct onsram_retired *r);
/** onsram_recorder_died() - nobody will read a buffer again */
void onsram_recorder_died(struct onsram_recorder *rec, uint32_t bo);
/** onsram_recorder_gap() - operations were lost: begin anew */
void onsram_recorder_gap(struct onsram_recorder *rec);
/** onsram_recorder_mark() - the client ends a pass here. Return: whether there is one to be taken */
bool onsram_recorder_mark(struct onsram_recorder *rec);
/** onsram_recorder_take() - the pass found. Return: NULL without memory, or where there is none */
struct onsram_sequence *onsram_recorder_take(struct onsram_recorder *rec);

#endif
