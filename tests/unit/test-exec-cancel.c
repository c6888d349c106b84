// SPDX-License-Identifier: MIT
/*
 * Operations end soon after they are told to, whatever they are at.  Time is
 * the running thread's own CPU time: how busy the host is does not matter.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "exec-fixture.h"
#include "exec-ops.h"

/* An operation goes on for at most so long, nanoseconds */
#ifdef __SANITIZE_ADDRESS__
#define SOON	2000000000	/* which marks what is allocated and freed byte by byte */
#else
#define SOON	100000000
#endif

struct run {
	struct onsram_exec *ctx;
	struct op op;
	struct onsram_exec_tensor tensor[ONSRAM_MAX_OPERANDS];
	int ret;
	int64_t end;
};

static int64_t cpu_time(clockid_t clock)
{
	struct timespec t;

	assert_int_equal(clock_gettime(clock, &t), 0);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void *run_thread(void *arg)
{
	struct run *r = arg;

	r->ret = onsram_exec_run(r->ctx, r->op.opcode, &r->op.attr, r->tensor);
	r->end = cpu_time(CLOCK_THREAD_CPUTIME_ID);
	return NULL;
}

/* Memory that no operation touches in full: nothing is behind it until then */
static void bind(struct run *r)
{
	int s;

	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		int64_t begin, end;

		r->tensor[s].view = r->op.view[s];
		if (r->op.view[s].dtype == ONSRAM_DTYPE_NONE)
			continue;
		assert_true(onsram_view_extent(&r->op.view[s], &begin, &end));
		r->tensor[s].data = calloc(1, end - begin);
		assert_non_null(r->tensor[s].data);
	}
}

/* Begin, cancel when the thread has worked for @after ns, expect the end */
static void cancel_after(struct op op, int64_t after)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	const char *why = onsram_exec_check(op.opcode, &op.attr, op.view);
	struct run r = { .ctx = onsram_exec_create(), .op = op };
	int64_t told;
	pthread_t thread;
	clockid_t clock;
	int s;

	if (why)
		fail_msg("opcode %u func %u: %s", op.opcode, op.attr.func, why);
	assert_non_null(r.ctx);
	bind(&r);
	assert_int_equal(pthread_create(&thread, NULL, run_thread, &r), 0);
	assert_int_equal(pthread_getcpuclockid(thread, &clock), 0);
	while (cpu_time(clock) < after)
		nanosleep(&nap, NULL);
	onsram_exec_cancel(r.ctx, true);
	told = cpu_time(clock);
	assert_int_equal(pthread_join(thread, NULL), 0);
	if (r.ret != -ECANCELED || r.end - told > SOON)
		fail_msg("opcode %u func %u, cancelled after %d ms: %d, after another %d ms", op.opcode,
			 op.attr.func, (int)(after / 1000000), r.ret, (int)((r.end - told) / 1000000));
	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		free(r.tensor[s].data);
	onsram_exec_destroy(r.ctx);
}

static void cancel(struct op op)
{
	cancel_after(op, 10000000);
	cancel_after(op, 150000000);
}

/* An input of one element, broadcast */
static void broadcast(struct op *op, int s)
{
	memset(op->view[s].strides, 0, sizeof(op->view[s].strides));
}

static void window(struct op *op, int d, uint16_t kernel, uint16_t pad)
{
	op->attr.kernel[d] = kernel;
	op->attr.stride[d] = op->attr.dilation[d] = 1;
	op->attr.pad_begin[d] = op->attr.pad_end[d] = pad;
}

static void test_product(void **state)
{
	struct op op = { .opcode = ONSRAM_OP_GEMM };

	(void)state;
	F32(&op, 0, 8192, 8192);
	F32(&op, 1, 8192, 8192);
	F32(&op, 2, 8192, 8192);
	op.attr.param[0] = float_bits(1);
	cancel(op);
	/* Many small ones; a single sum */
	F32(&op, 0, 1 << 20, 8, 8);
	F32(&op, 1, 1 << 20, 8, 8);
	F32(&op, 2, 1 << 20, 8, 8);
	op.view[1].strides[0] = op.view[2].strides[0] = 0;
	cancel_after(op, 10000000);
	F32(&op, 0, 1, 1);
	F32(&op, 1, 1, 1 << 28);
	F32(&op, 2, 1 << 28, 1);
	broadcast(&op, 1);
	broadcast(&op, 2);
	cancel(op);
}

