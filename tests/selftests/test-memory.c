// SPDX-License-Identifier: MIT
/*
 * Memory: what a client's objects cost is counted, bounded, and comes back; one
 * client, one user or all of them together leave the machine and root enough.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

#define NODE	"/dev/accel/accel0"
#define MIB	(1ll << 20)
/* Contexts of a device: 256, less number 0 */
#define CONTEXTS	255
#define ROOT_CONTEXTS	16
#define FIRST_USER	1000
#define CGROUP	"/tmp/cgroup"

static int64_t meminfo(const char *name)
{
	char line[128], key[64];
	long long kib, found = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63[^:]: %lld", key, &kib) == 2 && !strcmp(key, name))
			found = kib * 1024;
	if (f)
		fclose(f);
	return found;
}

/* What the driver says that an open file costs, bytes (in KiB) */
static int64_t charged(int fd)
{
	char path[64], line[128];
	long long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "onsram-memory-charged: %lld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib * 1024;
}

/* Return: the handle, or 0 with errno */
static uint32_t make(int fd, uint64_t size)
{
	struct drm_onsram_bo_create arg = { .size = size };

	return ioctl(fd, DRM_IOCTL_ONSRAM_BO_CREATE, &arg) ? 0 : arg.handle;
}

static int drop(int fd, uint32_t handle)
{
	struct drm_gem_close arg = { .handle = handle };

	return ioctl(fd, DRM_IOCTL_GEM_CLOSE, &arg) ? errno : 0;
}

FIXTURE(memory) {
	int64_t client_percent;
	int64_t device_percent;
	int64_t user_contexts;
	int64_t total;
	int fd;
};

FIXTURE_SETUP(memory)
{
	self->client_percent = parameter("client_mem_percent");
	self->device_percent = parameter("device_mem_percent");
	self->user_contexts = parameter("user_contexts");
	self->total = meminfo("MemTotal");
	self->fd = open(NODE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, chmod(NODE, 0666));
}

FIXTURE_TEARDOWN(memory)
{
	chmod(NODE, 0600);
	if (self->fd >= 0)
		close(self->fd);
	set_parameter("client_mem_percent", self->client_percent);
	set_parameter("device_mem_percent", self->device_percent);
	set_parameter("user_contexts", self->user_contexts);
}

TEST_F(memory, defaults)
{
	EXPECT_EQ(50, self->client_percent);
	EXPECT_EQ(75, self->device_percent);
	EXPECT_EQ(64, self->user_contexts);
}

TEST_F(memory, parameters_are_checked)
{
	EXPECT_EQ(EINVAL, set_parameter("client_mem_percent", 0));
	EXPECT_EQ(EINVAL, set_parameter("client_mem_percent", 101));
	EXPECT_EQ(EINVAL, set_parameter("device_mem_percent", 0));
	EXPECT_EQ(EINVAL, set_parameter("device_mem_percent", -1));
	EXPECT_EQ(EINVAL, set_parameter("user_contexts", 0));
	EXPECT_EQ(EINVAL, set_parameter("user_contexts", CONTEXTS + 2));
	EXPECT_EQ(self->client_percent, parameter("client_mem_percent"));
	EXPECT_EQ(self->device_percent, parameter("device_mem_percent"));
	EXPECT_EQ(self->user_contexts, parameter("user_contexts"));
}

/* Buffers of a byte: as many as their true cost allows, which is what the machine loses */
TEST_F(memory, small_buffers)
{
	int64_t before = meminfo("MemAvailable"), base = charged(self->fd);
	int64_t limit = self->total / 50, lost, cost;
	uint32_t first = 0, last = 0, handle;

	ASSERT_EQ(0, set_parameter("client_mem_percent", 2));
	while ((handle = make(self->fd, 1))) {
		first = first ? first : handle;
		last = handle;
	}
	EXPECT_EQ(ENOSPC, errno);
	cost = charged(self->fd);
	lost = before - meminfo("MemAvailable");
	TH_LOG("%u buffers of 1 byte: charged %lld bytes each, lost %lld", last,
	       (long long)(cost - base) / last, (long long)lost / last);
	EXPECT_LE(cost, limit + 16384);
	EXPECT_LE(limit - 16384, cost);
	/* The machine has not lost more than was charged, but for what else comes and goes. */
	if (!kernel_has("kasan_report"))
		EXPECT_LE(lost, cost * 5 / 4);
	for (handle = first; handle <= last; handle++) {
		EXPECT_EQ(0, drop(self->fd, handle));
	}
	/* Page tables stay with the file. */
	EXPECT_LE(charged(self->fd), base + (cost - base) / 500 + 16384);
	EXPECT_NE(0, make(self->fd, 1));
}

