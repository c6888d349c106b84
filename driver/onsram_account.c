// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the objects of clients cost in memory, and how much of it they may take.
 *
 * Their pages stay where they are for as long as they live, so no reclaim helps
 * a machine that has given away too many.  The pages, and what the kernel
 * allocates with GFP_KERNEL_ACCOUNT, are charged to the client's memory cgroup,
 * too; the limits here protect machines without one.
 */

#include <linux/mm.h>
#include <linux/moduleparam.h>

#include "onsram_account.h"
#include "onsram_drv.h"

/* Inode, dentry and file of the shmem object, its GEM and sg structures, the handle */
#define ONSRAM_BO_FIXED		2560
/* Per page: the pointer to it, a scatterlist entry where no neighbour follows, the device's PTE */
#define ONSRAM_BO_PER_PAGE	(sizeof(struct page *) + sizeof(struct scatterlist) + sizeof(u64))

static int onsram_percent_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, 100);
}

static const struct kernel_param_ops onsram_percent_ops = {
	.set = onsram_percent_set,
	.get = param_get_uint,
};

static unsigned int onsram_device_mem_percent = 75;
module_param_cb(device_mem_percent, &onsram_percent_ops, &onsram_device_mem_percent, 0644);
MODULE_PARM_DESC(device_mem_percent, "Share of the machine's memory that all clients of a device may take, % (default 75)");

static unsigned int onsram_client_mem_percent = 50;
module_param_cb(client_mem_percent, &onsram_percent_ops, &onsram_client_mem_percent, 0644);
MODULE_PARM_DESC(client_mem_percent, "Share of the machine's memory that an open file may take, % (default 50)");

static u64 onsram_share(unsigned int percent)
{
	return div_u64((u64)totalram_pages() * percent, 100) << PAGE_SHIFT;
}

static bool onsram_fits(u64 used, u64 bytes, u64 limit)
{
	return used <= limit && bytes <= limit - used;
}

/* Not the last memory: what comes after it would bring the OOM killer upon others */
static bool onsram_available(u64 bytes)
{
	long pages = si_mem_available() - totalram_pages() / 32;

	return pages > 0 && bytes >> PAGE_SHIFT < pages;
}

int onsram_charge(struct onsram_context *ctx, u64 bytes)
{
	u64 client_limit = onsram_share(READ_ONCE(onsram_client_mem_percent));
	u64 device_limit = onsram_device_charge_limit();
	struct onsram_device *odev = ctx->odev;
	bool available = onsram_available(bytes);
	bool fits;

	spin_lock(&odev->charge_lock);
	fits = onsram_fits(ctx->charged, bytes, client_limit) &&
	       onsram_fits(odev->charged, bytes, device_limit);
	if (fits && available) {
		ctx->charged += bytes;
		odev->charged += bytes;
	}
	spin_unlock(&odev->charge_lock);
	if (!fits)
		return -ENOSPC;
	return available ? 0 : -ENOMEM;
}

void onsram_charge_anyway(struct onsram_context *ctx, u64 bytes)
{
	struct onsram_device *odev = ctx->odev;

	spin_lock(&odev->charge_lock);
	ctx->charged += bytes;
	odev->charged += bytes;
	spin_unlock(&odev->charge_lock);
}

void onsram_uncharge(struct onsram_context *ctx, u64 bytes)
{
	struct onsram_device *odev = ctx->odev;

	spin_lock(&odev->charge_lock);
	ctx->charged -= bytes;
	odev->charged -= bytes;
	spin_unlock(&odev->charge_lock);
}

u64 onsram_charged(struct onsram_context *ctx)
{
	u64 bytes;

	spin_lock(&ctx->odev->charge_lock);
	bytes = ctx->charged;
	spin_unlock(&ctx->odev->charge_lock);
	return bytes;
}

u64 onsram_device_charged(struct onsram_device *odev)
{
	u64 bytes;

	spin_lock(&odev->charge_lock);
	bytes = odev->charged;
	spin_unlock(&odev->charge_lock);
	return bytes;
}

u64 onsram_device_charge_limit(void)
{
	return onsram_share(READ_ONCE(onsram_device_mem_percent));
}

u64 onsram_bo_cost(u64 size)
{
	u64 pages = DIV_ROUND_UP_ULL(size, PAGE_SIZE);

	return sizeof(struct onsram_bo) + ONSRAM_BO_FIXED +
	       pages * (PAGE_SIZE + ONSRAM_BO_PER_PAGE);
}
