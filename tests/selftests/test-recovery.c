// SPDX-License-Identifier: MIT
/*
 * Recovery from what the device's fault knobs do: nobody but the guilty job
 * fails, and nobody loses data.  Skipped where the host offers no knobs.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "client.h"

#define COREDUMPS	"/sys/class/devcoredump"
#define TRACING		"/sys/kernel/tracing"
#define FLOATS		(BUFFER_BYTES / 4)

/* Reads the coredumps that are there, and gives them back to the kernel */
static int take_coredumps(const char *has)
{
	DIR *dir = opendir(COREDUMPS);
	struct dirent *entry;
	char path[512], data[4096];
	int found = 0;

	while (dir && (entry = readdir(dir))) {
		FILE *file;
		size_t n;

		if (strncmp(entry->d_name, "devcd", 5))
			continue;
		snprintf(path, sizeof(path), COREDUMPS "/%s/data", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		n = fread(data, 1, sizeof(data) - 1, file);
		data[n] = 0;
		found += strstr(data, has) != NULL;
		fclose(file);
		write_file(path, "1");
	}
	if (dir)
		closedir(dir);
	return found;
}

/* out[i] = a[i] + b[i] over whole buffers: what an operation writes in full can stay in the SPM */
static struct drm_onsram_op whole_add(uint32_t out, uint32_t a, uint32_t b)
{
	struct drm_onsram_op op = add_op();
	uint32_t slot;

	for (slot = 0; slot < 3; slot++)
		op.operand[slot].view = DENSE(F32, FLOATS);
	op.operand[0].bo = out;
	op.operand[1].bo = a;
	op.operand[2].bo = b;
	return op;
}

static uint64_t generation(struct client *c, uint32_t buffer)
{
	struct drm_onsram_bo_info info;

	return onsram_bo_info(c->dev, &c->bo[buffer], &info) ? 0 : info.generation;
}

/* Number of elements of @buffer that are not @value */
static int differing(struct client *c, uint32_t buffer, float value)
{
	static float values[FLOATS];
	int i, n = 0, ret;

	ret = get_floats(c, buffer, values, FLOATS);
	if (ret)
		return ret;
	for (i = 0; i < FLOATS; i++)
		n += values[i] != value;
	return n;
}

static int put_constant(struct client *c, uint32_t buffer, float value)
{
	float values[FLOATS];

	return put_ramp(c, buffer, values, FLOATS, value, 0);
}

FIXTURE(recovery) {
	struct client client;
	int knobs;
};

FIXTURE_SETUP(recovery)
{
	struct client *c = &self->client;

	self->knobs = open(KNOBS, O_RDWR);
	if (self->knobs < 0)
		SKIP(return, "no " KNOBS);
	ASSERT_EQ(0, write_file(TIMEOUT, "500"));
	take_coredumps("");
	ASSERT_EQ(0, client_open(c));
	ASSERT_EQ(0, onsram_device_set_policy(c->dev, "lru"));
	ASSERT_EQ(0, put_constant(c, 1, 1));
	ASSERT_EQ(0, put_constant(c, 2, 2));
}

FIXTURE_TEARDOWN(recovery)
{
	client_close(&self->client);
	write_file(TIMEOUT, "30000");
	if (self->knobs >= 0)
		close(self->knobs);
}

TEST_F(recovery, works)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = whole_add(0, 1, 2);

	ASSERT_EQ(0, run_ops(c, &op, 1));
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, residency(c, 0));
	EXPECT_EQ(0, differing(c, 0, 3));
}

TEST_F(recovery, hang)
{
	struct client *c = &self->client;
	struct drm_onsram_op keep = whole_add(3, 1, 2), op = whole_add(0, 1, 2);
	struct drm_onsram_stats before, after;
	int i, dumps = 0;
	uint64_t gen;

	/* A tensor whose only contents are in the SPM */
	ASSERT_EQ(0, run_ops(c, &keep, 1));
	ASSERT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, residency(c, 3));
	/* In its place already, the next command is the operation itself */
	ASSERT_EQ(0, run_ops(c, &op, 1));
	gen = generation(c, 0);
	ASSERT_EQ(0, onsram_device_stats(c->dev, &before));

	ASSERT_EQ(0, knob(self->knobs, "set hang-next 0"));
	EXPECT_NE(0, run_ops(c, &op, 1));

	ASSERT_EQ(0, onsram_device_stats(c->dev, &after));
	EXPECT_EQ(before.errors + 1, after.errors);
	EXPECT_EQ(gen + 1, generation(c, 0));
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_NONE, residency(c, 0));
	/* A kernel can be built without them; they are handed over in the background */
	if (!access(COREDUMPS, F_OK)) {
		for (i = 0; i < 100 && !dumps; i++) {
			dumps = take_coredumps("SPM map");
			usleep(20000);
		}
		EXPECT_EQ(1, dumps);
	}

	/* The loss is told once, and the rest of the world is as it was. */
	EXPECT_EQ(-EIO, onsram_bo_prep(c->dev, &c->bo[0], DRM_ONSRAM_CPU_READ, WAIT_NS));
	EXPECT_EQ(0, onsram_bo_prep(c->dev, &c->bo[0], DRM_ONSRAM_CPU_READ, WAIT_NS));
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, residency(c, 3));
	EXPECT_EQ(0, differing(c, 3, 3));
	ASSERT_EQ(0, run_ops(c, &op, 1));
	EXPECT_EQ(0, differing(c, 0, 3));
}

