// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "look.h"

/* "12 KiB", "3400 ns": the kernel picks the unit of bytes */
static uint64_t quantity(const char *text)
{
	char *unit;
	uint64_t n = strtoull(text, &unit, 10);

	if (!strcmp(unit, " KiB"))
		return n << 10;
	if (!strcmp(unit, " MiB"))
		return n << 20;
	return n;
}

/* Return: whether @text describes a file of an onsram device */
static bool parse(char *text, struct client *c)
{
	bool ours = false;
	char *save, *line, *value;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		value = strchr(line, ':');
		if (!value)
			continue;
		*value++ = '\0';
		value += strspn(value, " \t");
		if (!strcmp(line, "drm-driver"))
			ours = !strcmp(value, "onsram");
		else if (!strcmp(line, "drm-client-id"))
			c->id = strtoull(value, NULL, 10);
		else if (!strncmp(line, "drm-engine-compute", strlen("drm-engine-compute")))
			c->compute_ns += quantity(value);
		else if (!strcmp(line, "drm-engine-copy"))
			c->copy_ns = quantity(value);
		else if (!strcmp(line, "drm-resident-spm"))
			c->spm_bytes = quantity(value);
		else if (!strcmp(line, "drm-total-memory"))
			c->memory_bytes = quantity(value);
	}
	return ours;
}

static int add(struct clients *all, const struct client *c)
{
	struct client *more;

	if (clients_find(all, c->id))	/* the same file in another process */
		return 0;
	more = realloc(all->client, (all->nr + 1) * sizeof(*more));
	if (!more)
		return -1;
	all->client = more;
	all->client[all->nr++] = *c;
	return 0;
}

static int take_process(struct clients *all, const char *pid)
{
	char dir[64];
	struct dirent *e;
	int ret = 0;
	char *text;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%.16s/fdinfo", pid);
	d = opendir(dir);	/* not ours to look at, or gone */
	while (d && !ret && (e = readdir(d))) {
		struct client c = { .pid = atoi(pid) };

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		text = read_file(dir, e->d_name);
		if (text && parse(text, &c)) {
			char process[32], *name;

			snprintf(process, sizeof(process), "/proc/%.16s", pid);
			name = read_file(process, "comm");
			snprintf(c.name, sizeof(c.name), "%s", name ? name : "?");
			free(name);
			ret = add(all, &c);
		}
		free(text);
	}
	if (d)
		closedir(d);
	return ret;
}

static int by_id(const void *a, const void *b)
{
	const struct client *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

int clients_take(struct clients *c)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int ret = 0;

	*c = (struct clients){ 0 };
	while (d && !ret && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]))
			ret = take_process(c, e->d_name);
	if (d)
		closedir(d);
	if (ret)
		clients_release(c);
	else if (c->nr)
		qsort(c->client, c->nr, sizeof(*c->client), by_id);
	return ret;
}

void clients_release(struct clients *c)
{
	free(c->client);
	*c = (struct clients){ 0 };
}

const struct client *clients_find(const struct clients *c, uint64_t id)
{
	for (uint32_t i = 0; i < c->nr; i++)
		if (c->client[i].id == id)
			return &c->client[i];
	return NULL;
}
