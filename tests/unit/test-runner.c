// SPDX-License-Identifier: MIT
/* The runner against a mock of the device: what it asks for, and in which order */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mock-device.h"
#include "runner.h"

/*
 * in (0) and data weight (1) make act (2); act and filled weight (3) make act2 (4);
 * act2 makes out (5).  Buffers get handles in the order of tensors, from 1.
 */
enum { IN, W, ACT, FILLED, ACT2, OUT, NR_TENSORS };
#define HANDLE(tensor) ((tensor) + 1)
#define NR_OPS 3

static float weights[4] = { 1, 2, 3, 4 };
static struct onsram_tensor tensors[NR_TENSORS];
static struct onsram_program_op ops[NR_OPS];
static uint32_t inputs[] = { IN }, outputs[] = { OUT };
static struct onsram_program program = {
	.name = "program", .tensors = tensors, .nr_tensors = NR_TENSORS, .ops = ops,
	.nr_ops = NR_OPS, .inputs = inputs, .nr_inputs = 1, .outputs = outputs, .nr_outputs = 1,
};
static struct onsram_device *dev;
static uint32_t warnings;

static void on_warning(void *ctx, const char *text)
{
	assert_non_null(text);
	++*(uint32_t *)ctx;
}

static void operand(uint32_t op, uint32_t slot, uint32_t tensor)
{
	ops[op].op.operand[slot].bo = tensor;
	ops[op].op.operand[slot].view = tensors[tensor].view;
}

static int set_up(void **state)
{
	static char *names[] = { "in", "w", "act", "filled", "act2", "out" };
	const uint32_t roles[] = {
		ONSRAM_ROLE_INPUT, ONSRAM_ROLE_WEIGHT, ONSRAM_ROLE_ACTIVATION, ONSRAM_ROLE_WEIGHT,
		ONSRAM_ROLE_ACTIVATION, ONSRAM_ROLE_OUTPUT,
	};
	char *err;
	uint32_t i;

	(void)state;
	mock_reset();
	mock.node = 0;
	warnings = 0;
	memset(ops, 0, sizeof(ops));
	for (i = 0; i < NR_TENSORS; i++)
		tensors[i] = (struct onsram_tensor){
			.name = names[i], .role = roles[i], .bytes = sizeof(weights),
			.view = { .dtype = ONSRAM_DTYPE_F32, .rank = 1, .dims = { 4 }, .strides = { 1 } },
		};
	tensors[W].data = weights;
	tensors[FILLED].filled = true;
	tensors[FILLED].fill[0] = 0x3f000000;
	for (i = 0; i < NR_OPS; i++) {
		ops[i].name = "op";
		ops[i].op.opcode = ONSRAM_OP_ELEMENTWISE;
	}
	operand(0, 0, ACT);
	operand(0, 1, IN);
	operand(0, 2, W);
	operand(1, 0, ACT2);
	operand(1, 1, ACT);
	operand(1, 2, FILLED);
	operand(2, 0, OUT);
	operand(2, 1, ACT2);
	dev = onsram_device_open(&err);
	return dev ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	onsram_device_close(dev);
	assert_int_equal(mock_bos_open(), 0);
	assert_int_equal(mock.graphs_alive, 0);
	assert_int_equal(mock.syncs_alive, 0);
	mock_reset();
	return 0;
}

static struct onsram_runner *create(const char *policy, enum onsram_runner_mode mode)
{
	struct onsram_runner_options opt = {
		.policy = policy, .mode = mode, .agent_timeout_ns = 2000000000, .warn = on_warning,
		.ctx = &warnings,
	};
	struct onsram_runner *r;
	char *err;

	r = onsram_runner_create(dev, &program, &opt, &err);
	if (!r) {
		fail_msg("%s", err);
		free(err);
	}
	return r;
}

