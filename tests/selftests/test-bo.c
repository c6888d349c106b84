// SPDX-License-Identifier: MIT
/* Buffers: creation, mapping, CPU access, advice */
#include "kselftest_harness.h"

#include <sys/mman.h>

#include "client.h"

FIXTURE(bo) {
	struct client client;
};

FIXTURE_SETUP(bo)
{
	ASSERT_EQ(0, client_open(&self->client));
}

FIXTURE_TEARDOWN(bo)
{
	client_close(&self->client);
}

static int create(const struct client *c, uint64_t size, uint32_t flags)
{
	struct drm_onsram_bo_create arg = { .size = size, .flags = flags };

	return raw(c, DRM_IOCTL_ONSRAM_BO_CREATE, &arg);
}

TEST_F(bo, create_size_zero)
{
	EXPECT_EQ(EINVAL, create(&self->client, 0, 0));
}

TEST_F(bo, create_size_beyond)
{
	EXPECT_EQ(EINVAL, create(&self->client, DRM_ONSRAM_MAX_BO_SIZE + 1, 0));
	EXPECT_EQ(EINVAL, create(&self->client, UINT64_MAX, 0));
}

TEST_F(bo, create_flags)
{
	EXPECT_EQ(EINVAL, create(&self->client, 4096, 1));
	EXPECT_EQ(EINVAL, create(&self->client, 4096, 1u << 31));
}

TEST_F(bo, smallest)
{
	struct drm_onsram_bo_info info;
	struct onsram_bo bo;

	ASSERT_EQ(0, onsram_bo_create(self->client.dev, 1, &bo));
	EXPECT_EQ(0, onsram_bo_info(self->client.dev, &bo, &info));
	EXPECT_EQ(1, info.size);
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_NONE, info.residency);
	EXPECT_EQ(0, info.spm_bytes);
	EXPECT_EQ(0, info.generation);
	onsram_bo_destroy(self->client.dev, &bo);
}

TEST_F(bo, reads_as_zeros)
{
	unsigned char *bytes = malloc(BUFFER_BYTES);
	uint32_t i, sum = 0;

	ASSERT_NE(NULL, bytes);
	memset(bytes, 0xff, BUFFER_BYTES);
	ASSERT_EQ(0, onsram_bo_read(self->client.dev, &self->client.bo[0], bytes, BUFFER_BYTES));
	for (i = 0; i < BUFFER_BYTES; i++)
		sum += bytes[i];
	EXPECT_EQ(0, sum);
	free(bytes);
}

TEST_F(bo, contents_survive_unmapping)
{
	struct onsram_bo *bo = &self->client.bo[0];
	uint32_t word = 0x12345678;

	ASSERT_EQ(0, onsram_bo_write(self->client.dev, bo, &word, sizeof(word)));
	ASSERT_EQ(0, munmap(bo->map, bo->size));
	bo->map = NULL;
	word = 0;
	ASSERT_EQ(0, onsram_bo_read(self->client.dev, bo, &word, sizeof(word)));
	EXPECT_EQ(0x12345678, word);
}

TEST_F(bo, mapping_outlives_handle)
{
	struct onsram_bo bo;
	uint32_t *map;

	ASSERT_EQ(0, onsram_bo_create(self->client.dev, 4096, &bo));
	ASSERT_EQ(0, onsram_bo_map(self->client.dev, &bo));
	map = bo.map;
	bo.map = NULL;
	onsram_bo_destroy(self->client.dev, &bo);
	map[1023] = 7;
	EXPECT_EQ(7, map[1023]);
	EXPECT_EQ(0, munmap(map, 4096));
}

TEST_F(bo, mmap_beyond_the_buffer)
{
	struct drm_onsram_bo_mmap_offset arg = { .handle = self->client.handle[0] };

	ASSERT_EQ(0, raw(&self->client, DRM_IOCTL_ONSRAM_BO_MMAP_OFFSET, &arg));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, BUFFER_BYTES + 4096, PROT_READ, MAP_SHARED,
				   self->client.dev->fd, (off_t)arg.offset));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->client.dev->fd, 0));
}

TEST_F(bo, mmap_other_file)
{
	struct drm_onsram_bo_mmap_offset arg = { .handle = self->client.handle[0] };
	struct client other;

	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, raw(&self->client, DRM_IOCTL_ONSRAM_BO_MMAP_OFFSET, &arg));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, other.dev->fd,
				   (off_t)arg.offset));
	client_close(&other);
}

TEST_F(bo, mmap_offset_errors)
{
	struct drm_onsram_bo_mmap_offset arg = { .handle = self->client.handle[0], .flags = 1 };

	EXPECT_EQ(EINVAL, raw(&self->client, DRM_IOCTL_ONSRAM_BO_MMAP_OFFSET, &arg));
	arg = (struct drm_onsram_bo_mmap_offset){ .handle = 0 };
	EXPECT_EQ(ENOENT, raw(&self->client, DRM_IOCTL_ONSRAM_BO_MMAP_OFFSET, &arg));
	arg.handle = 0x7fffffff;
	EXPECT_EQ(ENOENT, raw(&self->client, DRM_IOCTL_ONSRAM_BO_MMAP_OFFSET, &arg));
}

