// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mock-device.h"

#define OTHER_FD 4243
#define MOCK_SYNC 77
#define MOCK_GRAPH 33

struct mock mock;

void mock_reset(void)
{
	uint32_t i;

	for (i = 0; i < MOCK_MAX_BOS; i++)
		free(mock.bo[i].data);
	memset(&mock, 0, sizeof(mock));
	mock.node = -1;
	mock.other_node = -1;
}

int mock_find(unsigned long request, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < mock.nr_calls; i++)
		if (mock.call[i].request == request && !nr--)
			return i;
	return -1;
}

uint32_t mock_count(unsigned long request)
{
	uint32_t i, n = 0;

	for (i = 0; i < mock.nr_calls; i++)
		n += mock.call[i].request == request;
	return n;
}

uint32_t mock_bos_open(void)
{
	uint32_t i, n = 0;

	for (i = 0; i < MOCK_MAX_BOS; i++)
		n += mock.bo[i].open;
	return n;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
void *__real_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *addr, size_t length);
int __wrap_munmap(void *addr, size_t length);

int __wrap_open(const char *path, int flags, ...)
{
	int node, fd = -1;

	if (sscanf(path, "/dev/accel/accel%d", &node) != 1)
		return __real_open(path, flags);
	errno = ENOENT;
	if (node == mock.node) {
		errno = mock.open_error;
		fd = mock.open_error ? -1 : MOCK_FD;
	} else if (node == mock.other_node) {
		fd = OTHER_FD;
	}
	mock.open_fds += fd >= 0;
	return fd;
}

int __wrap_close(int fd)
{
	if (fd != MOCK_FD && fd != OTHER_FD)
		return __real_close(fd);
	mock.open_fds--;
	return 0;
}

static struct mock_call *record(unsigned long request)
{
	if (mock.nr_calls == MOCK_MAX_CALLS)
		abort();
	mock.call[mock.nr_calls] = (struct mock_call){ .request = request };
	return &mock.call[mock.nr_calls++];
}

static int error(int code)
{
	errno = code;
	return -1;
}

static bool bo_exists(uint32_t handle)
{
	return handle && handle < MOCK_MAX_BOS && mock.bo[handle].open;
}

static int version(int fd, struct drm_version *v)
{
	const char *name = fd == MOCK_FD ? "onsram" : "onsram_rival";

	/* As the kernel does: copies what fits, without a terminator, and tells the length */
	strncpy(v->name, name, v->name_len);
	v->name_len = strlen(name);
	return 0;
}

static int query(struct drm_onsram_dev_query *q)
{
	struct drm_onsram_dev_info info = {
		.hw_version = 0x10000, .granule = 1024, .staging_min = 131072,
		.caps = DRM_ONSRAM_CAP_FUNCTIONAL, .max_ops = DRM_ONSRAM_MAX_OPS, .max_bos = DRM_ONSRAM_MAX_BOS, .page_size = 4096,
		.max_op_work = 100000000000,
		.model = { .spm_size = 2 << 20 },
	};
	const void *answer = q->query == DRM_ONSRAM_QUERY_INFO ? (void *)&info : &mock.stats;
	uint32_t size = q->query == DRM_ONSRAM_QUERY_INFO ? sizeof(info) : sizeof(mock.stats);

	memcpy((void *)(uintptr_t)q->data, answer, q->size < size ? q->size : size);
	q->size = size;
	return 0;
}

static int bo_create(struct drm_onsram_bo_create *c, struct mock_call *call)
{
	uint32_t handle = ++mock.nr_bos;

	if (c->flags || !c->size || handle >= MOCK_MAX_BOS)
		return error(EINVAL);
	mock.bo[handle].size = c->size;
	mock.bo[handle].data = calloc(1, c->size);
	mock.bo[handle].open = true;
	c->handle = call->handle = handle;
	return 0;
}

static void job_done(uint64_t syncs, uint32_t nr_syncs, uint32_t nr_ops, struct mock_call *call)
{
	const struct drm_onsram_sync *s = (void *)(uintptr_t)syncs;

	if (nr_syncs)
		call->point = mock.point = s->point;
	mock.stats.jobs++;
	mock.stats.ops += nr_ops;
	mock.stats.time_ps += 1000 * nr_ops;
	mock.stats.errors += mock.jobs_fail;
	mock.stats.peak_bytes = 5000;
}

static int submit(const struct drm_onsram_submit *s, struct mock_call *call)
{
	const struct drm_onsram_op *ops = (void *)(uintptr_t)s->ops;
	const uint32_t *bos = (void *)(uintptr_t)s->bos;
	uint32_t i, slot;

	if (s->flags || s->op_stride != sizeof(*ops) || !s->nr_ops || !s->nr_bos)
		return error(EINVAL);
	for (i = 0; i < s->nr_bos; i++)
		if (!bo_exists(bos[i]))
			return error(ENOENT);
	for (i = 0; i < s->nr_ops; i++)
		for (slot = 0; slot < ONSRAM_MAX_OPERANDS; slot++)
			if (ops[i].operand[slot].view.dtype && ops[i].operand[slot].bo >= s->nr_bos)
				return error(EINVAL);
	call->handle = bos[ops[0].operand[0].bo];
	call->value = ops[0].opcode;
	/* Enough of an engine for weights: a FILL of floats over the whole buffer */
	for (i = 0; i < s->nr_ops; i++) {
		uint32_t handle = bos[ops[i].operand[0].bo];

		for (slot = 0; ops[i].opcode == ONSRAM_OP_FILL && slot < mock.bo[handle].size / 4; slot++)
			((uint32_t *)mock.bo[handle].data)[slot] = ops[i].attr.param[0];
	}
	job_done(s->syncs, s->nr_syncs, s->nr_ops, call);
	return 0;
}

