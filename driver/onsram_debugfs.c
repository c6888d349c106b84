// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SPM map, in debugfs (accel/DEVICE/spm) and in coredumps.
 */

#include <drm/drm_debugfs.h>
#include <drm/drm_print.h>

#include "onsram_device.h"

static void onsram_print_resident(const struct onsram_residence *res, void *data)
{
	const struct onsram_bo *bo = container_of(res, struct onsram_bo, res);
	struct drm_printer *p = data;

	drm_printf(p, "%#010llx %10llu bytes: buffer %u of client %u, %llu bytes, %s\n",
		   onsram_residency_offset(res), onsram_residency_bytes(res), bo->id,
		   res->client->id, bo->bytes,
		   res->state == DRM_ONSRAM_RESIDENCY_DIRTY ? "dirty" : "clean");
}

void onsram_print_spm(struct onsram_device *odev, struct drm_printer *p)
{
	struct onsram_spm *spm = &odev->spm;

	mutex_lock(&spm->lock);
	drm_printf(p, "%llu bytes, %u resident tensors take %llu\n", odev->model.spm_size,
		   spm->resident, (u64)spm->used * ONSRAM_SPM_GRANULE);
	onsram_spm_for_each(spm, onsram_print_resident, p);
	mutex_unlock(&spm->lock);
}

static int onsram_debugfs_spm(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct drm_printer p = drm_seq_file_printer(m);

	onsram_print_spm(to_onsram_device(entry->dev), &p);
	return 0;
}

void onsram_debugfs_init(struct onsram_device *odev)
{
	drm_debugfs_add_file(&odev->drm, "spm", onsram_debugfs_spm, NULL);
}
