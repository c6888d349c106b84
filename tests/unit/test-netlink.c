// SPDX-License-Identifier: MIT
/* What the daemon makes of messages, well-formed and otherwise. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netlink/genl/genl.h>

#include "netlink.h"
#include "perf-ops.h"

static struct nl_msg *message(uint8_t cmd)
{
	struct nl_msg *msg = nlmsg_alloc_size(65536);

	assert_non_null(genlmsg_put(msg, 0, 0, 30, 0, 0, cmd, ONSRAM_FAMILY_VERSION));
	return msg;
}

static struct onsram_model model(void)
{
	struct onsram_model m;

	onsram_model_init(&m, ONSRAM_PRESET_DEFAULT);
	return m;
}

static void test_device(void **state)
{
	struct onsram_model m = model();
	struct onsram_nl_device dev;
	struct nl_msg *msg = message(ONSRAM_CMD_DEVICE_GET);

	(void)state;
	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, 3);
	assert_int_equal(onsram_nl_parse_device(nlmsg_hdr(msg), &dev), -EINVAL);
	nla_put_string(msg, ONSRAM_A_DEVICE_NAME, "0000:00:04.0");
	nla_put(msg, ONSRAM_A_MODEL, sizeof(m), &m);
	nla_put_u32(msg, ONSRAM_A_POLICY, DRM_ONSRAM_POLICY_AGENT);
	nla_put_u8(msg, ONSRAM_A_AGENT_ATTACHED, 2);
	assert_int_equal(onsram_nl_parse_device(nlmsg_hdr(msg), &dev), 0);
	assert_int_equal(dev.id, 3);
	assert_string_equal(dev.name, "0000:00:04.0");
	assert_int_equal(dev.policy, DRM_ONSRAM_POLICY_AGENT);
	assert_true(dev.agent_attached);
	assert_memory_equal(&dev.model, &m, sizeof(m));
	nlmsg_free(msg);

	/* A model that divides by zero, and one that is cut short */
	m.dram_bw = 0;
	msg = message(ONSRAM_CMD_DEVICE_GET);
	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, 3);
	nla_put(msg, ONSRAM_A_MODEL, sizeof(m), &m);
	assert_int_equal(onsram_nl_parse_device(nlmsg_hdr(msg), &dev), -EINVAL);
	nlmsg_free(msg);
	m = model();
	msg = message(ONSRAM_CMD_DEVICE_GET);
	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, 3);
	nla_put(msg, ONSRAM_A_MODEL, sizeof(m) - 8, &m);
	assert_int_equal(onsram_nl_parse_device(nlmsg_hdr(msg), &dev), -EINVAL);
	nlmsg_free(msg);
}

static void put_graph(struct nl_msg *msg, uint32_t ops, uint32_t tensors)
{
	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, 0);
	nla_put_u32(msg, ONSRAM_A_GRAPH_ID, 9);
	nla_put_u32(msg, ONSRAM_A_CLIENT_ID, 4);
	nla_put_u32(msg, ONSRAM_A_POLICY, DRM_ONSRAM_POLICY_AGENT);
	nla_put_string(msg, ONSRAM_A_POLICY_NAME, "static");
	nla_put_u32(msg, ONSRAM_A_NR_OPS, ops);
	nla_put_u32(msg, ONSRAM_A_NR_TENSORS, tensors);
}

static void put_op(struct nl_msg *msg, uint32_t out, uint32_t in)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_ELEMENTWISE };

	op.operand[0] = (struct drm_onsram_operand){ .bo = out, .view = dense(ONSRAM_DTYPE_F32, 1, 64) };
	op.operand[1] = (struct drm_onsram_operand){ .bo = in, .view = op.operand[0].view };
	nla_put(msg, ONSRAM_A_OP, sizeof(op), &op);
}

static void put_tensor(struct nl_msg *msg, uint32_t index, uint64_t bytes)
{
	struct nlattr *nest = nla_nest_start(msg, ONSRAM_A_TENSOR);

	nla_put_u32(msg, ONSRAM_A_TENSOR_INDEX, index);
	nla_put_u32(msg, ONSRAM_A_TENSOR_FLAGS, DRM_ONSRAM_TENSOR_TRANSIENT);
	nla_put_u64(msg, ONSRAM_A_TENSOR_BYTES, bytes);
	nla_nest_end(msg, nest);
}

