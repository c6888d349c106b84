// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "device.h"
#include "look.h"

/* Longer than any attribute: sysfs gives a page */
#define TEXT_BYTES 4096

const char *next_line(const char *text)
{
	const char *end = strchr(text, '\n');

	return end ? end + 1 : NULL;
}

char *read_file(const char *dir, const char *name)
{
	char text[TEXT_BYTES];
	char *path;
	size_t n;
	FILE *f;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return NULL;
	f = fopen(path, "re");
	free(path);
	if (!f)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	while (n && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	return strdup(text);
}

int look_dir(const char *cmd, char *dir, size_t size)
{
	int index = onsram_sysfs_find();

	if (index < 0)
		return failure(cmd, "no onsram device: nothing in /sys/class/accel belongs to the driver \"onsram\"; is the module loaded?");
	onsram_sysfs_dir(index, dir, size - sizeof("/spm"));
	strcat(dir, "/spm");
	return 0;
}

void look_device(const char *dir, char device[LOOK_DEVICE_SIZE])
{
	char link[PATH_MAX], path[PATH_MAX];

	snprintf(link, sizeof(link), "%s/..", dir);
	snprintf(device, LOOK_DEVICE_SIZE, "%s",
		 realpath(link, path) ? strrchr(path, '/') + 1 : "unknown");
}

static int is_attribute(const struct dirent *e)
{
	return e->d_type == DT_REG;
}

void look_release(struct look *l)
{
	int i;

	for (i = 0; i < l->nr; i++) {
		free(l->names[i]);
		if (l->values)
			free(l->values[i]);
	}
	free(l->names);
	free(l->values);
	*l = (struct look){ 0 };
}

int look_take(const char *cmd, struct look *l, const char *dir)
{
	int i;

	*l = (struct look){ .ns = now_ns() };
	l->nr = scandir(dir, &l->names, is_attribute, alphasort);
	if (l->nr < 0) {
		l->nr = 0;
		return failure(cmd, "%s: %s", dir,
			       errno == ENOENT ? "the device is gone" : strerror(errno));
	}
	l->values = calloc(l->nr + 1, sizeof(*l->values));
	for (i = 0; l->values && i < l->nr; i++)
		l->values[i] = read_file(dir, l->names[i]->d_name);
	if (l->values)
		return 0;
	look_release(l);
	return failure(cmd, "out of memory");
}

const char *look_text(const struct look *l, const char *name)
{
	int i;

	for (i = 0; i < l->nr; i++)
		if (!strcmp(l->names[i]->d_name, name))
			return l->values[i];
	return NULL;
}

bool look_number(const struct look *l, const char *name, uint64_t *value)
{
	const char *text = look_text(l, name);

	return text && !parse_u64(text, 0, UINT64_MAX, value);
}

uint64_t look_engine(const struct look *l, const char *engine)
{
	const char *line = look_text(l, "busy_ps");
	size_t n = strlen(engine);

	for (; line; line = next_line(line))
		if (!strncmp(line, engine, n) && line[n] == ' ')
			return strtoull(line + n, NULL, 10);
	return 0;
}
