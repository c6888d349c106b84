// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices as the family sees them.
 *
 * Requests are serialised by genetlink; onsram_link_mutex also keeps devices from
 * going away and sockets from closing meanwhile.
 */

#include <drm/drm_managed.h>

#include "onsram_link.h"
#include "onsram_netlink.h"

/* Guards the registry of devices, agents, and changes to plans and rules */
DEFINE_MUTEX(onsram_link_mutex);

/* accel index -> struct onsram_link; guarded by onsram_link_mutex */
static DEFINE_XARRAY(onsram_links);

struct onsram_link *onsram_link_find(const struct genl_info *info)
{
	struct nlattr *attr = info->attrs[ONSRAM_A_DEVICE_ID];
	struct onsram_link *link;

	if (!attr) {
		GENL_SET_ERR_MSG(info, "DEVICE_ID is missing");
		return ERR_PTR(-EINVAL);
	}
	link = xa_load(&onsram_links, nla_get_u32(attr));
	if (!link) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such device");
		return ERR_PTR(-ENODEV);
	}
	return link;
}

struct onsram_link *onsram_link_find_own(const struct genl_info *info)
{
	struct onsram_link *link = onsram_link_find(info);

	if (IS_ERR(link))
		return link;
	if (link->agent != info->snd_portid) {
		GENL_SET_ERR_MSG(info, "this socket is not the policy agent: ATTACH first");
		return ERR_PTR(-EPERM);
	}
	onsram_agent_heard(link);
	return link;
}

u32 onsram_link_id(const struct onsram_link *link)
{
	return link->odev->drm.accel->index;
}

struct onsram_link *onsram_link_next(unsigned long *id)
{
	return xa_find(&onsram_links, id, ULONG_MAX, XA_PRESENT);
}

static void onsram_link_release(struct drm_device *drm, void *data)
{
	struct onsram_link *link = data;

	onsram_events_fini(&link->events);
	onsram_rules_clear(&link->rules);
}

int onsram_nl_device_init(struct onsram_device *odev)
{
	struct onsram_link *link;
	int ret;

	link = drmm_kzalloc(&odev->drm, sizeof(*link), GFP_KERNEL);
	if (!link)
		return -ENOMEM;
	link->odev = odev;
	atomic_set(&link->sequence, 1);
	onsram_agent_prepare(link);
	onsram_rules_init(&link->rules);
	ret = onsram_events_init(&link->events, onsram_link_send_retired);
	if (ret)
		return ret;
	odev->link = link;
	return drmm_add_action_or_reset(&odev->drm, onsram_link_release, link);
}

int onsram_nl_device_add(struct onsram_device *odev)
{
	guard(mutex)(&onsram_link_mutex);
	return xa_err(xa_store(&onsram_links, onsram_link_id(odev->link), odev->link, GFP_KERNEL));
}

void onsram_nl_device_remove(struct onsram_device *odev)
{
	guard(mutex)(&onsram_link_mutex);
	xa_erase(&onsram_links, onsram_link_id(odev->link));
	onsram_agent_detach(odev->link);
}
