// SPDX-License-Identifier: MIT
/*
 * What a SUBMIT of one operation costs the caller: nanoseconds of CLOCK_MONOTONIC
 * inside the ioctl, median of many.  In a guest under `-icount shift=0` a
 * nanosecond is an instruction.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device.h"

#define ROUNDS 1001
#define ELEMENTS 256

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void set_operand(struct drm_onsram_operand *o, uint32_t bo)
{
	o->bo = bo;
	o->view = (struct onsram_view){ .dtype = ONSRAM_DTYPE_F32, .rank = 1,
					.dims = { ELEMENTS }, .strides = { 1 } };
}

int main(void)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_ELEMENTWISE,
				    .attr.func = ONSRAM_EW_RELU };
	struct onsram_device *dev;
	struct onsram_bo bo[2];
	uint32_t handle[2];
	static int64_t cost[ROUNDS];
	int64_t start, clock;
	char *err = NULL;
	int i, ret;

	dev = onsram_device_open(&err);
	if (!dev) {
		fprintf(stderr, "submit-cost: %s\n", err);
		free(err);
		return 1;
	}
	for (i = 0; i < 2; i++) {
		ret = onsram_bo_create(dev, ELEMENTS * sizeof(float), &bo[i]);
		if (ret) {
			fprintf(stderr, "submit-cost: buffer: %s\n", strerror(-ret));
			return 1;
		}
		handle[i] = bo[i].handle;
		set_operand(&op.operand[i], i);
	}

	start = now();
	clock = now() - start;
	for (i = 0; i < ROUNDS; i++) {
		start = now();
		ret = onsram_submit(dev, &op, 1, handle, 2, NULL, 0);
		cost[i] = now() - start - clock;
		if (!ret)
			ret = onsram_bo_prep(dev, &bo[0], DRM_ONSRAM_CPU_READ, INT64_MAX);
		if (!ret)
			ret = onsram_bo_fini(dev, &bo[0]);
		if (ret) {
			fprintf(stderr, "submit-cost: %s\n", strerror(-ret));
			return 1;
		}
	}
	qsort(cost, ROUNDS, sizeof(cost[0]), compare);
	printf("%lld\n", (long long)cost[ROUNDS / 2]);
	onsram_device_close(dev);
	return 0;
}