TEST_F(recovery, hang_fails_nobody_else)
{
	struct client other = {};
	struct client *c = &self->client;
	struct drm_onsram_op op = whole_add(0, 1, 2), ops[3] = { op, op, op };
	struct drm_onsram_stats stats;
	struct drm_onsram_sync sync = { .flags = DRM_ONSRAM_SYNC_SIGNAL };

	if (c->dev->info.model.compute_engines > 1)
		SKIP(return, "the clients may run on different engines");
	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, put_constant(&other, 1, 5));
	ASSERT_EQ(0, put_constant(&other, 2, 6));
	ASSERT_EQ(0, onsram_sync_create(c->dev, &sync.handle));
	ASSERT_EQ(0, run_ops(c, &op, 1));

	ASSERT_EQ(0, knob(self->knobs, "set hang-next 0"));
	ASSERT_EQ(0, onsram_submit(c->dev, ops, 3, c->handle, NR_BUFFERS, &sync, 1));
	EXPECT_EQ(0, run_ops(&other, ops, 3));
	EXPECT_EQ(0, differing(&other, 0, 11));
	EXPECT_EQ(0, onsram_sync_wait(c->dev, sync.handle, 0, WAIT_NS));
	ASSERT_EQ(0, onsram_device_stats(other.dev, &stats));
	EXPECT_EQ(0, stats.errors);
	ASSERT_EQ(0, onsram_device_stats(c->dev, &stats));
	EXPECT_EQ(1, stats.errors);
	client_close(&other);
}

/* Contents that are lost fail who reads them: a job behind it on the ring, and one that comes later */
TEST_F(recovery, readers_of_a_lost_tensor_fail)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = whole_add(0, 1, 2), next = whole_add(3, 0, 2), last = whole_add(4, 3, 2);
	struct drm_onsram_sync sync = { .flags = DRM_ONSRAM_SYNC_SIGNAL };
	struct drm_onsram_stats before, after;

	if (c->dev->info.model.compute_engines > 1)
		SKIP(return, "the job may run on another engine than the one that fails");
	ASSERT_EQ(0, onsram_sync_create(c->dev, &sync.handle));
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &before));
	ASSERT_EQ(0, knob(self->knobs, "set error-next 0"));
	ASSERT_EQ(0, onsram_submit(c->dev, &op, 1, c->handle, NR_BUFFERS, NULL, 0));
	ASSERT_EQ(0, onsram_submit(c->dev, &next, 1, c->handle, NR_BUFFERS, NULL, 0));
	ASSERT_EQ(0, onsram_submit(c->dev, &last, 1, c->handle, NR_BUFFERS, &sync, 1));
	EXPECT_EQ(0, onsram_sync_wait(c->dev, sync.handle, 0, WAIT_NS));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &after));
	EXPECT_EQ(before.errors + 3, after.errors);
	EXPECT_EQ(-EIO, differing(c, 0, 3));
	EXPECT_EQ(-EIO, differing(c, 3, 5));
	EXPECT_EQ(-EIO, differing(c, 4, 7));

	/* The CPU has been told, but that does not bring them back. */
	EXPECT_EQ(-EIO, run_ops(c, &next, 1));
	EXPECT_EQ(-EIO, differing(c, 3, 5));
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, run_ops(c, &next, 1));
	EXPECT_EQ(0, differing(c, 3, 5));
}

