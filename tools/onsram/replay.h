/* SPDX-License-Identifier: MIT */
/* What a device did, command by command, as a record of a pass. */
#ifndef ONSRAM_REPLAY_H
#define ONSRAM_REPLAY_H

#include "program.h"
#include "record.h"

/** enum replay_kind - what a command was for; the numbers are the driver's event's */
enum replay_kind {
	REPLAY_WAIT,
	REPLAY_OPERATION,
	REPLAY_ASSIGN,
	REPLAY_WRITEBACK,
	REPLAY_FETCH,
};

/**
 * struct replay_event - the driver's event onsram_command
 * @ours: of the client that runs the network
 * @kind: enum replay_kind
 * @order: number among all engines' commands
 * @flags: ASSIGN: ONSRAM_ASSIGN_*
 * @place: per operand that is in the SPM, ASSIGN and transfers in slot 0: SPM offset
 * @begin: the tensor's byte there
 * @bytes: how many; 0: none
 */
struct replay_event {
	bool ours;
	uint32_t engine;
	uint32_t kind;
	uint64_t order;
	uint64_t start_ps;
	uint64_t end_ps;
	uint64_t compute_ps;
	uint64_t dram_read_bytes;
	uint64_t dram_write_bytes;
	uint64_t spm_bytes;
	int error;
	uint64_t flags;
	uint64_t place[ONSRAM_MAX_OPERANDS];
	uint64_t begin[ONSRAM_MAX_OPERANDS];
	uint64_t bytes[ONSRAM_MAX_OPERANDS];
};

/** struct replay_range - bytes of the SPM that have an owner; @stay: as far as it is known */
struct replay_range {
	struct onsram_record_stay stay;
	bool used;
};

/**
 * struct replay - the SPM as the events so far left it
 * @ranges: that have an owner now
 * @record: of the pass that goes on, or NULL between passes
 * @fetched: per task: the address that it moved, for want of its tensor
 */
struct replay {
	const struct onsram_program *program;
	struct replay_range *ranges;
	uint32_t nr_ranges;
	struct onsram_record *record;
	uint32_t op;
	bool started;
	uint64_t start_ps;
	uint64_t last_ps;
	uint64_t *moved;
};

/**
 * replay_events() - events in any order: what happened since those before
 * @r: zeroed but for @program before the first
 * Return: 0, or -1 without memory
 */
int replay_events(struct replay *r, struct replay_event *events, uint32_t n);
/**
 * replay_pass() - likewise, but they are those of a pass, which is added to @record
 * @record: of the program's tensors, without tasks and stays
 * Return: also -2 where they are not as many operations as the program has
 */
int replay_pass(struct replay *r, struct replay_event *events, uint32_t n, struct onsram_record *record);
void replay_release(struct replay *r);

#endif