static int graph_create(struct drm_onsram_graph_create *g)
{
	uint32_t i;

	if (g->flags || g->op_stride != sizeof(struct drm_onsram_op) ||
	    g->tensor_stride != sizeof(struct drm_onsram_tensor) || g->nr_tensors > MOCK_MAX_BOS)
		return error(EINVAL);
	memcpy(mock.tensor, (void *)(uintptr_t)g->tensors, g->nr_tensors * sizeof(mock.tensor[0]));
	for (i = 0; i < g->nr_tensors; i++)
		if (!bo_exists(mock.tensor[i].handle))
			return error(ENOENT);
	mock.nr_tensors = g->nr_tensors;
	mock.nr_ops = g->nr_ops;
	mock.graphs_alive++;
	g->id = MOCK_GRAPH;
	return 0;
}

static int advise(const struct drm_onsram_bo_madvise *a, struct mock_call *call)
{
	call->handle = a->handle;
	call->value = a->advice;
	return bo_exists(a->handle) ? 0 : error(ENOENT);
}

static int prep(const struct drm_onsram_bo_cpu_prep *p, struct mock_call *call)
{
	call->handle = p->handle;
	call->value = p->flags;
	return bo_exists(p->handle) ? 0 : error(ENOENT);
}

static int mmap_offset(struct drm_onsram_bo_mmap_offset *o)
{
	if (o->flags || !bo_exists(o->handle))
		return error(ENOENT);
	o->offset = (uint64_t)o->handle << 32;
	return 0;
}

static int timeline_wait(const struct drm_syncobj_timeline_wait *w)
{
	return *(const uint64_t *)(uintptr_t)w->points <= mock.point ? 0 : error(ETIME);
}

static int answer(int fd, unsigned long request, void *arg, struct mock_call *call)
{
	switch (request) {
	case DRM_IOCTL_VERSION:
		return version(fd, arg);
	case DRM_IOCTL_ONSRAM_DEV_QUERY:
		return query(arg);
	case DRM_IOCTL_ONSRAM_BO_CREATE:
		return bo_create(arg, call);
	case DRM_IOCTL_GEM_CLOSE:
		mock.bo[((struct drm_gem_close *)arg)->handle].open = false;
		return 0;
	case DRM_IOCTL_ONSRAM_BO_MMAP_OFFSET:
		return mmap_offset(arg);
	case DRM_IOCTL_ONSRAM_BO_CPU_PREP:
		return prep(arg, call);
	case DRM_IOCTL_ONSRAM_BO_MADVISE:
		return advise(arg, call);
	case DRM_IOCTL_ONSRAM_SUBMIT:
		return submit(arg, call);
	case DRM_IOCTL_ONSRAM_GRAPH_CREATE:
		return graph_create(arg);
	case DRM_IOCTL_ONSRAM_GRAPH_RUN:
		job_done(((struct drm_onsram_graph_run *)arg)->syncs,
			 ((struct drm_onsram_graph_run *)arg)->nr_syncs, mock.nr_ops, call);
		return 0;
	case DRM_IOCTL_ONSRAM_GRAPH_DESTROY:
		mock.graphs_alive--;
		return 0;
	case DRM_IOCTL_ONSRAM_GRAPH_WAIT_PLAN:
		return mock.plan ? error(mock.plan) : 0;
	case DRM_IOCTL_ONSRAM_AGENT_SYNC:
		call->value = ((struct drm_onsram_agent_sync *)arg)->flags;
		return mock.agent ? error(mock.agent) : 0;
	case DRM_IOCTL_ONSRAM_SET_POLICY:
		call->value = ((struct drm_onsram_set_policy *)arg)->policy;
		return 0;
	case DRM_IOCTL_SYNCOBJ_CREATE:
		mock.syncs_alive++;
		((struct drm_syncobj_create *)arg)->handle = MOCK_SYNC;
		return 0;
	case DRM_IOCTL_SYNCOBJ_DESTROY:
		mock.syncs_alive--;
		return 0;
	case DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT:
		return timeline_wait(arg);
	default:
		return 0;
	}
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	static int interrupted;

	if (fd != MOCK_FD && fd != OTHER_FD)
		return error(EBADF);
	if (interrupted++ < mock.interrupt)
		return error(interrupted % 2 ? EINTR : EAGAIN);
	interrupted = 0;
	if (request == mock.fail_request && !mock.fail_after--) {
		mock.fail_request = 0;
		return error(mock.fail_errno);
	}
	return answer(fd, request, arg, record(request));
}

void *__wrap_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	uint32_t handle = (uint64_t)offset >> 32;

	if (fd != MOCK_FD)
		return __real_mmap(addr, length, prot, flags, fd, offset);
	if (!bo_exists(handle) || length > mock.bo[handle].size) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	return mock.bo[handle].data;
}

int __wrap_munmap(void *addr, size_t length)
{
	uint32_t i;

	for (i = 0; i < MOCK_MAX_BOS; i++)
		if (mock.bo[i].data == addr)
			return 0;
	return __real_munmap(addr, length);
}
