// SPDX-License-Identifier: MIT
/* Residency under the in-kernel policies, as BO_INFO and the statistics tell it */
#include "kselftest_harness.h"

#include "client.h"

#define NR_LARGE 5

FIXTURE(residency) {
	struct client client;
	struct onsram_bo large[NR_LARGE];	/* four of them fill the SPM */
	uint32_t large_floats;
};

FIXTURE_SETUP(residency)
{
	struct client *c = &self->client;
	uint64_t capacity, bytes;
	uint32_t i;

	ASSERT_EQ(0, client_open(c));
	capacity = c->dev->info.model.spm_size - c->dev->info.staging_min;
	bytes = capacity / 4 / c->dev->info.granule * c->dev->info.granule;
	self->large_floats = bytes / sizeof(float);
	for (i = 0; i < NR_LARGE; i++) {
		ASSERT_EQ(0, onsram_bo_create(c->dev, bytes, &self->large[i]));
	}
	ASSERT_EQ(0, onsram_device_set_policy(c->dev, "lru"));
}

FIXTURE_TEARDOWN(residency)
{
	uint32_t i;

	for (i = 0; self->client.dev && i < NR_LARGE; i++)
		onsram_bo_destroy(self->client.dev, &self->large[i]);
	client_close(&self->client);
}

static int fill_large(struct client *c, const struct onsram_bo *bo, uint32_t floats, float value)
{
	struct drm_onsram_sync sync = { .flags = DRM_ONSRAM_SYNC_SIGNAL };
	struct drm_onsram_op op = fill_op(value);
	int ret;

	op.operand[0].view = DENSE(F32, floats);
	ret = onsram_sync_create(c->dev, &sync.handle);
	if (!ret)
		ret = onsram_submit(c->dev, &op, 1, &bo->handle, 1, &sync, 1);
	return ret ? ret : onsram_sync_wait(c->dev, sync.handle, 0, WAIT_NS);
}

static int where(struct client *c, const struct onsram_bo *bo, struct drm_onsram_bo_info *info)
{
	return onsram_bo_info(c->dev, bo, info) ? -1 : (int)info->residency;
}

TEST_F(residency, none_keeps_nothing)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = add_op();
	struct drm_onsram_stats s;

	ASSERT_EQ(0, onsram_device_set_policy(c->dev, "none"));
	ASSERT_EQ(0, run_ops(c, &op, 1));
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_NONE, residency(c, 0));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s));
	EXPECT_EQ(0, s.peak_bytes);
	EXPECT_EQ(0, s.hits);
}

TEST_F(residency, lru_life_of_an_output)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = fill_all_op(1), next = add_op();
	struct drm_onsram_stats before, after;
	struct drm_onsram_bo_info info;

	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, where(c, &c->bo[0], &info));
	EXPECT_EQ(BUFFER_BYTES, info.spm_bytes);
	EXPECT_EQ(0, info.spm_offset % c->dev->info.granule);
	EXPECT_LE(info.spm_offset + info.spm_bytes, c->dev->info.model.spm_size);

	/* A reader finds it in the SPM. */
	next.operand[0].bo = 3;
	next.operand[1].bo = 0;
	ASSERT_EQ(0, onsram_device_stats(c->dev, &before));
	ASSERT_EQ(0, run_ops(c, &next, 1));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &after));
	EXPECT_LT(before.hits, after.hits);
	EXPECT_LE(before.dram_avoided_bytes + 96, after.dram_avoided_bytes);

	/* Reading by the CPU writes it back and leaves it where it is. */
	ASSERT_EQ(0, onsram_bo_prep(c->dev, &c->bo[0], DRM_ONSRAM_CPU_READ, WAIT_NS));
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_CLEAN, residency(c, 0));
	ASSERT_EQ(0, onsram_bo_fini(c->dev, &c->bo[0]));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &after));
	EXPECT_EQ(before.writebacks + 1, after.writebacks);

	/* Writing ends its residency. */
	ASSERT_EQ(0, onsram_bo_prep(c->dev, &c->bo[0], DRM_ONSRAM_CPU_WRITE, WAIT_NS));
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_NONE, residency(c, 0));
	ASSERT_EQ(0, onsram_bo_fini(c->dev, &c->bo[0]));
}

