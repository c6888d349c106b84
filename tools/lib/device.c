// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "device.h"

#define DRIVER_NAME "onsram"
/* accel minors go from 0 to 255 */
#define MAX_NODES 256

static int call(int fd, unsigned long request, void *arg)
{
	int ret;

	do
		ret = ioctl(fd, request, arg);
	while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	return ret < 0 ? -errno : 0;
}

static uint64_t user_pointer(const void *p)
{
	return (uintptr_t)p;
}

static int64_t deadline(int64_t timeout_ns)
{
	struct timespec ts;
	int64_t now;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	return timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
}

static int query(int fd, uint32_t what, void *data, uint32_t size)
{
	struct drm_onsram_dev_query arg = {
		.query = what,
		.size = size,
		.data = user_pointer(data),
	};

	/* A kernel with a shorter answer leaves the rest zero. */
	memset(data, 0, size);
	return call(fd, DRM_IOCTL_ONSRAM_DEV_QUERY, &arg);
}

static int driver_is_onsram(int fd)
{
	char name[sizeof(DRIVER_NAME) + 1] = "";
	struct drm_version version = {
		.name = name,
		.name_len = sizeof(name) - 1,
	};

	return !call(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, DRIVER_NAME);
}

/* Return: a file descriptor, or -1 with *@denied telling whether a node could not be opened */
static int probe(int *index, char *denied, size_t size)
{
	char path[64];
	int fd;

	for (*index = 0; *index < MAX_NODES; (*index)++) {
		snprintf(path, sizeof(path), "/dev/accel/accel%d", *index);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			if (errno != ENOENT && errno != ENODEV && errno != ENOTDIR && !*denied)
				snprintf(denied, size, "%s: %s", path, strerror(errno));
			continue;
		}
		if (driver_is_onsram(fd))
			return fd;
		close(fd);
	}
	return -1;
}

static void set_error(char **err, const char *text, const char *detail)
{
	if (asprintf(err, text, detail) < 0)
		*err = NULL;
}

struct onsram_device *onsram_device_open(char **err)
{
	struct onsram_device *dev = calloc(1, sizeof(*dev));
	char denied[128] = "";
	int ret;

	*err = NULL;
	if (!dev)
		return NULL;
	dev->fd = probe(&dev->index, denied, sizeof(denied));
	if (dev->fd < 0) {
		if (*denied)
			set_error(err, "no onsram device could be opened: %s; try as root, or let a udev rule grant access",
				  denied);
		else
			set_error(err, "no onsram device: no /dev/accel/accel* belongs to the driver \"%s\"; is the module loaded?",
				  DRIVER_NAME);
		goto free;
	}
	ret = query(dev->fd, DRM_ONSRAM_QUERY_INFO, &dev->info, sizeof(dev->info));
	if (ret) {
		set_error(err, "the onsram device does not answer a query: %s", strerror(-ret));
		goto close;
	}
	return dev;

close:
	close(dev->fd);
free:
	free(dev);
	return NULL;
}

void onsram_device_close(struct onsram_device *dev)
{
	if (!dev)
		return;
	close(dev->fd);
	free(dev);
}

int onsram_device_stats(struct onsram_device *dev, struct drm_onsram_stats *stats)
{
	return query(dev->fd, DRM_ONSRAM_QUERY_STATS, stats, sizeof(*stats));
}

int onsram_device_set_policy(struct onsram_device *dev, const char *name)
{
	static const char *const own[DRM_ONSRAM_POLICY_AGENT] = {
		[DRM_ONSRAM_POLICY_DEFAULT] = "default",
		[DRM_ONSRAM_POLICY_NONE] = "none",
		[DRM_ONSRAM_POLICY_LRU] = "lru",
	};
	struct drm_onsram_set_policy arg = { 0 };

	while (arg.policy < DRM_ONSRAM_POLICY_AGENT && strcmp(own[arg.policy], name))
		arg.policy++;
	if (arg.policy == DRM_ONSRAM_POLICY_AGENT) {
		if (strlen(name) >= sizeof(arg.name))
			return -EINVAL;
		strcpy(arg.name, name);
	}

	return call(dev->fd, DRM_IOCTL_ONSRAM_SET_POLICY, &arg);
}