static void test_weights_get_there(void **state)
{
	struct onsram_runner *r = create("none", ONSRAM_RUN_GRAPH);
	const uint32_t *filled = mock.bo[HANDLE(FILLED)].data;
	int fill = mock_find(DRM_IOCTL_ONSRAM_SUBMIT, 0);

	(void)state;
	assert_memory_equal(mock.bo[HANDLE(W)].data, weights, sizeof(weights));
	assert_int_equal(mock.call[fill].value, ONSRAM_OP_FILL);
	assert_int_equal(filled[0], 0x3f000000);
	assert_int_equal(filled[3], 0x3f000000);
	/* Under no policy, before the policy that was asked for */
	assert_int_equal(mock.call[mock_find(DRM_IOCTL_ONSRAM_SET_POLICY, 0)].value,
			 DRM_ONSRAM_POLICY_NONE);
	assert_true(mock_find(DRM_IOCTL_ONSRAM_SET_POLICY, 0) < fill);
	assert_true(fill < mock_find(DRM_IOCTL_ONSRAM_SET_POLICY, 1));
	onsram_runner_destroy(r);
}

static void test_graph(void **state)
{
	struct onsram_runner *r = create("lru", ONSRAM_RUN_GRAPH);
	struct onsram_pass pass;
	char *err;

	(void)state;
	assert_int_equal(mock.nr_ops, NR_OPS);
	assert_int_equal(mock.nr_tensors, NR_TENSORS);
	assert_int_equal(mock.tensor[IN].flags, 0);
	assert_int_equal(mock.tensor[OUT].flags, 0);
	assert_int_equal(mock.tensor[W].flags, DRM_ONSRAM_TENSOR_CONST);
	assert_int_equal(mock.tensor[FILLED].flags, DRM_ONSRAM_TENSOR_CONST);
	assert_int_equal(mock.tensor[ACT2].flags, DRM_ONSRAM_TENSOR_TRANSIENT);
	assert_int_equal(onsram_runner_pass(r, &pass, &err), 0);
	assert_int_equal(onsram_runner_pass(r, &pass, &err), 0);
	assert_int_equal(mock_count(DRM_IOCTL_ONSRAM_GRAPH_RUN), 2);
	assert_int_equal(mock_count(DRM_IOCTL_ONSRAM_GRAPH_WAIT_PLAN), 0);
	assert_int_equal(mock_count(DRM_IOCTL_ONSRAM_BO_MADVISE), 0);
	/* of the last pass alone: neither the fills nor the first pass count */
	assert_int_equal(pass.stats.jobs, 1);
	assert_int_equal(pass.stats.ops, NR_OPS);
	assert_int_equal(pass.stats.time_ps, 1000 * NR_OPS);
	assert_int_equal(pass.stats.peak_bytes, 5000);

	/* A total that is beyond range does not tell what a pass took */
	mock.stats.energy_pj = UINT64_MAX;
	mock.stats.dram_read_bytes = UINT64_MAX - 1;
	assert_int_equal(onsram_runner_pass(r, &pass, &err), 0);
	assert_true(pass.stats.energy_pj == UINT64_MAX);
	assert_int_equal(pass.stats.dram_read_bytes, 0);
	assert_int_equal(pass.stats.time_ps, 1000 * NR_OPS);
	onsram_runner_destroy(r);
}

static void test_eager_frees(void **state)
{
	struct onsram_runner *r = create("eager", ONSRAM_RUN_EAGER);
	uint32_t fills = mock_count(DRM_IOCTL_ONSRAM_SUBMIT);
	struct onsram_pass pass;
	int dead_act, dead_act2;
	char *err;

	(void)state;
	assert_int_equal(onsram_runner_pass(r, &pass, &err), 0);
	assert_int_equal(mock_count(DRM_IOCTL_ONSRAM_GRAPH_CREATE), 0);
	assert_int_equal(mock_count(DRM_IOCTL_ONSRAM_SUBMIT), fills + NR_OPS);
	/* Outputs of the jobs, by handle */
	assert_int_equal(mock.call[mock_find(DRM_IOCTL_ONSRAM_SUBMIT, fills)].handle, HANDLE(ACT));
	assert_int_equal(mock.call[mock_find(DRM_IOCTL_ONSRAM_SUBMIT, fills + 2)].handle,
			 HANDLE(OUT));
	/* Only activations: empty at first, and freed each behind its last consumer */
	assert_int_equal(mock_count(DRM_IOCTL_ONSRAM_BO_MADVISE), 4);
	assert_true(mock_find(DRM_IOCTL_ONSRAM_BO_MADVISE, 1) < mock_find(DRM_IOCTL_ONSRAM_SUBMIT, fills));
	dead_act = mock_find(DRM_IOCTL_ONSRAM_BO_MADVISE, 2);
	dead_act2 = mock_find(DRM_IOCTL_ONSRAM_BO_MADVISE, 3);
	assert_int_equal(mock.call[dead_act].handle, HANDLE(ACT));
	assert_int_equal(mock.call[dead_act].value, DRM_ONSRAM_ADVICE_DEAD);
	assert_int_equal(mock.call[dead_act2].handle, HANDLE(ACT2));
	assert_true(dead_act > mock_find(DRM_IOCTL_ONSRAM_SUBMIT, fills + 1));
	assert_true(dead_act < mock_find(DRM_IOCTL_ONSRAM_SUBMIT, fills + 2));
	assert_true(dead_act2 > mock_find(DRM_IOCTL_ONSRAM_SUBMIT, fills + 2));
	onsram_runner_destroy(r);
}