TEST_F(residency, lru_evicts_the_oldest)
{
	struct client *c = &self->client;
	uint32_t last = self->large_floats - 1, i;
	struct drm_onsram_bo_info info;
	struct drm_onsram_stats s;

	for (i = 0; i < NR_LARGE; i++) {
		ASSERT_EQ(0, fill_large(c, &self->large[i], self->large_floats, (float)i));
	}
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_NONE, where(c, &self->large[0], &info));
	for (i = 1; i < NR_LARGE; i++) {
		EXPECT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, where(c, &self->large[i], &info));
	}
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s));
	EXPECT_EQ(1, s.evictions);
	EXPECT_EQ(1, s.writebacks);
	EXPECT_LE(s.peak_bytes, c->dev->info.model.spm_size - c->dev->info.staging_min);
	for (i = 0; i < NR_LARGE; i++) {
		float *y = malloc(self->large[i].size);

		ASSERT_NE(NULL, y);
		ASSERT_EQ(0, onsram_bo_read(c->dev, &self->large[i], y, self->large[i].size));
		EXPECT_EQ(i, y[0]);
		EXPECT_EQ(i, y[last]);
		free(y);
	}
}

TEST_F(residency, dead_is_not_written_back)
{
	struct client *c = &self->client;
	struct drm_onsram_stats s;
	uint32_t i;

	ASSERT_EQ(0, fill_large(c, &self->large[0], self->large_floats, 1));
	ASSERT_EQ(0, onsram_bo_advise(c->dev, &self->large[0], DRM_ONSRAM_ADVICE_DEAD));
	for (i = 1; i < NR_LARGE; i++) {
		ASSERT_EQ(0, fill_large(c, &self->large[i], self->large_floats, 1));
	}
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s));
	EXPECT_EQ(0, s.writebacks);
}

TEST_F(residency, dead_lives_again)
{
	struct client *c = &self->client;
	float y;

	ASSERT_EQ(0, fill_large(c, &self->large[0], self->large_floats, 1));
	ASSERT_EQ(0, onsram_bo_advise(c->dev, &self->large[0], DRM_ONSRAM_ADVICE_DEAD));
	ASSERT_EQ(0, fill_large(c, &self->large[0], self->large_floats, 2));
	ASSERT_EQ(0, onsram_bo_read(c->dev, &self->large[0], &y, sizeof(y)));
	EXPECT_EQ(2, y);
}

TEST_F(residency, dead_then_written_by_the_cpu)
{
	struct client *c = &self->client;
	float value = 3, y;
	uint32_t i;

	ASSERT_EQ(0, fill_large(c, &self->large[0], self->large_floats, 1));
	ASSERT_EQ(0, onsram_bo_advise(c->dev, &self->large[0], DRM_ONSRAM_ADVICE_DEAD));
	ASSERT_EQ(0, onsram_bo_write(c->dev, &self->large[0], &value, sizeof(value)));
	for (i = 1; i < NR_LARGE; i++) {
		ASSERT_EQ(0, fill_large(c, &self->large[i], self->large_floats, 1));
	}
	ASSERT_EQ(0, onsram_bo_read(c->dev, &self->large[0], &y, sizeof(y)));
	EXPECT_EQ(3, y);
}

/* What nobody wants need not be fetched: the parts of a dead tensor are written in its place. */
TEST_F(residency, dead_then_written_in_parts)
{
	struct client *c = &self->client;
	struct onsram_bo *bo = &self->large[0];
	struct drm_onsram_bo_info info;
	uint32_t half = self->large_floats / 2;
	float *y;

	ASSERT_EQ(0, fill_large(c, bo, half, 1));
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_NONE, where(c, bo, &info));
	ASSERT_EQ(0, onsram_bo_advise(c->dev, bo, DRM_ONSRAM_ADVICE_DEAD));
	ASSERT_EQ(0, onsram_bo_advise(c->dev, bo, DRM_ONSRAM_ADVICE_NORMAL));
	ASSERT_EQ(0, fill_large(c, bo, half, 2));
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_NONE, where(c, bo, &info));

	ASSERT_EQ(0, onsram_bo_advise(c->dev, bo, DRM_ONSRAM_ADVICE_DEAD));
	ASSERT_EQ(0, fill_large(c, bo, half, 3));
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, where(c, bo, &info));
	y = calloc(half, sizeof(*y));
	ASSERT_NE(NULL, y);
	ASSERT_EQ(0, onsram_bo_read(c->dev, bo, y, half * sizeof(*y)));
	EXPECT_EQ(3, y[0]);
	EXPECT_EQ(3, y[half - 1]);
	free(y);
}

