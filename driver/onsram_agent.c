// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy agent of a device: how it comes and goes.
 */

#include <linux/netlink.h>
#include <linux/notifier.h>

#include "onsram_link.h"
#include "onsram_netlink.h"

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
	link->done = true;
	return 0;
}

void onsram_agent_detach(struct onsram_link *link)
{
	struct onsram_device *odev = link->odev;
	struct onsram_graph *graph;
	u32 id = 0;

	WRITE_ONCE(link->agent, 0);
	link->done = false;
	onsram_rules_clear(&link->rules);
	while ((graph = onsram_graph_next(odev, id))) {
		id = graph->id + 1;
		onsram_graph_set_plan(graph, NULL);
		onsram_graph_put(graph);
	}
	onsram_graph_agent_changed(odev);
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

bool onsram_nl_agent_attached(struct onsram_device *odev)
{
	return READ_ONCE(odev->link->agent);
}
