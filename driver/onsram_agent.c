// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy agent of a device: how it comes and goes, and who waits for it.
 *
 * What clients wait for is asked by a SYNC, which the agent answers once it has
 * done with everything before it.  While it owes an answer each of its requests
 * is a sign of life; without one for onsram_agent_timeout_ms it is stalled.
 */

#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/notifier.h>

#include <drm/drm_drv.h>
#include <drm/drm_print.h>
#include <drm/drm_utils.h>

#include "onsram_link.h"
#include "onsram_netlink.h"

static unsigned int onsram_agent_timeout_ms = 5000;
module_param_named(agent_timeout_ms, onsram_agent_timeout_ms, uint, 0644);
MODULE_PARM_DESC(agent_timeout_ms, "Silence after which a policy agent that owes an answer counts as stalled, ms (default 5000)");

void onsram_agent_prepare(struct onsram_link *link)
{
	init_waitqueue_head(&link->wait);
	mutex_init(&link->sync_mutex);
	spin_lock_init(&link->lock);
}

/* Jiffies until the agent counts as stalled; link->lock held */
static unsigned long onsram_agent_patience(const struct onsram_link *link)
{
	unsigned long end = link->owed_since +
			    msecs_to_jiffies(READ_ONCE(onsram_agent_timeout_ms));

	if (link->sync_done == link->sync_asked)
		return MAX_SCHEDULE_TIMEOUT;
	return time_before(jiffies, end) ? end - jiffies : 0;
}

void onsram_agent_heard(struct onsram_link *link)
{
	bool stalled;

	spin_lock(&link->lock);
	stalled = link->stalled;
	link->stalled = false;
	link->owed_since = jiffies;
	spin_unlock(&link->lock);
	if (stalled)
		drm_info(&link->odev->drm, "the policy agent answers again\n");
}

u64 onsram_agent_asked(struct onsram_link *link)
{
	u64 asked;

	spin_lock(&link->lock);
	asked = link->sync_asked;
	spin_unlock(&link->lock);
	return asked;
}

u8 onsram_agent_attached(struct onsram_link *link)
{
	if (!READ_ONCE(link->agent))
		return 0;
	return READ_ONCE(link->stalled) ? 3 : 1 + READ_ONCE(link->done);
}

const char *onsram_agent_state(struct onsram_device *odev)
{
	static const char * const names[] = { "none", "starting", "ready", "stalled" };

	return names[onsram_agent_attached(odev->link)];
}

/* The names an agent comes with */
static int onsram_link_name_policies(struct onsram_link *link, const struct genl_info *info)
{
	struct onsram_policy policy;
	struct nlattr *attr;
	int rem, ret;
	u32 n = 0;

	link->nr_policies = 0;
	nlmsg_for_each_attr_type(attr, ONSRAM_A_POLICY_NAME, info->nlhdr, GENL_HDRLEN, rem) {
		if (n == ONSRAM_AGENT_POLICIES_MAX) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr, "too many policies");
			return -E2BIG;
		}
		ret = onsram_nl_parse_policy_name(attr, &policy, info->extack);
		if (ret)
			return ret;
		memcpy(link->policies[n++], policy.name, sizeof(policy.name));
	}
	link->nr_policies = n;
	return 0;
}

bool onsram_link_knows_policy(const struct onsram_link *link, const struct onsram_policy *policy)
{
	u32 i;

	if (policy->kind != DRM_ONSRAM_POLICY_AGENT || !link->agent || !link->nr_policies)
		return true;
	for (i = 0; i < link->nr_policies; i++)
		if (!strcmp(link->policies[i], policy->name))
			return true;
	return false;
}

bool onsram_nl_knows_policy(struct onsram_device *odev, const struct onsram_policy *policy)
{
	guard(mutex)(&onsram_link_mutex);
	return onsram_link_knows_policy(odev->link, policy);
}

int onsram_nl_attach(struct sk_buff *skb, struct genl_info *info)
{
	struct onsram_link *link;
	int ret;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	if (link->agent) {
		GENL_SET_ERR_MSG(info, "the device has a policy agent already");
		return -EBUSY;
	}
	ret = onsram_link_name_policies(link, info);
	if (ret)
		return ret;

	spin_lock(&link->lock);
	link->sync_done = link->sync_asked;
	link->stalled = false;
	spin_unlock(&link->lock);
	WRITE_ONCE(link->agent, info->snd_portid);
	ret = onsram_nl_reply(info, link, ONSRAM_CMD_ATTACH, onsram_nl_put_device);
	if (ret)
		WRITE_ONCE(link->agent, 0);
	return ret;
}

int onsram_nl_done(struct sk_buff *skb, struct genl_info *info)
{
	struct onsram_link *link;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find_own(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	WRITE_ONCE(link->done, true);
	return 0;
}

int onsram_nl_sync_done(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[ONSRAM_A_SYNC];
	struct onsram_link *link;
	bool asked;
	u64 seq;

	guard(mutex)(&onsram_link_mutex);
	link = onsram_link_find_own(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	if (!attr) {
		GENL_SET_ERR_MSG(info, "SYNC is missing");
		return -EINVAL;
	}
	seq = nla_get_u64(attr);
	spin_lock(&link->lock);
	asked = seq <= link->sync_asked;
	if (asked && seq > link->sync_done)
		link->sync_done = seq;
	spin_unlock(&link->lock);
	if (!asked) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "nobody waits for this SYNC yet");
		return -EINVAL;
	}
	wake_up_all(&link->wait);
	return 0;
}