TEST_F(residency, willneed_brings_in)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = add_op();
	struct drm_onsram_stats s;
	float values[24], y[24];
	uint32_t i;

	ASSERT_EQ(0, put_ramp(c, 1, values, 24, 1, 1));
	ASSERT_EQ(0, onsram_bo_advise(c->dev, &c->bo[1], DRM_ONSRAM_ADVICE_WILLNEED));
	/* Advice waits for nothing and is followed in the background. */
	for (i = 0; i < 100 && residency(c, 1) != DRM_ONSRAM_RESIDENCY_CLEAN; i++)
		usleep(20000);
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s));
	EXPECT_EQ(1, s.prefetches);
	EXPECT_EQ(1, s.hits);
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_CLEAN, residency(c, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 24));
	EXPECT_EQ(24, y[23]);
}

TEST_F(residency, willneed_never_evicts)
{
	struct client *c = &self->client;
	struct drm_onsram_bo_info info;
	struct drm_onsram_stats s;
	uint32_t i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, fill_large(c, &self->large[i], self->large_floats, 1));
	}
	ASSERT_EQ(0, onsram_bo_advise(c->dev, &self->large[4], DRM_ONSRAM_ADVICE_WILLNEED));
	ASSERT_EQ(0, fill_large(c, &self->large[0], self->large_floats, 1));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s));
	EXPECT_EQ(0, s.evictions);
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_NONE, where(c, &self->large[4], &info));
}

TEST_F(residency, too_large_for_the_spm)
{
	struct client *c = &self->client;
	uint32_t floats = c->dev->info.model.spm_size / sizeof(float);
	struct drm_onsram_bo_info info;
	struct onsram_bo bo;
	float y;

	ASSERT_EQ(0, onsram_bo_create(c->dev, c->dev->info.model.spm_size, &bo));
	ASSERT_EQ(0, fill_large(c, &bo, floats, 6));
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_NONE, where(c, &bo, &info));
	ASSERT_EQ(0, onsram_bo_read(c->dev, &bo, &y, sizeof(y)));
	EXPECT_EQ(6, y);
	onsram_bo_destroy(c->dev, &bo);
}

/* A part of a tensor is written: the rest must keep its contents. */
TEST_F(residency, partial_write)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = fill_op(9);
	float x[48], y[48];
	uint32_t i;

	put_ramp(c, 0, x, 48, 100, 1);
	op.operand[0].offset = 12 * sizeof(float);
	ASSERT_EQ(0, run_ops(c, &op, 1));
	ASSERT_EQ(0, get_floats(c, 0, y, 48));
	for (i = 0; i < 48; i++) {
		EXPECT_EQ(i >= 12 && i < 36 ? 9 : 100 + i, y[i]);
	}
}

/* An idle device is switched off with what it holds */
TEST_F(residency, suspended_with_residents)
{
	struct client *c = &self->client;
	struct drm_onsram_op op = fill_all_op(5);
	char dir[96], path[160], status[32] = "";
	float y[BUFFER_BYTES / 4];
	uint32_t i, times = 0;

	onsram_sysfs_dir(c->dev->index, dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/power/runtime_status", dir);
	if (access(path, F_OK))
		SKIP(return, "this kernel switches nothing off");
	for (times = 0; times < 2; times++) {
		ASSERT_EQ(0, run_ops(c, &op, 1));
		EXPECT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, residency(c, 0));
		for (i = 0; i < 250 && strncmp(status, "suspended", 9); i++) {
			FILE *f = fopen(path, "r");

			ASSERT_NE(NULL, f);
			if (!fgets(status, sizeof(status), f))
				status[0] = 0;
			fclose(f);
			usleep(20000);
		}
		EXPECT_EQ(0, strncmp(status, "suspended", 9));
		EXPECT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, residency(c, 0));
		ASSERT_EQ(0, get_floats(c, 0, y, BUFFER_BYTES / 4));
		EXPECT_EQ(5, y[0]);
		EXPECT_EQ(5, y[BUFFER_BYTES / 4 - 1]);
		status[0] = 0;
	}
}

TEST_F(residency, given_back_at_close)
{
	struct drm_onsram_op op = fill_all_op(1);
	struct client other;
	int64_t used;
	uint32_t i;

	ASSERT_EQ(0, run_ops(&self->client, &op, 1));
	used = spm_attribute("used");
	EXPECT_LT(0, used);
	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, onsram_device_set_policy(other.dev, "lru"));
	ASSERT_EQ(0, run_ops(&other, &op, 1));
	EXPECT_LT(used, spm_attribute("used"));
	client_close(&other);
	/* Its file's end may come after close(2) returns. */
	for (i = 0; i < 100 && spm_attribute("used") != used; i++)
		usleep(20000);
	EXPECT_EQ(used, spm_attribute("used"));
}

TEST_HARNESS_MAIN
