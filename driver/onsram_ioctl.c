// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls from user space: which ones a client of the node can make, and what
 * they have in common.
 *
 * The DRM core offers each node its calls for displays, masters and legacy
 * authentication, too.  Some of them expect what an accelerator's file never
 * has (a master), so only an allow-list passes.  SYNCOBJ_EVENTFD is not on it,
 * for what it registers nothing bounds.
 */

#include <linux/array_size.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/onsram_accel.h>

#include "onsram_compat.h"
#include "onsram_ioctl.h"

/**
 * struct onsram_core_call - a call of the DRM core
 * @served: clients may make it
 * @makes_syncobj: it may take a handle
 * @count_end: where the number of handles ends in its argument, 0 for none
 */
struct onsram_core_call {
	bool served;
	bool makes_syncobj;
	u8 count_end;
};

#define ONSRAM_CORE(name) \
	[DRM_IOCTL_NR(DRM_IOCTL_##name)] = { .served = true }
#define ONSRAM_CORE_MAKES(name) \
	[DRM_IOCTL_NR(DRM_IOCTL_##name)] = { .served = true, .makes_syncobj = true }
#define ONSRAM_CORE_ARRAY(name, type) \
	[DRM_IOCTL_NR(DRM_IOCTL_##name)] = { \
		.served = true, .count_end = offsetofend(struct type, count_handles) \
	}

static const struct onsram_core_call onsram_core_calls[] = {
	ONSRAM_CORE(VERSION),
	ONSRAM_CORE(GEM_CLOSE),
	ONSRAM_CORE(GET_CAP),
	ONSRAM_CORE(PRIME_HANDLE_TO_FD),
	ONSRAM_CORE(PRIME_FD_TO_HANDLE),
	ONSRAM_CORE_MAKES(SYNCOBJ_CREATE),
	ONSRAM_CORE(SYNCOBJ_DESTROY),
	ONSRAM_CORE(SYNCOBJ_HANDLE_TO_FD),
	ONSRAM_CORE_MAKES(SYNCOBJ_FD_TO_HANDLE),
	ONSRAM_CORE_ARRAY(SYNCOBJ_WAIT, drm_syncobj_wait),
	ONSRAM_CORE_ARRAY(SYNCOBJ_RESET, drm_syncobj_array),
	ONSRAM_CORE_ARRAY(SYNCOBJ_SIGNAL, drm_syncobj_array),
	ONSRAM_CORE_ARRAY(SYNCOBJ_TIMELINE_WAIT, drm_syncobj_timeline_wait),
	ONSRAM_CORE_ARRAY(SYNCOBJ_QUERY, drm_syncobj_timeline_array),
	ONSRAM_CORE(SYNCOBJ_TRANSFER),
	ONSRAM_CORE_ARRAY(SYNCOBJ_TIMELINE_SIGNAL, drm_syncobj_timeline_array),
};

/*
 * The core allocates for as many handles as it is told.  It reads the number
 * again: a client that changes it meanwhile gets what the page allocator says
 * of its size.
 */
static int onsram_check_count(const struct onsram_core_call *call, unsigned int cmd,
			      const void __user *arg)
{
	u8 head[offsetofend(struct drm_syncobj_timeline_wait, count_handles)] = {};
	u32 count;

	if (!call->count_end)
		return 0;
	/* Of an argument that ends early the core takes the rest as zeros, too */
	if (copy_from_user(head, arg, min_t(size_t, _IOC_SIZE(cmd), call->count_end)))
		return -EFAULT;
	memcpy(&count, head + call->count_end - sizeof(count), sizeof(count));
	return count > DRM_ONSRAM_MAX_SYNCOBJS ? -EINVAL : 0;
}

static int onsram_check_core_call(struct drm_file *file, unsigned int cmd, unsigned long arg)
{
	const struct onsram_core_call *call;
	unsigned int nr = DRM_IOCTL_NR(cmd);

	if (nr >= ARRAY_SIZE(onsram_core_calls))
		return -EOPNOTSUPP;
	call = &onsram_core_calls[array_index_nospec(nr, ARRAY_SIZE(onsram_core_calls))];
	if (!call->served)
		return -EOPNOTSUPP;
	/* The core counts no syncobjs, but handles go from the lowest free one up */
	if (call->makes_syncobj && onsram_has_syncobj_from(file, DRM_ONSRAM_MAX_SYNCOBJS))
		return -ENOSPC;
	return onsram_check_count(call, cmd, (const void __user *)arg);
}

static int onsram_check_call(struct file *file, unsigned int cmd, unsigned long arg)
{
	unsigned int nr = DRM_IOCTL_NR(cmd);

	if (DRM_IOCTL_TYPE(cmd) != DRM_IOCTL_BASE)
		return -ENOTTY;
	if (nr >= DRM_COMMAND_BASE && nr < DRM_COMMAND_END)
		return 0;
	return onsram_check_core_call(file->private_data, cmd, arg);
}

long onsram_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int ret = onsram_check_call(file, cmd, arg);

	return ret ? ret : drm_ioctl(file, cmd, arg);
}

#ifdef CONFIG_COMPAT
long onsram_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int ret = onsram_check_call(file, cmd, arg);

	return ret ? ret : drm_compat_ioctl(file, cmd, arg);
}
#endif

void *onsram_copy_array(u64 user, u32 nr, u32 stride, size_t size)
{
	const void __user *src = u64_to_user_ptr(user);
	void *array;
	u32 i;
	int ret;

	if (stride < size || stride % sizeof(u64))
		return ERR_PTR(-EINVAL);
	if (stride > DRM_ONSRAM_MAX_STRIDE)
		return ERR_PTR(-E2BIG);
	array = kvmalloc_array(nr, size, GFP_KERNEL_ACCOUNT);
	if (!array)
		return ERR_PTR(-ENOMEM);

	if (stride == size) {
		if (copy_from_user(array, src, nr * size)) {
			ret = -EFAULT;
			goto err_free;
		}
		return array;
	}
	for (i = 0; i < nr; i++) {
		ret = copy_struct_from_user(array + i * size, size, src + (u64)i * stride, stride);
		if (ret)
			goto err_free;
	}
	return array;

err_free:
	kvfree(array);
	return ERR_PTR(ret);
}
