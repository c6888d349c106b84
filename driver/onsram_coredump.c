// SPDX-License-Identifier: GPL-2.0-only
/*
 * devcoredump of a hung engine: registers, the command, the SPM map.
 *
 * Fences wait for who takes the dump, so that it must not wait for memory: it only
 * notes what it sees, in memory that is there; a worker makes text of it.
 */

#include <linux/devcoredump.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/vmalloc.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "onsram_device.h"

#define ONSRAM_COREDUMP_SIZE	SZ_64K
#define ONSRAM_COREDUMP_REGS	(ONSRAM_REG_FAULT_LOST / 4 + 1)
#define ONSRAM_COREDUMP_ENGINE	(ONSRAM_ENG_WIN_BASE / 4 + 2)
#define ONSRAM_COREDUMP_LINES	256

/**
 * struct onsram_coredump - what was seen
 * @work: makes text of it
 * @odev: device
 * @busy: it is in use
 * @engine: engine that hung
 * @reason: why it is taken
 * @regs: device registers
 * @engine_regs: registers of each engine
 * @sem: semaphores
 * @order: sequences
 * @head: of the engine that hung
 * @cmd: command there
 * @windows: of @cmd, where it has any
 * @resident: number of residents
 * @nr_lines: how many of them are in @lines
 * @lines: SPM map
 */
struct onsram_coredump {
	struct work_struct work;
	struct onsram_device *odev;
	atomic_t busy;
	u32 engine;
	const char *reason;
	u32 regs[ONSRAM_COREDUMP_REGS];
	u32 engine_regs[ONSRAM_MAX_ENGINES][ONSRAM_COREDUMP_ENGINE];
	u64 sem[ONSRAM_MAX_ENGINES];
	struct onsram_order order;
	u32 head;
	struct onsram_hw_cmd cmd;
	struct onsram_hw_windows windows;
	u32 resident;
	u32 nr_lines;
	struct onsram_map_line lines[ONSRAM_COREDUMP_LINES];
};

/* @bytes: a multiple of 16 */
static void onsram_coredump_words(struct drm_printer *p, const void *data, size_t bytes)
{
	const u32 *word = data;
	size_t i;

	for (i = 0; i < bytes / sizeof(*word); i += 4)
		drm_printf(p, "  %03zx: %08x %08x %08x %08x\n", i * sizeof(*word), word[i],
			   word[i + 1], word[i + 2], word[i + 3]);
}

static void onsram_coredump_print(struct drm_printer *p, const struct onsram_coredump *dump)
{
	u32 i, e;

	drm_printf(p, "onsram %s: %s on engine %u\n", dev_name(dump->odev->drm.dev), dump->reason,
		   dump->engine);
	drm_printf(p, "registers:\n");
	for (i = 0; i < ONSRAM_COREDUMP_REGS; i++)
		drm_printf(p, "  %03x: %08x\n", i * 4, dump->regs[i]);
	for (e = 0; e < dump->order.nr_engines; e++) {
		drm_printf(p, "engine %u: semaphore %llu, sequence %llu, done %llu\n", e,
			   dump->sem[e], dump->order.seq[e], dump->order.done[e]);
		for (i = 0; i < ONSRAM_COREDUMP_ENGINE; i++)
			drm_printf(p, "  %03x: %08x\n", i * 4, dump->engine_regs[e][i]);
	}
	drm_printf(p, "command at head %u:\n", dump->head);
	onsram_coredump_words(p, &dump->cmd, sizeof(dump->cmd));
	if (dump->cmd.flags & ONSRAM_CMDF_WINDOWS) {
		drm_printf(p, "its windows:\n");
		onsram_coredump_words(p, &dump->windows, sizeof(dump->windows));
	}
	drm_printf(p, "SPM map: %u of %u resident tensors\n", dump->nr_lines, dump->resident);
	for (i = 0; i < dump->nr_lines; i++)
		onsram_print_map_line(p, &dump->lines[i]);
}

static void onsram_coredump_work(struct work_struct *work)
{
	struct onsram_coredump *dump = container_of(work, struct onsram_coredump, work);
	struct drm_print_iterator iter = { .remain = ONSRAM_COREDUMP_SIZE };
	struct onsram_device *odev = dump->odev;
	struct drm_printer p;

	/* The size is bounded: a dump must not be what runs the machine out of memory */
	iter.data = vzalloc(ONSRAM_COREDUMP_SIZE);
	if (iter.data) {
		p = drm_coredump_printer(&iter);
		onsram_coredump_print(&p, dump);
		dev_coredumpv(odev->drm.dev, iter.data, ONSRAM_COREDUMP_SIZE - iter.remain,
			      GFP_KERNEL);
	}
	atomic_set(&dump->busy, 0);
	drm_dev_put(&odev->drm);
}

static void onsram_coredump_resident(const struct onsram_residence *res, void *data)
{
	struct onsram_coredump *dump = data;

	if (dump->nr_lines < ONSRAM_COREDUMP_LINES)
		dump->lines[dump->nr_lines++] = onsram_map_line(res);
}

void onsram_coredump(struct onsram_engine *engine, const char *reason)
{
	struct onsram_device *odev = engine->odev;
	struct onsram_coredump *dump = odev->coredump;
	u32 i, e;

	if (atomic_cmpxchg(&dump->busy, 0, 1))
		return;
	dump->engine = engine->id;
	dump->reason = reason;
	for (i = 0; i < ONSRAM_COREDUMP_REGS; i++)
		dump->regs[i] = readl(odev->regs + i * 4);
	for (e = 0; e < odev->nr_engines; e++) {
		dump->sem[e] = readq(odev->regs + ONSRAM_REG_SEM(e));
		for (i = 0; i < ONSRAM_COREDUMP_ENGINE; i++)
			dump->engine_regs[e][i] = onsram_engine_read(&odev->engine[e], i * 4);
	}
	dump->head = onsram_engine_read(engine, ONSRAM_ENG_HEAD);

	mutex_lock(&odev->spm.lock);
	dump->cmd = engine->ring[dump->head & (engine->entries - 1)];
	dump->windows = engine->windows[dump->head & (engine->entries - 1)];
	dump->order = odev->spm.order;
	dump->resident = odev->spm.resident;
	dump->nr_lines = 0;
	onsram_spm_for_each(&odev->spm, onsram_coredump_resident, dump);
	mutex_unlock(&odev->spm.lock);

	drm_dev_get(&odev->drm);
	queue_work(onsram_wq, &dump->work);
}

int onsram_coredump_init(struct onsram_device *odev)
{
	struct onsram_coredump *dump = drmm_kzalloc(&odev->drm, sizeof(*dump), GFP_KERNEL);

	if (!dump)
		return -ENOMEM;
	dump->odev = odev;
	INIT_WORK(&dump->work, onsram_coredump_work);
	odev->coredump = dump;
	return 0;
}
