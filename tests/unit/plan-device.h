/* SPDX-License-Identifier: MIT */
/*
 * A device that runs graphs with plans for tests: the driver's code puts the
 * commands on a ring, and each costs what the performance model says.  The
 * planner's header is not for this side, nor the driver's for the other: both have
 * plans of their own.
 */
#ifndef TESTS_UNIT_PLAN_DEVICE_H
#define TESTS_UNIT_PLAN_DEVICE_H

#include <stdint.h>

#include <drm/onsram_accel.h>

#include "perf.h"

struct plan_device;

/** struct plan_device_tensor - @bytes and DRM_ONSRAM_TENSOR_* of a tensor */
struct plan_device_tensor {
	uint64_t bytes;
	uint32_t flags;
};

/** struct plan_device_interval - as enum onsram_attr_interval has it */
struct plan_device_interval {
	uint32_t tensor;
	uint32_t first_op;
	uint32_t last_op;
	uint32_t flags;
	uint32_t offset;
	uint32_t bytes;
	uint64_t begin;
};

/** struct plan_device_run - what a run took */
struct plan_device_run {
	uint64_t time_ps;
	uint64_t dram_read_bytes;
	uint64_t dram_write_bytes;
	uint32_t parts;		/* operands that lay in the SPM in part */
};

/** plan_device_new() - nothing resident; what is given stays the caller's, until plan_device_free() */
struct plan_device *plan_device_new(const struct onsram_model *m, const struct drm_onsram_op *ops,
				    uint32_t nr_ops, const struct plan_device_tensor *tensors,
				    uint32_t nr_tensors);
void plan_device_free(struct plan_device *d);
/** plan_device_plan() - what the driver refuses fails the test */
void plan_device_plan(struct plan_device *d, const struct plan_device_interval *iv, uint32_t n);
struct plan_device_run plan_device_run(struct plan_device *d);

#endif
