// SPDX-License-Identifier: MIT
/* Which networks a suite has. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench.h"

/* What a network costs beside reading it, in bytes of its file */
#define WEIGHT_BASE 20000000

static int add(const char *cmd, struct bench_suite *suite, const char *path, const char *title)
{
	struct bench_network *more = realloc(suite->network, (suite->nr + 1) * sizeof(*more));
	struct bench_network *n;
	struct stat st;

	if (!more)
		return failure(cmd, "out of memory");
	suite->network = more;
	if (stat(path, &st))
		return usage_error(cmd, "%s: %s", path, strerror(errno));
	n = &more[suite->nr];
	*n = (struct bench_network){
		.path = strdup(path), .title = strdup(title), .weight = WEIGHT_BASE + (uint64_t)st.st_size,
	};
	suite->nr++;
	return n->path && n->title ? 0 : failure(cmd, "out of memory");
}

/* The suites of a folder in words */
static void list_suites(const char *folder, char *text, size_t size)
{
	struct dirent **entries;
	size_t used = 0;
	int n = scandir(folder, &entries, NULL, alphasort);

	snprintf(text, size, "there are none in %s", folder);
	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.' && used < size)
			used += snprintf(text + used, size - used, "%s%s", used ? ", " : "there are ",
					 entries[i]->d_name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static int unknown(const char *cmd, const char *folder, const char *name)
{
	char path[4096], text[8192];

	snprintf(path, sizeof(path), "%s/suites", folder);
	list_suites(path, text, sizeof(text));
	return usage_error(cmd, "no suite \"%s\": %s; a model file ends in .onnx", name, text);
}

/* A line: path from the suite's folder, tab, title */
static int add_line(const char *cmd, struct bench_suite *suite, const char *file, char *line)
{
	char *tab = strchr(line, '\t'), *path;
	const char *slash = strrchr(file, '/');
	int status;

	line[strcspn(line, "\n")] = '\0';
	if (!tab || tab == line)
		return failure(cmd, "%s: a line is a path, a tab and a title, not \"%s\"", file, line);
	*tab = '\0';
	if (asprintf(&path, "%.*s/%s", (int)(slash - file), file, line) < 0)
		return failure(cmd, "out of memory");
	status = add(cmd, suite, path, tab + 1);
	free(path);
	return status;
}

int bench_suite_add(const char *cmd, struct bench_suite *suite, const char *folder, const char *name)
{
	const char *base = strrchr(name, '/');
	size_t len = strlen(name), room = 0;
	char *file, *line = NULL;
	int status = 0;
	FILE *f;

	if (base || (len > 5 && !strcmp(name + len - 5, ".onnx")))
		return add(cmd, suite, name, base ? base + 1 : name);
	if (asprintf(&file, "%s/suites/%s", folder, name) < 0)
		return failure(cmd, "out of memory");
	f = len && name[0] != '.' ? fopen(file, "r") : NULL;
	if (!f) {
		free(file);
		return unknown(cmd, folder, name);
	}
	while (!status && getline(&line, &room, f) > 0)
		status = add_line(cmd, suite, file, line);
	free(line);
	fclose(f);
	free(file);
	return status;
}

void bench_suite_release(struct bench_suite *suite)
{
	for (uint32_t i = 0; i < suite->nr; i++) {
		free(suite->network[i].path);
		free(suite->network[i].title);
	}
	free(suite->network);
}
