/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core tells the policy daemon, and what it asks its rules.
 *
 * None of the events blocks or fails: what finds no room is counted as lost.
 */
#ifndef _ONSRAM_NETLINK_H_
#define _ONSRAM_NETLINK_H_

#include "onsram_drv.h"
#include "onsram_event.h"
#include "onsram_rule.h"

/** onsram_nl_init() - registers the family, before the first device */
int onsram_nl_init(void);
/** onsram_nl_exit() - after the last device */
void onsram_nl_exit(void);
/** onsram_nl_device_init() - memory of the link; drmm frees it.  Before jobs can be submitted */
int onsram_nl_device_init(struct onsram_device *odev);
/** onsram_nl_device_add() - the device, registered with DRM, can be named from now on */
int onsram_nl_device_add(struct onsram_device *odev);
/** onsram_nl_device_remove() - it cannot any more; its agent is detached */
void onsram_nl_device_remove(struct onsram_device *odev);

/** onsram_agent_wake() - something that clients wait for from the policy agent has changed */
void onsram_agent_wake(struct onsram_device *odev);
/**
 * onsram_agent_wait() - wait for what the policy agent should do, until @done
 * @odev: device
 * @done: tells; onsram_agent_wake() makes it asked again
 * @what: for @done
 * @timeout_ns: absolute, CLOCK_MONOTONIC
 *
 * Return: 0; -ETIME; -ENOTCONN: no agent; -EHOSTDOWN: it is stalled; -ENODEV; -ERESTARTSYS
 */
int onsram_agent_wait(struct onsram_device *odev, bool (*done)(const void *what), const void *what,
		      s64 timeout_ns);
/** onsram_agent_probe() - ask the agent for a sign of life, unless it owes one already */
void onsram_agent_probe(struct onsram_context *ctx);
/** onsram_agent_state() - how the agent is, in a word for sysfs */
const char *onsram_agent_state(struct onsram_device *odev);

/** onsram_nl_knows_policy() - is there no agent, or does it have a policy of that name? */
bool onsram_nl_knows_policy(struct onsram_device *odev, const struct onsram_policy *policy);

/**
 * onsram_rule_lookup() - the step or rule for an operation that its client emits next, if there is
 * one; the client is in another state then.  Called under spm.lock
 */
bool onsram_rule_lookup(struct onsram_context *ctx, const struct onsram_op *op,
			struct onsram_rule_what *what);

/** onsram_nl_sync() - @ctx waits for SYNC_DONE with @seq */
void onsram_nl_sync(struct onsram_context *ctx, u64 seq);
/** onsram_nl_graph_created() - the graph can be looked up; called without locks */
void onsram_nl_graph_created(struct onsram_graph *graph);
/** onsram_nl_graph_destroyed() - it cannot any more */
void onsram_nl_graph_destroyed(struct onsram_device *odev, u32 id);
/** onsram_nl_client_gone() - an open file was closed */
void onsram_nl_client_gone(struct onsram_device *odev, u32 client_id);

/**
 * onsram_nl_op_retired() - an operation submitted singly under POLICY_AGENT completed
 *
 * @resident: mask of operand slots found in the SPM
 * @time_ps: modelled
 *
 * Called by the completion thread before the job's fence signals.
 */
void onsram_nl_op_retired(struct onsram_context *ctx, const struct onsram_op *op,
			  u32 resident, u64 time_ps);
/** onsram_nl_died() - buffers that died before what is reported next; as onsram_nl_op_retired() */
void onsram_nl_died(struct onsram_context *ctx, const struct onsram_event_died *died);

#endif