TEST_F(memory, large_buffers)
{
	int64_t limit = self->total / 10, bytes = 0;

	ASSERT_EQ(0, set_parameter("client_mem_percent", 10));
	while (make(self->fd, 16 * MIB))
		bytes += 16 * MIB;
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_LE(bytes, limit);
	EXPECT_LE(limit, bytes + 17 * MIB);
}

/* More than the machine has: refused before it is tried. */
TEST_F(memory, a_huge_buffer)
{
	int64_t before = meminfo("MemAvailable");

	ASSERT_EQ(0, set_parameter("client_mem_percent", 100));
	ASSERT_EQ(0, set_parameter("device_mem_percent", 100));
	if (self->total > (int64_t)DRM_ONSRAM_MAX_BO_SIZE)
		SKIP(return, "this machine has more memory than a buffer can");
	EXPECT_EQ(0, make(self->fd, DRM_ONSRAM_MAX_BO_SIZE));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(0, make(self->fd, (uint64_t)self->total * 98 / 100));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_LE(before - meminfo("MemAvailable"), 64 * MIB);
}

/* Several clients share what the device may take, and all of it comes back. */
TEST_F(memory, all_clients_together)
{
	int64_t limit = self->total / 10, base = device_attribute("memory/charged"), sum = 0;
	int fds[4], i;

	ASSERT_EQ(0, set_parameter("device_mem_percent", 10));
	EXPECT_LE(limit - MIB, device_attribute("memory/limit"));
	EXPECT_LE(device_attribute("memory/limit"), limit + MIB);
	for (i = 0; i < 4; i++) {
		fds[i] = open(NODE, O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, fds[i]);
		while (i < 3 && sum < limit * (i + 1) / 4 && make(fds[i], 4 * MIB))
			sum += 4 * MIB;
	}
	while (make(fds[3], 4 * MIB))
		sum += 4 * MIB;
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_LE(sum, limit);
	EXPECT_LE(limit * 97 / 100, sum + 4 * MIB + base);
	for (i = 0; i < 4; i++)
		close(fds[i]);
	/* A file's context goes a moment after it. */
	for (i = 0; i < 200 && device_attribute("memory/charged") != base; i++)
		usleep(10000);
	EXPECT_EQ(base, device_attribute("memory/charged"));
}

/* Graphs and jobs take memory, too. */
TEST_F(memory, graphs_and_jobs)
{
	struct drm_onsram_op *ops = calloc(DRM_ONSRAM_MAX_OPS, sizeof(*ops));
	struct drm_onsram_tensor tensors[NR_BUFFERS] = { 0 };
	uint32_t i, nr = 0, ids[64];
	struct client c;
	int64_t base;
	int ret = 0;

	ASSERT_NE(NULL, ops);
	ASSERT_EQ(0, client_open(&c));
	for (i = 0; i < DRM_ONSRAM_MAX_OPS; i++)
		ops[i] = add_op();
	for (i = 0; i < NR_BUFFERS; i++)
		tensors[i].handle = c.handle[i];
	base = charged(c.dev->fd);
	ASSERT_EQ(0, set_parameter("client_mem_percent", 2));
	while (nr < 64 && !ret)
		ret = onsram_graph_create(c.dev, ops, DRM_ONSRAM_MAX_OPS, tensors, NR_BUFFERS,
					  &ids[nr++]);
	EXPECT_EQ(-ENOSPC, ret);
	EXPECT_LE(self->total / 50 - 8 * MIB, charged(c.dev->fd));
	EXPECT_LE(charged(c.dev->fd), self->total / 50);
	/* Not even for a job is there any left. */
	while (make(c.dev->fd, 1))
		;
	EXPECT_EQ(-ENOSPC, onsram_submit(c.dev, ops, 16, c.handle, NR_BUFFERS, NULL, 0));
	while (--nr) {
		EXPECT_EQ(0, onsram_graph_destroy(c.dev, ids[nr - 1]));
	}
	EXPECT_EQ(0, run_ops(&c, ops, 16));
	EXPECT_LE(base, charged(c.dev->fd));
	client_close(&c);
	free(ops);
}

