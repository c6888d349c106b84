// SPDX-License-Identifier: MIT
/* Who may do what: users, other clients' objects, buffers that come from or go elsewhere */
#define _GNU_SOURCE
#include "kselftest_harness.h"

#include <fcntl.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

#define NODE		"/dev/accel/accel0"
#define NOBODY		65534
#define NO_HANDLE	0x7fffff00

/* Runs @what as an ordinary user. Return: what it returns, or -1 */
static int as_nobody(int (*what)(const void *), const void *arg)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(setgid(NOBODY) || setuid(NOBODY) ? 255 : what(arg));
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Return: 0 or the errno */
static int try_open(const void *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_read(const void *path)
{
	return try_open(path, O_RDONLY);
}

static int try_write(const void *path)
{
	return try_open(path, O_WRONLY);
}

static int try_both(const void *path)
{
	return try_open(path, O_RDWR);
}

/* Until udev says otherwise the node is root's. */
TEST(node)
{
	EXPECT_EQ(EACCES, as_nobody(try_both, NODE));
	EXPECT_EQ(EACCES, as_nobody(try_read, NODE));
}

/* Everybody may look at the statistics, and only root may set a policy or a limit. */
TEST(attributes)
{
	static const char * const open_to_all[] = {
		"spm/size", "spm/used", "spm/hits", "spm/policy", "spm/fallback_policy",
		"memory/charged", "memory/limit",
	};
	static const char * const parameters[] = {
		"timeout_ms", "client_mem_percent", "device_mem_percent", "user_contexts",
	};
	char dir[96], path[160];
	size_t i;

	onsram_sysfs_dir(onsram_sysfs_find(), dir, sizeof(dir));
	for (i = 0; i < sizeof(open_to_all) / sizeof(open_to_all[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, open_to_all[i]);
		EXPECT_EQ(0, as_nobody(try_read, path));
		EXPECT_EQ(EACCES, as_nobody(try_write, path));
	}
	for (i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		snprintf(path, sizeof(path), "/sys/module/onsram/parameters/%s", parameters[i]);
		EXPECT_EQ(0, as_nobody(try_read, path));
		EXPECT_EQ(EACCES, as_nobody(try_write, path));
	}
	EXPECT_EQ(EACCES, as_nobody(try_read, "/sys/kernel/debug/accel"));
}

FIXTURE(permission) {
	struct client mine;
	struct client other;
	uint32_t handle;	/* of the other, and not one of mine */
	uint32_t sync;		/* likewise */
};

FIXTURE_SETUP(permission)
{
	struct onsram_bo bo;
	uint32_t i;

	ASSERT_EQ(0, client_open(&self->mine));
	ASSERT_EQ(0, client_open(&self->other));
	/* Handles are small numbers per file. */
	for (i = 0; i < NR_BUFFERS + 1; i++) {
		ASSERT_EQ(0, onsram_bo_create(self->other.dev, 4096, &bo));
		ASSERT_EQ(0, onsram_sync_create(self->other.dev, &self->sync));
	}
	self->handle = bo.handle;
}

FIXTURE_TEARDOWN(permission)
{
	client_close(&self->mine);
	client_close(&self->other);
}

static int run_as(const void *arg)
{
	struct drm_onsram_op op = add_op();
	struct client c = *(const struct client *)arg;

	return run_ops(&c, &op, 1) ? 1 : 0;
}

/* An open file is a capability: who is handed it uses the context of its opener. */
TEST_F(permission, handed_over)
{
	struct drm_onsram_stats before, after;

	ASSERT_EQ(0, onsram_device_stats(self->mine.dev, &before));
	EXPECT_EQ(0, as_nobody(run_as, &self->mine));
	ASSERT_EQ(0, onsram_device_stats(self->mine.dev, &after));
	EXPECT_EQ(before.jobs + 1, after.jobs);
}

/* No call knows a buffer of another client. */
TEST_F(permission, foreign_buffer)
{
	const uint32_t handles[] = { self->handle, 0, NO_HANDLE, UINT32_MAX };
	struct client *c = &self->mine;
	size_t i;

	for (i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
		struct drm_onsram_bo_mmap_offset offset = { .handle = handles[i] };
		struct drm_onsram_bo_info info = { .handle = handles[i] };
		struct drm_onsram_bo_cpu_prep prep = {
			.handle = handles[i], .flags = DRM_ONSRAM_CPU_READ, .timeout_ns = past(),
		};
		struct drm_onsram_bo_cpu_fini fini = { .handle = handles[i] };
		struct drm_onsram_bo_madvise dead = {
			.handle = handles[i], .advice = DRM_ONSRAM_ADVICE_DEAD,
		};
		struct drm_prime_handle export = { .handle = handles[i] };
		struct drm_gem_close close_arg = { .handle = handles[i] };

		EXPECT_EQ(ENOENT, raw(c, DRM_IOCTL_ONSRAM_BO_MMAP_OFFSET, &offset));
		EXPECT_EQ(ENOENT, raw(c, DRM_IOCTL_ONSRAM_BO_INFO, &info));
		EXPECT_EQ(ENOENT, raw(c, DRM_IOCTL_ONSRAM_BO_CPU_PREP, &prep));
		EXPECT_EQ(ENOENT, raw(c, DRM_IOCTL_ONSRAM_BO_CPU_FINI, &fini));
		EXPECT_EQ(ENOENT, raw(c, DRM_IOCTL_ONSRAM_BO_MADVISE, &dead));
		EXPECT_EQ(ENOENT, raw(c, DRM_IOCTL_PRIME_HANDLE_TO_FD, &export));
		EXPECT_EQ(EINVAL, raw(c, DRM_IOCTL_GEM_CLOSE, &close_arg));
	}
}

TEST_F(permission, foreign_syncobj)
{
	struct drm_onsram_sync sync = { .handle = self->sync, .flags = DRM_ONSRAM_SYNC_SIGNAL };
	struct client *c = &self->mine;
	struct drm_onsram_op op = add_op();

	EXPECT_EQ(-ENOENT, onsram_submit(c->dev, &op, 1, c->handle, NR_BUFFERS, &sync, 1));
	sync.flags = DRM_ONSRAM_SYNC_WAIT;
	EXPECT_EQ(-ENOENT, onsram_submit(c->dev, &op, 1, c->handle, NR_BUFFERS, &sync, 1));
	EXPECT_EQ(-ENOENT, onsram_sync_wait(c->dev, self->sync, 0, 0));
}

/* A syncobj that its owner gives away orders the work of both. */
TEST_F(permission, given_syncobj)
{
	struct client *a = &self->other, *b = &self->mine;
	struct drm_syncobj_handle pass = { .handle = self->sync };
	struct drm_onsram_sync signal = { .handle = self->sync, .flags = DRM_ONSRAM_SYNC_SIGNAL };
	struct drm_onsram_sync wait = { .flags = DRM_ONSRAM_SYNC_WAIT };
	struct drm_onsram_op op = add_op();

	ASSERT_EQ(0, raw(a, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &pass));
	ASSERT_EQ(0, raw(b, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &pass));
	close(pass.fd);
	wait.handle = pass.handle;
	ASSERT_EQ(0, onsram_submit(a->dev, &op, 1, a->handle, NR_BUFFERS, &signal, 1));
	ASSERT_EQ(0, onsram_submit(b->dev, &op, 1, b->handle, NR_BUFFERS, &wait, 1));
	EXPECT_EQ(0, onsram_sync_wait(b->dev, wait.handle, 0, WAIT_NS));
	onsram_sync_destroy(b->dev, wait.handle);
}

/* Buffers stay in the address space that they were made in. */
TEST_F(permission, export)
{
	const uint32_t flags[] = { 0, DRM_CLOEXEC, DRM_RDWR, DRM_CLOEXEC | DRM_RDWR };
	struct client *c = &self->mine;
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct drm_prime_handle arg = { .handle = c->handle[0], .flags = flags[i], .fd = -1 };

		EXPECT_EQ(EOPNOTSUPP, raw(c, DRM_IOCTL_PRIME_HANDLE_TO_FD, &arg));
		EXPECT_EQ(-1, arg.fd);
	}
	for (i = 0; i < 32; i++) {
		struct drm_prime_handle arg = { .handle = c->handle[0], .flags = 1u << i };

		if (!((1u << i) & (DRM_CLOEXEC | DRM_RDWR)))
			EXPECT_EQ(EINVAL, raw(c, DRM_IOCTL_PRIME_HANDLE_TO_FD, &arg));
	}
}

TEST_F(permission, import_what_is_no_buffer)
{
	const int fds[] = { -1, 1000000, self->mine.dev->fd, open("/dev/null", O_RDWR) };
	const int errors[] = { EBADF, EBADF, EINVAL, EINVAL };
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		struct drm_prime_handle arg = { .fd = fds[i] };

		EXPECT_EQ(errors[i], raw(&self->mine, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arg));
	}
	close(fds[3]);
}

TEST_F(permission, import)
{
	struct udmabuf_create create = { .size = 4096 };
	struct drm_prime_handle arg = { 0 };
	int udmabuf = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int fd;

	if (udmabuf < 0)
		SKIP(return, "no /dev/udmabuf");
	create.memfd = (uint32_t)memfd_create("pages", MFD_ALLOW_SEALING);
	ASSERT_EQ(0, ftruncate((int)create.memfd, 4096));
	ASSERT_EQ(0, fcntl((int)create.memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	fd = ioctl(udmabuf, UDMABUF_CREATE, &create);
	ASSERT_LE(0, fd);
	arg.fd = fd;
	EXPECT_EQ(EINVAL, raw(&self->mine, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arg));
	EXPECT_EQ(0, arg.handle);
	close(fd);
	close((int)create.memfd);
	close(udmabuf);
}

TEST_HARNESS_MAIN