static void test_convolution(void **state)
{
	struct op op = { .opcode = ONSRAM_OP_CONV, .attr.groups = 1 };
	int d;

	(void)state;
	/* All of 64 channels of 64^3 at each of a million places */
	F32(&op, 0, 1, 1, 101, 101, 101);
	F32(&op, 1, 1, 64, 64, 64, 64);
	F32(&op, 2, 1, 64, 64, 64, 64);
	broadcast(&op, 1);
	broadcast(&op, 2);
	for (d = 0; d < 3; d++)
		window(&op, d, 0, 50);
	cancel(op);
	/* More output channels than are taken by rows, and a group each */
	F32(&op, 0, 1, 64, 101, 101, 101);
	F32(&op, 2, 64, 64, 64, 64, 64);
	op.view[2].dims[1] = 1;
	broadcast(&op, 2);
	op.attr.groups = 64;
	cancel_after(op, 400000000);
	op.attr.groups = 1;
	F32(&op, 1, 1, 1, 64, 64, 64);
	F32(&op, 2, 64, 1, 64, 64, 64);
	broadcast(&op, 1);
	broadcast(&op, 2);
	cancel_after(op, 400000000);
	/* Pointwise */
	op = (struct op){ .opcode = ONSRAM_OP_CONV, .attr.groups = 1 };
	window(&op, 0, 0, 0);
	F32(&op, 0, 1, 4096, 16384);
	F32(&op, 1, 1, 4096, 16384);
	F32(&op, 2, 4096, 4096, 1);
	cancel(op);
	/* A row as long as can be */
	F32(&op, 0, 1, 1, 1 << 26);
	F32(&op, 1, 1, 1, 1 << 26);
	F32(&op, 2, 1, 1, 65535);
	window(&op, 0, 0, 32767);
	cancel(op);
}

static void test_window(void **state)
{
	struct op op = { .opcode = ONSRAM_OP_POOL };
	uint32_t func;
	int d;

	(void)state;
	for (func = 0; func < ONSRAM_POOL_COUNT; func++) {
		op.attr.func = func;
		F32(&op, 0, 1, 1, 1024, 1024);
		F32(&op, 1, 1, 1, 1024, 1024);
		for (d = 0; d < 2; d++)
			window(&op, d, 513, 256);
		cancel(op);
		F32(&op, 0, 1, 1, 1 << 26);
		F32(&op, 1, 1, 1, 1 << 26);
		memset(&op.attr, 0, sizeof(op.attr));
		op.attr.func = func;
		window(&op, 0, 65535, 32767);
		cancel(op);
	}
}

static void test_elements(void **state)
{
	struct op op = { .opcode = ONSRAM_OP_ELEMENTWISE, .attr.func = ONSRAM_EW_ERF };

	(void)state;
	F32(&op, 0, 1 << 28);
	F32(&op, 1, 1 << 28);
	broadcast(&op, 1);
	cancel(op);
	op.opcode = ONSRAM_OP_COPY;
	op.attr.func = 0;
	op.view[0].dtype = ONSRAM_DTYPE_F16;
	cancel(op);
	op.view[0].dtype = ONSRAM_DTYPE_F32;
	cancel_after(op, 10000000);
	op.opcode = ONSRAM_OP_FILL;
	op.view[1] = (struct onsram_view){ 0 };
	cancel_after(op, 10000000);
	/* By columns of two */
	op = (struct op){ .opcode = ONSRAM_OP_COPY };
	F32(&op, 0, 1 << 27, 2);
	F32(&op, 1, 1 << 27, 2);
	op.view[0].strides[0] = 1;
	op.view[0].strides[1] = 1 << 27;
	cancel_after(op, 10000000);
}

