// SPDX-License-Identifier: MIT
/* DEV_QUERY and SET_POLICY */
#include "kselftest_harness.h"

#include "client.h"

FIXTURE(query) {
	struct client client;
};

FIXTURE_SETUP(query)
{
	ASSERT_EQ(0, client_open(&self->client));
}

FIXTURE_TEARDOWN(query)
{
	client_close(&self->client);
}

static int query(const struct client *c, uint32_t what, uint32_t *size, void *data)
{
	struct drm_onsram_dev_query arg = {
		.query = what, .size = *size, .data = (uintptr_t)data,
	};
	int ret = raw(c, DRM_IOCTL_ONSRAM_DEV_QUERY, &arg);

	*size = arg.size;
	return ret;
}

TEST_F(query, size_only)
{
	uint32_t size = 0;

	EXPECT_EQ(0, query(&self->client, DRM_ONSRAM_QUERY_INFO, &size, NULL));
	EXPECT_EQ(sizeof(struct drm_onsram_dev_info), size);
	size = 7;
	EXPECT_EQ(0, query(&self->client, DRM_ONSRAM_QUERY_STATS, &size, NULL));
	EXPECT_EQ(sizeof(struct drm_onsram_stats), size);
}

TEST_F(query, info)
{
	const struct drm_onsram_dev_info *info = &self->client.dev->info;

	EXPECT_EQ(ONSRAM_SPM_GRANULE, info->granule);
	EXPECT_EQ(ONSRAM_STAGING_MIN, info->staging_min);
	EXPECT_EQ(DRM_ONSRAM_MAX_OPS, info->max_ops);
	EXPECT_EQ(DRM_ONSRAM_MAX_BOS, info->max_bos);
	EXPECT_EQ(4096, info->page_size);
	EXPECT_EQ(0, info->reserved);
	EXPECT_GE(info->max_op_work, 10000000000);
	EXPECT_GT(info->model.spm_size, info->staging_min);
	EXPECT_EQ(0, info->model.spm_size % info->granule);
	EXPECT_GT(info->model.peak_flops, 0);
	EXPECT_GT(info->model.dram_bw, 0);
	EXPECT_GE(info->model.compute_engines, 1);
}

TEST_F(query, short_answer)
{
	struct drm_onsram_dev_info info;
	uint32_t size = 8;

	memset(&info, 0xa5, sizeof(info));
	EXPECT_EQ(0, query(&self->client, DRM_ONSRAM_QUERY_INFO, &size, &info));
	EXPECT_EQ(sizeof(info), size);
	EXPECT_EQ(self->client.dev->info.hw_version, info.hw_version);
	EXPECT_EQ(0xa5a5a5a5, info.granule);
}

TEST_F(query, long_room)
{
	struct {
		struct drm_onsram_stats stats;
		uint32_t behind;
	} answer = { .behind = 0xa5a5a5a5 };
	uint32_t size = sizeof(answer);

	EXPECT_EQ(0, query(&self->client, DRM_ONSRAM_QUERY_STATS, &size, &answer));
	EXPECT_EQ(sizeof(answer.stats), size);
	EXPECT_EQ(0xa5a5a5a5, answer.behind);
}

TEST_F(query, unknown)
{
	struct drm_onsram_stats answer;
	uint32_t size = sizeof(answer);

	EXPECT_EQ(EINVAL, query(&self->client, 2, &size, &answer));
	EXPECT_EQ(EINVAL, query(&self->client, UINT32_MAX, &size, &answer));
}

TEST_F(query, bad_pointer)
{
	uint32_t size = sizeof(struct drm_onsram_dev_info);

	EXPECT_EQ(EFAULT, query(&self->client, DRM_ONSRAM_QUERY_INFO, &size, (void *)16));
	size = sizeof(struct drm_onsram_stats);
	EXPECT_EQ(EFAULT, query(&self->client, DRM_ONSRAM_QUERY_STATS, &size,
				(void *)0xffff888000000000));
}

TEST_F(query, stats_start_at_zero)
{
	struct drm_onsram_stats stats, zero = { 0 };

	memset(&stats, 0xff, sizeof(stats));
	ASSERT_EQ(0, onsram_device_stats(self->client.dev, &stats));
	EXPECT_EQ(0, memcmp(&stats, &zero, sizeof(stats)));
}