int onsram_bo_create(struct onsram_device *dev, uint64_t size, struct onsram_bo *bo)
{
	struct drm_onsram_bo_create arg = { .size = size };
	int ret = call(dev->fd, DRM_IOCTL_ONSRAM_BO_CREATE, &arg);

	if (!ret)
		*bo = (struct onsram_bo){ .handle = arg.handle, .size = size };
	return ret;
}

void onsram_bo_destroy(struct onsram_device *dev, struct onsram_bo *bo)
{
	struct drm_gem_close arg = { .handle = bo->handle };

	if (bo->map)
		munmap(bo->map, bo->size);
	if (bo->handle)
		call(dev->fd, DRM_IOCTL_GEM_CLOSE, &arg);
	*bo = (struct onsram_bo){ 0 };
}

int onsram_bo_map(struct onsram_device *dev, struct onsram_bo *bo)
{
	struct drm_onsram_bo_mmap_offset arg = { .handle = bo->handle };
	void *map;
	int ret;

	if (bo->map)
		return 0;
	ret = call(dev->fd, DRM_IOCTL_ONSRAM_BO_MMAP_OFFSET, &arg);
	if (ret)
		return ret;
	map = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd, (off_t)arg.offset);
	if (map == MAP_FAILED)
		return -errno;
	bo->map = map;
	return 0;
}

int onsram_bo_info(struct onsram_device *dev, const struct onsram_bo *bo,
		   struct drm_onsram_bo_info *info)
{
	*info = (struct drm_onsram_bo_info){ .handle = bo->handle };
	return call(dev->fd, DRM_IOCTL_ONSRAM_BO_INFO, info);
}

int onsram_bo_prep(struct onsram_device *dev, const struct onsram_bo *bo, uint32_t flags,
		   int64_t timeout_ns)
{
	struct drm_onsram_bo_cpu_prep arg = {
		.handle = bo->handle,
		.flags = flags,
		.timeout_ns = deadline(timeout_ns),
	};

	return call(dev->fd, DRM_IOCTL_ONSRAM_BO_CPU_PREP, &arg);
}

int onsram_bo_fini(struct onsram_device *dev, const struct onsram_bo *bo)
{
	struct drm_onsram_bo_cpu_fini arg = { .handle = bo->handle };

	return call(dev->fd, DRM_IOCTL_ONSRAM_BO_CPU_FINI, &arg);
}

int onsram_bo_advise(struct onsram_device *dev, const struct onsram_bo *bo, uint32_t advice)
{
	struct drm_onsram_bo_madvise arg = { .handle = bo->handle, .advice = advice };

	return call(dev->fd, DRM_IOCTL_ONSRAM_BO_MADVISE, &arg);
}

static int access_begin(struct onsram_device *dev, struct onsram_bo *bo, uint32_t flags,
			uint64_t bytes)
{
	int ret;

	if (bytes > bo->size)
		return -EINVAL;
	ret = onsram_bo_map(dev, bo);
	return ret ? ret : onsram_bo_prep(dev, bo, flags, INT64_MAX);
}

int onsram_bo_write(struct onsram_device *dev, struct onsram_bo *bo, const void *data,
		    uint64_t bytes)
{
	int ret = access_begin(dev, bo, DRM_ONSRAM_CPU_WRITE, bytes);

	if (ret)
		return ret;
	memcpy(bo->map, data, bytes);
	return onsram_bo_fini(dev, bo);
}

int onsram_bo_read(struct onsram_device *dev, struct onsram_bo *bo, void *data, uint64_t bytes)
{
	int ret = access_begin(dev, bo, DRM_ONSRAM_CPU_READ, bytes);

	if (ret)
		return ret;
	memcpy(data, bo->map, bytes);
	return onsram_bo_fini(dev, bo);
}

int onsram_submit(struct onsram_device *dev, const struct drm_onsram_op *ops, uint32_t nr_ops,
		  const uint32_t *handles, uint32_t nr_handles,
		  const struct drm_onsram_sync *syncs, uint32_t nr_syncs)
{
	struct drm_onsram_submit arg = {
		.ops = user_pointer(ops),
		.bos = user_pointer(handles),
		.syncs = user_pointer(syncs),
		.nr_ops = nr_ops,
		.op_stride = sizeof(*ops),
		.nr_bos = nr_handles,
		.nr_syncs = nr_syncs,
		.sync_stride = sizeof(*syncs),
	};

	return call(dev->fd, DRM_IOCTL_ONSRAM_SUBMIT, &arg);
}