static void test_reduction(void **state)
{
	struct op op = { .opcode = ONSRAM_OP_REDUCE, .attr.axis = 1 };

	(void)state;
	F32(&op, 0, 1);
	F32(&op, 1, 1 << 28);
	cancel(op);
	F32(&op, 0, 1 << 14, 1);
	F32(&op, 1, 1 << 14, 1 << 14);
	op.attr.axis = 2;
	cancel(op);
	op.opcode = ONSRAM_OP_SOFTMAX;
	for (op.attr.axis = 0; op.attr.axis < 3; op.attr.axis++) {
		F32(&op, 0, 1 << 8, 1 << 10, 1 << 8);
		F32(&op, 1, 1 << 8, 1 << 10, 1 << 8);
		cancel(op);
	}
	F32(&op, 0, 1 << 26);
	F32(&op, 1, 1 << 26);
	op.attr.axis = 0;
	cancel(op);
}

static void test_normalisation(void **state)
{
	struct op op = { .opcode = ONSRAM_OP_NORM };
	int s;

	(void)state;
	op.attr.param[0] = float_bits(1);
	F32(&op, 0, 1, 1, 1 << 28);
	F32(&op, 1, 1, 1, 1 << 28);
	for (s = 2; s < 6; s++)
		F32(&op, s, 1);
	cancel(op);
	op.view[4] = op.view[5] = (struct onsram_view){ 0 };
	op.attr.func = ONSRAM_NORM_GROUP;
	op.attr.groups = 1;
	cancel(op);
	op.attr.func = ONSRAM_NORM_LAYER;
	op.attr.groups = 0;
	op.attr.axis = 2;
	F32(&op, 2, 1 << 28);
	F32(&op, 3, 1 << 28);
	broadcast(&op, 2);
	broadcast(&op, 3);
	cancel(op);
	op.view[2] = op.view[3] = (struct onsram_view){ 0 };
	op.attr.func = ONSRAM_NORM_LRN;
	op.attr.axis = 0;
	op.attr.kernel[0] = 1001;
	op.attr.param[1] = op.attr.param[2] = float_bits(1);
	F32(&op, 0, 1, 1 << 10, 1 << 14);
	F32(&op, 1, 1, 1 << 10, 1 << 14);
	cancel(op);
}

static void test_pick(void **state)
{
	struct op op = { .opcode = ONSRAM_OP_GATHER };

	(void)state;
	F32(&op, 0, 1 << 26);
	F32(&op, 1, 2);
	op_view(&op, 2, ONSRAM_DTYPE_I32, 1, (uint32_t[]){ 1 << 26 });
	broadcast(&op, 2);
	cancel(op);
	op = (struct op){ .opcode = ONSRAM_OP_RESIZE };
	for (op.attr.func = 0; op.attr.func < ONSRAM_RESIZE_COUNT; op.attr.func++) {
		F32(&op, 0, 3, 1 << 13, 1 << 13);
		F32(&op, 1, 3, 7, 1 << 13);
		cancel_after(op, 10000000);
		F32(&op, 0, 2, 1 << 27);
		F32(&op, 1, 1, 1 << 27);
		cancel_after(op, 10000000);
	}
}

/* What is cancelled stays so until it is taken back; then all is as before */
static void test_taken_back(void **state)
{
	struct onsram_exec *ctx = onsram_exec_create();
	struct op op = { .opcode = ONSRAM_OP_FILL };
	struct onsram_exec_tensor t[ONSRAM_MAX_OPERANDS] = { 0 };
	float value = 0;

	(void)state;
	op_view(&op, 0, ONSRAM_DTYPE_F32, 0, NULL);
	op.attr.param[0] = float_bits(3);
	t[0].view = op.view[0];
	t[0].data = &value;
	onsram_exec_cancel(ctx, true);
	assert_int_equal(onsram_exec_run(ctx, op.opcode, &op.attr, t), -ECANCELED);
	onsram_exec_cancel(ctx, false);
	assert_int_equal(onsram_exec_run(ctx, op.opcode, &op.attr, t), 0);
	assert_true(value == 3);
	onsram_exec_destroy(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_product),
		cmocka_unit_test(test_convolution),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_elements),
		cmocka_unit_test(test_reduction),
		cmocka_unit_test(test_normalisation),
		cmocka_unit_test(test_pick),
		cmocka_unit_test(test_taken_back),
	};

	return cmocka_run_group_tests_name("exec-cancel", tests, NULL, NULL);
}
