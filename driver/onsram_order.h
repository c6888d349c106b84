/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Order between engines.
 *
 * An engine runs its commands in the order of its ring.  Each command has a
 * sequence on its engine, which the semaphore of the engine's number shows once
 * it is done.  Of every memory (a tensor's home, its place in the SPM, a granule
 * that nobody has) it is known who used it last; a command waits for those uses
 * that it depends on, and for nothing else.
 *
 * Guarded by the lock of the ring's owner, but for @done, which is read anywhere.
 */
#ifndef _ONSRAM_ORDER_H_
#define _ONSRAM_ORDER_H_

#include <linux/types.h>

#include <hw/misc/onsram_hw.h>

struct onsram_residence;

/* Ring entries that onsram_emit.waits has to start with: exact waits, and one last for all */
#define ONSRAM_EMIT_WAITS	(8 * ONSRAM_MAX_ENGINES)

/**
 * enum onsram_push - what a pushed command is for; trace events show the numbers
 * @ONSRAM_PUSH_WAIT: NOP that waits for another engine, or ends a job without commands
 * @ONSRAM_PUSH_OP: an operation
 * @ONSRAM_PUSH_ASSIGN: SPM ownership
 * @ONSRAM_PUSH_WRITEBACK: COPY of a tensor from SPM to DRAM
 * @ONSRAM_PUSH_FETCH: COPY of a tensor from DRAM to SPM
 */
enum onsram_push {
	ONSRAM_PUSH_WAIT,
	ONSRAM_PUSH_OP,
	ONSRAM_PUSH_ASSIGN,
	ONSRAM_PUSH_WRITEBACK,
	ONSRAM_PUSH_FETCH,
};

/**
 * struct onsram_action - what has to be known of a command when it has ended
 * @kind: enum onsram_push
 * @engine: engine
 * @seq: sequence on its engine
 * @stamp: number among the commands of all engines, in the order they were pushed
 * @res: WRITEBACK, FETCH: the tensor it moves
 * @start: ASSIGN: first granule
 * @granules: ASSIGN: number of granules
 * @part: WRITEBACK: the tensor's home has more than it writes; FETCH: its place does
 * @resident: OP: mask of operand slots used from the SPM
 * @partial: OP: mask of those of @resident that are used from DRAM as well
 * @born: OP: mask of operand slots whose contents before it are not wanted
 * @whole: OP: nothing of what its output held before is wanted
 */
struct onsram_action {
	u32 kind;
	u32 engine;
	u64 seq;
	u64 stamp;
	struct onsram_residence *res;
	u32 start;
	u32 granules;
	bool part;
	u32 resident;
	u32 partial;
	u32 born;
	bool whole;
};

/**
 * struct onsram_emit - where the commands of a job go
 * @push: appends a copy of a complete command, and of its windows where it has any, to an
 *	engine's ring; cannot fail
 * @engine: engine of the job's operations
 * @mover: engine that carries its tensors, may be the same one
 * @room: placement actions (everything but operations and waits) that still fit on either
 *	ring; residency counts it down
 * @waits: NOPs that still fit on either ring, ONSRAM_EMIT_WAITS to start with
 */
struct onsram_emit {
	void (*push)(struct onsram_emit *emit, const struct onsram_hw_cmd *cmd,
		     const struct onsram_hw_windows *windows,
		     const struct onsram_action *action);
	u32 engine;
	u32 mover;
	u32 room;
	u32 waits;
};

/**
 * struct onsram_access - who used a memory last
 * @writer: engine of the last write
 * @write: its sequence there, 0 none
 * @read: per engine: sequence of the last read since, 0 none
 */
struct onsram_access {
	u32 writer;
	u64 write;
	u64 read[ONSRAM_MAX_ENGINES];
};

/** struct onsram_needs - sequence per engine that must be done first, 0 none */
struct onsram_needs {
	u64 seq[ONSRAM_MAX_ENGINES];
};

/**
 * struct onsram_order - the rings of a device, as far as their order goes
 * @nr_engines: engines
 * @stamp: number of commands pushed to all of them
 * @seq: per engine: sequence of the last command pushed
 * @done: per engine: sequence of the last command whose end was accounted for
 * @known: per engine: sequence of each other one that its ring has waited for
 */
struct onsram_order {
	u32 nr_engines;
	u64 stamp;
	u64 seq[ONSRAM_MAX_ENGINES];
	u64 done[ONSRAM_MAX_ENGINES];
	u64 known[ONSRAM_MAX_ENGINES][ONSRAM_MAX_ENGINES];
};

/** onsram_access_mark() - a command that was just pushed reads or writes the memory */
void onsram_access_mark(struct onsram_access *access, const struct onsram_action *action,
			bool write);
/** onsram_needs_add() - what who reads, or writes, the memory depends on */
void onsram_needs_add(struct onsram_needs *needs, const struct onsram_access *access, bool write);
/** onsram_needs_met() - is all of it done? */
bool onsram_needs_met(const struct onsram_order *order, const struct onsram_needs *needs);

/**
 * onsram_order_push() - gives a command its sequence and waits, and pushes it
 * @order: rings
 * @emit: job
 * @cmd: command; opcode, asid, attr and operands or args are filled in
 * @windows: of its operands, or NULL: none has any
 * @action: kind, engine and what else depends on the kind are filled in; the rest is by this
 * @needs: what it depends on
 */
void onsram_order_push(struct onsram_order *order, struct onsram_emit *emit,
		       struct onsram_hw_cmd *cmd, const struct onsram_hw_windows *windows,
		       struct onsram_action *action, const struct onsram_needs *needs);

/**
 * onsram_order_ready() - may the end of a command be accounted for?
 *
 * Not before what it waited for: that is done, too, but its engine's records may
 * not have been looked at yet.
 */
bool onsram_order_ready(const struct onsram_order *order, const struct onsram_hw_cmd *cmd);

#endif
