// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts: an open file's address space, scheduler entities and totals.
 */

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/dma-mapping.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <linux/onsram_netlink.h>

#include "onsram_account.h"
#include "onsram_device.h"
#include "onsram_drv.h"
#include "onsram_figure.h"
#include "onsram_netlink.h"

/* Contexts that only CAP_SYS_ADMIN can take, so that somebody can always look */
#define ONSRAM_ROOT_CONTEXTS	16

static unsigned int onsram_user_contexts = 64;

static int onsram_user_contexts_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, ONSRAM_MAX_CONTEXTS);
}

static const struct kernel_param_ops onsram_user_contexts_ops = {
	.set = onsram_user_contexts_set,
	.get = param_get_uint,
};

module_param_cb(user_contexts, &onsram_user_contexts_ops, &onsram_user_contexts, 0644);
MODULE_PARM_DESC(user_contexts, "Open files of a device that a user without CAP_SYS_ADMIN may have (default 64)");

/* Client ids are unique over all devices for as long as the driver is loaded */
static atomic_t onsram_next_client;

static __le64 *onsram_pt_alloc(void *priv, dma_addr_t *dma)
{
	struct onsram_context *ctx = priv;
	__le64 *entry = dma_alloc_coherent(ctx->odev->drm.dev, ONSRAM_PAGE_SIZE, dma,
					   GFP_KERNEL_ACCOUNT);

	if (entry)
		onsram_charge_anyway(ctx, ONSRAM_PAGE_SIZE);
	return entry;
}

static void onsram_pt_free(void *priv, __le64 *entry, dma_addr_t dma)
{
	struct onsram_context *ctx = priv;

	dma_free_coherent(ctx->odev->drm.dev, ONSRAM_PAGE_SIZE, entry, dma);
	onsram_uncharge(ctx, ONSRAM_PAGE_SIZE);
}

static const struct onsram_pt_ops onsram_context_pt_ops = {
	.alloc = onsram_pt_alloc,
	.free = onsram_pt_free,
};

static int onsram_context_init_entities(struct onsram_context *ctx)
{
	struct onsram_device *odev = ctx->odev;
	u32 nr_compute = odev->nr_engines - 1;
	int ret;

	ret = drm_sched_entity_init(&ctx->compute, DRM_SCHED_PRIORITY_NORMAL, odev->sched,
				    nr_compute, NULL);
	if (ret)
		return ret;
	ret = drm_sched_entity_init(&ctx->copy, DRM_SCHED_PRIORITY_NORMAL,
				    &odev->sched[nr_compute], 1, NULL);
	if (ret)
		drm_sched_entity_destroy(&ctx->compute);
	return ret;
}

static void onsram_context_free(struct work_struct *work)
{
	struct onsram_context *ctx = container_of(work, struct onsram_context, release);
	struct onsram_device *odev = ctx->odev;

	WRITE_ONCE(odev->ctx_table[ctx->client.asid], 0);
	onsram_tlb_invalidate(odev, ctx->client.asid);
	onsram_pt_fini(&ctx->pt);
	xa_erase(&odev->contexts, ctx->client.asid);
	onsram_died_free(&ctx->died);
	kfree(ctx);
	drm_dev_put(&odev->drm);
}

/* May the caller have one more context?  Under open_lock */
static int onsram_context_admit(struct onsram_device *odev, kuid_t uid)
{
	struct onsram_context *ctx;
	u32 all = 0, own = 0;
	unsigned long asid;

	if (capable(CAP_SYS_ADMIN))
		return 0;
	xa_lock(&odev->contexts);
	xa_for_each(&odev->contexts, asid, ctx) {
		all++;
		own += uid_eq(ctx->uid, uid);
	}
	xa_unlock(&odev->contexts);
	if (own >= READ_ONCE(onsram_user_contexts))
		return -EMFILE;
	return all >= ONSRAM_MAX_CONTEXTS - 1 - ONSRAM_ROOT_CONTEXTS ? -ENOSPC : 0;
}

static int onsram_context_alloc_asid(struct onsram_context *ctx)
{
	struct onsram_device *odev = ctx->odev;
	int ret;

	mutex_lock(&odev->open_lock);
	ret = onsram_context_admit(odev, ctx->uid);
	/* 0 stays without a page table: a command that lacks its context faults */
	if (!ret)
		ret = xa_alloc(&odev->contexts, &ctx->client.asid, ctx,
			       XA_LIMIT(1, ONSRAM_MAX_CONTEXTS - 1), GFP_KERNEL);
	mutex_unlock(&odev->open_lock);
	return ret == -EBUSY ? -ENOSPC : ret;
}

struct onsram_context *onsram_context_new(struct onsram_device *odev)
{
	struct onsram_context *ctx;
	int ret;

	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return ERR_PTR(-ENOMEM);
	kref_init(&ctx->ref);
	INIT_WORK(&ctx->release, onsram_context_free);
	INIT_LIST_HEAD(&ctx->died);
	ctx->state = ONSRAM_STATE_START;
	ctx->odev = odev;
	ctx->uid = current_uid();
	ctx->client.id = atomic_inc_return(&onsram_next_client);
	ctx->client.stats = &ctx->stats;
	ctx->policy.kind = DRM_ONSRAM_POLICY_DEFAULT;