TEST_F(query, stats_count)
{
	struct drm_onsram_op op = add_op();
	struct drm_onsram_stats s;

	ASSERT_EQ(0, onsram_device_set_policy(self->client.dev, "none"));
	ASSERT_EQ(0, run_ops(&self->client, &op, 1));
	ASSERT_EQ(0, onsram_device_stats(self->client.dev, &s));
	EXPECT_EQ(1, s.jobs);
	EXPECT_EQ(1, s.ops);
	EXPECT_EQ(0, s.errors);
	EXPECT_EQ(0, s.hits);
	EXPECT_EQ(3, s.misses);
	EXPECT_EQ(2 * 96, s.dram_read_bytes);
	EXPECT_EQ(96, s.dram_write_bytes);
	EXPECT_GT(s.time_ps, s.compute_ps);
	EXPECT_GT(s.compute_ps, 0);
	EXPECT_GT(s.energy_pj, 0);
	EXPECT_EQ(0, s.resident_bytes);
	EXPECT_EQ(0, s.peak_bytes);
}

TEST_F(query, policies)
{
	static const char *const names[] = {
		"default", "none", "lru", "static", "a", "My_own-policy15",
	};
	uint32_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		EXPECT_EQ(0, onsram_device_set_policy(self->client.dev, names[i]));
}

/* A job whose first command fails costs what its commands cost, not all time there ever was */
TEST_F(query, failed_command_costs_its_own_time)
{
	struct client *c = &self->client;
	struct drm_onsram_op ops[2] = { gather_op(), copy_op() };
	int32_t good[3] = { 0, 1, 2 }, bad[3] = { 0, 4, 2 };
	struct drm_onsram_stats s[3];
	int i;

	/* operands of the copy apart from the gather's */
	ops[1].operand[0].bo = 3;
	ops[1].operand[1].bo = 4;
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, onsram_bo_write(c->dev, &c->bo[2], good, sizeof(good)));
		ASSERT_EQ(0, run_ops(c, ops, 2));
	}
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s[0]));
	ASSERT_EQ(0, run_ops(c, ops, 2));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s[1]));
	ASSERT_EQ(0, onsram_bo_write(c->dev, &c->bo[2], bad, sizeof(bad)));
	EXPECT_EQ(-EIO, run_ops(c, ops, 2));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &s[2]));
	EXPECT_LT(s[1].time_ps, s[2].time_ps);
	EXPECT_LE(s[2].time_ps - s[1].time_ps, s[1].time_ps - s[0].time_ps);
}

static int set_policy(struct client *c, uint32_t policy, const char *name, size_t len)
{
	struct drm_onsram_set_policy arg = { .policy = policy };

	memcpy(arg.name, name, len);
	return raw(c, DRM_IOCTL_ONSRAM_SET_POLICY, &arg);
}

TEST_F(query, policies_refused)
{
	struct client *c = &self->client;

	EXPECT_EQ(EINVAL, set_policy(c, DRM_ONSRAM_POLICY_COUNT, "", 0));
	EXPECT_EQ(EINVAL, set_policy(c, UINT32_MAX, "", 0));
	/* A name goes with AGENT, and only with it */
	EXPECT_EQ(EINVAL, set_policy(c, DRM_ONSRAM_POLICY_AGENT, "", 0));
	EXPECT_EQ(EINVAL, set_policy(c, DRM_ONSRAM_POLICY_LRU, "static", 6));
	EXPECT_EQ(EINVAL, set_policy(c, DRM_ONSRAM_POLICY_NONE, "\0x", 2));
	/* Not closed; something behind its end; another's word; no letters */
	EXPECT_EQ(EINVAL, set_policy(c, DRM_ONSRAM_POLICY_AGENT, "0123456789abcdef", 16));
	EXPECT_EQ(EINVAL, set_policy(c, DRM_ONSRAM_POLICY_AGENT, "static\0x", 8));
	EXPECT_EQ(EINVAL, set_policy(c, DRM_ONSRAM_POLICY_AGENT, "lru", 3));
	EXPECT_EQ(EINVAL, set_policy(c, DRM_ONSRAM_POLICY_AGENT, "default", 7));
	EXPECT_EQ(EINVAL, set_policy(c, DRM_ONSRAM_POLICY_AGENT, "a b", 3));
	EXPECT_EQ(EINVAL, set_policy(c, DRM_ONSRAM_POLICY_AGENT, "a\nb", 3));
	EXPECT_EQ(EINVAL, set_policy(c, DRM_ONSRAM_POLICY_AGENT, "\xe4", 1));
}

TEST_F(query, policy_flags)
{
	struct drm_onsram_set_policy arg = { .policy = DRM_ONSRAM_POLICY_LRU, .flags = 1 };

	EXPECT_EQ(EINVAL, raw(&self->client, DRM_IOCTL_ONSRAM_SET_POLICY, &arg));
}

TEST_F(query, unknown_ioctl)
{
	struct drm_onsram_set_policy arg = { 0 };
	unsigned long request = DRM_IOW(DRM_COMMAND_BASE + DRM_ONSRAM_AGENT_SYNC + 1,
					struct drm_onsram_set_policy);

	EXPECT_EQ(EINVAL, raw(&self->client, request, &arg));
}

TEST_HARNESS_MAIN