/* A graph in two messages */
static void test_copy(void **state)
{
	struct nl_msg *a = message(ONSRAM_CMD_GRAPH_GET), *b = message(ONSRAM_CMD_GRAPH_GET);
	struct onsram_nl_copy copy = { 0 };

	(void)state;
	put_graph(a, 2, 3);
	put_op(a, 1, 0);
	put_op(b, 2, 1);
	for (uint32_t i = 0; i < 3; i++)
		put_tensor(b, i, 256 + i);
	assert_int_equal(onsram_nl_parse_copy(nlmsg_hdr(a), &copy), 0);
	assert_int_equal(onsram_nl_copy_check(&copy), -EINVAL);
	assert_int_equal(onsram_nl_parse_copy(nlmsg_hdr(b), &copy), 0);
	assert_int_equal(onsram_nl_copy_check(&copy), 0);
	assert_int_equal(copy.ops[1].operand[1].bo, 1);
	assert_int_equal(copy.tensors[2].bytes, 258);
	assert_int_equal(copy.tensors[2].flags, DRM_ONSRAM_TENSOR_TRANSIENT);
	/* More than announced */
	assert_int_equal(onsram_nl_parse_copy(nlmsg_hdr(b), &copy), -EINVAL);
	onsram_nl_copy_release(&copy);
	nlmsg_free(a);
	nlmsg_free(b);
}

static int parse_whole(uint32_t ops, uint32_t tensors, uint32_t out, uint32_t first_index, uint64_t bytes)
{
	struct onsram_nl_copy copy = { 0 };
	struct nl_msg *msg = message(ONSRAM_CMD_GRAPH_GET);
	int ret;

	put_graph(msg, ops, tensors);
	put_op(msg, out, 0);
	put_tensor(msg, first_index, bytes);
	put_tensor(msg, 1, 256);
	ret = onsram_nl_parse_copy(nlmsg_hdr(msg), &copy);
	if (!ret)
		ret = onsram_nl_copy_check(&copy);
	onsram_nl_copy_release(&copy);
	nlmsg_free(msg);
	return ret;
}

static void test_copy_refused(void **state)
{
	(void)state;
	assert_int_equal(parse_whole(1, 2, 1, 0, 256), 0);
	assert_int_equal(parse_whole(1, 2, 2, 0, 256), -EINVAL);	/* no such tensor */
	assert_int_equal(parse_whole(1, 2, 1, 1, 256), -EINVAL);	/* out of order */
	assert_int_equal(parse_whole(1, 2, 1, 0, 0), -EINVAL);
	assert_int_equal(parse_whole(1, 2, 1, 0, UINT64_MAX), -EINVAL);
	assert_int_equal(parse_whole(2, 2, 1, 0, 256), -EINVAL);	/* one is missing */
	assert_int_equal(parse_whole(0, 2, 1, 0, 256), -EINVAL);
	assert_int_equal(parse_whole(UINT32_MAX, 2, 1, 0, 256), -EINVAL);
	assert_int_equal(parse_whole(1, UINT32_MAX, 1, 0, 256), -EINVAL);
}

/** struct seen - what the handler was told */
struct seen {
	uint32_t created;
	uint32_t retired;
	uint32_t lost;
	uint32_t gone;
	struct onsram_retired last;
	uint32_t destroyed;
	uint32_t died;			/* sum of ids */
	uint32_t died_after;		/* @retired at the time */
	uint64_t sync;
	bool own;
};

static void on_created(void *arg, uint32_t device, const struct onsram_nl_graph *graph)
{
	assert_int_equal(device, 0);
	assert_int_equal(graph->id, 9);
	assert_string_equal(graph->policy, "static");
	((struct seen *)arg)->created++;
}

static void on_retired(void *arg, uint32_t device, const struct onsram_retired *r)
{
	(void)device;
	((struct seen *)arg)->last = *r;
	((struct seen *)arg)->retired++;
}

static void on_lost(void *arg, uint32_t device, uint32_t count)
{
	(void)device;
	((struct seen *)arg)->lost += count;
}

static void on_gone(void *arg, uint32_t device, uint32_t client)
{
	(void)device;
	((struct seen *)arg)->gone = client;
}

static void on_destroyed(void *arg, uint32_t device, uint32_t graph)
{
	(void)device;
	((struct seen *)arg)->destroyed = graph;
}

static void on_died(void *arg, uint32_t device, uint32_t client_id, const uint32_t *bo, uint32_t n)
{
	struct seen *seen = arg;

	(void)device;
	(void)client_id;
	for (uint32_t i = 0; i < n; i++)
		seen->died += bo[i];
	seen->died_after = seen->retired;
}