TEST_F(bo, info_errors)
{
	struct drm_onsram_bo_info arg = { .handle = 0x7fffffff };

	EXPECT_EQ(ENOENT, raw(&self->client, DRM_IOCTL_ONSRAM_BO_INFO, &arg));
	arg.handle = 0;
	EXPECT_EQ(ENOENT, raw(&self->client, DRM_IOCTL_ONSRAM_BO_INFO, &arg));
}

TEST_F(bo, closed_handle)
{
	struct drm_onsram_bo_info arg = { .handle = self->client.handle[3] };

	onsram_bo_destroy(self->client.dev, &self->client.bo[3]);
	EXPECT_EQ(ENOENT, raw(&self->client, DRM_IOCTL_ONSRAM_BO_INFO, &arg));
}

static int prep(const struct client *c, uint32_t handle, uint32_t flags, int64_t timeout)
{
	struct drm_onsram_bo_cpu_prep arg = {
		.handle = handle, .flags = flags, .timeout_ns = timeout,
	};

	return raw(c, DRM_IOCTL_ONSRAM_BO_CPU_PREP, &arg);
}

TEST_F(bo, prep_errors)
{
	struct client *c = &self->client;

	EXPECT_EQ(EINVAL, prep(c, c->handle[0], 0, future()));
	EXPECT_EQ(EINVAL, prep(c, c->handle[0], 4, future()));
	EXPECT_EQ(EINVAL, prep(c, c->handle[0], DRM_ONSRAM_CPU_READ | 1u << 31, future()));
	EXPECT_EQ(ENOENT, prep(c, 0x7fffffff, DRM_ONSRAM_CPU_READ, future()));
	EXPECT_EQ(ENOENT, prep(c, 0, DRM_ONSRAM_CPU_READ, future()));
}

TEST_F(bo, prep_idle_polls)
{
	struct client *c = &self->client;
	struct drm_onsram_bo_cpu_fini fini = { .handle = c->handle[0] };

	EXPECT_EQ(0, prep(c, c->handle[0], DRM_ONSRAM_CPU_READ, past()));
	EXPECT_EQ(0, raw(c, DRM_IOCTL_ONSRAM_BO_CPU_FINI, &fini));
	EXPECT_EQ(0, prep(c, c->handle[0], DRM_ONSRAM_CPU_READ | DRM_ONSRAM_CPU_WRITE, future()));
	EXPECT_EQ(0, raw(c, DRM_IOCTL_ONSRAM_BO_CPU_FINI, &fini));
}

TEST_F(bo, fini_errors)
{
	struct drm_onsram_bo_cpu_fini arg = { .handle = self->client.handle[0], .flags = 1 };

	EXPECT_EQ(EINVAL, raw(&self->client, DRM_IOCTL_ONSRAM_BO_CPU_FINI, &arg));
	arg = (struct drm_onsram_bo_cpu_fini){ .handle = 0x7fffffff };
	EXPECT_EQ(ENOENT, raw(&self->client, DRM_IOCTL_ONSRAM_BO_CPU_FINI, &arg));
}

TEST_F(bo, advice_errors)
{
	uint32_t handle = self->client.handle[0];
	struct drm_onsram_bo_madvise bad[] = {
		{ .handle = handle, .advice = DRM_ONSRAM_ADVICE_COUNT },
		{ .handle = handle, .advice = UINT32_MAX },
		{ .handle = handle, .flags = 1 },
		{ .handle = handle, .reserved = 1 },
	};
	struct drm_onsram_bo_madvise foreign = { .handle = 0x7fffffff };
	uint32_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(EINVAL, raw(&self->client, DRM_IOCTL_ONSRAM_BO_MADVISE, &bad[i])) {
			TH_LOG("case %u", i);
		}
	}
	EXPECT_EQ(ENOENT, raw(&self->client, DRM_IOCTL_ONSRAM_BO_MADVISE, &foreign));
}

TEST_F(bo, advice_taken)
{
	uint32_t advice;

	for (advice = 0; advice < DRM_ONSRAM_ADVICE_COUNT; advice++) {
		EXPECT_EQ(0, onsram_bo_advise(self->client.dev, &self->client.bo[0], advice));
	}
}

TEST_F(bo, destroyed_while_queued)
{
	struct client *c = &self->client;
	struct drm_onsram_sync sync = { .flags = DRM_ONSRAM_SYNC_SIGNAL };
	struct drm_onsram_op op = copy_op();
	float values[24];
	uint32_t i;

	put_ramp(c, 1, values, 24, 1, 1);
	ASSERT_EQ(0, onsram_sync_create(c->dev, &sync.handle));
	ASSERT_EQ(0, onsram_submit(c->dev, &op, 1, c->handle, NR_BUFFERS, &sync, 1));
	onsram_bo_destroy(c->dev, &c->bo[1]);
	EXPECT_EQ(0, onsram_sync_wait(c->dev, sync.handle, 0, WAIT_NS));
	ASSERT_EQ(0, get_floats(c, 0, values, 24));
	for (i = 0; i < 24; i++) {
		EXPECT_EQ(1 + i, values[i]);
	}
}

TEST_HARNESS_MAIN
