// SPDX-License-Identifier: GPL-2.0-only
/*
 * sysfs groups spm/ and memory/ of the PCI function; docs/abi/sysfs-onsram
 * describes them.
 */

#include <linux/pm_runtime.h>
#include <linux/sysfs.h>

#include "onsram_account.h"
#include "onsram_drv.h"
#include "onsram_netlink.h"

/* What a bytes-in-granules attribute shows; read under spm.lock */
#define ONSRAM_SPM_ATTR(name, expr) \
static ssize_t name##_show(struct device *dev, struct device_attribute *attr, char *buf) \
{ \
	struct onsram_device *odev = dev_get_drvdata(dev); \
	u64 value; \
\
	mutex_lock(&odev->spm.lock); \
	value = (expr); \
	mutex_unlock(&odev->spm.lock); \
	return sysfs_emit(buf, "%llu\n", value); \
} \
static DEVICE_ATTR_RO(name)

ONSRAM_SPM_ATTR(size, odev->model.spm_size);
ONSRAM_SPM_ATTR(used, (u64)odev->spm.used * ONSRAM_SPM_GRANULE);
ONSRAM_SPM_ATTR(peak, odev->spm.stats.peak_bytes);
ONSRAM_SPM_ATTR(free, (u64)(odev->spm.capacity - odev->spm.used) * ONSRAM_SPM_GRANULE);
ONSRAM_SPM_ATTR(largest_free, onsram_spm_largest_free(&odev->spm));
ONSRAM_SPM_ATTR(resident, odev->spm.resident);
ONSRAM_SPM_ATTR(generation, odev->generation);

/* A field of struct drm_onsram_stats */
struct onsram_stat_attribute {
	struct device_attribute attr;
	size_t offset;
};

static ssize_t onsram_stat_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct onsram_stat_attribute *stat = container_of(attr, struct onsram_stat_attribute, attr);
	struct drm_onsram_stats stats;

	onsram_device_stats(dev_get_drvdata(dev), &stats);
	return sysfs_emit(buf, "%llu\n", *(u64 *)((char *)&stats + stat->offset));
}

#define ONSRAM_STAT_ATTR(field) \
static struct onsram_stat_attribute onsram_stat_##field = { \
	.attr.attr = { .name = #field, .mode = 0444 }, \
	.attr.show = onsram_stat_show, \
	.offset = offsetof(struct drm_onsram_stats, field), \
}

ONSRAM_STAT_ATTR(hits);
ONSRAM_STAT_ATTR(misses);
ONSRAM_STAT_ATTR(evictions);
ONSRAM_STAT_ATTR(writebacks);
ONSRAM_STAT_ATTR(prefetches);
ONSRAM_STAT_ATTR(fallbacks);
ONSRAM_STAT_ATTR(scrubs);
ONSRAM_STAT_ATTR(dram_read_bytes);
ONSRAM_STAT_ATTR(dram_write_bytes);
ONSRAM_STAT_ATTR(dram_avoided_bytes);
ONSRAM_STAT_ATTR(energy_pj);

static ssize_t busy_ps_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct onsram_device *odev = dev_get_drvdata(dev);
	u64 busy[ONSRAM_MAX_ENGINES];
	ssize_t len = 0;
	u32 e;

	spin_lock(&odev->stats_lock);
	memcpy(busy, odev->busy_ps, sizeof(busy));
	spin_unlock(&odev->stats_lock);
	for (e = 0; e < odev->nr_engines - 1; e++)
		len += sysfs_emit_at(buf, len, "compute%u %llu\n", e, busy[e]);
	len += sysfs_emit_at(buf, len, "copy %llu\n", busy[e]);
	return len;
}
static DEVICE_ATTR_RO(busy_ps);

static ssize_t policy_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct onsram_policy policy;

	onsram_device_policy(dev_get_drvdata(dev), &policy);
	return sysfs_emit(buf, "%s\n", onsram_policy_name(&policy));
}

static ssize_t policy_store(struct device *dev, struct device_attribute *attr, const char *buf,
			    size_t count)
{
	struct onsram_device *odev = dev_get_drvdata(dev);
	struct onsram_policy policy;

	if (onsram_policy_parse(buf, &policy) || !onsram_nl_knows_policy(odev, &policy))
		return -EINVAL;
	onsram_device_set_policy(odev, &policy);
	return count;
}
static DEVICE_ATTR_RW(policy);

static ssize_t fallback_policy_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct onsram_device *odev = dev_get_drvdata(dev);
	struct onsram_policy policy = { .kind = READ_ONCE(odev->fallback) };

	return sysfs_emit(buf, "%s\n", onsram_policy_name(&policy));
}

static ssize_t fallback_policy_store(struct device *dev, struct device_attribute *attr,
				     const char *buf, size_t count)
{
	struct onsram_device *odev = dev_get_drvdata(dev);
	struct onsram_policy policy;

	if (onsram_policy_parse(buf, &policy) || policy.kind == DRM_ONSRAM_POLICY_AGENT)
		return -EINVAL;
	WRITE_ONCE(odev->fallback, policy.kind);
	return count;
}
static DEVICE_ATTR_RW(fallback_policy);

static ssize_t agent_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", onsram_agent_state(dev_get_drvdata(dev)));
}
static DEVICE_ATTR_RO(agent);

static struct attribute *onsram_spm_attrs[] = {
	&dev_attr_size.attr,
	&dev_attr_used.attr,
	&dev_attr_peak.attr,
	&dev_attr_free.attr,
	&dev_attr_largest_free.attr,
	&dev_attr_resident.attr,
	&onsram_stat_hits.attr.attr,
	&onsram_stat_misses.attr.attr,
	&onsram_stat_evictions.attr.attr,
	&onsram_stat_writebacks.attr.attr,
	&onsram_stat_prefetches.attr.attr,
	&onsram_stat_fallbacks.attr.attr,
	&onsram_stat_scrubs.attr.attr,
	&onsram_stat_dram_read_bytes.attr.attr,
	&onsram_stat_dram_write_bytes.attr.attr,
	&onsram_stat_dram_avoided_bytes.attr.attr,
	&onsram_stat_energy_pj.attr.attr,
	&dev_attr_busy_ps.attr,
	&dev_attr_policy.attr,
	&dev_attr_fallback_policy.attr,
	&dev_attr_generation.attr,
	&dev_attr_agent.attr,
	NULL
};

static const struct attribute_group onsram_spm_group = {
	.name = "spm",
	.attrs = onsram_spm_attrs,
};

static ssize_t charged_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", onsram_device_charged(dev_get_drvdata(dev)));
}
static DEVICE_ATTR_RO(charged);

static ssize_t limit_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", onsram_device_charge_limit());
}
static DEVICE_ATTR_RO(limit);

static struct attribute *onsram_memory_attrs[] = {
	&dev_attr_charged.attr,
	&dev_attr_limit.attr,
	NULL
};

static const struct attribute_group onsram_memory_group = {
	.name = "memory",
	.attrs = onsram_memory_attrs,
};

const struct attribute_group *onsram_attr_groups[] = {
	&onsram_spm_group,
	&onsram_memory_group,
	NULL
};
