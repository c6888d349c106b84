// SPDX-License-Identifier: MIT
/*
 * Every way in which a call's own arguments can be malformed.  A variant
 * breaks one thing in a valid call; nothing may be queued or changed, and
 * the valid call works afterwards.
 */
#include "kselftest_harness.h"

#include "client.h"

#define NR_OPS 2

/* All calls have their arguments and arrays here, so that a variant can spoil any */
struct calls {
	struct drm_onsram_op ops[NR_OPS];
	struct drm_onsram_tensor tensors[NR_BUFFERS];
	uint32_t handles[NR_BUFFERS];
	struct drm_onsram_sync sync;
	struct drm_onsram_submit submit;
	struct drm_onsram_graph_create create;
	struct drm_onsram_graph_run run;
	struct drm_onsram_graph_wait_plan wait_plan;
	struct drm_onsram_graph_destroy destroy;
	/* arrays with a stride beyond the structure, to hold what does not belong there */
	struct { struct drm_onsram_op op; uint64_t rest; } wide_ops[NR_OPS];
	struct { struct drm_onsram_tensor tensor; uint64_t rest; } wide_tensors[NR_BUFFERS];
	struct { struct drm_onsram_sync sync; uint64_t rest; } wide_sync;
};

static uint64_t user(const void *p)
{
	return (uintptr_t)p;
}

FIXTURE(bad_call) {
	struct client client;
	struct calls calls;
};

enum which { SUBMIT, CREATE, RUN, WAIT_PLAN, DESTROY };

FIXTURE_VARIANT(bad_call) {
	enum which which;
	int error;
	void (*spoil)(struct calls *c);
};

FIXTURE_SETUP(bad_call)
{
	struct calls *c = &self->calls;
	struct client *client = &self->client;
	uint32_t i;

	ASSERT_EQ(0, client_open(client));
	for (i = 0; i < NR_OPS; i++)
		c->wide_ops[i].op = c->ops[i] = add_op();
	for (i = 0; i < NR_BUFFERS; i++) {
		c->handles[i] = client->handle[i];
		c->tensors[i].handle = client->handle[i];
		c->wide_tensors[i].tensor = c->tensors[i];
	}
	ASSERT_EQ(0, onsram_sync_create(client->dev, &c->sync.handle));
	c->sync.flags = DRM_ONSRAM_SYNC_SIGNAL;
	c->wide_sync.sync = c->sync;
	c->submit = (struct drm_onsram_submit){
		.ops = user(c->ops), .nr_ops = NR_OPS, .op_stride = sizeof(c->ops[0]),
		.bos = user(c->handles), .nr_bos = NR_BUFFERS,
		.syncs = user(&c->sync), .nr_syncs = 1, .sync_stride = sizeof(c->sync),
	};
	c->create = (struct drm_onsram_graph_create){
		.ops = user(c->ops), .nr_ops = NR_OPS, .op_stride = sizeof(c->ops[0]),
		.tensors = user(c->tensors), .nr_tensors = NR_BUFFERS,
		.tensor_stride = sizeof(c->tensors[0]),
	};
	ASSERT_EQ(0, onsram_graph_create(client->dev, c->ops, NR_OPS, c->tensors, NR_BUFFERS,
					 &c->run.id));
	c->run.syncs = user(&c->sync);
	c->run.nr_syncs = 1;
	c->run.sync_stride = sizeof(c->sync);
	c->wait_plan = (struct drm_onsram_graph_wait_plan){ .id = c->run.id, .timeout_ns = past() };
	c->destroy.id = c->run.id;
}

FIXTURE_TEARDOWN(bad_call)
{
	client_close(&self->client);
}

static int do_call(struct client *client, struct calls *c, enum which which)
{
	switch (which) {
	case SUBMIT:
		return raw(client, DRM_IOCTL_ONSRAM_SUBMIT, &c->submit);
	case CREATE:
		return raw(client, DRM_IOCTL_ONSRAM_GRAPH_CREATE, &c->create);
	case RUN:
		return raw(client, DRM_IOCTL_ONSRAM_GRAPH_RUN, &c->run);
	case WAIT_PLAN:
		return raw(client, DRM_IOCTL_ONSRAM_GRAPH_WAIT_PLAN, &c->wait_plan);
	default:
		return raw(client, DRM_IOCTL_ONSRAM_GRAPH_DESTROY, &c->destroy);
	}
}

