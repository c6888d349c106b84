// SPDX-License-Identifier: MIT
/* The device library against a mock of the system calls */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device.h"
#include "mock-device.h"

static int set_up(void **state)
{
	(void)state;
	mock_reset();
	mock.node = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(mock.open_fds, 0);
	mock_reset();
	return 0;
}

static struct onsram_device *device(void)
{
	char *err;
	struct onsram_device *dev = onsram_device_open(&err);

	assert_non_null(dev);
	return dev;
}

static void refused(const char *why)
{
	char *err = NULL;

	assert_null(onsram_device_open(&err));
	assert_non_null(err);
	if (!strstr(err, why))
		fail_msg("\"%s\" does not say \"%s\"", err, why);
	free(err);
}

static void test_no_device(void **state)
{
	(void)state;
	mock.node = -1;
	refused("no onsram device");
	refused("is the module loaded?");
}

static void test_other_driver_only(void **state)
{
	(void)state;
	mock.node = -1;
	mock.other_node = 0;
	refused("no onsram device");
}

static void test_permission(void **state)
{
	(void)state;
	mock.open_error = EACCES;
	refused("/dev/accel/accel0: Permission denied");
}

static void test_query_fails(void **state)
{
	(void)state;
	mock.fail_request = DRM_IOCTL_ONSRAM_DEV_QUERY;
	mock.fail_errno = ENODEV;
	refused("No such device");
}

static void test_found_behind_another(void **state)
{
	struct onsram_device *dev;

	(void)state;
	mock.other_node = 0;
	mock.node = 3;
	dev = device();
	assert_int_equal(dev->index, 3);
	assert_int_equal(dev->fd, MOCK_FD);
	assert_int_equal(dev->info.granule, 1024);
	assert_int_equal(mock.open_fds, 1);
	onsram_device_close(dev);
}

static void test_interrupted_calls(void **state)
{
	struct onsram_device *dev;
	struct onsram_bo bo;

	(void)state;
	mock.interrupt = 3;
	dev = device();
	assert_int_equal(onsram_bo_create(dev, 100, &bo), 0);
	assert_int_equal(mock_count(DRM_IOCTL_ONSRAM_BO_CREATE), 1);
	onsram_bo_destroy(dev, &bo);
	onsram_device_close(dev);
}

static void test_buffer(void **state)
{
	struct onsram_device *dev = device();
	uint32_t value = 0x12345678, got = 0;
	struct onsram_bo bo;

	(void)state;
	assert_int_equal(onsram_bo_create(dev, 4, &bo), 0);
	assert_int_equal(onsram_bo_write(dev, &bo, &value, 4), 0);
	assert_int_equal(onsram_bo_read(dev, &bo, &got, 4), 0);
	assert_int_equal(got, value);
	/* mapped once, prepared for what is done, finished each time */
	assert_int_equal(mock_count(DRM_IOCTL_ONSRAM_BO_MMAP_OFFSET), 1);
	assert_int_equal(mock.call[mock_find(DRM_IOCTL_ONSRAM_BO_CPU_PREP, 0)].value,
			 DRM_ONSRAM_CPU_WRITE);
	assert_int_equal(mock.call[mock_find(DRM_IOCTL_ONSRAM_BO_CPU_PREP, 1)].value,
			 DRM_ONSRAM_CPU_READ);
	assert_int_equal(mock_count(DRM_IOCTL_ONSRAM_BO_CPU_FINI), 2);
	assert_int_equal(onsram_bo_write(dev, &bo, &value, 5), -EINVAL);
	onsram_bo_destroy(dev, &bo);
	assert_int_equal(mock_bos_open(), 0);
	onsram_device_close(dev);
}

static void test_errors_are_negative_errno(void **state)
{
	struct onsram_device *dev = device();
	struct onsram_bo bo = { .handle = 99, .size = 4 };
	struct drm_onsram_op op = { 0 };
	uint32_t handle = 99, id = 0;

	(void)state;
	op.operand[0].view.dtype = ONSRAM_DTYPE_F32;
	assert_int_equal(onsram_bo_map(dev, &bo), -ENOENT);
	assert_int_equal(onsram_bo_advise(dev, &bo, 0), -ENOENT);
	assert_int_equal(onsram_submit(dev, &op, 1, &handle, 1, NULL, 0), -ENOENT);
	mock.fail_request = DRM_IOCTL_ONSRAM_GRAPH_CREATE;
	mock.fail_errno = EINVAL;
	assert_int_equal(onsram_graph_create(dev, &op, 1, NULL, 0, &id), -EINVAL);
	assert_int_equal(id, 0);
	mock.plan = ENOTCONN;
	assert_int_equal(onsram_graph_wait_plan(dev, 1, 0), -ENOTCONN);
	assert_int_equal(onsram_sync_wait(dev, 1, 5, 0), -ETIME);
	onsram_device_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_device, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_driver_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_permission, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_query_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_found_behind_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_interrupted_calls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_buffer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errors_are_negative_errno, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
