/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core tells the policy daemon, and what it asks its rules.
 *
 * None of the events blocks or fails: what finds no room is counted as lost.
 */
#ifndef _ONSRAM_NETLINK_H_
#define _ONSRAM_NETLINK_H_

#include "onsram_drv.h"

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

/** onsram_nl_agent_attached() - is there a policy agent for this device? */
bool onsram_nl_agent_attached(struct onsram_device *odev);

/** onsram_nl_knows_policy() - is there no agent, or does it have a policy of that name? */
bool onsram_nl_knows_policy(struct onsram_device *odev, const struct onsram_policy *policy);

/** onsram_rule_lookup() - the rule for @key, if there is one.  Called under spm.lock */
bool onsram_rule_lookup(struct onsram_device *odev, u64 key, u32 *actions, u32 *priority);

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

#endif