TEST_F(bad_call, refused)
{
	struct client *client = &self->client;
	struct drm_onsram_stats before, after;
	struct drm_onsram_op op = add_op();
	struct calls saved = self->calls;

	ASSERT_EQ(0, onsram_device_stats(client->dev, &before));
	variant->spoil(&self->calls);
	EXPECT_EQ(variant->error, do_call(client, &self->calls, variant->which));
	/* The syncobj got no fence: a wait that does not wait for one fails at once. */
	if (variant->which == SUBMIT || variant->which == RUN) {
		struct drm_syncobj_wait wait = {
			.handles = user(&saved.sync.handle), .count_handles = 1,
		};

		EXPECT_EQ(EINVAL, raw(client, DRM_IOCTL_SYNCOBJ_WAIT, &wait));
	}
	/* The graph and the buffers still work. */
	self->calls = saved;
	EXPECT_EQ(0, do_call(client, &self->calls, RUN));
	EXPECT_EQ(0, onsram_sync_wait(client->dev, saved.sync.handle, 0, WAIT_NS));
	EXPECT_EQ(0, run_ops(client, &op, 1));
	ASSERT_EQ(0, onsram_device_stats(client->dev, &after));
	EXPECT_EQ(before.jobs + 2, after.jobs);
}

/* BAD(name, call, errno, what spoils it; "c" is the calls) */
#define BAD(name, call, errno_, ...) \
	static void spoil_##name(struct calls *c) { __VA_ARGS__; } \
	FIXTURE_VARIANT_ADD(bad_call, name) { \
		.which = call, .error = errno_, .spoil = spoil_##name \
	}

BAD(submit_no_ops, SUBMIT, EINVAL, c->submit.nr_ops = 0);
BAD(submit_many_ops, SUBMIT, EINVAL, c->submit.nr_ops = DRM_ONSRAM_MAX_OPS + 1);
BAD(submit_max_ops, SUBMIT, EINVAL, c->submit.nr_ops = UINT32_MAX);
BAD(submit_op_stride_zero, SUBMIT, EINVAL, c->submit.op_stride = 0);
BAD(submit_op_stride_short, SUBMIT, EINVAL, c->submit.op_stride -= 8);
BAD(submit_op_stride_odd, SUBMIT, EINVAL, c->submit.op_stride += 4);
BAD(submit_op_stride_rest, SUBMIT, E2BIG, c->submit.ops = user(c->wide_ops);
    c->submit.op_stride = sizeof(c->wide_ops[0]); c->wide_ops[1].rest = 1);
BAD(submit_op_stride_beyond, SUBMIT, E2BIG, c->submit.op_stride = DRM_ONSRAM_MAX_STRIDE + 8);
BAD(submit_op_stride_max, SUBMIT, E2BIG, c->submit.op_stride = UINT32_MAX - 7);
BAD(submit_ops_null, SUBMIT, EFAULT, c->submit.ops = 0);
BAD(submit_ops_kernel, SUBMIT, EFAULT, c->submit.ops = 0xffff888000000000);
BAD(submit_ops_end, SUBMIT, EFAULT, c->submit.ops = UINT64_MAX - 7);
BAD(submit_no_bos, SUBMIT, EINVAL, c->submit.nr_bos = 0);
BAD(submit_many_bos, SUBMIT, EINVAL, c->submit.nr_bos = DRM_ONSRAM_MAX_BOS + 1);
BAD(submit_max_bos, SUBMIT, EINVAL, c->submit.nr_bos = UINT32_MAX);
BAD(submit_bos_null, SUBMIT, EFAULT, c->submit.bos = 0);
BAD(submit_bo_zero, SUBMIT, ENOENT, c->handles[2] = 0);
BAD(submit_bo_unknown, SUBMIT, ENOENT, c->handles[5] = 0x7fffffff);
BAD(submit_bo_max, SUBMIT, ENOENT, c->handles[0] = UINT32_MAX);
BAD(submit_flags, SUBMIT, EINVAL, c->submit.flags = 1);
BAD(submit_flags_high, SUBMIT, EINVAL, c->submit.flags = 1u << 31);
BAD(submit_many_syncs, SUBMIT, EINVAL, c->submit.nr_syncs = DRM_ONSRAM_MAX_SYNCS + 1);
BAD(submit_max_syncs, SUBMIT, EINVAL, c->submit.nr_syncs = UINT32_MAX);
BAD(submit_syncs_null, SUBMIT, EFAULT, c->submit.syncs = 0);
BAD(submit_sync_stride_short, SUBMIT, EINVAL, c->submit.sync_stride -= 8);
BAD(submit_sync_stride_odd, SUBMIT, EINVAL, c->submit.sync_stride += 4);
BAD(submit_sync_stride_rest, SUBMIT, E2BIG, c->submit.syncs = user(&c->wide_sync);
    c->submit.sync_stride = sizeof(c->wide_sync); c->wide_sync.rest = 1);
