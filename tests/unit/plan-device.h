/* SPDX-License-Identifier: MIT */
/*
 * A device that runs graphs with plans for tests: the driver's code puts the
 * commands on the rings of a compute engine and of the copy engine, which run them as
 * the device does, in the performance model's time.  The
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
	uint32_t reserve_op;
	uint32_t release_op;
};

/** struct plan_device_run - what a run took, zeroing of SPM that another client had left out */
struct plan_device_run {
	uint64_t time_ps;
	uint64_t dram_read_bytes;
	uint64_t dram_write_bytes;
	uint32_t parts;		/* operands that lay in the SPM in part */
	uint32_t beside;	/* transfers that began beside an operation */
};

/** plan_device_new() - nothing resident; what is given stays the caller's, until plan_device_free() */
struct plan_device *plan_device_new(const struct onsram_model *m, const struct drm_onsram_op *ops,
				    uint32_t nr_ops, const struct plan_device_tensor *tensors,
				    uint32_t nr_tensors);
void plan_device_free(struct plan_device *d);
/** plan_device_hand_over() - another client had all of the SPM */
void plan_device_hand_over(struct plan_device *d);
/** plan_device_plan() - what the driver refuses fails the test */
void plan_device_plan(struct plan_device *d, const struct plan_device_interval *iv, uint32_t n);
struct plan_device_run plan_device_run(struct plan_device *d);

#endif