/* Whoever has taken all still gets results home. */
TEST_F(memory, dirty_at_the_limit)
{
	struct drm_onsram_op op = fill_all_op(7);
	struct client c;
	float y = 0;

	ASSERT_EQ(0, client_open(&c));
	ASSERT_EQ(0, onsram_device_set_policy(c.dev, "lru"));
	ASSERT_EQ(0, run_ops(&c, &op, 1));
	ASSERT_EQ(DRM_ONSRAM_RESIDENCY_DIRTY, residency(&c, 0));
	ASSERT_EQ(0, set_parameter("client_mem_percent", 2));
	while (make(c.dev->fd, MIB))
		;
	/* More than allowed is taken: not even a job fits. */
	ASSERT_EQ(0, set_parameter("client_mem_percent", 1));
	ASSERT_EQ(-ENOSPC, onsram_submit(c.dev, &op, 1, c.handle, NR_BUFFERS, NULL, 0));
	EXPECT_EQ(0, get_floats(&c, 0, &y, 1));
	EXPECT_EQ(7, y);
	client_close(&c);
}

/* How many files a process could open, and the errno of the next */
struct opened {
	int nr;
	int error;
};

/* Opens as the user, tells, and holds the files until @go is closed */
static void open_many(uid_t uid, int most, int ready, int go)
{
	struct opened answer = { 0 };
	char c;

	if (uid && (setgid(uid) || setuid(uid)))
		_exit(1);
	while (answer.nr < most && open(NODE, O_RDWR | O_CLOEXEC) >= 0)
		answer.nr++;
	answer.error = answer.nr < most ? errno : 0;
	if (write(ready, &answer, sizeof(answer)) != sizeof(answer) || read(go, &c, 1) < 0)
		_exit(1);
	_exit(0);
}

struct opener {
	pid_t pid;
	struct opened opened;
};

/* A process of the user that opens up to @most files and holds them until @go is closed */
static struct opener opener(uid_t uid, int most, const int *go)
{
	struct opener o = { .opened.nr = -1 };
	int ready[2];

	if (pipe(ready))
		return o;
	o.pid = fork();
	if (!o.pid) {
		close(go[1]);
		open_many(uid, most, ready[1], go[0]);
	}
	close(ready[1]);
	if (read(ready[0], &o.opened, sizeof(o.opened)) != sizeof(o.opened))
		o.opened.nr = -1;
	close(ready[0]);
	return o;
}

TEST_F(memory, contexts)
{
	struct opener o[8];
	int go[2], i, sum = 1, status;

	ASSERT_EQ(0, pipe(go));
	/* One user takes what a user may have. */
	o[0] = opener(FIRST_USER, 300, go);
	EXPECT_EQ(64, o[0].opened.nr);
	EXPECT_EQ(EMFILE, o[0].opened.error);
	/* Others still get theirs, */
	o[1] = opener(FIRST_USER + 1, 10, go);
	EXPECT_EQ(10, o[1].opened.nr);
	/* and all of them together leave root enough. */
	for (i = 2; i < 6; i++)
		o[i] = opener(FIRST_USER + (uid_t)i, 300, go);
	EXPECT_EQ(ENOSPC, o[5].opened.error);
	for (i = 0; i < 6; i++)
		sum += o[i].opened.nr;
	EXPECT_EQ(CONTEXTS - ROOT_CONTEXTS, sum);
	o[6] = opener(0, 300, go);
	EXPECT_EQ(ROOT_CONTEXTS, o[6].opened.nr);
	EXPECT_EQ(ENOSPC, o[6].opened.error);
	close(go[1]);
	for (i = 0; i < 7; i++) {
		EXPECT_EQ(o[i].pid, waitpid(o[i].pid, &status, 0));
		EXPECT_EQ(0, status);
	}
	close(go[0]);
	/* All are back at once, the administrator says how many. */
	ASSERT_EQ(0, set_parameter("user_contexts", 3));
	ASSERT_EQ(0, pipe(go));
	o[0] = opener(FIRST_USER, 300, go);
	EXPECT_EQ(3, o[0].opened.nr);
	o[1] = opener(0, 200, go);
	EXPECT_EQ(200, o[1].opened.nr);
	close(go[1]);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(o[i].pid, waitpid(o[i].pid, &status, 0));
	close(go[0]);
}

