// SPDX-License-Identifier: MIT
/*
 * Function-level resets under load: whoever reads a buffer gets what was written last,
 * or is told that it is lost.  A long run, 10,000 rounds of each:
 *
 *	make vm TIMEOUT=3600 \
 *		CMD="ONSRAM_RESET_ROUNDS=10000 /usr/lib/onsram/selftests/test-reset"
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "client.h"

#define ROUNDS		400
#define FLOATS		(BUFFER_BYTES / 4)
#define NR_LARGE	2

struct resetter {
	pthread_t thread;
	char path[256];
	atomic_bool stop;
	int resets;
};

FIXTURE(reset) {
	struct client client;
	struct client other;
	struct onsram_bo large[NR_LARGE];	/* both fill the SPM */
	uint32_t large_floats;
	struct resetter resetter;
	int rounds;
	int stale;
	int told;
	int right;
};

static void *reset_again_and_again(void *arg)
{
	struct resetter *r = arg;
	unsigned int seed = 1;

	while (!r->stop) {
		int fd = open(r->path, O_WRONLY);

		r->resets += fd >= 0 && write(fd, "1", 1) == 1;
		close(fd);
		usleep(10000 + rand_r(&seed) % 30000);
	}
	return NULL;
}

FIXTURE_SETUP(reset)
{
	const char *rounds = getenv("ONSRAM_RESET_ROUNDS");
	struct client *c = &self->client;
	uint64_t bytes;
	uint32_t i;

	self->rounds = rounds ? atoi(rounds) : ROUNDS;
	ASSERT_EQ(0, client_open(c));
	ASSERT_EQ(0, client_open(&self->other));
	bytes = (c->dev->info.model.spm_size - c->dev->info.staging_min) / NR_LARGE;
	bytes -= bytes % c->dev->info.granule;
	self->large_floats = bytes / sizeof(float);
	for (i = 0; i < NR_LARGE; i++) {
		ASSERT_EQ(0, onsram_bo_create(self->other.dev, bytes, &self->large[i]));
	}
	ASSERT_EQ(0, onsram_device_set_policy(c->dev, "lru"));
	ASSERT_EQ(0, onsram_device_set_policy(self->other.dev, "lru"));
	onsram_sysfs_dir(c->dev->index, self->resetter.path, sizeof(self->resetter.path) - 8);
	strcat(self->resetter.path, "/reset");
	ASSERT_EQ(0, pthread_create(&self->resetter.thread, NULL, reset_again_and_again,
				    &self->resetter));
}

FIXTURE_TEARDOWN(reset)
{
	uint32_t i;

	for (i = 0; i < NR_LARGE; i++)
		onsram_bo_destroy(self->other.dev, &self->large[i]);
	client_close(&self->other);
	client_close(&self->client);
}

/* Is the buffer what it should be, or lost and said to be? */
static void judge(FIXTURE_DATA(reset) *self, struct client *c, uint32_t buffer, float value)
{
	const volatile float *y = c->bo[buffer].map;
	int ret = onsram_bo_prep(c->dev, &c->bo[buffer], DRM_ONSRAM_CPU_READ, WAIT_NS);

	if (ret) {
		self->told += ret == -EIO;
		self->stale += ret != -EIO;
		return;
	}
	if (y[0] == value && y[FLOATS - 1] == value)
		self->right++;
	else
		self->stale++;
	onsram_bo_fini(c->dev, &c->bo[buffer]);
}

static int submit(struct client *c, const struct drm_onsram_op *op)
{
	return onsram_submit(c->dev, op, 1, c->handle, NR_BUFFERS, NULL, 0);
}

static void finish(struct __test_metadata *_metadata, FIXTURE_DATA(reset) *self)
{
	self->resetter.stop = true;
	pthread_join(self->resetter.thread, NULL);
	TH_LOG("%d resets in %d rounds: %d right, %d told of a loss, %d stale", self->resetter.resets,
	       self->rounds, self->right, self->told, self->stale);
	EXPECT_EQ(0, self->stale);
	/* Both happened, or nothing was shown */
	EXPECT_LT(0, self->resetter.resets);
	EXPECT_LT(0, self->right);
}

/* A write-back that the reading asked for may be on its way */
TEST_F_TIMEOUT(reset, written_back_for_the_cpu, 3600)
{
	struct client *c = &self->client;
	int i;

	ASSERT_EQ(0, onsram_bo_map(c->dev, &c->bo[0]));
	for (i = 1; i <= self->rounds; i++) {
		struct drm_onsram_op op = fill_all_op((float)i);

		ASSERT_EQ(0, submit(c, &op));
		judge(self, c, 0, (float)i);
	}
	finish(_metadata, self);
}

/* Others' buffers take its place, so that it is evicted by their jobs */
TEST_F_TIMEOUT(reset, evicted_by_others, 3600)
{
	struct client *c = &self->client;
	int i, k;

	ASSERT_EQ(0, onsram_bo_map(c->dev, &c->bo[0]));
	for (i = 1; i <= self->rounds; i++) {
		struct drm_onsram_op op = fill_all_op((float)i), others = fill_op(1);

		ASSERT_EQ(0, submit(c, &op));
		others.operand[0].view = DENSE(F32, self->large_floats);
		for (k = 0; k < NR_LARGE; k++) {
			ASSERT_EQ(0, onsram_submit(self->other.dev, &others, 1,
						   &self->large[k].handle, 1, NULL, 0));
		}
		judge(self, c, 0, (float)i);
	}
	finish(_metadata, self);
}

/* What is computed from a lost buffer is lost, too */
TEST_F_TIMEOUT(reset, handed_on, 3600)
{
	struct client *c = &self->client;
	int i;

	ASSERT_EQ(0, onsram_bo_map(c->dev, &c->bo[1]));
	ASSERT_EQ(0, onsram_bo_map(c->dev, &c->bo[2]));
	for (i = 1; i <= self->rounds; i++) {
		struct drm_onsram_op ops[3] = { fill_all_op((float)i), copy_op(), copy_op() };
		uint32_t k;

		for (k = 1; k < 3; k++) {
			ops[k].operand[0].view = DENSE(F32, FLOATS);
			ops[k].operand[1].view = DENSE(F32, FLOATS);
			ops[k].operand[0].bo = k;
			ops[k].operand[1].bo = k - 1;
		}
		for (k = 0; k < 3; k++) {
			ASSERT_EQ(0, submit(c, &ops[k]));
		}
		judge(self, c, 1, (float)i);
		judge(self, c, 2, (float)i);
	}
	finish(_metadata, self);
}

TEST_HARNESS_MAIN
