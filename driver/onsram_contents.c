// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether tensors hold what was written to them: accounting for the ends of
 * commands.
 */
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/minmax.h>

#include "onsram_spm.h"

/* Does a command read what is lost? */
static bool onsram_reads_lost(const struct onsram_residence *res, enum onsram_location at,
			      u64 stamp)
{
	return res->lost[at].since && res->lost[at].since < stamp;
}

/* A command has, or should have, given a location new contents */
static void onsram_settle(struct onsram_residence *res, enum onsram_location at, u64 stamp,
			  bool good)
{
	struct onsram_loss *lost = &res->lost[at];

	if (!good) {
		lost->since = lost->since ? min(lost->since, stamp) : stamp;
		lost->until = max(lost->until, stamp);
	} else if (lost->until < stamp) {
		*lost = (struct onsram_loss) {};
	} else if (lost->since < stamp) {
		/* Good again up to what was lost behind it */
		lost->since = lost->until;
	}
}

/* Contents that are nowhere else are lost */
static void onsram_lose(struct onsram_residence *res, enum onsram_location at, u64 stamp)
{
	onsram_settle(res, at, stamp, false);
	if (!res->counted)
		res->generation++;
	res->counted = true;
}

void onsram_spm_abandon(struct onsram_spm *spm, struct onsram_residence *res, u64 stamp)
{
	if (onsram_residency_discard(spm, res))
		onsram_lose(res, ONSRAM_HOME, stamp);
}

static bool onsram_place_is_written(const struct onsram_spm *spm,
				    const struct onsram_action *action,
				    const struct onsram_residence *res)
{
	const struct onsram_access *access = &res->access[ONSRAM_PLACE];

	return access->write > spm->order.done[access->writer] &&
	       (access->writer != action->engine || access->write > action->seq);
}

/* What the place of a tensor holds is of no use: it leaves unless commands still write there */
static void onsram_leave_place(struct onsram_spm *spm, const struct onsram_action *action,
			       struct onsram_residence *res)
{
	if (!onsram_place_is_written(spm, action, res))
		onsram_spm_abandon(spm, res, action->stamp);
}

static void onsram_retire_writeback(struct onsram_spm *spm, const struct onsram_action *action,
				    bool failed)
{
	struct onsram_residence *res = action->res;

	/* A part does not make its home whole */
	if (failed || onsram_reads_lost(res, ONSRAM_PLACE, action->stamp))
		onsram_lose(res, ONSRAM_HOME, action->stamp);
	else if (!action->part)
		onsram_settle(res, ONSRAM_HOME, action->stamp, true);
	/* What the SPM may still have must not hide that DRAM does not */
	if (failed && res->state == DRM_ONSRAM_RESIDENCY_CLEAN)
		onsram_residency_discard(spm, res);
}

static void onsram_retire_fetch(struct onsram_spm *spm, const struct onsram_action *action,
				bool failed)
{
	struct onsram_residence *res = action->res;

	if (failed || onsram_reads_lost(res, ONSRAM_HOME, action->stamp))
		onsram_settle(res, ONSRAM_PLACE, action->stamp, false);
	else if (!action->part)
		onsram_settle(res, ONSRAM_PLACE, action->stamp, true);
	/* Its home still has it */
	if (failed && res->state == DRM_ONSRAM_RESIDENCY_CLEAN)
		onsram_residency_discard(spm, res);
}

static bool onsram_slot_reads_lost(const struct onsram_action *action, u32 s,
				   const struct onsram_residence *res)
{
	enum onsram_location at;

	for (at = 0; at < ONSRAM_LOCATIONS; at++)
		if (onsram_slot_uses(action, s, at) && onsram_reads_lost(res, at, action->stamp))
			return true;
	return false;
}

static int onsram_retire_op(struct onsram_spm *spm, const struct onsram_action *action,
			    struct onsram_residence *const *operands, bool failed)
{
	struct onsram_residence *out = operands[0];
	enum onsram_location at;
	bool lost = false;
	u32 s;

	for (s = 1; s < ONSRAM_MAX_OPERANDS; s++)
		if (operands[s] && !(action->born & BIT(s)))
			lost |= onsram_slot_reads_lost(action, s, operands[s]);

	for (at = 0; at < ONSRAM_LOCATIONS; at++) {
		if (!onsram_slot_uses(action, 0, at))
			continue;
		if (failed || lost)
			onsram_lose(out, at, action->stamp);
		else if (action->whole)
			onsram_settle(out, at, action->stamp, true);
		else if (onsram_reads_lost(out, at, action->stamp))
			/* A part does not make it whole */
			onsram_lose(out, at, action->stamp);
	}
	if (!failed && !lost && action->whole)
		out->counted = false;
	if ((failed || lost) && onsram_slot_uses(action, 0, ONSRAM_PLACE))
		onsram_leave_place(spm, action, out);
	return lost ? -EIO : 0;
}

int onsram_retire(struct onsram_spm *spm, const struct onsram_action *action,
		  struct onsram_residence *const *operands, bool failed)
{
	int ret = 0;

	switch (action->kind) {
	case ONSRAM_PUSH_OP:
		ret = onsram_retire_op(spm, action, operands, failed);
		break;
	case ONSRAM_PUSH_ASSIGN:
		if (failed)
			onsram_spm_distrust(spm, action->start, action->granules);
		break;
	case ONSRAM_PUSH_WRITEBACK:
		onsram_retire_writeback(spm, action, failed);
		break;
	case ONSRAM_PUSH_FETCH:
		onsram_retire_fetch(spm, action, failed);
		break;
	}
	WRITE_ONCE(spm->order.done[action->engine], action->seq);
	return ret;
}

void onsram_residency_broken(struct onsram_spm *spm, const struct onsram_action *action,
			     struct onsram_residence *res)
{
	if (res->state == DRM_ONSRAM_RESIDENCY_DIRTY)
		onsram_lose(res, ONSRAM_PLACE, action->stamp);
	else
		onsram_settle(res, ONSRAM_PLACE, action->stamp, false);
	onsram_leave_place(spm, action, res);
}

void onsram_residency_lose(struct onsram_spm *spm, struct onsram_residence *res)
{
	onsram_residency_discard(spm, res);
	onsram_lose(res, ONSRAM_HOME, spm->order.stamp);
}

void onsram_residency_written(struct onsram_spm *spm, struct onsram_residence *res)
{
	onsram_residency_discard(spm, res);
	res->lost[ONSRAM_HOME] = (struct onsram_loss) {};
	res->counted = false;
	res->told = res->generation;
}

bool onsram_residency_tell(struct onsram_residence *res)
{
	if (!onsram_residency_is_lost(res) || res->told == res->generation)
		return false;
	res->counted = false;
	res->told = res->generation;
	return true;
}

void onsram_residency_needs(const struct onsram_residence *res, bool write,
			    struct onsram_needs *needs)
{
	onsram_needs_add(needs, &res->access[ONSRAM_HOME], write);
}

void onsram_residency_all_needs(const struct onsram_residence *res, struct onsram_needs *needs)
{
	onsram_needs_add(needs, &res->access[ONSRAM_HOME], true);
	onsram_needs_add(needs, &res->access[ONSRAM_PLACE], true);
}
