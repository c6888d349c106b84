// SPDX-License-Identifier: MIT
/*
 * Faults on demand: the device hangs, fails, lies and loses interrupts; only
 * the guilty job may fail, and the next one must work.
 *
 * The device's knobs are worked through a port that the launcher of the guest
 * serves; see tools/vm/knobs.py.
 */
#include "kselftest_harness.h"

#include <fcntl.h>

#include "client.h"

#define KNOBS	"/dev/virtio-ports/onsram.knobs"
#define TIMEOUT	"/sys/module/onsram/parameters/timeout_ms"

FIXTURE(faults) {
	struct client client;
	struct client other;
	int knobs;
	char timeout[32];
};

static int knob(int fd, const char *line)
{
	char answer[256];
	size_t n = 0;
	ssize_t got;

	if (dprintf(fd, "%s\n", line) < 0)
		return -errno;
	do {
		got = read(fd, answer + n, sizeof(answer) - 1 - n);
		if (got <= 0)
			return -EIO;
		n += got;
	} while (answer[n - 1] != '\n' && n < sizeof(answer) - 1);
	answer[n] = '\0';
	if (!strncmp(answer, "ok", 2))
		return 0;
	printf("# %s: %s", line, answer);
	return -EINVAL;
}

static int parameter(char *text, size_t size, const char *value)
{
	int fd = open(TIMEOUT, value ? O_WRONLY : O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (value)
		n = write(fd, value, strlen(value));
	else
		n = read(fd, text, size - 1);
	close(fd);
	if (n > 0 && !value)
		text[n] = '\0';
	return n > 0 ? 0 : -EIO;
}

FIXTURE_SETUP(faults)
{
	ASSERT_EQ(0, client_open(&self->client));
	ASSERT_EQ(0, client_open(&self->other));
	self->knobs = open(KNOBS, O_RDWR);
	if (self->knobs < 0)
		SKIP(return, "no port to the device's knobs");
	ASSERT_EQ(0, parameter(self->timeout, sizeof(self->timeout), NULL));
	ASSERT_EQ(0, parameter(NULL, 0, "400"));
	ASSERT_EQ(0, onsram_device_set_policy(self->client.dev, DRM_ONSRAM_POLICY_LRU));
	ASSERT_EQ(0, onsram_device_set_policy(self->other.dev, DRM_ONSRAM_POLICY_LRU));
}

FIXTURE_TEARDOWN(faults)
{
	if (self->knobs >= 0)
		close(self->knobs);
	if (*self->timeout)
		parameter(NULL, 0, self->timeout);
	client_close(&self->client);
	client_close(&self->other);
}

/* What every fault must leave behind: a device that works, and the other client's data */
static void still_works(struct __test_metadata *_metadata, struct client *c, struct client *other)
{
	struct drm_onsram_op op = fill_op(7), add = add_op();
	float a[24], y[24];

	EXPECT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 24));
	EXPECT_EQ(7, y[23]);
	put_ramp(other, 1, a, 24, 1, 1);
	EXPECT_EQ(0, run_ops(other, &add, 1));
	ASSERT_EQ(0, get_floats(other, 0, y, 24));
	EXPECT_EQ(24, y[23]);
}

TEST_F(faults, error)
{
	struct drm_onsram_op op = fill_op(5);

	ASSERT_EQ(0, knob(self->knobs, "set error-next 0"));
	EXPECT_EQ(-EIO, run_ops(&self->client, &op, 1));
	still_works(_metadata, &self->client, &self->other);
}

TEST_F(faults, hang)
{
	struct drm_onsram_op op = fill_op(5);

	ASSERT_EQ(0, knob(self->knobs, "set hang-next 0"));
	EXPECT_EQ(-EIO, run_ops(&self->client, &op, 1));
	still_works(_metadata, &self->client, &self->other);
}