int onsram_graph_create(struct onsram_device *dev, const struct drm_onsram_op *ops,
			uint32_t nr_ops, const struct drm_onsram_tensor *tensors,
			uint32_t nr_tensors, uint32_t *id)
{
	struct drm_onsram_graph_create arg = {
		.ops = user_pointer(ops),
		.tensors = user_pointer(tensors),
		.nr_ops = nr_ops,
		.op_stride = sizeof(*ops),
		.nr_tensors = nr_tensors,
		.tensor_stride = sizeof(*tensors),
	};
	int ret = call(dev->fd, DRM_IOCTL_ONSRAM_GRAPH_CREATE, &arg);

	if (!ret)
		*id = arg.id;
	return ret;
}

int onsram_graph_destroy(struct onsram_device *dev, uint32_t id)
{
	struct drm_onsram_graph_destroy arg = { .id = id };

	return call(dev->fd, DRM_IOCTL_ONSRAM_GRAPH_DESTROY, &arg);
}

int onsram_graph_run(struct onsram_device *dev, uint32_t id,
		     const struct drm_onsram_sync *syncs, uint32_t nr_syncs)
{
	struct drm_onsram_graph_run arg = {
		.id = id,
		.syncs = user_pointer(syncs),
		.nr_syncs = nr_syncs,
		.sync_stride = sizeof(*syncs),
	};

	return call(dev->fd, DRM_IOCTL_ONSRAM_GRAPH_RUN, &arg);
}

int onsram_graph_wait_plan(struct onsram_device *dev, uint32_t id, int64_t timeout_ns)
{
	struct drm_onsram_graph_wait_plan arg = { .id = id, .timeout_ns = deadline(timeout_ns) };

	return call(dev->fd, DRM_IOCTL_ONSRAM_GRAPH_WAIT_PLAN, &arg);
}

int onsram_agent_sync(struct onsram_device *dev, uint32_t flags, int64_t timeout_ns)
{
	struct drm_onsram_agent_sync arg = { .flags = flags, .timeout_ns = deadline(timeout_ns) };

	return call(dev->fd, DRM_IOCTL_ONSRAM_AGENT_SYNC, &arg);
}

int onsram_sync_create(struct onsram_device *dev, uint32_t *handle)
{
	struct drm_syncobj_create arg = { 0 };
	int ret = call(dev->fd, DRM_IOCTL_SYNCOBJ_CREATE, &arg);

	if (!ret)
		*handle = arg.handle;
	return ret;
}

void onsram_sync_destroy(struct onsram_device *dev, uint32_t handle)
{
	struct drm_syncobj_destroy arg = { .handle = handle };

	call(dev->fd, DRM_IOCTL_SYNCOBJ_DESTROY, &arg);
}

int onsram_sync_wait(struct onsram_device *dev, uint32_t handle, uint64_t point,
		     int64_t timeout_ns)
{
	int64_t until = deadline(timeout_ns);

	if (point) {
		struct drm_syncobj_timeline_wait arg = {
			.handles = user_pointer(&handle),
			.points = user_pointer(&point),
			.timeout_nsec = until,
			.count_handles = 1,
			.flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT,
		};

		return call(dev->fd, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &arg);
	} else {
		struct drm_syncobj_wait arg = {
			.handles = user_pointer(&handle),
			.timeout_nsec = until,
			.count_handles = 1,
			.flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT,
		};

		return call(dev->fd, DRM_IOCTL_SYNCOBJ_WAIT, &arg);
	}
}

void onsram_sysfs_dir(int index, char *path, size_t size)
{
	snprintf(path, size, "/sys/class/accel/accel%d/device", index);
}

int onsram_sysfs_find(void)
{
	char path[96], target[256];
	const char *name;
	ssize_t n;
	int i;

	for (i = 0; i < MAX_NODES; i++) {
		onsram_sysfs_dir(i, path, sizeof(path) - sizeof("/driver"));
		strcat(path, "/driver");
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		name = strrchr(target, '/');
		if (name && !strcmp(name + 1, DRIVER_NAME))
			return i;
	}
	return -ENODEV;
}
