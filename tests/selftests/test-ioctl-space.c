// SPDX-License-Identifier: MIT
/*
 * The whole space of ioctl numbers: what a client needs is served, everything
 * else gets an errno, and no argument harms the caller or the node; as root and
 * as an ordinary user, by the native and by the 32-bit entry.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

#define NODE		"/dev/accel/accel0"
#define NOBODY		65534
#define ARG_BYTES	16384	/* more than the size field of a request can say */
#define NR_BAD		5	/* pointers to no memory */
/* How a process that made the calls of one number may end, but for 0 */
#define CHILD_ERRNO	100	/* a call answered with another errno than the one asked for */
#define CHILD_SET_UP	101

/* What the DRM core offers and an accelerator's client has a use for */
static const uint8_t core_calls[] = {
	0x00,					/* version */
	0x09,					/* gem close */
	0x0c,					/* get cap */
	0x2d, 0x2e,				/* prime */
	0xbf, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5,	/* syncobj */
	0xca, 0xcb, 0xcc, 0xcd,			/* syncobj, timeline */
};

static bool core_call(int nr)
{
	size_t i;

	for (i = 0; i < sizeof(core_calls); i++)
		if (core_calls[i] == nr)
			return true;
	return false;
}

static bool driver_call(int nr)
{
	return nr >= DRM_COMMAND_BASE && nr < DRM_COMMAND_END;
}

/* The 32-bit entry of the kernel, which 64-bit programs can use with low addresses, too */
static int compat_ioctl(int fd, uint32_t request, void *arg)
{
	long ret = 54;	/* ioctl */

	asm volatile("int $0x80"
		     : "+a" (ret)
		     : "b" ((long)fd), "c" ((long)request), "d" ((long)(uint32_t)(uintptr_t)arg)
		     : "memory", "r8", "r9", "r10", "r11");
	if (ret < 0) {
		errno = (int)-ret;
		return -1;
	}
	return (int)ret;
}

FIXTURE(space) {
	unsigned char *arg;
	int64_t share;
};

FIXTURE_VARIANT(space) {
	uid_t uid;
	bool compat;
};

FIXTURE_VARIANT_ADD(space, root) { .uid = 0 };
FIXTURE_VARIANT_ADD(space, user) { .uid = NOBODY };
FIXTURE_VARIANT_ADD(space, root_32bit) { .uid = 0, .compat = true };
FIXTURE_VARIANT_ADD(space, user_32bit) { .uid = NOBODY, .compat = true };

FIXTURE_SETUP(space)
{
	if (variant->compat && !kernel_has("__ia32_compat_sys_ioctl"))
		SKIP(return, "this kernel has no 32-bit system calls");
	self->arg = mmap(NULL, ARG_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, self->arg);
	/* Who may open the node is udev's affair; here the ordinary user may. */
	ASSERT_EQ(0, chmod(NODE, 0666));
	/* Sizes at random would fill the machine, in steps of seconds. */
	self->share = parameter("client_mem_percent");
	ASSERT_EQ(0, set_parameter("client_mem_percent", 1));
}

FIXTURE_TEARDOWN(space)
{
	EXPECT_EQ(0, set_parameter("client_mem_percent", self->share));
	EXPECT_EQ(0, chmod(NODE, 0600));
	munmap(self->arg, ARG_BYTES);
}

/* Return: 0 or the errno */
static int one(bool compat, int fd, uint32_t request, void *arg)
{
	int ret = compat ? compat_ioctl(fd, request, arg) : ioctl(fd, request, arg);

	return ret < 0 ? errno : 0;
}

/* An open node of a process that is what the variant says, with buffer 1 and syncobj 1 */
static int client(uid_t uid)
{
	struct drm_onsram_bo_create bo = { .size = 4096 };
	struct drm_syncobj_create sync = { 0 };
	int fd;

	if (uid && (setgid(uid) || setuid(uid)))
		return -1;
	fd = open(NODE, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, DRM_IOCTL_ONSRAM_BO_CREATE, &bo) ||
	    ioctl(fd, DRM_IOCTL_SYNCOBJ_CREATE, &sync))
		return -1;
	return fd;
}