static void test_static_waits_for_the_plan(void **state)
{
	struct onsram_runner *r = create("static", ONSRAM_RUN_PLANNED);

	(void)state;
	assert_int_equal(mock_count(DRM_IOCTL_ONSRAM_GRAPH_WAIT_PLAN), 1);
	assert_int_equal(warnings, 0);
	onsram_runner_destroy(r);
}

static void test_static_without_daemon(void **state)
{
	struct onsram_runner *r;
	struct onsram_pass pass;
	char *err;

	(void)state;
	mock.plan = ENOTCONN;
	r = create("static", ONSRAM_RUN_PLANNED);
	assert_int_equal(warnings, 1);
	assert_int_equal(onsram_runner_pass(r, &pass, &err), 0);
	onsram_runner_destroy(r);
}

static void test_static_without_plan(void **state)
{
	(void)state;
	mock.plan = ETIME;
	onsram_runner_destroy(create("static", ONSRAM_RUN_PLANNED));
	/* What it waits for, and that it waited in vain */
	assert_int_equal(warnings, 2);
}

/* What a pass taught is in force before the next one begins; who does not need the daemon does not wait */
static void test_passes_wait_for_the_agent(void **state)
{
	static const struct { const char *name; enum onsram_runner_mode mode; bool waits; } policies[] = {
		{ "none", ONSRAM_RUN_GRAPH, false }, { "lru", ONSRAM_RUN_GRAPH, false },
		{ "static", ONSRAM_RUN_PLANNED, true }, { "eager", ONSRAM_RUN_EAGER, true },
	};
	struct onsram_pass pass;
	uint32_t i, before;
	char *err;

	(void)state;
	for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		struct onsram_runner *r = create(policies[i].name, policies[i].mode);
		bool waits = policies[i].waits;
		int sync;

		before = mock_count(DRM_IOCTL_ONSRAM_AGENT_SYNC);
		assert_int_equal(onsram_runner_pass(r, &pass, &err), 0);
		assert_int_equal(onsram_runner_pass(r, &pass, &err), 0);
		assert_int_equal(mock_count(DRM_IOCTL_ONSRAM_AGENT_SYNC), before + 2 * waits);
		sync = mock_find(DRM_IOCTL_ONSRAM_AGENT_SYNC, before);
		if (waits)
			assert_int_equal(mock.call[sync].value, DRM_ONSRAM_AGENT_SYNC_PRIVATE);
		onsram_runner_destroy(r);
	}
	assert_int_equal(warnings, 0);
}

/* Without the daemon every pass runs, and it is said once */
static void test_eager_without_agent(void **state)
{
	static const int reasons[] = { ENOTCONN, EHOSTDOWN };
	struct onsram_pass pass;
	uint32_t i;
	char *err;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct onsram_runner *r = create("eager", ONSRAM_RUN_EAGER);

		mock.agent = reasons[i];
		assert_int_equal(onsram_runner_pass(r, &pass, &err), 0);
		assert_int_equal(onsram_runner_pass(r, &pass, &err), 0);
		assert_int_equal(warnings, i + 1);
		onsram_runner_destroy(r);
	}
}

