/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Residency: which tensors lie in the SPM, where, and whether DRAM has the same.
 *
 * Everything here happens in queue order: the caller holds spm->lock from the
 * first command of a job to its last, and the state describes the SPM as it
 * will be when the commands pushed so far have run.  Nothing allocates or waits
 * after onsram_spm_init().
 *
 * A resident tensor is always used from the SPM, whatever the policy: DRAM may
 * be stale.  Policies only decide what becomes resident and what stops to be.
 */
#ifndef _ONSRAM_RESIDENCY_H_
#define _ONSRAM_RESIDENCY_H_

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include <drm/drm_mm.h>
#include <drm/onsram_accel.h>

#include <hw/misc/onsram_hw.h>

struct onsram_plan;
struct onsram_residence;

/**
 * enum onsram_push - what a pushed command is for
 * @ONSRAM_PUSH_OP: the operation itself; always fits
 * @ONSRAM_PUSH_ASSIGN: SPM ownership
 * @ONSRAM_PUSH_WRITEBACK: COPY of a tensor from SPM to DRAM
 * @ONSRAM_PUSH_FETCH: COPY of a tensor from DRAM to SPM
 */
enum onsram_push {
	ONSRAM_PUSH_OP,
	ONSRAM_PUSH_ASSIGN,
	ONSRAM_PUSH_WRITEBACK,
	ONSRAM_PUSH_FETCH,
};

/**
 * struct onsram_emit - where residency puts commands
 * @push: appends a copy of @cmd.  Residency fills opcode, asid (the owner's of what
 *	the command touches), attr and operands or args; push fills sequence,
 *	semaphores and flags.  @res is the tensor a WRITEBACK or FETCH moves, else
 *	NULL.  Must succeed for OP, and for the others while @room is not 0; an
 *	error means the command is not on the ring and ends the job.
 * @room: placement actions (everything but OP) that still fit; residency counts it down
 */
struct onsram_emit {
	int (*push)(struct onsram_emit *emit, const struct onsram_hw_cmd *cmd,
		    enum onsram_push kind, struct onsram_residence *res);
	u32 room;
};

/**
 * struct onsram_residency_client - whose tensors they are
 * @id: unique for as long as the driver is loaded, not 0: tells owners apart for scrubbing
 * @asid: hardware context
 * @stats: totals of the client.  hits, misses, evictions, writebacks, prefetches,
 *	fallbacks, scrubs, dram_avoided_bytes, resident_bytes and peak_bytes belong
 *	to residency and are guarded by spm->lock
 */
struct onsram_residency_client {
	u32 id;
	u32 asid;
	struct drm_onsram_stats *stats;
};

/**
 * struct onsram_residence - a tensor's place, embedded in its buffer object
 *
 * All guarded by spm->lock.
 *
 * @node: SPM range in granules; allocated while @state is not NONE
 * @state: enum drm_onsram_residency
 * @client: who it belongs to
 * @va: address of its DRAM home in the client's address space
 * @bytes: size as asked for at creation
 * @priority: of the eager rule that placed it: who stays when room is short
 * @held_by: spm->run of the job whose plan wants it to stay until its interval ends
 * @lru: link in spm->lru while resident
 */
struct onsram_residence {
	struct drm_mm_node node;
	u32 state;
	struct onsram_residency_client *client;
	u64 va;
	u64 bytes;
	u32 priority;
	u64 held_by;
	struct list_head lru;
};

/**
 * struct onsram_spm - the scratch-pad memory
 * @lock: queue order; see the top of this file
 * @mm: ranges of residents, in granules
 * @granules: size of the SPM
 * @capacity: granules that residents may take: all but ONSRAM_STAGING_MIN
 * @used: granules that residents take
 * @resident: number of residents
 * @lru: residents, least recently used first
 * @owner: per granule: id of the client whose data it last held, 0 nobody's since the
 *	device was reset, which zeroes the SPM, ONSRAM_OWNER_UNKNOWN after a failure
 * @stale: granules that no resident takes, but which the device still has an
 *	owner for; released before the next operation that uses the staging window
 * @assigned: granules that the device has an owner for: the context of client @owner
 * @nr_stale: bits set in @stale
 * @run: counts jobs
 * @stats: totals of the device; fields as in struct onsram_residency_client
 */
struct onsram_spm {
	struct mutex lock; /* queue order */
	struct drm_mm mm;
	u32 granules;
	u32 capacity;
	u32 used;
	u32 resident;
	struct list_head lru;
	u32 *owner;
	unsigned long *stale;
	unsigned long *assigned;
	u32 nr_stale;
	u64 run;
	struct drm_onsram_stats stats;
};

#define ONSRAM_OWNER_UNKNOWN	U32_MAX

/**
 * struct onsram_residency_run - the job that operations belong to
 * @client: whose
 * @policy: enum drm_onsram_policy, never DEFAULT
 * @fallback: DRM_ONSRAM_POLICY_NONE or _LRU
 * @plan: plan of the graph, or NULL
 * @tensor: residence of a graph's tensor by index; used where @plan is set
 */
struct onsram_residency_run {
	struct onsram_residency_client *client;
	u32 policy;
	u32 fallback;
	const struct onsram_plan *plan;
	struct onsram_residence *(*tensor)(const struct onsram_residency_run *run, u32 index);
};

/**
 * struct onsram_residency_op - an operation about to be pushed
 * @cmd: command with every operand at its DRAM address
 * @index: number of the operation in its job
 * @res: tensor of each operand slot, NULL where the slot is not used
 * @offset: bytes from the tensor's start to the operand's first element
 * @writes_all: it overwrites every byte of its output tensor
 * @born: mask of slots whose tensor is TRANSIENT and has its first use here
 * @dies: mask of slots whose tensor is TRANSIENT and has its last use here
 * @has_rule: an eager rule was found; without it @actions and @priority are not looked at
 * @actions: ONSRAM_RULE_*
 * @priority: of the rule
 * @resident: out: mask of operand slots used from the SPM
 */