/*
 * Calls number @nr with every direction, sizes around those in use and every kind of argument;
 * @expected is the errno that all must give, or 0 where each may give its own.
 */
static void call_all(bool compat, uid_t uid, unsigned char *arg, int type, int nr, int expected)
{
	static const int sizes[] = { 0, 1, 4, 7, 8, 16, 24, 28, 32, 48, 64, 256, 4096, 16383 };
	static const uint64_t bad[] = { 0, 8, 0x7ffff000, 0xfffffffffffff000, UINT64_MAX };
	uint32_t seed = (uint32_t)nr * 2654435761u + 1;
	uint32_t *words = (uint32_t *)arg;
	int fd = client(uid);
	uint32_t kind, dir, i, w;

	if (fd < 0)
		_exit(CHILD_SET_UP);
	/* No memory; then zeros, ones in every field, all bits, small numbers, noise twice */
	for (kind = 0; kind < NR_BAD + 6; kind++) {
		void *p = kind < NR_BAD ? (void *)(uintptr_t)bad[kind] : arg;

		for (w = 0; kind >= NR_BAD && w < ARG_BYTES / 4; w++) {
			uint32_t fill = kind - NR_BAD;

			seed = seed * 1664525u + 1013904223u;
			words[w] = fill < 2 ? fill : fill == 2 ? ~0u : fill == 3 ? seed >> 30 : seed;
		}
		for (dir = 0; dir < 4; dir++) {
			for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
				int error = one(compat, fd, (uint32_t)_IOC(dir, type, nr, sizes[i]), p);

				if (expected && error != expected)
					_exit(CHILD_ERRNO);
			}
		}
	}
	_exit(0);
}

