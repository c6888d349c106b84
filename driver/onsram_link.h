/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device's link to the policy daemon; what the netlink files share.
 */
#ifndef _ONSRAM_LINK_H_
#define _ONSRAM_LINK_H_

#include <linux/mutex.h>
#include <net/genetlink.h>

#include <linux/onsram_netlink.h>

#include "onsram_drv.h"
#include "onsram_event.h"
#include "onsram_rule.h"

/**
 * struct onsram_link - a device as the family sees it
 * @odev: device
 * @agent: netlink port of the policy agent, 0 none
 * @policies: names of its policies
 * @nr_policies: how many; 0: it did not say
 * @done: the agent has read what existed when it came
 * @sequence: counts graphs created and destroyed, for consistent dumps
 * @rules: for operations submitted singly
 * @events: retired operations
 */
struct onsram_link {
	struct onsram_device *odev;
	u32 agent;
	char policies[ONSRAM_AGENT_POLICIES_MAX][DRM_ONSRAM_POLICY_NAME_LEN];
	u32 nr_policies;
	bool done;
	atomic_t sequence;
	struct onsram_rules rules;
	struct onsram_event_queue events;
};

extern struct mutex onsram_link_mutex;
extern struct genl_family onsram_genl_family;

/* Multicast groups, by their index */
#define ONSRAM_GROUP_EVENTS	0

/** onsram_link_find() - the device a request names; sets @extack.  onsram_link_mutex held */
struct onsram_link *onsram_link_find(const struct genl_info *info);
/** onsram_nl_put_policy() - POLICY and, of an agent's policy, POLICY_NAME */
int onsram_nl_put_policy(struct sk_buff *skb, const struct onsram_policy *policy);
/** onsram_link_send_retired() - work: sends what is queued in batches */
void onsram_link_send_retired(struct work_struct *work);

/* Dumps */

int onsram_nl_graph_dump_start(struct netlink_callback *cb);
int onsram_nl_graph_dump(struct sk_buff *skb, struct netlink_callback *cb);
int onsram_nl_graph_dump_done(struct netlink_callback *cb);
int onsram_nl_rule_dump_start(struct netlink_callback *cb);
int onsram_nl_rule_dump(struct sk_buff *skb, struct netlink_callback *cb);
int onsram_nl_rule_dump_done(struct netlink_callback *cb);

#endif