struct onsram_residency_op {
	const struct onsram_hw_cmd *cmd;
	u32 index;
	struct onsram_residence *res[ONSRAM_MAX_OPERANDS];
	u64 offset[ONSRAM_MAX_OPERANDS];
	bool writes_all;
	u32 born;
	u32 dies;
	bool has_rule;
	u32 actions;
	u32 priority;
	u32 resident;
};

/**
 * onsram_spm_init() - prepare the SPM of a device that has just been reset
 * @spm: to initialise
 * @bytes: size; the residents' share is what exceeds ONSRAM_STAGING_MIN
 *
 * Return: 0, -EINVAL where @bytes is not a multiple of the granule, larger than
 * 4 GiB or smaller than the staging window, or -ENOMEM.
 */
int onsram_spm_init(struct onsram_spm *spm, u64 bytes);
/** onsram_spm_fini() - every resident must have been released */
void onsram_spm_fini(struct onsram_spm *spm);

/** onsram_residence_init() - a new buffer: @va is its DRAM home in @client's address space */
void onsram_residence_init(struct onsram_residence *res, struct onsram_residency_client *client,
			   u64 va, u64 bytes);

/**
 * onsram_residency_op() - place, push an operation, drop
 * @spm: locked
 * @emit: ring
 * @run: its job
 * @op: operation
 *
 * Pushes, in this order: for each tensor to be placed the evictions that make room
 * (COPY to DRAM under the victim owner's asid where the victim is dirty), SPM_ASSIGN
 * of the new place, with SCRUB where another client was the last owner, and the
 * fetch; RELEASE of stale granules where the operation uses the staging window; the
 * operation with SPM addresses for what is resident; the write-backs of what its
 * policy drops after it.  Where emit->room is short, tensors are not placed and not
 * dropped.
 *
 * Operand hits are those used from the SPM without a fetch of their own, written
 * outputs included; all others are misses.
 *
 * NONE uses what it finds resident and makes it give its place up after the
 * operation, so that a client that switches to NONE drains.
 *
 * Return: 0 or the error of emit->push().
 */
int onsram_residency_op(struct onsram_spm *spm, struct onsram_emit *emit,
			const struct onsram_residency_run *run, struct onsram_residency_op *op);

/**
 * onsram_residency_clean() - bring DRAM up to date; the tensor stays resident
 *
 * Return: 0, -ENOSPC without room in @emit, or the error of emit->push().
 */
int onsram_residency_clean(struct onsram_spm *spm, struct onsram_emit *emit,
			   struct onsram_residence *res);
/**
 * onsram_residency_evict() - bring DRAM up to date and end residency
 *
 * Return: as onsram_residency_clean().
 */
int onsram_residency_evict(struct onsram_spm *spm, struct onsram_emit *emit,
			   struct onsram_residence *res);
/**
 * onsram_residency_fetch() - bring a tensor in where there is free room; never evicts
 *
 * Return: 0 also where there is no room, or the error of emit->push().
 */
int onsram_residency_fetch(struct onsram_spm *spm, struct onsram_emit *emit,
			   struct onsram_residence *res);
/**
 * onsram_residency_discard() - end residency without write-back
 *
 * For a tensor that is dead, freed, or whose contents are lost.  Pushes nothing.
 * Return: true where contents that DRAM does not have went away.
 */
bool onsram_residency_discard(struct onsram_spm *spm, struct onsram_residence *res);
/**
 * onsram_residency_drop_client() - discard everything of a client
 *
 * For a client whose last job has been pushed and whose buffers nobody will read.
 */
void onsram_residency_drop_client(struct onsram_spm *spm,
				  const struct onsram_residency_client *client);
/**
 * onsram_residency_drop_all() - evict every resident, for suspend
 *
 * Return: 0 when nothing is resident any more; -ENOSPC when @emit ran out of
 * room: call again with more; or the error of emit->push().
 */
int onsram_residency_drop_all(struct onsram_spm *spm, struct onsram_emit *emit);
/**
 * onsram_residency_reset() - the SPM lost its contents and the device its owners
 * @spm: locked
 * @lost: called for each tensor whose only contents were in the SPM; may be NULL
 */
void onsram_residency_reset(struct onsram_spm *spm, void (*lost)(struct onsram_residence *res));

/**
 * onsram_residency_distrust() - the device failed to carry an SPM_ASSIGN out
 * @spm: locked
 * @offset: of the range, bytes
 * @bytes: length of the range
 * @lost: as for onsram_residency_reset(), called for residents of the range
 *
 * Whose the range is and what it holds is not known: its next place is assigned
 * and scrubbed whoever it is for.
 */
void onsram_residency_distrust(struct onsram_spm *spm, u64 offset, u64 bytes,
			       void (*lost)(struct onsram_residence *res));

/** onsram_residency_offset() - SPM offset of a resident, bytes */
u64 onsram_residency_offset(const struct onsram_residence *res);
/** onsram_residency_bytes() - SPM bytes a tensor takes, 0 where it is not resident */
u64 onsram_residency_bytes(const struct onsram_residence *res);
/** onsram_spm_largest_free() - bytes of the largest range a new resident could take */
u64 onsram_spm_largest_free(struct onsram_spm *spm);
/** onsram_spm_for_each() - residents by address; @fn must not change residency */
void onsram_spm_for_each(struct onsram_spm *spm,
			 void (*fn)(const struct onsram_residence *res, void *data), void *data);

#endif
