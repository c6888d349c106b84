/* SPDX-License-Identifier: MIT */
/*
 * Which tensors stay from one use to the next, and what a run then costs at best.
 *
 * The relaxation knows bytes, not places: any byte of what an operation reads may be
 * fetched ahead while the channel is idle, any byte it writes may leave later, as long
 * as the SPM takes what is under way.  One sweep over the operations finds the best
 * such schedule; a change is swept from its first operation to where nothing differs.
 */
#ifndef ONSRAM_PLANNER_RELAX_H
#define ONSRAM_PLANNER_RELAX_H

#include "flow.h"

/**
 * struct onsram_relax_op - an operation
 * @taken: bytes that stay over it or serve it
 * @floor: arithmetic and SPM port, ps
 * @dram: bytes that cross DRAM with all that is not taken as staging window
 * @dram_narrow: with the smallest window
 * @window: smallest staging window with which it is @dram
 * @movable: of @dram, operands that could be fetched ahead
 * @out: of @dram, output
 * @fetch: bytes fetched for stays that begin here
 * @refetch: of those, bytes that have just been written
 * @spill: bytes written back for stays that end here
 * @time: ps, with what has to wait for it
 * @ahead: bytes fetched ahead that it finds
 * @late: bytes of @out that leave later
 * @idle: bytes that the channel could carry beside it
 * @drained: bytes of earlier ones' that leave beside it
 * @stock: bytes that can have been fetched for operations behind it
 * @backlog: bytes that have yet to leave
 */
struct onsram_relax_op {
	uint64_t taken;
	double floor;
	double dram;
	double dram_narrow;
	double window;
	double movable;
	double out;
	double fetch;
	double refetch;
	double spill;
	double time;
	double ahead;
	double late;
	double idle;
	double drained;
	double stock;
	double backlog;
};

/**
 * struct onsram_relax - the state
 * @f: graph
 * @capacity: SPM bytes that may be taken
 * @synchronous: transfers run between operations
 * @constants: they may stay and be fetched ahead, too
 * @bw: bytes per ps
 * @copy_bw: of a transfer, which passes the SPM's port twice
 * @copy_bytes: what the channel could carry in a transfer's overhead
 * @hold: per use: granules' bytes of the tensor that stay until its next use
 * @here: per use: granules' bytes that are there for this use alone
 * @op: per operation
 * @total: ps of a run
 * @work: operations swept so far
 * @log: how operations and holds were before the change
 * @stamp: per operation: last change that touched it
 */
struct onsram_relax {
	const struct onsram_flow *f;
	uint64_t capacity;
	bool synchronous;
	bool constants;
	double bw;
	double copy_bw;
	double copy_bytes;
	uint32_t *hold;
	uint32_t *here;
	struct onsram_relax_op *op;
	double total;
	uint64_t work;
	struct onsram_relax_log *log;
	uint32_t nr_log;
	uint32_t *hold_log;
	uint32_t here_log;
	uint32_t hold_first;
	uint32_t hold_end;
	double total_log;
	uint32_t *stamp;
	uint32_t change;
};

/** onsram_relax_init() - nothing held. Return: 0, or -1 without memory */
int onsram_relax_init(struct onsram_relax *r, const struct onsram_flow *f, bool synchronous,
		      bool constants);
/** onsram_relax_fini() - also after a failed init */
void onsram_relax_fini(struct onsram_relax *r);
/**
 * onsram_relax_set() - hold @bytes of a tensor between uses @first to @end
 * @first: index of the first use
 * @end: index of the last one; @first: for this use alone
 * @raise: only where less is held now; else only where more is
 *
 * Return: how @total changes, ps.
 */
double onsram_relax_set(struct onsram_relax *r, uint32_t tensor, uint32_t first, uint32_t end,
			uint32_t bytes, bool raise);
/** onsram_relax_undo() - take the last onsram_relax_set() back */
void onsram_relax_undo(struct onsram_relax *r);
/** onsram_relax_room() - bytes that could be held between two uses, with what is held already */
uint64_t onsram_relax_room(const struct onsram_relax *r, uint32_t tensor, uint32_t first, uint32_t end);

/** onsram_relax_movable() - whether an operand's bytes may be fetched while operations before run */
bool onsram_relax_movable(const struct onsram_relax *r, uint32_t op, uint32_t slot);

/** onsram_relax_spills() - whether some of what is there for a use has to be written back behind it */
bool onsram_relax_spills(const struct onsram_relax *r, uint32_t tensor, uint32_t use);

/** onsram_relax_served() - bytes in the SPM for a use */
static inline uint32_t onsram_relax_served(const struct onsram_relax *r, uint32_t tensor, uint32_t use)
{
	uint32_t before = use > r->f->first[tensor] ? r->hold[use - 1] : 0;
	uint32_t most = before > r->hold[use] ? before : r->hold[use];

	return most > r->here[use] ? most : r->here[use];
}

#endif
