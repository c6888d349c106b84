/* SPDX-License-Identifier: MIT */
/*
 * Access to an onsram device: the ioctls of uapi/drm/onsram_accel.h and the
 * DRM core calls that go with them, without a policy of its own.
 *
 * Calls return 0 or a negative errno.  Timeouts are relative, in nanoseconds;
 * INT64_MAX waits for ever.  An opened device and its buffers belong to one thread.
 */
#ifndef ONSRAM_DEVICE_H
#define ONSRAM_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include <drm/onsram_accel.h>

/** struct onsram_device - an open file of a device; @info is what it said of itself */
struct onsram_device {
	int fd;
	int index;	/* N of /dev/accel/accelN */
	struct drm_onsram_dev_info info;
};

/** struct onsram_bo - a buffer; @map is NULL until onsram_bo_map() */
struct onsram_bo {
	uint32_t handle;
	uint64_t size;
	void *map;
};

/**
 * onsram_device_open() - open the first onsram device among /dev/accel/accel*
 * @err: on failure what is wrong and what to do; caller frees
 * Return: the device, or NULL
 */
struct onsram_device *onsram_device_open(char **err);
/** onsram_device_close() - close it: its buffers, graphs and syncobjs go with it; NULL is allowed */
void onsram_device_close(struct onsram_device *dev);
/** onsram_device_stats() - totals of this open file */
int onsram_device_stats(struct onsram_device *dev, struct drm_onsram_stats *stats);
/**
 * onsram_device_set_policy() - who decides from now on
 * @name: default, none, lru, or a policy of the daemon's
 *
 * Return: also -EINVAL where @name cannot be one, -ENOENT where the daemon does not know it.
 */
int onsram_device_set_policy(struct onsram_device *dev, const char *name);

/** onsram_bo_create() - a zeroed buffer of @size bytes */
int onsram_bo_create(struct onsram_device *dev, uint64_t size, struct onsram_bo *bo);
/** onsram_bo_destroy() - unmap and drop the handle; queued jobs still complete */
void onsram_bo_destroy(struct onsram_device *dev, struct onsram_bo *bo);
/** onsram_bo_map() - map it for the CPU, once; contents are defined between prep and fini only */
int onsram_bo_map(struct onsram_device *dev, struct onsram_bo *bo);
/** onsram_bo_info() - size and residency */
int onsram_bo_info(struct onsram_device *dev, const struct onsram_bo *bo,
		   struct drm_onsram_bo_info *info);
/** onsram_bo_prep() - begin CPU access, DRM_ONSRAM_CPU_* in @flags */
int onsram_bo_prep(struct onsram_device *dev, const struct onsram_bo *bo, uint32_t flags,
		   int64_t timeout_ns);
/** onsram_bo_fini() - end CPU access */
int onsram_bo_fini(struct onsram_device *dev, const struct onsram_bo *bo);
/** onsram_bo_advise() - enum drm_onsram_advice */
int onsram_bo_advise(struct onsram_device *dev, const struct onsram_bo *bo, uint32_t advice);
/** onsram_bo_write() - prep, copy @bytes from @data to the buffer's start, fini */
int onsram_bo_write(struct onsram_device *dev, struct onsram_bo *bo, const void *data,
		    uint64_t bytes);
/** onsram_bo_read() - prep, copy @bytes from the buffer's start to @data, fini */
int onsram_bo_read(struct onsram_device *dev, struct onsram_bo *bo, void *data, uint64_t bytes);

/** onsram_submit() - queue @ops as one job; operand.bo indexes @handles */
int onsram_submit(struct onsram_device *dev, const struct drm_onsram_op *ops, uint32_t nr_ops,
		  const uint32_t *handles, uint32_t nr_handles,
		  const struct drm_onsram_sync *syncs, uint32_t nr_syncs);

/** onsram_graph_create() - register a graph; operand.bo indexes @tensors */
int onsram_graph_create(struct onsram_device *dev, const struct drm_onsram_op *ops,
			uint32_t nr_ops, const struct drm_onsram_tensor *tensors,
			uint32_t nr_tensors, uint32_t *id);
/** onsram_graph_destroy() - forget a graph */
int onsram_graph_destroy(struct onsram_device *dev, uint32_t id);
/** onsram_graph_run() - queue a graph once */
int onsram_graph_run(struct onsram_device *dev, uint32_t id,
		     const struct drm_onsram_sync *syncs, uint32_t nr_syncs);
/** onsram_agent_sync() - as DRM_IOCTL_ONSRAM_AGENT_SYNC; @flags: DRM_ONSRAM_AGENT_SYNC_* */
int onsram_agent_sync(struct onsram_device *dev, uint32_t flags, int64_t timeout_ns);
/** onsram_graph_wait_plan() - 0 with a plan, -ETIME without, -ENOTCONN where no daemon is attached */
int onsram_graph_wait_plan(struct onsram_device *dev, uint32_t id, int64_t timeout_ns);

/** onsram_sync_create() - a syncobj, not signalled */
int onsram_sync_create(struct onsram_device *dev, uint32_t *handle);
/** onsram_sync_destroy() - drop it */
void onsram_sync_destroy(struct onsram_device *dev, uint32_t handle);
/** onsram_sync_wait() - wait for @point of a timeline, or with 0 for a binary syncobj; -ETIME */
int onsram_sync_wait(struct onsram_device *dev, uint32_t handle, uint64_t point,
		     int64_t timeout_ns);

/** onsram_sysfs_dir() - the sysfs directory of device @index's PCI function: "/sys/class/accel/accelN/device" */
void onsram_sysfs_dir(int index, char *path, size_t size);
/** onsram_sysfs_find() - index of the first onsram device, without opening it, or -ENODEV */
int onsram_sysfs_find(void);

#endif