static void on_sync(void *arg, uint32_t device, uint32_t client_id, uint64_t seq, bool own)
{
	struct seen *seen = arg;

	(void)device;
	(void)client_id;
	seen->sync = seq;
	seen->own = own;
}

static void put_retired(struct nl_msg *msg, uint64_t key, bool whole)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_FILL };
	struct nlattr *nest = nla_nest_start(msg, ONSRAM_A_RETIRED);
	const uint64_t bytes[ONSRAM_MAX_OPERANDS] = { 4096 };

	nla_put_u32(msg, ONSRAM_A_RETIRED_CLIENT_ID, 4);
	nla_put_u64(msg, ONSRAM_A_RETIRED_KEY, key);
	nla_put(msg, ONSRAM_A_RETIRED_OP, (int)sizeof(op) - (whole ? 0 : 4), &op);
	nla_put_u32(msg, ONSRAM_A_RETIRED_RESIDENT, 1);
	nla_put_u64(msg, ONSRAM_A_RETIRED_TIME, 12345);
	nla_put_u64(msg, ONSRAM_A_RETIRED_SIGNATURE, 77);
	nla_put(msg, ONSRAM_A_RETIRED_BYTES, sizeof(bytes), bytes);
	nla_nest_end(msg, nest);
}

static void put_died(struct nl_msg *msg, const uint32_t *bo, int bytes)
{
	struct nlattr *nest = nla_nest_start(msg, ONSRAM_A_DIED);

	nla_put_u32(msg, ONSRAM_A_DIED_CLIENT_ID, 4);
	nla_put(msg, ONSRAM_A_DIED_BUFFERS, bytes, bo);
	nla_nest_end(msg, nest);
}

static struct onsram_nl_handler handler(struct seen *seen)
{
	return (struct onsram_nl_handler){
		.arg = seen,
		.graph_created = on_created,
		.graph_destroyed = on_destroyed,
		.retired = on_retired,
		.died = on_died,
		.lost = on_lost,
		.client_gone = on_gone,
		.sync = on_sync,
	};
}

static void test_events(void **state)
{
	struct seen seen = { 0 };
	const struct onsram_nl_handler h = handler(&seen);
	struct nl_msg *msg = message(ONSRAM_CMD_GRAPH_CREATED);

	(void)state;
	put_graph(msg, 1, 1);
	assert_int_equal(onsram_nl_parse_event(nlmsg_hdr(msg), &h), 0);
	assert_int_equal(seen.created, 1);
	nlmsg_free(msg);

	msg = message(ONSRAM_CMD_OP_RETIRED);
	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, 0);
	nla_put_u32(msg, ONSRAM_A_LOST, 7);
	put_retired(msg, 1, true);
	put_retired(msg, 0xfedcba9876543210ull, true);
	assert_int_equal(onsram_nl_parse_event(nlmsg_hdr(msg), &h), 0);
	assert_int_equal(seen.retired, 2);
	assert_int_equal(seen.lost, 7);
	assert_true(seen.last.key == 0xfedcba9876543210ull);
	assert_int_equal(seen.last.resident, 1);
	assert_int_equal(seen.last.time_ps, 12345);
	assert_int_equal(seen.last.signature, 77);
	assert_int_equal(seen.last.bytes[0], 4096);
	assert_int_equal(seen.last.op.opcode, ONSRAM_OP_FILL);
	put_retired(msg, 2, false);
	assert_int_equal(onsram_nl_parse_event(nlmsg_hdr(msg), &h), -EINVAL);
	nlmsg_free(msg);

	msg = message(ONSRAM_CMD_CLIENT_GONE);
	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, 0);
	assert_int_equal(onsram_nl_parse_event(nlmsg_hdr(msg), &h), -EINVAL);
	nla_put_u32(msg, ONSRAM_A_CLIENT_ID, 4);
	assert_int_equal(onsram_nl_parse_event(nlmsg_hdr(msg), &h), 0);
	assert_int_equal(seen.gone, 4);
	nlmsg_free(msg);

	msg = message(ONSRAM_CMD_GRAPH_DESTROYED);
	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, 0);
	assert_int_equal(onsram_nl_parse_event(nlmsg_hdr(msg), &h), -EINVAL);
	nla_put_u32(msg, ONSRAM_A_GRAPH_ID, 9);
	assert_int_equal(onsram_nl_parse_event(nlmsg_hdr(msg), &h), 0);
	assert_int_equal(seen.destroyed, 9);
	nlmsg_free(msg);

	/* An event of a later driver */
	msg = message(200);
	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, 0);
	assert_int_equal(onsram_nl_parse_event(nlmsg_hdr(msg), &h), 0);
	nlmsg_free(msg);
}