/* Return: exit status of the process that makes the calls, or -1 with a line about its end */
static int walk(bool compat, uid_t uid, unsigned char *arg, int type, int nr, int expected)
{
	pid_t child = fork();
	int status, i;

	if (!child) {
		/* A call may wait; nothing here is worth more than a second. */
		alarm(1);
		call_all(compat, uid, arg, type, nr, expected);
	}
	for (i = 0; i < 1000 && waitpid(child, &status, WNOHANG) != child; i++)
		usleep(10000);
	if (i == 1000) {
		kill(child, SIGKILL);
		printf("# number %#x: stuck, and no signal ends it\n", nr);
		return -1;
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM) {
		printf("# number %#x: signal %d\n", nr, WTERMSIG(status));
		return -1;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status))
		printf("# number %#x: status %d\n", nr, WEXITSTATUS(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

/* Others still work: the node, its ioctls and its engines */
static int node_works(void)
{
	struct drm_onsram_op op = add_op();
	struct client c;
	int ret = client_open(&c);

	if (!ret) {
		ret = run_ops(&c, &op, 1);
		client_close(&c);
	}
	return ret;
}

TEST_F(space, calls_of_the_core_that_no_client_needs)
{
	int nr;

	for (nr = 0; nr < 256; nr++) {
		if (core_call(nr) || driver_call(nr))
			continue;
		EXPECT_EQ(0, walk(variant->compat, variant->uid, self->arg, 'd', nr, EOPNOTSUPP));
	}
	EXPECT_EQ(0, node_works());
}

TEST_F(space, calls_that_the_driver_does_not_have)
{
	int nr;

	for (nr = DRM_COMMAND_BASE + DRM_ONSRAM_AGENT_SYNC + 1; nr < DRM_COMMAND_END; nr += 7)
		EXPECT_EQ(0, walk(variant->compat, variant->uid, self->arg, 'd', nr, EINVAL));
}

TEST_F(space, calls_of_other_subsystems)
{
	static const char types[] = { 'T', 0, 'D', 'e', (char)0xff };
	size_t i;

	for (i = 0; i < sizeof(types); i++) {
		/* 0x00 would be VERSION, 0x40 DEV_QUERY. */
		EXPECT_EQ(0, walk(variant->compat, variant->uid, self->arg, types[i], 0x00, ENOTTY));
		EXPECT_EQ(0, walk(variant->compat, variant->uid, self->arg, types[i], 0x40, ENOTTY));
	}
}

TEST_F(space, calls_that_exist)
{
	int nr;

	for (nr = 0; nr < 256; nr++) {
		if (core_call(nr) || (driver_call(nr) && nr <= DRM_COMMAND_BASE + DRM_ONSRAM_AGENT_SYNC))
			EXPECT_EQ(0, walk(variant->compat, variant->uid, self->arg, 'd', nr, 0));
	}
	EXPECT_EQ(0, node_works());
}

/* What is served really is: a plausible call of each kind succeeds, or fails for its own reason. */
TEST_F(space, plausible_calls)
{
	struct drm_syncobj_create *create = (void *)self->arg;
	uint32_t *handle = (void *)(self->arg + 1024);
	uint64_t *point = (void *)(self->arg + 2048);
	struct drm_syncobj_array *array = (void *)self->arg;
	struct drm_syncobj_wait *wait = (void *)self->arg;
	struct drm_syncobj_timeline_array *timeline = (void *)self->arg;
	struct drm_get_cap *cap = (void *)self->arg;
	struct drm_prime_handle *prime = (void *)self->arg;
	struct drm_gem_close *close_arg = (void *)self->arg;
	pid_t child = fork();
	int status, fd;

	ASSERT_LE(0, child);
	if (child) {
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_EQ(0, status);
		return;
	}
	fd = client(variant->uid);
#define CALL(errno_, request) do { \
	if (one(variant->compat, fd, (uint32_t)(request), self->arg) != (errno_)) { \
		printf("# " #request ": %s\n", strerror(errno)); \
		_exit(__LINE__ % 250 + 1); \
	} \
} while (0)
	*create = (struct drm_syncobj_create){ .flags = DRM_SYNCOBJ_CREATE_SIGNALED };
	CALL(0, DRM_IOCTL_SYNCOBJ_CREATE);
	*handle = create->handle;
	*wait = (struct drm_syncobj_wait){ .handles = (uintptr_t)handle, .count_handles = 1 };
	CALL(0, DRM_IOCTL_SYNCOBJ_WAIT);
	*array = (struct drm_syncobj_array){ .handles = (uintptr_t)handle, .count_handles = 1 };
	CALL(0, DRM_IOCTL_SYNCOBJ_RESET);
	CALL(0, DRM_IOCTL_SYNCOBJ_SIGNAL);
	*point = 3;
	*timeline = (struct drm_syncobj_timeline_array){
		.handles = (uintptr_t)handle, .points = (uintptr_t)point, .count_handles = 1,
	};
	CALL(0, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL);
	CALL(0, DRM_IOCTL_SYNCOBJ_QUERY);
	if (*point != 3)
		_exit(251);
	*cap = (struct drm_get_cap){ .capability = DRM_CAP_SYNCOBJ_TIMELINE };
	CALL(0, DRM_IOCTL_GET_CAP);
	if (cap->value != 1)
		_exit(252);
	*prime = (struct drm_prime_handle){ .handle = 1, .flags = DRM_CLOEXEC };
	CALL(EOPNOTSUPP, DRM_IOCTL_PRIME_HANDLE_TO_FD);
	*prime = (struct drm_prime_handle){ .fd = -1 };
	CALL(EBADF, DRM_IOCTL_PRIME_FD_TO_HANDLE);
	*close_arg = (struct drm_gem_close){ .handle = 1 };
	CALL(0, DRM_IOCTL_GEM_CLOSE);
	CALL(EINVAL, DRM_IOCTL_GEM_CLOSE);
#undef CALL
	_exit(0);
}

/* Arrays of syncobjs are bounded before the kernel allocates for them. */
FIXTURE(counts) {
	struct client client;
};

FIXTURE_VARIANT(counts) {
	unsigned long request;
	uint32_t count_offset;
};

FIXTURE_SETUP(counts)
{
	ASSERT_EQ(0, client_open(&self->client));
}

FIXTURE_TEARDOWN(counts)
{
	client_close(&self->client);
}

#define COUNT_OF(name, request_, type) \
	FIXTURE_VARIANT_ADD(counts, name) { \
		.request = request_, .count_offset = offsetof(struct type, count_handles) \
	}
COUNT_OF(wait, DRM_IOCTL_SYNCOBJ_WAIT, drm_syncobj_wait);
COUNT_OF(reset, DRM_IOCTL_SYNCOBJ_RESET, drm_syncobj_array);
COUNT_OF(signal, DRM_IOCTL_SYNCOBJ_SIGNAL, drm_syncobj_array);
COUNT_OF(timeline_wait, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, drm_syncobj_timeline_wait);
COUNT_OF(query, DRM_IOCTL_SYNCOBJ_QUERY, drm_syncobj_timeline_array);
COUNT_OF(timeline_signal, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, drm_syncobj_timeline_array);

TEST_F(counts, bounded)
{
	static const uint32_t beyond[] = {
		DRM_ONSRAM_MAX_SYNCOBJS + 1, 1u << 20, 1u << 30, 1u << 31, UINT32_MAX,
	};
	static uint32_t handles[DRM_ONSRAM_MAX_SYNCOBJS];
	uint64_t arg[8] = { (uintptr_t)handles };
	size_t i;

	for (i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		memcpy((char *)arg + variant->count_offset, &beyond[i], sizeof(beyond[i]));
		EXPECT_EQ(EINVAL, raw(&self->client, variant->request, arg));
		/* A size that cuts the count in the middle leaves its low bytes. */
		if ((beyond[i] & 0xffffff) <= DRM_ONSRAM_MAX_SYNCOBJS)
			continue;
		EXPECT_EQ(EINVAL, raw(&self->client,
				      _IOC(_IOC_READ | _IOC_WRITE, 'd', _IOC_NR(variant->request),
					   variant->count_offset + 3), arg));
	}
	/* As many as that are looked at: the first handle is not one. */
	memcpy((char *)arg + variant->count_offset, &(uint32_t){ DRM_ONSRAM_MAX_SYNCOBJS }, 4);
	EXPECT_EQ(ENOENT, raw(&self->client, variant->request, arg));
	EXPECT_EQ(EFAULT, raw(&self->client, variant->request, NULL));
}

/* As many syncobjs as a file may have, however they come */
TEST(syncobjs_of_a_file)
{
	struct drm_syncobj_create create = { 0 };
	struct drm_syncobj_handle import = { 0 };
	struct client c;
	uint32_t i;

	ASSERT_EQ(0, client_open(&c));
	for (i = 1; i < DRM_ONSRAM_MAX_SYNCOBJS; i++) {
		ASSERT_EQ(0, raw(&c, DRM_IOCTL_SYNCOBJ_CREATE, &create));
	}
	import.handle = create.handle;
	ASSERT_EQ(0, raw(&c, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &import));
	EXPECT_EQ(0, raw(&c, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &import));
	EXPECT_EQ(ENOSPC, raw(&c, DRM_IOCTL_SYNCOBJ_CREATE, &create));
	i = import.handle;
	EXPECT_EQ(ENOSPC, raw(&c, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &import));
	onsram_sync_destroy(c.dev, i);
	EXPECT_EQ(0, raw(&c, DRM_IOCTL_SYNCOBJ_CREATE, &create));
	close(import.fd);
	client_close(&c);
}

TEST_HARNESS_MAIN