BAD(submit_sync_stride_max, SUBMIT, E2BIG, c->submit.sync_stride = UINT32_MAX - 7);
BAD(submit_sync_unknown, SUBMIT, ENOENT, c->sync.handle = 0x7fffffff);
BAD(submit_sync_zero, SUBMIT, ENOENT, c->sync.handle = 0);
BAD(submit_sync_no_flag, SUBMIT, EINVAL, c->sync.flags = 0);
BAD(submit_sync_both_flags, SUBMIT, EINVAL,
    c->sync.flags = DRM_ONSRAM_SYNC_WAIT | DRM_ONSRAM_SYNC_SIGNAL);
BAD(submit_sync_unknown_flag, SUBMIT, EINVAL, c->sync.flags |= 4);
BAD(submit_sync_wait_empty, SUBMIT, EINVAL, c->sync.flags = DRM_ONSRAM_SYNC_WAIT);

BAD(create_no_ops, CREATE, EINVAL, c->create.nr_ops = 0);
BAD(create_many_ops, CREATE, EINVAL, c->create.nr_ops = DRM_ONSRAM_MAX_OPS + 1);
BAD(create_op_stride_zero, CREATE, EINVAL, c->create.op_stride = 0);
BAD(create_op_stride_short, CREATE, EINVAL, c->create.op_stride -= 8);
BAD(create_op_stride_odd, CREATE, EINVAL, c->create.op_stride += 4);
BAD(create_op_stride_rest, CREATE, E2BIG, c->create.ops = user(c->wide_ops);
    c->create.op_stride = sizeof(c->wide_ops[0]); c->wide_ops[0].rest = 1ull << 63);
BAD(create_op_stride_max, CREATE, E2BIG, c->create.op_stride = UINT32_MAX - 7);
BAD(create_ops_null, CREATE, EFAULT, c->create.ops = 0);
BAD(create_no_tensors, CREATE, EINVAL, c->create.nr_tensors = 0);
BAD(create_many_tensors, CREATE, EINVAL, c->create.nr_tensors = DRM_ONSRAM_MAX_BOS + 1);
BAD(create_tensor_stride_zero, CREATE, EINVAL, c->create.tensor_stride = 0);
BAD(create_tensor_stride_odd, CREATE, EINVAL, c->create.tensor_stride += 4);
BAD(create_tensor_stride_rest, CREATE, E2BIG, c->create.tensors = user(c->wide_tensors);
    c->create.tensor_stride = sizeof(c->wide_tensors[0]); c->wide_tensors[5].rest = 1);
BAD(create_tensor_stride_max, CREATE, E2BIG, c->create.tensor_stride = UINT32_MAX - 7);
BAD(create_tensors_null, CREATE, EFAULT, c->create.tensors = 0);
BAD(create_tensor_unknown, CREATE, ENOENT, c->tensors[1].handle = 0x7fffffff);
BAD(create_tensor_twice, CREATE, EINVAL, c->tensors[1].handle = c->tensors[0].handle);
BAD(create_tensor_flag, CREATE, EINVAL, c->tensors[1].flags = 4);
BAD(create_tensor_both_flags, CREATE, EINVAL,
    c->tensors[1].flags = DRM_ONSRAM_TENSOR_CONST | DRM_ONSRAM_TENSOR_TRANSIENT);
