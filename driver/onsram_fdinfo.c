// SPDX-License-Identifier: GPL-2.0-only
/*
 * Per-client usage in /proc/PID/fdinfo, as Documentation/gpu/drm-usage-stats.rst
 * has it.  Engine times are modelled time.
 */

#include <linux/math64.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>

#include "onsram_account.h"
#include "onsram_drv.h"

void onsram_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	struct onsram_context *ctx = file->driver_priv;
	struct onsram_device *odev = ctx->odev;
	u64 busy[ONSRAM_MAX_ENGINES];
	struct drm_memory_stats spm = {};
	struct drm_onsram_stats stats;
	u32 e;

	onsram_context_stats(ctx, &stats);
	spin_lock(&odev->stats_lock);
	memcpy(busy, ctx->busy_ps, sizeof(busy));
	spin_unlock(&odev->stats_lock);

	for (e = 0; e < odev->nr_engines - 1; e++)
		drm_printf(p, "drm-engine-compute%u:\t%llu ns\n", e, div_u64(busy[e], 1000));
	drm_printf(p, "drm-engine-copy:\t%llu ns\n", div_u64(busy[e], 1000));

	drm_show_memory_stats(p, file);
	drm_printf(p, "onsram-memory-charged:\t%llu KiB\n",
		   DIV_ROUND_UP_ULL(onsram_charged(ctx), 1024));
	spm.private = stats.resident_bytes;
	spm.resident = stats.resident_bytes;
	drm_print_memory_stats(p, &spm, DRM_GEM_OBJECT_RESIDENT, "spm");
}
