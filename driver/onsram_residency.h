/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Residency: which tensors lie in the SPM, where, and whether DRAM has the same.
 *
 * Placing happens in queue order: the caller holds spm->lock from the first
 * command of a job to its last, and the state describes the SPM as it will be
 * when the commands pushed so far have run.  Nothing allocates or waits after
 * onsram_spm_init().
 *
 * Whether contents are there is known in the order in which commands end
 * (onsram_retire()): a location of a tensor holds what was last written to it, or
 * that is lost since a certain command, until something writes it whole again.
 * What reads a lost location computes garbage, so that its output is lost, too.
 *
 * What of a tensor is resident, one extent of it, is always used from the SPM,
 * whatever the policy: DRAM may be stale.  The rest is used from DRAM, which has it.
 * Policies only decide what becomes resident and what stops to be.
 */
#ifndef _ONSRAM_RESIDENCY_H_
#define _ONSRAM_RESIDENCY_H_

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include <drm/drm_mm.h>
#include <drm/onsram_accel.h>

#include <hw/misc/onsram_hw.h>

#include "onsram_order.h"

struct onsram_plan;
struct onsram_residence;

/**
 * enum onsram_location - where contents of a tensor can be
 * @ONSRAM_HOME: DRAM; what is dirty in the SPM does not count there
 * @ONSRAM_PLACE: SPM
 */