BAD(create_const_written, CREATE, EINVAL, c->tensors[0].flags = DRM_ONSRAM_TENSOR_CONST);
BAD(create_flags, CREATE, EINVAL, c->create.flags = 1);

BAD(run_unknown, RUN, ENOENT, c->run.id += 1000000);
BAD(run_max, RUN, ENOENT, c->run.id = UINT32_MAX);
BAD(run_flags, RUN, EINVAL, c->run.flags = 1);
BAD(run_many_syncs, RUN, EINVAL, c->run.nr_syncs = DRM_ONSRAM_MAX_SYNCS + 1);
BAD(run_syncs_null, RUN, EFAULT, c->run.syncs = 0);
BAD(run_sync_stride_odd, RUN, EINVAL, c->run.sync_stride += 4);
BAD(run_sync_stride_rest, RUN, E2BIG, c->run.syncs = user(&c->wide_sync);
    c->run.sync_stride = sizeof(c->wide_sync); c->wide_sync.rest = 1);
BAD(run_sync_stride_max, RUN, E2BIG, c->run.sync_stride = UINT32_MAX - 7);
BAD(run_sync_unknown, RUN, ENOENT, c->sync.handle = 0x7fffffff);
BAD(run_sync_both_flags, RUN, EINVAL,
    c->sync.flags = DRM_ONSRAM_SYNC_WAIT | DRM_ONSRAM_SYNC_SIGNAL);

BAD(wait_plan_unknown, WAIT_PLAN, ENOENT, c->wait_plan.id += 1000000);
BAD(wait_plan_flags, WAIT_PLAN, EINVAL, c->wait_plan.flags = 1);
BAD(destroy_unknown, DESTROY, ENOENT, c->destroy.id += 1000000);
BAD(destroy_flags, DESTROY, EINVAL, c->destroy.flags = 1);

/* What belongs to another open file is as unknown as what never was */
FIXTURE(foreign) {
	struct client mine;
	struct client other;
	struct drm_onsram_op op;
};

FIXTURE_SETUP(foreign)
{
	uint32_t i;

	ASSERT_EQ(0, client_open(&self->mine));
	ASSERT_EQ(0, client_open(&self->other));
	/* Handles are small numbers per file: take care that the other's are not mine too. */
	for (i = 0; i < NR_BUFFERS; i++) {
		struct onsram_bo more;

		ASSERT_EQ(0, onsram_bo_create(self->other.dev, 4096, &more));
		self->other.handle[i] = more.handle;
	}
	self->op = add_op();
}

FIXTURE_TEARDOWN(foreign)
{
	client_close(&self->mine);
	client_close(&self->other);
}

TEST_F(foreign, buffer)
{
	EXPECT_EQ(-ENOENT, onsram_submit(self->mine.dev, &self->op, 1, self->other.handle,
					 NR_BUFFERS, NULL, 0));
}

TEST_F(foreign, graph)
{
	struct drm_onsram_tensor tensors[NR_BUFFERS] = { 0 };
	uint32_t i, id;

	for (i = 0; i < NR_BUFFERS; i++)
		tensors[i].handle = self->mine.handle[i];
	ASSERT_EQ(0, onsram_graph_create(self->mine.dev, &self->op, 1, tensors, NR_BUFFERS, &id));
	EXPECT_EQ(-ENOENT, onsram_graph_run(self->other.dev, id, NULL, 0));
	EXPECT_EQ(-ENOENT, onsram_graph_wait_plan(self->other.dev, id, 0));
	EXPECT_EQ(-ENOENT, onsram_graph_destroy(self->other.dev, id));
	EXPECT_EQ(0, onsram_graph_run(self->mine.dev, id, NULL, 0));
}

TEST_HARNESS_MAIN
