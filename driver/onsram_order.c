// SPDX-License-Identifier: GPL-2.0-only
/*
 * Order between engines: who depends on whom, and the waits that follow.
 */
#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "onsram_order.h"

void onsram_access_mark(struct onsram_access *access, const struct onsram_action *action,
			bool write)
{
	if (!write) {
		access->read[action->engine] = action->seq;
		return;
	}
	/* It waited for all uses before it: who waits for it has waited for them */
	memset(access, 0, sizeof(*access));
	access->writer = action->engine;
	access->write = action->seq;
}

void onsram_needs_add(struct onsram_needs *needs, const struct onsram_access *access, bool write)
{
	u32 e;

	needs->seq[access->writer] = max(needs->seq[access->writer], access->write);
	for (e = 0; write && e < ONSRAM_MAX_ENGINES; e++)
		needs->seq[e] = max(needs->seq[e], access->read[e]);
}

bool onsram_needs_met(const struct onsram_order *order, const struct onsram_needs *needs)
{
	u32 e;

	for (e = 0; e < order->nr_engines; e++)
		if (READ_ONCE(order->done[e]) < needs->seq[e])
			return false;
	return true;
}

static void onsram_order_put(struct onsram_order *order, struct onsram_emit *emit,
			     struct onsram_hw_cmd *cmd, const struct onsram_hw_windows *windows,
			     struct onsram_action *action)
{
	action->seq = ++order->seq[action->engine];
	action->stamp = ++order->stamp;
	cmd->seq = action->seq;
	cmd->flags |= ONSRAM_CMDF_SIGNAL;
	cmd->signal_sem = action->engine;
	cmd->signal_value = action->seq;
	if (windows)
		cmd->flags |= ONSRAM_CMDF_WINDOWS;
	emit->push(emit, cmd, windows, action);
}

/* @cmd, and all that its engine runs after it, starts when @on has done @seq */
static void onsram_order_wait(struct onsram_order *order, struct onsram_hw_cmd *cmd, u32 engine,
			      u32 on, u64 seq)
{
	cmd->flags |= ONSRAM_CMDF_WAIT;
	cmd->wait_sem = on;
	cmd->wait_value = seq;
	order->known[engine][on] = seq;
}

static void onsram_order_nop(struct onsram_order *order, struct onsram_emit *emit,
			     const struct onsram_hw_cmd *cmd, u32 engine, u32 on, u64 seq)
{
	struct onsram_hw_cmd nop = { .opcode = ONSRAM_CMD_NOP, .asid = cmd->asid };
	struct onsram_action action = { .kind = ONSRAM_PUSH_WAIT, .engine = engine };

	/*
	 * Other engines than the job's two get no commands while it is pushed: when
	 * room is short, one wait for all they have settles the matter.
	 */
	if (emit->waits <= 2 * order->nr_engines)
		seq = order->seq[on];
	if (emit->waits)
		emit->waits--;
	onsram_order_wait(order, &nop, engine, on, seq);
	onsram_order_put(order, emit, &nop, NULL, &action);
}

void onsram_order_push(struct onsram_order *order, struct onsram_emit *emit,
		       struct onsram_hw_cmd *cmd, const struct onsram_hw_windows *windows,
		       struct onsram_action *action, const struct onsram_needs *needs)
{
	u32 engine = action->engine, partner, e, own = order->nr_engines;

	/* A command waits for one engine by itself: its partner, whose waits have no bound */
	partner = engine == emit->engine ? emit->mover : emit->engine;
	for (e = 0; e < order->nr_engines; e++) {
		u64 seq = needs->seq[e];

		if (e == engine || seq <= order->known[engine][e] || seq <= order->done[e])
			continue;
		if (own == order->nr_engines) {
			own = e;
		} else if (e == partner) {
			onsram_order_nop(order, emit, cmd, engine, own, needs->seq[own]);
			own = e;
		} else {
			onsram_order_nop(order, emit, cmd, engine, e, seq);
		}
	}
	if (own < order->nr_engines)
		onsram_order_wait(order, cmd, engine, own, needs->seq[own]);
	onsram_order_put(order, emit, cmd, windows, action);
}

bool onsram_order_ready(const struct onsram_order *order, const struct onsram_hw_cmd *cmd)
{
	return !(cmd->flags & ONSRAM_CMDF_WAIT) || order->done[cmd->wait_sem] >= cmd->wait_value;
}