/* Jobs behind the one that hangs are not guilty. */
TEST_F(faults, hang_spares_the_others)
{
	struct client *c = &self->client, *other = &self->other;
	struct drm_onsram_op op = fill_op(5);
	struct drm_onsram_stats s;
	float y[24];
	int i;

	ASSERT_EQ(0, knob(self->knobs, "set hang-next 0"));
	ASSERT_EQ(0, onsram_submit(c->dev, &op, 1, c->handle, NR_BUFFERS, NULL, 0));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, onsram_submit(other->dev, &op, 1, other->handle, NR_BUFFERS, NULL, 0));
	}
	ASSERT_EQ(0, get_floats(other, 0, y, 24));
	EXPECT_EQ(5, y[23]);
	ASSERT_EQ(0, onsram_device_stats(other->dev, &s));
	EXPECT_EQ(0, s.errors);
	EXPECT_EQ(10, s.ops);
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s));
	EXPECT_EQ(1, s.errors);
	still_works(_metadata, c, other);
}

/* A hang leaves what lay dirty in the SPM either whole or reported as lost. */
TEST_F(faults, hang_and_residents)
{
	struct client *c = &self->client;
	struct drm_onsram_op all = fill_all_op(3), op = fill_op(5);
	float *y = malloc(BUFFER_BYTES);
	int ret;

	ASSERT_NE(NULL, y);
	ASSERT_EQ(0, run_ops(c, &all, 1));
	ASSERT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, residency(c, 0));
	op.operand[0].bo = 1;
	ASSERT_EQ(0, knob(self->knobs, "set hang-next 0"));
	EXPECT_EQ(-EIO, run_ops(c, &op, 1));
	ret = get_floats(c, 0, y, BUFFER_BYTES / sizeof(float));
	if (!ret) {
		EXPECT_EQ(3, y[0]);
		EXPECT_EQ(3, y[BUFFER_BYTES / sizeof(float) - 1]);
	} else {
		EXPECT_EQ(-EIO, ret);
	}
	free(y);
	still_works(_metadata, c, &self->other);
}

TEST_F(faults, lost_interrupt)
{
	struct drm_onsram_op op = fill_op(5);
	int vector;

	for (vector = 0; vector < 3; vector++) {
		char line[64];

		snprintf(line, sizeof(line), "set drop-irq-next %d", vector);
		ASSERT_EQ(0, knob(self->knobs, line));
		EXPECT_EQ(0, run_ops(&self->client, &op, 1));
	}
	ASSERT_EQ(0, knob(self->knobs, "set drop-irq-next -1"));
	still_works(_metadata, &self->client, &self->other);
}

TEST_F(faults, corrupt_status)
{
	struct drm_onsram_op op = fill_op(5);

	ASSERT_EQ(0, knob(self->knobs, "set corrupt-status-next 0"));
	EXPECT_EQ(-EIO, run_ops(&self->client, &op, 1));
	still_works(_metadata, &self->client, &self->other);
}

/* The write-back of a dirty tensor fails: the data is lost, and that is said once. */
TEST_F(faults, failed_writeback)
{
	struct client *c = &self->client;
	struct drm_onsram_op all = fill_all_op(3);
	struct drm_onsram_bo_info before, after;
	float y;

	ASSERT_EQ(0, run_ops(c, &all, 1));
	ASSERT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, residency(c, 0));
	ASSERT_EQ(0, onsram_bo_info(c->dev, &c->bo[0], &before));
	ASSERT_EQ(0, knob(self->knobs, "set error-next 1"));
	EXPECT_EQ(-EIO, get_floats(c, 0, &y, 1));
	ASSERT_EQ(0, onsram_bo_info(c->dev, &c->bo[0], &after));
	EXPECT_LT(before.generation, after.generation);
	EXPECT_EQ(0, get_floats(c, 0, &y, 1));
	still_works(_metadata, c, &self->other);
}

TEST_HARNESS_MAIN
