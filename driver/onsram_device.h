/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device as a whole: set-up, reset, interrupts, recovery.
 */
#ifndef _ONSRAM_DEVICE_H_
#define _ONSRAM_DEVICE_H_

#include "onsram_drv.h"

/* Module parameter: wall-clock time without progress after which an engine counts as hung */
extern unsigned int onsram_timeout_ms;

/**
 * onsram_device_init() - memory, engines, interrupts and start; undone with the driver's
 * binding and the DRM device
 */
int onsram_device_init(struct onsram_device *odev);
/**
 * onsram_dma_alloc() - zeroed coherent memory that lives as long as the DRM device; NULL
 * without memory
 */
void *onsram_dma_alloc(struct onsram_device *odev, size_t size, dma_addr_t *dma);
/** onsram_wait_devices() - until the last device is freed, for the module's end */
void onsram_wait_devices(void);
/** onsram_device_start() - resets the device and programs context table and rings */
int onsram_device_start(struct onsram_device *odev);
/**
 * onsram_device_stop() - no engine runs, writes memory or interrupts any more
 *
 * An engine that does not stop is kept from memory, and the device counts as wedged.
 */
void onsram_device_stop(struct onsram_device *odev);
/** onsram_engine_wait_stopped() - after its reset; -ETIMEDOUT where it is still busy */
int onsram_engine_wait_stopped(struct onsram_engine *engine);
/** onsram_device_power_down() - engines, which are idle, stop; nothing is lost; -EBUSY */
int onsram_device_power_down(struct onsram_device *odev);
/**
 * onsram_device_power_up() - undoes it; where power was cut, what was in the SPM alone is
 * lost
 */
int onsram_device_power_up(struct onsram_device *odev);
/** onsram_device_drain() - waits until the rings are empty; -ETIMEDOUT */
int onsram_device_drain(struct onsram_device *odev);
/**
 * onsram_device_save() - writes every dirty tensor back, for a suspend; the schedulers must be
 * stopped and the engines idle
 */
int onsram_device_save(struct onsram_device *odev);
/** onsram_device_fail() - fails every job on the rings with @error; SPM contents are gone */
void onsram_device_fail(struct onsram_device *odev, int error);
/** onsram_device_reset() - recovers from a loss of state; stops and restarts the schedulers */
int onsram_device_reset(struct onsram_device *odev, int error);
/** onsram_sched_stop() - no job is put on a ring any more */
void onsram_sched_stop(struct onsram_device *odev);
/** onsram_sched_start() - undoes onsram_sched_stop() */
void onsram_sched_start(struct onsram_device *odev);
/**
 * onsram_tlb_invalidate() - drops the translations of a context, if the device is there and
 * powered
 */
void onsram_tlb_invalidate(struct onsram_device *odev, u32 asid);

/** onsram_timedout_job() - the scheduler's timeout */
enum drm_gpu_sched_stat onsram_timedout_job(struct drm_sched_job *sched_job);
/** onsram_coredump_init() - memory for a dump, as none can be had when one is taken; -ENOMEM */
int onsram_coredump_init(struct onsram_device *odev);
/**
 * onsram_coredump() - notes registers, the command and the SPM map for devcoredump
 *
 * Not while the dump before is still being handed over.
 */
void onsram_coredump(struct onsram_engine *engine, const char *reason);

/* A line of the SPM map */
struct onsram_map_line {
	u64 offset;
	u64 spm_bytes;
	u64 begin;
	u64 bytes;
	u32 bo;
	u32 client;
	bool dirty;
};

/** onsram_map_line() - what the map says of a resident */
struct onsram_map_line onsram_map_line(const struct onsram_residence *res);
void onsram_print_map_line(struct drm_printer *p, const struct onsram_map_line *line);
/** onsram_debugfs_init() - before the device is registered */
void onsram_debugfs_init(struct onsram_device *odev);

#endif