	ret = onsram_pt_init(&ctx->pt, &onsram_context_pt_ops, ctx);
	if (ret)
		goto err_free;
	ret = onsram_context_alloc_asid(ctx);
	if (ret == -ENOSPC || ret == -EMFILE) {
		/* Files that were closed give their contexts back a little later */
		flush_workqueue(onsram_wq);
		ret = onsram_context_alloc_asid(ctx);
	}
	if (ret)
		goto err_pt;
	ret = onsram_context_init_entities(ctx);
	if (ret)
		goto err_asid;

	WRITE_ONCE(odev->ctx_table[ctx->client.asid],
		   cpu_to_le64(ctx->pt.root->dma | ONSRAM_PTE_VALID));
	drm_dev_get(&odev->drm);
	return ctx;

err_asid:
	xa_erase(&odev->contexts, ctx->client.asid);
err_pt:
	onsram_pt_fini(&ctx->pt);
err_free:
	kfree(ctx);
	return ERR_PTR(ret);
}

struct onsram_context *onsram_context_get(struct onsram_context *ctx)
{
	kref_get(&ctx->ref);
	return ctx;
}

/*
 * A job's reference is dropped on the scheduler's own workqueue, which the last
 * reference to the device would destroy.
 */
static void onsram_context_release(struct kref *ref)
{
	struct onsram_context *ctx = container_of(ref, struct onsram_context, ref);

	queue_work(onsram_wq, &ctx->release);
}

void onsram_context_put(struct onsram_context *ctx)
{
	kref_put(&ctx->ref, onsram_context_release);
}

void onsram_context_close(struct onsram_context *ctx)
{
	onsram_graphs_close(ctx);
	drm_sched_entity_destroy(&ctx->compute);
	drm_sched_entity_destroy(&ctx->copy);
	mutex_lock(&ctx->odev->poll_lock);
	ctx->gone = true;
	mutex_unlock(&ctx->odev->poll_lock);
	onsram_nl_client_gone(ctx->odev, ctx->client.id);
	onsram_context_put(ctx);
}

void onsram_context_make_private(struct onsram_context *ctx)
{
	mutex_lock(&ctx->odev->submit_lock);
	if (!ctx->salt) {
		WRITE_ONCE(ctx->salt, ctx->client.id);
		memset(ctx->history, 0, sizeof(ctx->history));
	}
	mutex_unlock(&ctx->odev->submit_lock);
}

void onsram_context_bo_died(struct onsram_context *ctx, const struct onsram_bo *bo)
{
	struct onsram_died *died = NULL;
	struct onsram_policy policy;

	lockdep_assert_held(&ctx->odev->submit_lock);
	onsram_context_policy(ctx, &policy);
	if (policy.kind != DRM_ONSRAM_POLICY_AGENT || ctx->nr_died == DRM_ONSRAM_MAX_BOS)
		return;
	if (!list_empty(&ctx->died))
		died = list_last_entry(&ctx->died, struct onsram_died, link);
	if (!died || died->what.nr == ONSRAM_DIED_MAX) {
		/* Without memory the daemon learns of it when the buffer is written anew */
		died = kzalloc(sizeof(*died), GFP_KERNEL_ACCOUNT);
		if (!died)
			return;
		list_add_tail(&died->link, &ctx->died);
	}
	died->what.bo[died->what.nr++] = bo->id;
	ctx->nr_died++;
}

void onsram_context_tell_died(struct onsram_context *ctx)
{
	struct onsram_died *died;
	LIST_HEAD(list);

	mutex_lock(&ctx->odev->submit_lock);
	list_splice_init(&ctx->died, &list);
	ctx->nr_died = 0;
	mutex_unlock(&ctx->odev->submit_lock);
	list_for_each_entry(died, &list, link)
		onsram_nl_died(ctx, &died->what);
	onsram_died_free(&list);
}

void onsram_context_stats(struct onsram_context *ctx, struct drm_onsram_stats *stats)
{
	struct onsram_device *odev = ctx->odev;

	mutex_lock(&odev->spm.lock);
	spin_lock(&odev->stats_lock);
	*stats = ctx->stats;
	stats->energy_pj = onsram_figure_thousandth(ctx->energy_fj);
	spin_unlock(&odev->stats_lock);
	mutex_unlock(&odev->spm.lock);
}

void onsram_device_stats(struct onsram_device *odev, struct drm_onsram_stats *stats)
{
	mutex_lock(&odev->spm.lock);
	spin_lock(&odev->stats_lock);
	*stats = odev->spm.stats;
	stats->energy_pj = onsram_figure_thousandth(odev->energy_fj);
	spin_unlock(&odev->stats_lock);
	mutex_unlock(&odev->spm.lock);
}