static void test_failed_jobs_are_told(void **state)
{
	struct onsram_runner *r = create("lru", ONSRAM_RUN_GRAPH);
	struct onsram_pass pass;
	char *err = NULL;

	(void)state;
	mock.jobs_fail = true;
	assert_int_equal(onsram_runner_pass(r, &pass, &err), -1);
	assert_non_null(strstr(err, "failed on the device"));
	free(err);
	mock.jobs_fail = false;
	assert_int_equal(onsram_runner_pass(r, &pass, &err), 0);
	onsram_runner_destroy(r);
}

static void test_submit_refused(void **state)
{
	struct onsram_runner *r = create("eager", ONSRAM_RUN_EAGER);
	struct onsram_pass pass;
	char *err = NULL;

	(void)state;
	mock.fail_request = DRM_IOCTL_ONSRAM_SUBMIT;
	mock.fail_errno = EINVAL;
	mock.fail_after = 1;
	assert_int_equal(onsram_runner_pass(r, &pass, &err), -1);
	assert_non_null(strstr(err, "operation 1, \"op\""));
	free(err);
	assert_int_equal(onsram_runner_pass(r, &pass, &err), 0);
	onsram_runner_destroy(r);
}

static void test_no_memory_for_a_tensor(void **state)
{
	struct onsram_runner_options opt = { .policy = "lru" };
	char *err = NULL;

	(void)state;
	mock.fail_request = DRM_IOCTL_ONSRAM_BO_CREATE;
	mock.fail_errno = ENOMEM;
	mock.fail_after = 2;
	assert_null(onsram_runner_create(dev, &program, &opt, &err));
	assert_non_null(strstr(err, "tensor \"act\": no buffer of 16 bytes"));
	free(err);
}

static void test_too_many_operations(void **state)
{
	struct onsram_runner_options opt = { .policy = "lru" };
	char *err = NULL;

	(void)state;
	dev->info.max_ops = 2;
	assert_null(onsram_runner_create(dev, &program, &opt, &err));
	assert_non_null(strstr(err, "3 operations; the device takes 2"));
	free(err);
}

static void test_inputs_and_outputs(void **state)
{
	struct onsram_runner *r = create("none", ONSRAM_RUN_GRAPH);
	float values[4] = { 5, 6, 7, 8 };
	struct onsram_array a = {
		.dtype = ONSRAM_DTYPE_F32, .rank = 1, .dims = { 4 }, .bytes = 16, .data = values,
	}, out;
	char *err = NULL;

	(void)state;
	assert_int_equal(onsram_runner_set_input(r, 0, &a, &err), 0);
	assert_memory_equal(mock.bo[HANDLE(IN)].data, values, sizeof(values));
	a.dims[0] = 2;
	a.bytes = 8;
	assert_int_equal(onsram_runner_set_input(r, 0, &a, &err), -1);
	assert_non_null(strstr(err, "input \"in\""));
	free(err);
	/* a program that was made for certain contents takes no others */
	a.dims[0] = 4;
	a.bytes = 16;
	tensors[IN].data = weights;
	assert_int_equal(onsram_runner_set_input(r, 0, &a, &err), -1);
	assert_non_null(strstr(err, "made for other contents"));
	free(err);
	a.data = weights;
	assert_int_equal(onsram_runner_set_input(r, 0, &a, &err), 0);
	tensors[IN].data = NULL;
	memcpy(mock.bo[HANDLE(OUT)].data, values, sizeof(values));
	assert_int_equal(onsram_runner_get_output(r, 0, &out, &err), 0);
	assert_string_equal(out.name, "out");
	assert_int_equal(out.rank, 1);
	assert_memory_equal(out.data, values, sizeof(values));
	onsram_array_release(&out);
	onsram_runner_destroy(r);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_weights_get_there), T(test_graph), T(test_eager_frees),
		T(test_static_waits_for_the_plan), T(test_static_without_daemon),
		T(test_static_without_plan), T(test_passes_wait_for_the_agent),
		T(test_eager_without_agent), T(test_failed_jobs_are_told), T(test_submit_refused),
		T(test_no_memory_for_a_tensor), T(test_too_many_operations),
		T(test_inputs_and_outputs),
	};

	return cmocka_run_group_tests_name("runner", tests, NULL, NULL);
}
