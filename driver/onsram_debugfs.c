// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SPM map, in debugfs (accel/DEVICE/spm) and in coredumps.
 */

#include <drm/drm_debugfs.h>
#include <drm/drm_print.h>

#include "onsram_device.h"

struct onsram_map_line onsram_map_line(const struct onsram_residence *res)
{
	const struct onsram_bo *bo = container_of(res, struct onsram_bo, res);

	return (struct onsram_map_line) {
		.offset = onsram_residency_offset(res),
		.spm_bytes = onsram_residency_bytes(res),
		.begin = res->begin,
		.bytes = bo->bytes,
		.bo = bo->id,
		.client = res->client->id,
		.dirty = res->state == DRM_ONSRAM_RESIDENCY_DIRTY,
	};
}

void onsram_print_map_line(struct drm_printer *p, const struct onsram_map_line *line)
{
	drm_printf(p, "%#010llx %10llu bytes: buffer %u of client %u, %llu bytes from %llu, %s\n",
		   line->offset, line->spm_bytes, line->bo, line->client, line->bytes, line->begin,
		   line->dirty ? "dirty" : "clean");
}

static void onsram_debugfs_resident(const struct onsram_residence *res, void *data)
{
	const struct onsram_map_line line = onsram_map_line(res);

	onsram_print_map_line(data, &line);
}

static int onsram_debugfs_spm(struct seq_file *m, void *unused)
{
	struct drm_debugfs_entry *entry = m->private;
	struct onsram_device *odev = to_onsram_device(entry->dev);
	struct drm_printer p = drm_seq_file_printer(m);
	struct onsram_spm *spm = &odev->spm;

	/* A sequential file prints into memory it has */
	mutex_lock(&spm->lock);
	drm_printf(&p, "%llu bytes, %u resident tensors take %llu\n", odev->model.spm_size,
		   spm->resident, (u64)spm->used * ONSRAM_SPM_GRANULE);
	onsram_spm_for_each(spm, onsram_debugfs_resident, &p);
	mutex_unlock(&spm->lock);
	return 0;
}

void onsram_debugfs_init(struct onsram_device *odev)
{
	drm_debugfs_add_file(&odev->drm, "spm", onsram_debugfs_spm, NULL);
}
