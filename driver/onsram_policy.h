/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who decides: none, lru, or the agent under a name that only the agent knows.
 */
#ifndef _ONSRAM_POLICY_H_
#define _ONSRAM_POLICY_H_

#include <linux/types.h>

#include <drm/onsram_accel.h>

struct onsram_context;
struct onsram_device;

/**
 * struct onsram_policy - a policy of a device or an open file; guarded by odev->policy_lock
 * @kind: enum drm_onsram_policy; may be read without the lock
 * @name: AGENT: which of the agent's, closed and padded with NULs; else all NULs
 */
struct onsram_policy {
	u32 kind;
	char name[DRM_ONSRAM_POLICY_NAME_LEN];
};

/** onsram_policy_check() - Return: 0, or -EINVAL where kind and name do not go together */
int onsram_policy_check(const struct onsram_policy *policy);
/** onsram_policy_parse() - from a word, as sysfs has it. Return: 0 or -EINVAL */
int onsram_policy_parse(const char *text, struct onsram_policy *policy);
/** onsram_policy_name() - its word; of DEFAULT there is none */
const char *onsram_policy_name(const struct onsram_policy *policy);

/** onsram_device_policy() - the default of open files */
void onsram_device_policy(struct onsram_device *odev, struct onsram_policy *policy);
/** onsram_device_set_policy() - change it */
void onsram_device_set_policy(struct onsram_device *odev, const struct onsram_policy *policy);
/** onsram_context_policy() - an open file's, never DEFAULT */
void onsram_context_policy(struct onsram_context *ctx, struct onsram_policy *policy);

#endif
