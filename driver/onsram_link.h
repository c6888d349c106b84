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
 * @wait: woken when anything changes that clients wait for
 * @sync_mutex: one SYNC at a time: they reach the agent in order
 * @lock: guards what follows up to @stalled
 * @sync_asked: last SYNC that a client waits for
 * @sync_done: last one that the agent has done with
 * @owed_since: jiffies since when it has not been heard, while it owes an answer
 * @stalled: it has missed a deadline and not been heard since
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
	wait_queue_head_t wait;
	struct mutex sync_mutex; /* order of SYNC */
	spinlock_t lock; /* up to stalled */
	u64 sync_asked;
	u64 sync_done;
	unsigned long owed_since;
	bool stalled;
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
/** onsram_link_find_own() - likewise, for what only the agent may ask */
struct onsram_link *onsram_link_find_own(const struct genl_info *info);
/** onsram_link_next() - the device with the lowest id from @id on, which becomes its id, or NULL */
struct onsram_link *onsram_link_next(unsigned long *id);
/** onsram_link_id() - what requests name it by */
u32 onsram_link_id(const struct onsram_link *link);

/** onsram_agent_init() - watch for sockets of agents that close */
int onsram_agent_init(void);
void onsram_agent_exit(void);
/** onsram_agent_prepare() - before the first client */
void onsram_agent_prepare(struct onsram_link *link);
/** onsram_agent_heard() - a request of the agent arrived */
void onsram_agent_heard(struct onsram_link *link);
/** onsram_agent_asked() - the last SYNC that a client waits, or waited, for */
u64 onsram_agent_asked(struct onsram_link *link);
/** onsram_agent_attached() - ONSRAM_A_AGENT_ATTACHED */
u8 onsram_agent_attached(struct onsram_link *link);
/**
 * onsram_agent_detach() - the agent is gone: what it decided goes with it, the fallback policy
 * takes over.  onsram_link_mutex held
 */
void onsram_agent_detach(struct onsram_link *link);

/** onsram_link_knows_policy() - as onsram_nl_knows_policy(), onsram_link_mutex held */
bool onsram_link_knows_policy(const struct onsram_link *link, const struct onsram_policy *policy);

/** onsram_link_send_retired() - work: sends what is queued in batches */
void onsram_link_send_retired(struct work_struct *work);

/* Requests */

extern const struct nla_policy onsram_nl_interval_policy[ONSRAM_A_INTERVAL_MAX + 1];
extern const struct nla_policy onsram_nl_rule_policy[ONSRAM_A_RULE_MAX + 1];

/** onsram_nl_parse_policy_name() - a policy of the agent's by name; sets @extack */
int onsram_nl_parse_policy_name(const struct nlattr *attr, struct onsram_policy *policy,
				struct netlink_ext_ack *extack);
int onsram_nl_device_get(struct sk_buff *skb, struct genl_info *info);
int onsram_nl_device_dump(struct sk_buff *skb, struct netlink_callback *cb);
int onsram_nl_attach(struct sk_buff *skb, struct genl_info *info);
int onsram_nl_sync_done(struct sk_buff *skb, struct genl_info *info);
int onsram_nl_done(struct sk_buff *skb, struct genl_info *info);
int onsram_nl_plan_set(struct sk_buff *skb, struct genl_info *info);
int onsram_nl_rule_set(struct sk_buff *skb, struct genl_info *info);
int onsram_nl_rule_del(struct sk_buff *skb, struct genl_info *info);
int onsram_nl_policy_set(struct sk_buff *skb, struct genl_info *info);
int onsram_nl_stats_get(struct sk_buff *skb, struct genl_info *info);

int onsram_nl_graph_dump_start(struct netlink_callback *cb);
int onsram_nl_graph_dump(struct sk_buff *skb, struct netlink_callback *cb);
int onsram_nl_graph_dump_done(struct netlink_callback *cb);
int onsram_nl_rule_dump_start(struct netlink_callback *cb);
int onsram_nl_rule_dump(struct sk_buff *skb, struct netlink_callback *cb);
int onsram_nl_rule_dump_done(struct netlink_callback *cb);

/* Answers */

/** onsram_nl_put_policy() - POLICY and, of an agent's policy, POLICY_NAME */
int onsram_nl_put_policy(struct sk_buff *skb, const struct onsram_policy *policy);
/** onsram_nl_put_device() - appends DEVICE attributes */
int onsram_nl_put_device(struct sk_buff *skb, struct onsram_link *link);
/** onsram_nl_reply() - answers a request with what @put appends */
int onsram_nl_reply(struct genl_info *info, struct onsram_link *link, u8 cmd,
		    int (*put)(struct sk_buff *skb, struct onsram_link *link));
/** onsram_nl_dump_begin() - the head of a message of a dump, NULL where there is no room */
void *onsram_nl_dump_begin(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd);

#endif