/* What died is told in its place among what retired */
static void test_died(void **state)
{
	struct seen seen = { 0 };
	const struct onsram_nl_handler h = handler(&seen);
	struct nl_msg *msg = message(ONSRAM_CMD_OP_RETIRED);
	const uint32_t bo[] = { 10, 11, 12 };

	(void)state;
	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, 0);
	put_retired(msg, 1, true);
	put_died(msg, bo, sizeof(bo));
	put_retired(msg, 2, true);
	assert_int_equal(onsram_nl_parse_event(nlmsg_hdr(msg), &h), 0);
	assert_int_equal(seen.retired, 2);
	assert_int_equal(seen.died, 10 + 11 + 12);
	assert_int_equal(seen.died_after, 1);
	put_died(msg, bo, 6);
	assert_int_equal(onsram_nl_parse_event(nlmsg_hdr(msg), &h), -EINVAL);
	nlmsg_free(msg);
}

static void test_sync(void **state)
{
	struct seen seen = { 0 };
	const struct onsram_nl_handler h = handler(&seen);
	struct nl_msg *msg = message(ONSRAM_CMD_SYNC);

	(void)state;
	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, 0);
	nla_put_u32(msg, ONSRAM_A_CLIENT_ID, 4);
	assert_int_equal(onsram_nl_parse_event(nlmsg_hdr(msg), &h), -EINVAL);
	nla_put_u64(msg, ONSRAM_A_SYNC, 1ull << 40);
	assert_int_equal(onsram_nl_parse_event(nlmsg_hdr(msg), &h), 0);
	assert_true(seen.sync == 1ull << 40);
	assert_false(seen.own);
	nla_put_flag(msg, ONSRAM_A_PRIVATE);
	assert_int_equal(onsram_nl_parse_event(nlmsg_hdr(msg), &h), 0);
	assert_true(seen.own);
	nlmsg_free(msg);
}

/* Valid messages with bytes flipped, handed over in a buffer of exactly their size */
static void test_fuzz(void **state)
{
	struct seen seen = { 0 };
	const struct onsram_nl_handler h = handler(&seen);
	uint32_t seed = 8;

	(void)state;
	for (int round = 0; round < 30000; round++) {
		static const uint8_t cmds[] = { ONSRAM_CMD_OP_RETIRED, ONSRAM_CMD_GRAPH_GET,
						ONSRAM_CMD_CLIENT_GONE, ONSRAM_CMD_SYNC };
		struct nl_msg *msg = message(cmds[round % 4]);
		struct onsram_nl_copy copy = { 0 };
		struct onsram_nl_device dev;
		struct nlmsghdr *nlh;

		put_graph(msg, 1, 1);
		put_op(msg, 0, 0);
		put_tensor(msg, 0, 256);
		put_retired(msg, 5, true);
		put_died(msg, (uint32_t[]){ 1, 2 }, 8);
		nla_put_u64(msg, ONSRAM_A_SYNC, 1);
		nlh = malloc(nlmsg_hdr(msg)->nlmsg_len);
		assert_non_null(nlh);
		memcpy(nlh, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
		for (int k = 0; k < 3; k++) {
			uint32_t body = nlh->nlmsg_len - NLMSG_HDRLEN;

			/* Mostly the headers of attributes, which steer the parser */
			((uint8_t *)nlh)[NLMSG_HDRLEN + rnd(&seed) % (rnd(&seed) % 2 ? body : 60)] =
				(uint8_t)rnd(&seed);
		}
		if (genlmsg_hdr(nlh)->cmd != ONSRAM_CMD_GRAPH_CREATED)
			onsram_nl_parse_event(nlh, &h);
		onsram_nl_parse_device(nlh, &dev);
		if (!onsram_nl_parse_copy(nlh, &copy))
			onsram_nl_copy_check(&copy);
		onsram_nl_copy_release(&copy);
		free(nlh);
		nlmsg_free(msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_copy_refused),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_died),
		cmocka_unit_test(test_sync),
		cmocka_unit_test(test_fuzz),
	};

	return cmocka_run_group_tests_name("netlink", tests, NULL, NULL);
}
