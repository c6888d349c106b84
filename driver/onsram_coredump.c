// SPDX-License-Identifier: GPL-2.0-only
/*
 * devcoredump of a hung engine: registers, the command, the SPM map.
 */

#include <linux/devcoredump.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/vmalloc.h>

#include <drm/drm_print.h>

#include "onsram_device.h"

#define ONSRAM_COREDUMP_SIZE	SZ_64K
#define ONSRAM_COREDUMP_REGS	(ONSRAM_REG_FAULT_LOST + 4)

static void onsram_coredump_command(struct drm_printer *p, struct onsram_engine *engine)
{
	u32 head = onsram_engine_read(engine, ONSRAM_ENG_HEAD);
	const u32 *word = (const u32 *)&engine->ring[head & (engine->entries - 1)];
	u32 i;

	drm_printf(p, "command at head %u:\n", head);
	for (i = 0; i < sizeof(struct onsram_hw_cmd) / sizeof(*word); i += 4)
		drm_printf(p, "  %03zx: %08x %08x %08x %08x\n", i * sizeof(*word), word[i],
			   word[i + 1], word[i + 2], word[i + 3]);
}

void onsram_coredump(struct onsram_engine *engine, const char *reason)
{
	struct onsram_device *odev = engine->odev;
	struct drm_print_iterator iter = { .remain = ONSRAM_COREDUMP_SIZE };
	struct drm_printer p;
	u32 reg, e;

	/* The size is bounded: a dump must not be what runs the machine out of memory */
	iter.data = vzalloc(ONSRAM_COREDUMP_SIZE);
	if (!iter.data)
		return;
	p = drm_coredump_printer(&iter);

	drm_printf(&p, "onsram %s: %s on engine %u\n", dev_name(odev->drm.dev), reason, engine->id);
	drm_printf(&p, "registers:\n");
	for (reg = 0; reg < ONSRAM_COREDUMP_REGS; reg += sizeof(u32))
		drm_printf(&p, "  %03x: %08x\n", reg, readl(odev->regs + reg));
	for (e = 0; e < odev->nr_engines; e++) {
		drm_printf(&p, "engine %u: semaphore %llu, sequence %llu, done %llu\n", e,
			   readq(odev->regs + ONSRAM_REG_SEM(e)), odev->spm.order.seq[e],
			   odev->spm.order.done[e]);
		for (reg = 0; reg <= ONSRAM_ENG_HEAD; reg += sizeof(u32))
			drm_printf(&p, "  %03x: %08x\n", reg,
				   onsram_engine_read(&odev->engine[e], reg));
	}
	onsram_coredump_command(&p, engine);

	drm_printf(&p, "SPM map:\n");
	onsram_print_spm(odev, &p);

	dev_coredumpv(odev->drm.dev, iter.data, ONSRAM_COREDUMP_SIZE - iter.remain, GFP_KERNEL);
}