/* A fetch that fails leaves the tensor where it was: only who counted on its place fails */
TEST_F(recovery, failed_fetch)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = whole_add(0, 1, 2);
	uint64_t gen = generation(c, 1);
	char request[32];
	int i;

	/* Its place is assigned first; what a client had there before need not be */
	ASSERT_EQ(0, onsram_bo_advise(c->dev, &c->bo[1], DRM_ONSRAM_ADVICE_WILLNEED));
	for (i = 0; i < 100 && residency(c, 1) != DRM_ONSRAM_RESIDENCY_CLEAN; i++)
		usleep(20000);
	ASSERT_EQ(0, onsram_bo_prep(c->dev, &c->bo[1], DRM_ONSRAM_CPU_WRITE, WAIT_NS));
	ASSERT_EQ(0, onsram_bo_fini(c->dev, &c->bo[1]));
	ASSERT_EQ(DRM_ONSRAM_RESIDENCY_NONE, residency(c, 1));

	snprintf(request, sizeof(request), "set error-next %u",
		 (unsigned int)c->dev->info.model.compute_engines);
	ASSERT_EQ(0, knob(self->knobs, request));
	ASSERT_EQ(0, onsram_bo_advise(c->dev, &c->bo[1], DRM_ONSRAM_ADVICE_WILLNEED));
	for (i = 0; i < 10; i++)
		usleep(20000);
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_NONE, residency(c, 1));
	EXPECT_EQ(gen, generation(c, 1));
	EXPECT_EQ(0, differing(c, 1, 1));
	ASSERT_EQ(0, run_ops(c, &op, 1));
	EXPECT_EQ(0, differing(c, 0, 3));
}

/* What takes long is no hang as long as commands end */
TEST_F_TIMEOUT(recovery, slow_job_is_no_hang, 120)
{
	enum { SIDE = 256, NR = 1024 };
	struct drm_onsram_op *ops = calloc(NR, sizeof(*ops));
	struct drm_onsram_sync sync = { .flags = DRM_ONSRAM_SYNC_SIGNAL };
	struct client *c = &self->client;
	struct drm_onsram_stats stats;
	struct onsram_bo bo[3];
	uint32_t handle[3], i, s;

	ASSERT_NE(NULL, ops);
	ASSERT_EQ(0, onsram_device_set_policy(c->dev, "none"));
	for (s = 0; s < 3; s++) {
		ASSERT_EQ(0, onsram_bo_create(c->dev, SIDE * SIDE * 4, &bo[s]));
		handle[s] = bo[s].handle;
	}
	for (i = 0; i < NR; i++) {
		ops[i].opcode = ONSRAM_OP_GEMM;
		for (s = 0; s < 3; s++)
			set_operand(&ops[i], s, DENSE(F32, SIDE, SIDE));
	}
	ASSERT_EQ(0, write_file(TIMEOUT, "200"));
	ASSERT_EQ(0, onsram_sync_create(c->dev, &sync.handle));
	ASSERT_EQ(0, onsram_submit(c->dev, ops, NR, handle, 3, &sync, 1));
	EXPECT_EQ(0, onsram_sync_wait(c->dev, sync.handle, 0, 10 * WAIT_NS));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &stats));
	EXPECT_EQ(0, stats.errors);
	EXPECT_EQ(NR, stats.ops);
	EXPECT_EQ(0, take_coredumps(""));
	for (s = 0; s < 3; s++)
		onsram_bo_destroy(c->dev, &bo[s]);
	free(ops);
}

/* Asking again and again whether a buffer can be read queues one write-back */
TEST_F(recovery, polling_queues_one_write_back)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = whole_add(0, 1, 2);
	char request[32], line[512];
	int i, jobs = 0;
	FILE *trace;

	if (write_file(TRACING "/events/onsram/onsram_submit/enable", "1"))
		SKIP(return, "no tracing");
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, residency(c, 0));
	snprintf(request, sizeof(request), "set hang-next %u",
		 (unsigned int)c->dev->info.model.compute_engines);
	ASSERT_EQ(0, knob(self->knobs, request));
	fclose(fopen(TRACING "/trace", "w"));
	/* The first ones of them find a tensor that is dirty, the later ones one that is being cleaned. */
	for (i = 0; i < 200; i++) {
		struct drm_onsram_bo_cpu_prep prep = {
			.handle = c->handle[0], .flags = DRM_ONSRAM_CPU_READ, .timeout_ns = past(),
		};

		EXPECT_EQ(ETIME, raw(c, DRM_IOCTL_ONSRAM_BO_CPU_PREP, &prep));
	}
	EXPECT_EQ(0, differing(c, 0, 3));
	write_file(TRACING "/events/onsram/onsram_submit/enable", "0");
	trace = fopen(TRACING "/trace", "r");
	ASSERT_NE(NULL, trace);
	while (fgets(line, sizeof(line), trace))
		jobs += strstr(line, "onsram_submit:") && strstr(line, "kind=1");
	fclose(trace);
	EXPECT_EQ(1, jobs);
}

TEST_F(recovery, hung_placement_is_repeated)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = whole_add(0, 1, 2);

	ASSERT_EQ(DRM_ONSRAM_RESIDENCY_NONE, residency(c, 0));
	ASSERT_EQ(0, knob(self->knobs, "set hang-next 0"));
	EXPECT_EQ(0, run_ops(c, &op, 1));
	EXPECT_EQ(0, differing(c, 0, 3));
}