/* Clients that take all they can, and are killed: nothing of it stays. */
TEST_F(memory, killed_clients)
{
	int64_t base = device_attribute("memory/charged");
	int round, i, status;

	ASSERT_EQ(0, set_parameter("client_mem_percent", 2));
	for (round = 0; round < 6; round++) {
		pid_t child = fork();

		if (!child) {
			int fd = open(NODE, O_RDWR | O_CLOEXEC);

			for (;;)
				if (!make(fd, round % 2 ? 1 : MIB))
					usleep(1000);
		}
		usleep(100000);
		EXPECT_EQ(0, kill(child, SIGKILL));
		EXPECT_EQ(child, waitpid(child, &status, 0));
	}
	for (i = 0; i < 500 && device_attribute("memory/charged") != base; i++)
		usleep(10000);
	EXPECT_EQ(base, device_attribute("memory/charged"));
}

/* The client's memory cgroup is charged, and its limit is the client's own trouble. */
FIXTURE(cgroup) {
	int fd;
};

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 || write(fd, text, strlen(text)) < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

FIXTURE_SETUP(cgroup)
{
	self->fd = -1;
	mkdir(CGROUP, 0755);
	if (mount("cgroup2", CGROUP, "cgroup2", 0, NULL) ||
	    put(CGROUP "/cgroup.subtree_control", "+memory"))
		SKIP(return, "this kernel has no memory cgroups");
	ASSERT_EQ(0, mkdir(CGROUP "/client", 0755));
	ASSERT_EQ(0, put(CGROUP "/client/memory.max", "67108864"));
	ASSERT_EQ(0, put(CGROUP "/client/cgroup.procs", "0"));
	self->fd = open(NODE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(cgroup)
{
	int i;

	if (self->fd >= 0)
		close(self->fd);
	put(CGROUP "/cgroup.procs", "0");
	for (i = 0; i < 100 && rmdir(CGROUP "/client") && errno == EBUSY; i++)
		usleep(10000);
	umount(CGROUP);
}

static int64_t cgroup_memory(void)
{
	long long bytes = -1;
	FILE *f = fopen(CGROUP "/client/memory.current", "r");

	if (f && fscanf(f, "%lld", &bytes) != 1)
		bytes = -1;
	if (f)
		fclose(f);
	return bytes;
}

TEST_F(cgroup, pages_are_charged)
{
	int64_t before = cgroup_memory(), grown;
	int i;

	ASSERT_NE(0, make(self->fd, 16 * MIB));
	grown = cgroup_memory() - before;
	EXPECT_LE(16 * MIB, grown);
	EXPECT_LE(grown, 18 * MIB);
	before = cgroup_memory();
	for (i = 0; i < 2000; i++) {
		ASSERT_NE(0, make(self->fd, 1));
	}
	/* A page each, and the structures that belong to it */
	grown = cgroup_memory() - before;
	TH_LOG("2000 buffers of 1 byte: %lld bytes each", (long long)grown / 2000);
	EXPECT_LE(2000 * 5000, grown);
}

TEST_F(cgroup, its_limit_holds)
{
	int64_t bytes = 0;

	while (bytes < 256 * MIB && make(self->fd, MIB))
		bytes += MIB;
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_LE(bytes, 64 * MIB);
	EXPECT_LE(32 * MIB, bytes);
}

TEST_HARNESS_MAIN
