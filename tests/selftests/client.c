// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

int client_open(struct client *c)
{
	uint32_t i;
	char *err;
	int ret = 0;

	memset(c, 0, sizeof(*c));
	c->dev = onsram_device_open(&err);
	if (!c->dev) {
		printf("# %s\n", err);
		free(err);
		return -ENODEV;
	}
	for (i = 0; i < NR_BUFFERS && !ret; i++) {
		ret = onsram_bo_create(c->dev, BUFFER_BYTES, &c->bo[i]);
		c->handle[i] = c->bo[i].handle;
	}
	return ret;
}

void client_close(struct client *c)
{
	uint32_t i;

	if (!c->dev)
		return;
	for (i = 0; i < NR_BUFFERS; i++)
		onsram_bo_destroy(c->dev, &c->bo[i]);
	onsram_device_close(c->dev);
	c->dev = NULL;
}

int raw(const struct client *c, unsigned long request, void *arg)
{
	return ioctl(c->dev->fd, request, arg) ? errno : 0;
}

static int64_t monotonic(int64_t offset_ns)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec + offset_ns;
}

int64_t past(void)
{
	return monotonic(-1000000000);
}

int64_t future(void)
{
	return monotonic(WAIT_NS);
}

int run_ops(struct client *c, const struct drm_onsram_op *ops, uint32_t nr)
{
	struct drm_onsram_sync sync = { .flags = DRM_ONSRAM_SYNC_SIGNAL };
	struct drm_onsram_stats before, after;
	int ret;

	ret = onsram_sync_create(c->dev, &sync.handle);
	if (ret)
		return ret;
	ret = onsram_device_stats(c->dev, &before);
	if (!ret)
		ret = onsram_submit(c->dev, ops, nr, c->handle, NR_BUFFERS, &sync, 1);
	if (!ret)
		ret = onsram_sync_wait(c->dev, sync.handle, 0, WAIT_NS);
	if (!ret)
		ret = onsram_device_stats(c->dev, &after);
	if (!ret && after.errors != before.errors)
		ret = -EIO;
	onsram_sync_destroy(c->dev, sync.handle);
	return ret;
}

int put_floats(struct client *c, uint32_t buffer, const float *values, uint32_t n)
{
	return onsram_bo_write(c->dev, &c->bo[buffer], values, n * sizeof(*values));
}

int get_floats(struct client *c, uint32_t buffer, float *values, uint32_t n)
{
	return onsram_bo_read(c->dev, &c->bo[buffer], values, n * sizeof(*values));
}

int put_ramp(struct client *c, uint32_t buffer, float *values, uint32_t n, float first, float step)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		values[i] = first + step * (float)i;
	return put_floats(c, buffer, values, n);
}

int residency(struct client *c, uint32_t buffer)
{
	struct drm_onsram_bo_info info;

	return onsram_bo_info(c->dev, &c->bo[buffer], &info) ? -1 : (int)info.residency;
}

static int64_t read_number(const char *path)
{
	long long value;
	FILE *f = fopen(path, "r");

	if (!f)
		return -1;
	if (fscanf(f, "%lld", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

int64_t device_attribute(const char *name)
{
	int index = onsram_sysfs_find();
	char dir[96], path[160];

	if (index < 0)
		return -1;
	onsram_sysfs_dir(index, dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return read_number(path);
}

int64_t spm_attribute(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "spm/%s", name);
	return device_attribute(path);
}

bool kernel_has(const char *symbol)
{
	char line[512], name[256];
	bool found = false;
	FILE *f = fopen("/proc/kallsyms", "r");

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*s %*c %255s", name) == 1 && !strcmp(name, symbol);
	if (f)
		fclose(f);
	return found;
}

int64_t parameter(const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/module/onsram/parameters/%s", name);
	return read_number(path);
}

int set_parameter(const char *name, int64_t value)
{
	char path[96];
	int error = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/onsram/parameters/%s", name);
	f = fopen(path, "w");
	if (!f)
		return errno;
	if (fprintf(f, "%lld", (long long)value) < 0 || fflush(f))
		error = errno;
	fclose(f);
	return error;
}

int knob(int fd, const char *request)
{
	char answer[256];
	ssize_t n;

	if (dprintf(fd, "%s\n", request) < 0)
		return -1;
	n = read(fd, answer, sizeof(answer) - 1);
	return n >= 2 && !strncmp(answer, "ok", 2) ? 0 : -1;
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}
