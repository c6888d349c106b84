// SPDX-License-Identifier: MIT
/* The sysfs group spm/ and fdinfo */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "client.h"

FIXTURE(sysfs) {
	struct client client;
	char dir[160];
};

FIXTURE_SETUP(sysfs)
{
	char device[128];

	ASSERT_EQ(0, client_open(&self->client));
	onsram_sysfs_dir(self->client.dev->index, device, sizeof(device));
	snprintf(self->dir, sizeof(self->dir), "%s/spm", device);
}

FIXTURE_TEARDOWN(sysfs)
{
	client_close(&self->client);
}

static int attribute_read(const char *dir, const char *name, char *text, size_t size)
{
	char path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return errno;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return n > 0 ? 0 : EIO;
}

static int attribute_write(const char *dir, const char *name, const char *text)
{
	char path[256];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = errno;
	close(fd);
	return ret;
}

TEST_F(sysfs, numbers)
{
	static const char *const names[] = {
		"size", "used", "peak", "free", "largest_free", "resident", "hits", "misses",
		"evictions", "writebacks", "prefetches", "fallbacks", "dram_read_bytes",
		"dram_write_bytes", "dram_avoided_bytes", "energy_pj", "generation",
	};
	char text[64], *end;
	uint32_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		EXPECT_EQ(0, attribute_read(self->dir, names[i], text, sizeof(text))) {
			TH_LOG("%s", names[i]);
		}
		strtoull(text, &end, 10);
		EXPECT_TRUE(end > text && !*end) {
			TH_LOG("%s: \"%s\"", names[i], text);
		}
	}
}

TEST_F(sysfs, consistent)
{
	struct drm_onsram_op op = fill_all_op(1);
	int64_t size, staging = self->client.dev->info.staging_min;
	int64_t hits = spm_attribute("hits"), written = spm_attribute("dram_write_bytes");
	struct drm_onsram_stats s;

	ASSERT_EQ(0, onsram_device_set_policy(self->client.dev, "lru"));
	ASSERT_EQ(0, run_ops(&self->client, &op, 1));
	ASSERT_EQ(0, run_ops(&self->client, &op, 1));
	ASSERT_EQ(0, onsram_device_stats(self->client.dev, &s));
	size = spm_attribute("size");
	EXPECT_EQ(self->client.dev->info.model.spm_size, size);
	EXPECT_EQ(size - staging, spm_attribute("used") + spm_attribute("free"));
	EXPECT_LE(spm_attribute("largest_free"), spm_attribute("free"));
	EXPECT_LE(spm_attribute("used"), spm_attribute("peak"));
	EXPECT_LE(1, spm_attribute("resident"));
	EXPECT_EQ(hits + s.hits, spm_attribute("hits"));
	EXPECT_EQ(written + s.dram_write_bytes, spm_attribute("dram_write_bytes"));
}

TEST_F(sysfs, busy_time)
{
	struct drm_onsram_op op = add_op();
	char before[256], after[256];

	ASSERT_EQ(0, attribute_read(self->dir, "busy_ps", before, sizeof(before)));
	ASSERT_EQ(0, run_ops(&self->client, &op, 1));
	ASSERT_EQ(0, attribute_read(self->dir, "busy_ps", after, sizeof(after)));
	EXPECT_NE(0, strcmp(before, after));
}

TEST_F(sysfs, policy)
{
	static const char *const names[] = { "none", "lru", "static", "my-own" };
	char saved[64], text[64];
	uint32_t i;

	ASSERT_EQ(0, attribute_read(self->dir, "policy", saved, sizeof(saved)));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, attribute_write(self->dir, "policy", names[i]));
		EXPECT_EQ(0, attribute_read(self->dir, "policy", text, sizeof(text)));
		EXPECT_EQ(0, strcmp(names[i], text));
	}
	EXPECT_EQ(EINVAL, attribute_write(self->dir, "policy", "\n"));
	EXPECT_EQ(EINVAL, attribute_write(self->dir, "policy", "longer-than-fits"));
	EXPECT_EQ(EINVAL, attribute_write(self->dir, "policy", "default"));
	EXPECT_EQ(EINVAL, attribute_write(self->dir, "policy", "lru or so"));
	EXPECT_EQ(0, attribute_read(self->dir, "policy", text, sizeof(text)));
	EXPECT_EQ(0, strcmp("my-own", text));
	EXPECT_EQ(0, attribute_write(self->dir, "policy", saved));
}

TEST_F(sysfs, fallback_policy)
{
	char saved[64];

	ASSERT_EQ(0, attribute_read(self->dir, "fallback_policy", saved, sizeof(saved)));
	EXPECT_EQ(0, attribute_write(self->dir, "fallback_policy", "none"));
	EXPECT_EQ(0, attribute_write(self->dir, "fallback_policy", "lru"));
	EXPECT_EQ(EINVAL, attribute_write(self->dir, "fallback_policy", "static"));
	EXPECT_EQ(EINVAL, attribute_write(self->dir, "fallback_policy", "eager"));
	EXPECT_EQ(0, attribute_write(self->dir, "fallback_policy", saved));
}

/* An open file that set no policy follows the attribute. */
TEST_F(sysfs, default_policy_acts)
{
	struct drm_onsram_op op = fill_all_op(1);
	char saved[64];

	ASSERT_EQ(0, attribute_read(self->dir, "policy", saved, sizeof(saved)));
	ASSERT_EQ(0, attribute_write(self->dir, "policy", "lru"));
	EXPECT_EQ(0, run_ops(&self->client, &op, 1));
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, residency(&self->client, 0));
	ASSERT_EQ(0, attribute_write(self->dir, "policy", "none"));
	op.operand[0].bo = 3;
	EXPECT_EQ(0, run_ops(&self->client, &op, 1));
	EXPECT_EQ(DRM_ONSRAM_RESIDENCY_NONE, residency(&self->client, 3));
	EXPECT_EQ(0, attribute_write(self->dir, "policy", saved));
}

TEST_F(sysfs, statistics_are_read_only)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/hits", self->dir);
	ASSERT_EQ(0, stat(path, &st));
	EXPECT_EQ(0444, st.st_mode & 0777);
	snprintf(path, sizeof(path), "%s/policy", self->dir);
	ASSERT_EQ(0, stat(path, &st));
	EXPECT_EQ(0644, st.st_mode & 0777);
}

TEST_F(sysfs, fdinfo)
{
	struct drm_onsram_op op = fill_all_op(1);
	char path[64], line[256];
	bool driver = false, engine = false, spm = false;
	unsigned long long value;
	FILE *f;

	ASSERT_EQ(0, onsram_device_set_policy(self->client.dev, "lru"));
	ASSERT_EQ(0, run_ops(&self->client, &op, 1));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->client.dev->fd);
	f = fopen(path, "r");
	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f)) {
		driver |= !strncmp(line, "drm-driver:\tonsram", 18);
		if (sscanf(line, "drm-engine-compute%*[^:]: %llu", &value) == 1 ||
		    sscanf(line, "drm-engine-compute: %llu", &value) == 1)
			engine |= value > 0;
		if (sscanf(line, "drm-resident-spm: %llu", &value) == 1)
			spm |= value > 0;
	}
	fclose(f);
	EXPECT_TRUE(driver);
	EXPECT_TRUE(engine);
	EXPECT_TRUE(spm);
}

TEST_HARNESS_MAIN
