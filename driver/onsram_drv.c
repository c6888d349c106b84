// SPDX-License-Identifier: GPL-2.0-only
/*
 * onsram accelerator driver: module, DRM driver, files.
 */

#include <linux/module.h>

#include <drm/drm_accel.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include "onsram_compat.h"
#include "onsram_device.h"
#include "onsram_drv.h"
#include "onsram_ioctl.h"
#include "onsram_netlink.h"

#define ONSRAM_DRIVER_MAJOR	1
#define ONSRAM_DRIVER_MINOR	0

struct workqueue_struct *onsram_wq;

/* An emulated device computes at the speed of a busy host */
unsigned int onsram_timeout_ms = 30000;
module_param_named(timeout_ms, onsram_timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "Time without progress after which an engine counts as hung, ms (default 30000)");

static int onsram_open(struct drm_device *drm, struct drm_file *file)
{
	struct onsram_context *ctx;

	ctx = onsram_context_new(to_onsram_device(drm));
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	file->driver_priv = ctx;
	return 0;
}

static void onsram_postclose(struct drm_device *drm, struct drm_file *file)
{
	onsram_context_close(file->driver_priv);
}

static int onsram_answer(struct drm_onsram_dev_query *args, const void *answer, u32 size)
{
	u32 room = args->size;

	args->size = size;
	if (args->data && copy_to_user(u64_to_user_ptr(args->data), answer, min(room, size)))
		return -EFAULT;
	return 0;
}

static int onsram_query_info(struct onsram_device *odev, struct drm_onsram_dev_query *args)
{
	const struct drm_onsram_dev_info info = {
		.hw_version = odev->version,
		.caps = odev->caps,
		.granule = ONSRAM_SPM_GRANULE,
		.staging_min = ONSRAM_STAGING_MIN,
		.max_ops = DRM_ONSRAM_MAX_OPS,
		.max_bos = DRM_ONSRAM_MAX_BOS,
		.page_size = PAGE_SIZE,
		.max_op_work = odev->max_op_work,
		.model = odev->model,
	};

	return onsram_answer(args, &info, sizeof(info));
}

static int onsram_ioctl_dev_query(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_onsram_dev_query *args = data;
	struct drm_onsram_stats stats;

	switch (args->query) {
	case DRM_ONSRAM_QUERY_INFO:
		return onsram_query_info(to_onsram_device(drm), args);
	case DRM_ONSRAM_QUERY_STATS:
		onsram_context_stats(file->driver_priv, &stats);
		return onsram_answer(args, &stats, sizeof(stats));
	default:
		return -EINVAL;
	}
}

static const struct drm_ioctl_desc onsram_ioctls[] = {
#define ONSRAM_IOCTL(name, func) DRM_IOCTL_DEF_DRV(ONSRAM_##name, onsram_ioctl_##func, 0)
	ONSRAM_IOCTL(DEV_QUERY, dev_query),
	ONSRAM_IOCTL(BO_CREATE, bo_create),
	ONSRAM_IOCTL(BO_MMAP_OFFSET, bo_mmap_offset),
	ONSRAM_IOCTL(BO_INFO, bo_info),
	ONSRAM_IOCTL(BO_CPU_PREP, bo_cpu_prep),
	ONSRAM_IOCTL(BO_CPU_FINI, bo_cpu_fini),
	ONSRAM_IOCTL(BO_MADVISE, bo_madvise),
	ONSRAM_IOCTL(SUBMIT, submit),
	ONSRAM_IOCTL(GRAPH_CREATE, graph_create),
	ONSRAM_IOCTL(GRAPH_DESTROY, graph_destroy),
	ONSRAM_IOCTL(GRAPH_RUN, graph_run),
	ONSRAM_IOCTL(GRAPH_WAIT_PLAN, graph_wait_plan),
	ONSRAM_IOCTL(SET_POLICY, set_policy),
	ONSRAM_IOCTL(AGENT_SYNC, agent_sync),
#undef ONSRAM_IOCTL
};

/* DRM_ACCEL_FOPS but for the ioctls */
static const struct file_operations onsram_fops = {
	.owner = THIS_MODULE,
	.open = accel_open,
	.release = drm_release,
	.unlocked_ioctl = onsram_ioctl,
	.compat_ioctl = onsram_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = drm_gem_mmap,
	.show_fdinfo = drm_show_fdinfo,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

const struct drm_driver onsram_drm_driver = {
	.driver_features = DRIVER_COMPUTE_ACCEL | DRIVER_GEM | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE,
	.open = onsram_open,
	.postclose = onsram_postclose,
	.show_fdinfo = onsram_show_fdinfo,
	.gem_create_object = onsram_gem_create_object,
	.ioctls = onsram_ioctls,
	.num_ioctls = ARRAY_SIZE(onsram_ioctls),
	.fops = &onsram_fops,
	.name = "onsram",
	.desc = "Scratch-pad memory deep learning accelerator",
	ONSRAM_DRIVER_DATE
	.major = ONSRAM_DRIVER_MAJOR,
	.minor = ONSRAM_DRIVER_MINOR,
};

static int __init onsram_init(void)
{
	int ret;

	onsram_wq = alloc_workqueue("onsram", WQ_UNBOUND, 0);
	if (!onsram_wq)
		return -ENOMEM;
	ret = onsram_nl_init();
	if (ret)
		goto err_wq;
	ret = pci_register_driver(&onsram_pci_driver);
	if (ret)
		goto err_nl;
	return 0;

err_nl:
	onsram_nl_exit();
err_wq:
	destroy_workqueue(onsram_wq);
	return ret;
}
module_init(onsram_init);

static void __exit onsram_exit(void)
{
	pci_unregister_driver(&onsram_pci_driver);
	onsram_wait_devices();
	destroy_workqueue(onsram_wq);
	onsram_nl_exit();
}
module_exit(onsram_exit);

MODULE_DESCRIPTION("Scratch-pad memory deep learning accelerator");
MODULE_AUTHOR("The onsram developers");
MODULE_LICENSE("GPL");
