// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies of devices and open files, by kind and name.
 */

#include <linux/ctype.h>
#include <linux/string.h>

#include "onsram_drv.h"
#include "onsram_netlink.h"

/* Words that name no agent's policy, by enum drm_onsram_policy */
static const char * const onsram_policy_words[] = {
	[DRM_ONSRAM_POLICY_DEFAULT] = "default",
	[DRM_ONSRAM_POLICY_NONE] = "none",
	[DRM_ONSRAM_POLICY_LRU] = "lru",
};

int onsram_policy_check(const struct onsram_policy *policy)
{
	const char *name = policy->name;
	size_t i, len = strnlen(name, sizeof(policy->name));

	if (policy->kind >= DRM_ONSRAM_POLICY_COUNT || len == sizeof(policy->name))
		return -EINVAL;
	if (memchr_inv(name + len, 0, sizeof(policy->name) - len))
		return -EINVAL;
	if (policy->kind != DRM_ONSRAM_POLICY_AGENT)
		return len ? -EINVAL : 0;
	for (i = 0; i < len; i++)
		if (!isascii(name[i]) || (!isalnum(name[i]) && name[i] != '-' && name[i] != '_'))
			return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(onsram_policy_words); i++)
		if (!strcmp(name, onsram_policy_words[i]))
			return -EINVAL;
	return len ? 0 : -EINVAL;
}

int onsram_policy_parse(const char *text, struct onsram_policy *policy)
{
	const char *end = strchrnul(text, '\n');
	u32 i;

	*policy = (struct onsram_policy){ .kind = DRM_ONSRAM_POLICY_AGENT };
	for (i = DRM_ONSRAM_POLICY_NONE; i < ARRAY_SIZE(onsram_policy_words); i++) {
		if (sysfs_streq(text, onsram_policy_words[i])) {
			policy->kind = i;
			return 0;
		}
	}
	if (end - text >= sizeof(policy->name) || (*end && end[1]))
		return -EINVAL;
	memcpy(policy->name, text, end - text);
	return onsram_policy_check(policy);
}

const char *onsram_policy_name(const struct onsram_policy *policy)
{
	return policy->kind == DRM_ONSRAM_POLICY_AGENT ? policy->name :
							  onsram_policy_words[policy->kind];
}

void onsram_device_policy(struct onsram_device *odev, struct onsram_policy *policy)
{
	spin_lock(&odev->policy_lock);
	*policy = odev->policy;
	spin_unlock(&odev->policy_lock);
}

void onsram_device_set_policy(struct onsram_device *odev, const struct onsram_policy *policy)
{
	spin_lock(&odev->policy_lock);
	odev->policy = *policy;
	spin_unlock(&odev->policy_lock);
}

void onsram_context_policy(struct onsram_context *ctx, struct onsram_policy *policy)
{
	struct onsram_device *odev = ctx->odev;

	spin_lock(&odev->policy_lock);
	*policy = ctx->policy.kind == DRM_ONSRAM_POLICY_DEFAULT ? odev->policy : ctx->policy;
	spin_unlock(&odev->policy_lock);
}

int onsram_ioctl_set_policy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct onsram_device *odev = to_onsram_device(drm);
	struct drm_onsram_set_policy *args = data;
	struct onsram_context *ctx = file->driver_priv;
	struct onsram_policy policy = { .kind = args->policy };

	memcpy(policy.name, args->name, sizeof(policy.name));
	if (args->flags || onsram_policy_check(&policy))
		return -EINVAL;
	if (!onsram_nl_knows_policy(odev, &policy))
		return -ENOENT;
	spin_lock(&odev->policy_lock);
	ctx->policy = policy;
	spin_unlock(&odev->policy_lock);
	return 0;
}
