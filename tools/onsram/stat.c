// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "look.h"
#include "prometheus.h"
#include "save.h"

#define CMD "stat"

static void help(void)
{
	printf("usage: onsram stat [--watch] [--interval SECONDS] [--count N] [--json]\n"
	       "       onsram stat --prometheus [--output FILE]\n\n"
	       "Print the device's SPM statistics, as its sysfs attributes spm/* tell them.\n\n"
	       "  --watch             again every second, with the change since the last time\n"
	       "  --interval SECONDS  how often --watch looks (1 to 3600, default 1)\n"
	       "  --count N           stop after so many looks\n"
	       "  --json              one JSON object per look\n"
	       "  --prometheus        one look in Prometheus' text format\n"
	       "  --output FILE       to a file, in one step, as node_exporter's textfile collector\n"
	       "                      wants it\n");
}

/* "  (+12, 6.0/s)": what changed since the last look, and how fast */
static void print_change(const struct look *l, const struct look *before, const char *name)
{
	uint64_t value, old;
	double seconds = (l->ns - before->ns) / 1e9;

	if (!look_number(l, name, &value) || !look_number(before, name, &old) || value == old)
		return;
	printf("  (%+lld, %.4g/s)", (long long)(value - old), (double)(int64_t)(value - old) / seconds);
}

static void print_text(const struct look *l, const struct look *before)
{
	int i;

	for (i = 0; i < l->nr; i++) {
		if (!l->values[i])	/* write-only, or gone meanwhile */
			continue;
		printf("%-20s %s", l->names[i]->d_name, l->values[i]);
		print_change(l, before, l->names[i]->d_name);
		putchar('\n');
	}
}

static void print_object(const struct look *l)
{
	struct json_object *o = json_object_new_object();
	uint64_t value;
	int i;

	for (i = 0; i < l->nr; i++) {
		if (look_number(l, l->names[i]->d_name, &value))
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

	while (!(status = look_take(CMD, &l, dir))) {
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
	look_release(&before);
	return status;
}

struct metrics {
	const struct look *look;
	const char *device;
};

static int write_metrics(FILE *out, const void *ctx)
{
	const struct metrics *m = ctx;

	print_prometheus(out, m->look, m->device);
	return 0;
}

static int prometheus(const char *dir, const char *file)
{
	char device[LOOK_DEVICE_SIZE];
	struct look l;
	int status = look_take(CMD, &l, dir);

	if (status)
		return status;
	look_device(dir, device);
	if (file)
		status = save_file(CMD, file, write_metrics, &(struct metrics){ &l, device });
	else
		print_prometheus(stdout, &l, device);
	look_release(&l);
	return status;
}

int cmd_stat(int argc, char **argv)
{
	static const struct option options[] = {
		{ "watch", no_argument, NULL, 'w' },
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "prometheus", no_argument, NULL, 'p' },
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t interval = 1, count = UINT64_MAX;
	bool json = false, watch = false, metrics = false;
	const char *file = NULL;
	char dir[96];
	int c, status;

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
		case 'p':
			metrics = true;
			break;
		case 'o':
			file = optarg;
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
	if (metrics && (watch || json))
		return usage_error(CMD, "--prometheus is one look, without --watch and --json");
	if (file && !metrics)
		return usage_error(CMD, "--output goes with --prometheus");
	status = look_dir(CMD, dir, sizeof(dir));
	if (status)
		return status;
	return metrics ? prometheus(dir, file) : show(dir, json, watch ? count : 1, interval);
}
