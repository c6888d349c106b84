// SPDX-License-Identifier: MIT
/*
 * The statistics are what sysfs has under spm/, attribute by attribute: a
 * driver that counts more shows more, and nobody needs access to the device node.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "device.h"

#define CMD "stat"

static void help(void)
{
	printf("usage: onsram stat [--watch] [--interval SECONDS] [--count N] [--json]\n\n"
	       "Print the device's SPM statistics, as its sysfs attributes spm/* tell them.\n\n"
	       "  --watch             again every second, with the change since the last time\n"
	       "  --interval SECONDS  how often --watch looks (1 to 3600, default 1)\n"
	       "  --count N           stop after so many looks\n"
	       "  --json              one JSON object per look\n");
}

struct look {
	struct dirent **names;
	int nr;
	char **values;
};

static int is_attribute(const struct dirent *e)
{
	return e->d_type == DT_REG;
}

static void look_release(struct look *l)
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

static char *read_value(const char *dir, const char *name)
{
	char text[4096];
	size_t n;
	char *path;
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

static int look_take(struct look *l, const char *dir)
{
	int i;

	*l = (struct look){ 0 };
	l->nr = scandir(dir, &l->names, is_attribute, alphasort);
	if (l->nr < 0) {
		l->nr = 0;
		return failure(CMD, "%s: %s", dir, strerror(errno));
	}
	l->values = calloc(l->nr + 1, sizeof(*l->values));
	for (i = 0; l->values && i < l->nr; i++)
		l->values[i] = read_value(dir, l->names[i]->d_name);
	return l->values ? 0 : failure(CMD, "out of memory");
}

static bool is_number(const char *text, uint64_t *value)
{
	return text && !parse_u64(text, 0, UINT64_MAX, value);
}

static const char *former(const struct look *before, const char *name)
{
	int i;

	for (i = 0; i < before->nr; i++)
		if (!strcmp(before->names[i]->d_name, name))
			return before->values[i];
	return NULL;
}

static void print_text(const struct look *l, const struct look *before)
{
	uint64_t value, old;
	int i;

	for (i = 0; i < l->nr; i++) {
		const char *name = l->names[i]->d_name;

		if (!l->values[i])	/* write-only, or gone meanwhile */
			continue;
		printf("%-20s %s", name, l->values[i]);
		if (is_number(l->values[i], &value) && is_number(former(before, name), &old) &&
		    value != old)
			printf("  (%+lld)", (long long)(value - old));
		putchar('\n');
	}
}

static void print_object(const struct look *l)
{
	struct json_object *o = json_object_new_object();
	uint64_t value;
	int i;

	for (i = 0; i < l->nr; i++) {
		if (is_number(l->values[i], &value))
			json_add_u64(o, l->names[i]->d_name, value);
		else if (l->values[i])
			json_object_object_add(o, l->names[i]->d_name,
					       json_object_new_string(l->values[i]));
	}
	print_json(o);
}

static int show(const char *dir, bool json, uint64_t looks, unsigned int seconds)
{
	struct look before = { 0 }, l;
	bool first = true;
	int status;

	while (!(status = look_take(&l, dir))) {
		if (json) {
			print_object(&l);
		} else {
			if (!first)
				putchar('\n');
			print_text(&l, &before);
		}
		fflush(stdout);
		look_release(&before);
		before = l;
		first = false;
		if (!--looks || ferror(stdout))
			break;
		sleep(seconds);
	}
	if (status)
		look_release(&l);
	look_release(&before);
	return status;
}

int cmd_stat(int argc, char **argv)
{
	static const struct option options[] = {
		{ "watch", no_argument, NULL, 'w' },
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t interval = 1, count = UINT64_MAX;
	bool json = false, watch = false;
	char dir[96];
	int c, index;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case 'w':
			watch = true;
			break;
		case 'i':
			if (parse_u64(optarg, 1, 3600, &interval))
				return usage_error(CMD, "--interval is a number from 1 to 3600, not \"%s\"",
						   optarg);
			break;
		case 'n':
			if (parse_u64(optarg, 1, UINT64_MAX, &count))
				return usage_error(CMD, "--count is a number of at least 1, not \"%s\"",
						   optarg);
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			help();
			return 0;
		default:
			return bad_option(CMD, c, argv);
		}
	}
	if (optind < argc)
		return usage_error(CMD, "takes no argument such as \"%s\"", argv[optind]);
	index = onsram_sysfs_find();
	if (index < 0)
		return failure(CMD, "no onsram device: nothing in /sys/class/accel belongs to the driver \"onsram\"; is the module loaded?");
	onsram_sysfs_dir(index, dir, sizeof(dir) - sizeof("/spm"));
	strcat(dir, "/spm");
	return show(dir, json, watch ? count : 1, interval);
}