void onsram_agent_detach(struct onsram_link *link)
{
	struct onsram_device *odev = link->odev;
	struct onsram_graph *graph;
	u32 id = 0;

	WRITE_ONCE(link->agent, 0);
	WRITE_ONCE(link->done, false);
	onsram_rules_clear(&link->rules);
	while ((graph = onsram_graph_next(odev, id))) {
		id = graph->id + 1;
		onsram_graph_set_plan(graph, NULL);
		onsram_graph_put(graph);
	}
	wake_up_all(&link->wait);
}

static int onsram_nl_socket_closed(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct netlink_notify *notify = data;
	struct onsram_link *link;
	unsigned long id = 0;

	if (event != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC ||
	    !net_eq(notify->net, &init_net) || !notify->portid)
		return NOTIFY_DONE;

	guard(mutex)(&onsram_link_mutex);
	for (; (link = onsram_link_next(&id)); id++) {
		if (link->agent == notify->portid)
			onsram_agent_detach(link);
	}
	return NOTIFY_OK;
}

static struct notifier_block onsram_nl_notifier = {
	.notifier_call = onsram_nl_socket_closed,
};

int onsram_agent_init(void)
{
	return netlink_register_notifier(&onsram_nl_notifier);
}

void onsram_agent_exit(void)
{
	netlink_unregister_notifier(&onsram_nl_notifier);
}

/* --- who waits ------------------------------------------------------------------- */

void onsram_agent_wake(struct onsram_device *odev)
{
	wake_up_all(&odev->link->wait);
}

static u64 onsram_agent_ask(struct onsram_context *ctx)
{
	struct onsram_link *link = ctx->odev->link;
	u64 seq;

	/* What completed and died before it is reported before it */
	guard(mutex)(&link->sync_mutex);
	onsram_context_tell_died(ctx);
	onsram_events_flush(&link->events);
	spin_lock(&link->lock);
	if (link->sync_done == link->sync_asked)
		link->owed_since = jiffies;
	seq = ++link->sync_asked;
	spin_unlock(&link->lock);
	onsram_nl_sync(ctx, seq);
	return seq;
}

void onsram_agent_probe(struct onsram_context *ctx)
{
	struct onsram_link *link = ctx->odev->link;
	bool owes;

	spin_lock(&link->lock);
	owes = link->sync_done != link->sync_asked;
	spin_unlock(&link->lock);
	if (!owes && READ_ONCE(link->agent))
		onsram_agent_ask(ctx);
}

/* Notes that the agent has missed a deadline; how long it may take from now on */
static unsigned long onsram_agent_check(struct onsram_link *link)
{
	unsigned long left;
	bool missed;

	spin_lock(&link->lock);
	left = onsram_agent_patience(link);
	missed = !left && link->agent && !link->stalled;
	if (missed)
		link->stalled = true;
	spin_unlock(&link->lock);
	if (missed) {
		drm_warn(&link->odev->drm,
			 "the policy agent has not answered for %u ms: nobody waits for it until it does\n",
			 READ_ONCE(onsram_agent_timeout_ms));
		wake_up_all(&link->wait);
	}
	return left;
}

int onsram_agent_wait(struct onsram_device *odev, bool (*done)(const void *what), const void *what,
		      s64 timeout_ns)
{
	struct onsram_link *link = odev->link;
	unsigned long left, patience;
	long ret;

	for (;;) {
		left = drm_timeout_abs_to_jiffies(timeout_ns);
		patience = onsram_agent_check(link);
		ret = wait_event_interruptible_timeout(link->wait, done(what) ||
						       !READ_ONCE(link->agent) ||
						       READ_ONCE(link->stalled) ||
						       drm_dev_is_unplugged(&odev->drm),
						       min(left, patience));
		if (ret < 0)
			return ret;
		if (done(what))
			return 0;
		if (drm_dev_is_unplugged(&odev->drm))
			return -ENODEV;
		if (!READ_ONCE(link->agent))
			return -ENOTCONN;
		if (READ_ONCE(link->stalled))
			return -EHOSTDOWN;
		if (left <= patience)
			return -ETIME;
	}
}

/** struct onsram_agent_wait_sync - a SYNC that somebody waits for */
struct onsram_agent_wait_sync {
	struct onsram_link *link;
	u64 seq;
};

static bool onsram_agent_synced(const void *what)
{
	const struct onsram_agent_wait_sync *w = what;
	bool done;

	spin_lock(&w->link->lock);
	done = w->link->sync_done >= w->seq;
	spin_unlock(&w->link->lock);
	return done;
}

int onsram_ioctl_agent_sync(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct onsram_device *odev = to_onsram_device(drm);
	struct drm_onsram_agent_sync *args = data;
	struct onsram_context *ctx = file->driver_priv;
	struct onsram_agent_wait_sync w = { .link = odev->link };

	if (args->flags & ~DRM_ONSRAM_AGENT_SYNC_PRIVATE || args->reserved)
		return -EINVAL;
	if (args->flags & DRM_ONSRAM_AGENT_SYNC_PRIVATE)
		onsram_context_make_private(ctx);
	if (!READ_ONCE(w.link->agent))
		return -ENOTCONN;
	if (READ_ONCE(w.link->stalled))
		return -EHOSTDOWN;
	w.seq = onsram_agent_ask(ctx);
	return onsram_agent_wait(odev, onsram_agent_synced, &w, args->timeout_ns);
}
