/* SPDX-License-Identifier: MIT */
/*
 * A test client: an open file with a buffer per operand slot, and the raw calls.
 */
#ifndef ONSRAM_TEST_CLIENT_H
#define ONSRAM_TEST_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "ops.h"

/* No test waits longer: the device is idle or broken */
#define WAIT_NS 10000000000ll

struct client {
	struct onsram_device *dev;
	struct onsram_bo bo[NR_BUFFERS];
	uint32_t handle[NR_BUFFERS];
};

/** client_open() - open the device and create the buffers. Return: 0 or a negative errno */
int client_open(struct client *c);
void client_close(struct client *c);

/** raw() - one ioctl. Return: 0 or the errno, positive, as the tests name it */
int raw(const struct client *c, unsigned long request, void *arg);
/** past() and future() - absolute CLOCK_MONOTONIC times */
int64_t past(void);
int64_t future(void);

/** run_ops() - submit as one job and wait for it. Return: 0 or a negative errno; -EIO where the job failed */
int run_ops(struct client *c, const struct drm_onsram_op *ops, uint32_t nr);
/** put_floats(), get_floats() - the first @n elements of a buffer, coherently */
int put_floats(struct client *c, uint32_t buffer, const float *values, uint32_t n);
int get_floats(struct client *c, uint32_t buffer, float *values, uint32_t n);
/** ramp() - @n values from @first in steps of @step, also put into a buffer */
int put_ramp(struct client *c, uint32_t buffer, float *values, uint32_t n, float first, float step);

/** residency() - enum drm_onsram_residency of a buffer, or -1 */
int residency(struct client *c, uint32_t buffer);
/** spm_attribute() - a number under the device's sysfs directory spm/, or -1 */
int64_t spm_attribute(const char *name);
/** device_attribute() - likewise under the device's sysfs directory, -1 */
int64_t device_attribute(const char *name);
/** parameter() - a number that a parameter of the driver has, or -1 */
int64_t parameter(const char *name);
/** kernel_has() - is there a symbol of this name in the kernel? */
bool kernel_has(const char *symbol);
/** set_parameter() - Return: 0 or the errno, positive */
int set_parameter(const char *name, int64_t value);

/* Faults on demand: a port to the host, where it offers one */
#define KNOBS	"/dev/virtio-ports/onsram.knobs"
#define TIMEOUT	"/sys/module/onsram/parameters/timeout_ms"

/** knob() - a request to the host over the port. Return: 0, or -1 where it was refused */
int knob(int fd, const char *request);
/** write_file() - for sysfs and the like. Return: 0 or a negative errno */
int write_file(const char *path, const char *text);

#endif