TEST_F(recovery, hung_write_back_is_repeated)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = whole_add(0, 1, 2);
	uint64_t gen = generation(c, 0);
	char request[32];

	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, residency(c, 0));
	snprintf(request, sizeof(request), "set hang-next %u",
		 (unsigned int)c->dev->info.model.compute_engines);
	ASSERT_EQ(0, knob(self->knobs, request));
	EXPECT_EQ(0, differing(c, 0, 3));
	EXPECT_EQ(gen, generation(c, 0));
}

/* A write-back that fails loses the only copy, which is said once and counted */
TEST_F(recovery, failed_write_back)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = whole_add(0, 1, 2), next = whole_add(3, 0, 2);
	uint64_t gen = generation(c, 0);
	char request[32];

	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, residency(c, 0));
	snprintf(request, sizeof(request), "set error-next %u",
		 (unsigned int)c->dev->info.model.compute_engines);
	ASSERT_EQ(0, knob(self->knobs, request));
	EXPECT_EQ(-EIO, differing(c, 0, 3));
	EXPECT_LT(gen, generation(c, 0));
	EXPECT_LE(0, differing(c, 0, 3));
	EXPECT_EQ(-EIO, run_ops(c, &next, 1));
	EXPECT_EQ(0, run_ops(c, &op, 1));
	EXPECT_EQ(0, differing(c, 0, 3));
}

TEST_F(recovery, error)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = whole_add(0, 1, 2);
	uint64_t gen = generation(c, 0);

	/* Only the assignment of its place, or the operation itself, can be next. */
	ASSERT_EQ(0, knob(self->knobs, "set error-next 0"));
	EXPECT_NE(0, run_ops(c, &op, 1));
	EXPECT_LT(gen, generation(c, 0));
	EXPECT_EQ(-EIO, differing(c, 0, 3));
	ASSERT_EQ(0, run_ops(c, &op, 1));
	EXPECT_EQ(0, differing(c, 0, 3));

	/* What is written anew before anybody looks is there. */
	ASSERT_EQ(0, knob(self->knobs, "set error-next 0"));
	EXPECT_NE(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, run_ops(c, &op, 1));
	EXPECT_EQ(0, differing(c, 0, 3));
}

TEST_F(recovery, corrupt_status)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = whole_add(0, 1, 2);

	ASSERT_EQ(0, onsram_device_set_policy(c->dev, "none"));
	ASSERT_EQ(0, knob(self->knobs, "set corrupt-status-next 0"));
	EXPECT_NE(0, run_ops(c, &op, 1));
	EXPECT_EQ(0, run_ops(c, &op, 1));
}

TEST_F(recovery, lost_interrupt)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = whole_add(0, 1, 2);
	struct drm_onsram_stats stats;

	ASSERT_EQ(0, knob(self->knobs, "set drop-irq-next 0"));
	EXPECT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &stats));
	EXPECT_EQ(0, stats.errors);
	EXPECT_EQ(0, take_coredumps(""));
	EXPECT_EQ(0, differing(c, 0, 3));
}

TEST_F(recovery, uncorrectable_word)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = whole_add(0, 1, 2), next = whole_add(3, 0, 2);
	struct drm_onsram_bo_info info;
	char request[64];

	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, onsram_bo_info(c->dev, &c->bo[0], &info));
	ASSERT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, info.residency);
	snprintf(request, sizeof(request), "set ecc-offset %llu",
		 (unsigned long long)info.spm_offset);
	ASSERT_EQ(0, knob(self->knobs, request));
	EXPECT_NE(0, run_ops(c, &next, 1));
	ASSERT_EQ(0, knob(self->knobs, "set ecc-offset -1"));

	/* Both the tensor that was hit and the one computed from it are gone. */
	EXPECT_EQ(info.generation + 1, generation(c, 0));
	EXPECT_EQ(-EIO, differing(c, 0, 3));
	EXPECT_EQ(-EIO, differing(c, 3, 5));
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, run_ops(c, &next, 1));
	EXPECT_EQ(0, differing(c, 3, 5));
}

TEST_F(recovery, function_reset)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = whole_add(0, 1, 2);
	char path[256];

	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, residency(c, 0));
	onsram_sysfs_dir(c->dev->index, path, sizeof(path) - 8);
	strcat(path, "/reset");
	ASSERT_EQ(0, write_file(path, "1"));
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_NONE, residency(c, 0));
	EXPECT_EQ(-EIO, differing(c, 0, 3));
	EXPECT_EQ(0, differing(c, 1, 1));
	ASSERT_EQ(0, run_ops(c, &op, 1));
	EXPECT_EQ(0, differing(c, 0, 3));
}

TEST_HARNESS_MAIN