enum onsram_location {
	ONSRAM_HOME,
	ONSRAM_PLACE,
	ONSRAM_LOCATIONS
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
 * struct onsram_loss - since when the contents of a location are lost
 * @since: stamp of the command whose contents were lost first, 0: they are not lost
 * @until: of the last such command: what is written behind it counts again
 *
 * They differ where a loss is found out before commands in front of it have ended.
 */
struct onsram_loss {
	u64 since;
	u64 until;
};

/** struct onsram_range - granules of the SPM */
struct onsram_range {
	u32 start;
	u32 granules;
};

/**
 * struct onsram_residence - a tensor's place, embedded in its buffer object
 *
 * All guarded by spm->lock.
 *
 * @node: SPM range in granules; allocated while @state is not NONE
 * @begin: first byte of the tensor that lies there, a multiple of the granule
 * @state: enum drm_onsram_residency
 * @dirty: what of @node DRAM does not have; counts while @state is DIRTY
 * @client: who it belongs to
 * @va: address of its DRAM home in the client's address space
 * @bytes: size as asked for at creation
 * @priority: of the eager rule that placed it: who stays when room is short
 * @held_by: spm->run of the job whose plan wants it to stay until its interval ends
 * @lru: link in spm->lru while resident
 * @access: who used its home, and its place while it has one
 * @lost: whether its home, and its place, hold what was last written there
 * @generation: how often contents were lost that were nowhere else
 * @counted: the present loss is in @generation, and nobody was told or wrote it anew since
 * @told: @generation the CPU was last told about
 */
struct onsram_residence {
	struct drm_mm_node node;
	u64 begin;
	u32 state;
	struct onsram_range dirty;
	struct onsram_residency_client *client;
	u64 va;
	u64 bytes;
	u32 priority;
	u64 held_by;
	struct list_head lru;
	struct onsram_access access[ONSRAM_LOCATIONS];
	struct onsram_loss lost[ONSRAM_LOCATIONS];
	u64 generation;
	bool counted;
	u64 told;
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
 * @order: rings of the engines
 * @used_by: per granule and engine: sequence of the last command that used what is no
 *	resident's any more
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
	struct onsram_order order;
	u64 *used_by;
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
 * struct onsram_rule_what - what to do with the operands of an operation
 * @key: signature in context; of a step its signature
 * @state: of a step: state that it acts in; 0: no step
 * @next: of a step: state behind it
 * @actions: ONSRAM_RULE_*
 * @priority: who stays when room is short
 * @places: of a step: SPM offsets
 */
struct onsram_rule_what {
	u64 key;
	u32 state;
	u32 next;
	u32 actions;
	u32 priority;
	u32 places[ONSRAM_MAX_OPERANDS];
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
 * @rule: rule or step for it, or NULL
 * @resident: out: mask of operand slots used from the SPM, wholly or in part
 */
struct onsram_residency_op {
	const struct onsram_hw_cmd *cmd;
	u32 index;
	struct onsram_residence *res[ONSRAM_MAX_OPERANDS];
	u64 offset[ONSRAM_MAX_OPERANDS];
	bool writes_all;
	u32 born;
	u32 dies;
	const struct onsram_rule_what *rule;
	u32 resident;
};

/**
 * onsram_spm_init() - prepare the SPM of a device that has just been reset
 * @spm: to initialise
 * @bytes: size; the residents' share is what exceeds ONSRAM_STAGING_MIN
 * @nr_engines: engines that use it
 *
 * Return: 0, -EINVAL where @bytes is not a multiple of the granule, larger than
 * 4 GiB or smaller than the staging window, or -ENOMEM.
 */
int onsram_spm_init(struct onsram_spm *spm, u64 bytes, u32 nr_engines);
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
 */
void onsram_residency_op(struct onsram_spm *spm, struct onsram_emit *emit,
			 const struct onsram_residency_run *run, struct onsram_residency_op *op);

/**
 * onsram_residency_clean() - bring DRAM up to date; the tensor stays resident
 *
 * Return: 0, or -ENOSPC without room in @emit.
 */
int onsram_residency_clean(struct onsram_spm *spm, struct onsram_emit *emit,
			   struct onsram_residence *res);
/**
 * onsram_residency_evict() - bring DRAM up to date and end residency
 *
 * Return: 0, or -ENOSPC without room in @emit.
 */
int onsram_residency_evict(struct onsram_spm *spm, struct onsram_emit *emit,
			   struct onsram_residence *res);
/** onsram_residency_fetch() - bring a tensor in where there is free room; never evicts */
void onsram_residency_fetch(struct onsram_spm *spm, struct onsram_emit *emit,
			    struct onsram_residence *res);
/**
 * onsram_residency_discard() - end residency without write-back
 *
 * For a tensor that is dead, freed, or written by the CPU.  Pushes nothing.
 * Return: true where contents that DRAM does not have went away.
 */
bool onsram_residency_discard(struct onsram_spm *spm, struct onsram_residence *res);
/**
 * onsram_residency_drop_all() - evict every resident, for suspend
 *
 * Return: 0 when nothing is resident any more; -ENOSPC when @emit ran out of
 * room: call again with more.
 */
int onsram_residency_drop_all(struct onsram_spm *spm, struct onsram_emit *emit);
/**
 * onsram_residency_reset() - the SPM lost its contents and the device its owners
 * @spm: locked; every command pushed has been retired
 */
void onsram_residency_reset(struct onsram_spm *spm);

/**
 * onsram_retire() - accounts for the end of a command
 * @spm: locked
 * @action: as it was pushed; onsram_order_ready() has said yes
 * @operands: OP: tensors of the operation by slot, else NULL
 * @failed: it was not carried out, or not known to have been
 *
 * A movement that failed is damage of its tensor, an assignment that failed of who
 * lies there.
 *
 * Return: 0, or -EIO where an operation read what is lost.
 */
int onsram_retire(struct onsram_spm *spm, const struct onsram_action *action,
		  struct onsram_residence *const *operands, bool failed);
/**
 * onsram_residency_broken() - the place of a tensor holds a word that cannot be read
 * @spm: locked
 * @action: command that found out
 * @res: tensor
 */
void onsram_residency_broken(struct onsram_spm *spm, const struct onsram_action *action,
			     struct onsram_residence *res);
/**
 * onsram_residency_lose() - the contents of a tensor are lost from here on in queue order
 *
 * For what a job should have written that will not run.
 */
void onsram_residency_lose(struct onsram_spm *spm, struct onsram_residence *res);
/** onsram_residency_written() - the CPU has written the tensor, which is idle, in DRAM */
void onsram_residency_written(struct onsram_spm *spm, struct onsram_residence *res);

/** onsram_residency_needs() - what the CPU waits for before it reads, or writes, the home */
void onsram_residency_needs(const struct onsram_residence *res, bool write,
			    struct onsram_needs *needs);
/** onsram_residency_all_needs() - every command that still uses the tensor */
void onsram_residency_all_needs(const struct onsram_residence *res, struct onsram_needs *needs);

/**
 * onsram_residency_tell() - must the CPU, which is about to use it, be told that its contents
 * are lost?  The tensor is idle and not dirty; says yes once for each loss
 */
bool onsram_residency_tell(struct onsram_residence *res);
/** onsram_residency_is_lost() - are the contents in DRAM lost, as far as commands have ended? */
static inline bool onsram_residency_is_lost(const struct onsram_residence *res)
{
	return res->lost[ONSRAM_HOME].since;
}

/** onsram_residency_offset() - SPM offset of a resident's extent, bytes */
u64 onsram_residency_offset(const struct onsram_residence *res);
/** onsram_residency_bytes() - SPM bytes its extent takes, 0 where it is not resident */
u64 onsram_residency_bytes(const struct onsram_residence *res);
/** onsram_spm_largest_free() - bytes of the largest range a new resident could take */
u64 onsram_spm_largest_free(struct onsram_spm *spm);
/** onsram_spm_for_each() - residents by address; @fn must not change residency */
void onsram_spm_for_each(struct onsram_spm *spm,
			 void (*fn)(const struct onsram_residence *res, void *data), void *data);

#endif
