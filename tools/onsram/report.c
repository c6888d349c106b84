// SPDX-License-Identifier: MIT
/* What is in a folder, as one page. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "json-get.h"
#include "report-page.h"
#include "save.h"

#define CMD "report"
#define PAGE "report.html"

/* How a picture of this program begins, and what none of them has */
static const char ours[] = "<svg xmlns=\"http://www.w3.org/2000/svg\" ";
static const char *const foreign[] = { "<script", "<foreignObject", "href", "<!", "<?" };

struct report {
	const char *dir;
	struct dirent **files;
	int nr_files;
	FILE *body;
	uint32_t sections;
};

static void help(void)
{
	printf("usage: onsram report DIR [--output F]\n\n"
	       "Make one page of what is in DIR, and nothing else is needed to look at it: what run, bench\n"
	       "and plan printed with --json (*.json), pictures (*.svg) and traces that they wrote.\n\n"
	       "  --output F       where the page goes (default DIR/" PAGE ")\n");
}

static bool ends(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n > k && !strcmp(name + n - k, suffix);
}

static int wanted(const struct dirent *d)
{
	return ends(d->d_name, ".json") || ends(d->d_name, ".svg");
}

/* An attribute such as onload="..." */
static bool has_handler(const char *svg)
{
	for (const char *p = svg; (p = strcasestr(p, " on")); p++) {
		size_t n = strspn(p + 3, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

		if (n && p[3 + n] == '=')
			return true;
	}
	return false;
}

static bool is_ours(const char *svg)
{
	if (strncmp(svg, ours, strlen(ours)))
		return false;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (strcasestr(svg, foreign[i]))
			return false;
	return !has_handler(svg);
}

static int add_picture(struct report *r, const char *file, const char *path)
{
	size_t size;
	char *text = file_text(path, &size);
	bool good = text && is_ours(text);

	if (!text)
		return failure(CMD, "%s: %s", path, strerror(errno));
	if (good)
		page_picture(r->body, file, text, size);
	else
		failure(CMD, "warning: %s: no picture that onsram made: left out", path);
	r->sections += good;
	free(text);
	return 0;
}

static int add_trace(struct report *r, const char *file, const char *path)
{
	size_t size;
	char *text = file_text(path, &size);

	if (!text)
		return failure(CMD, "%s: %s", path, strerror(errno));
	page_trace(r->body, file, text, size);
	free(text);
	return 0;
}

static int add_json(struct report *r, const char *file, const char *path)
{
	struct json_object *o;
	int status = json_load(CMD, path, &o);
	enum page_kind kind;

	if (status)
		return status;
	kind = page_kind(o);
	if (kind == PAGE_UNKNOWN)
		failure(CMD, "warning: %s: neither a run, a bench, a plan nor a trace: left out", path);
	else if (kind == PAGE_TRACE)
		status = add_trace(r, file, path);
	else if (page_report(r->body, file, kind, o))
		status = failure(CMD, "out of memory");
	r->sections += kind != PAGE_UNKNOWN;
	json_object_put(o);
	return status;
}

/* Figures first, then pictures */
static int add_files(struct report *r)
{
	int status = 0;

	for (int pictures = 0; pictures < 2; pictures++) {
		for (int i = 0; !status && i < r->nr_files; i++) {
			const char *file = r->files[i]->d_name;
			char *path;

			if (ends(file, ".svg") != pictures)
				continue;
			if (asprintf(&path, "%s/%s", r->dir, file) < 0)
				return failure(CMD, "out of memory");
			status = pictures ? add_picture(r, file, path) : add_json(r, file, path);
			free(path);
		}
	}
	if (!status && !r->sections)
		status = failure(CMD, "%s: nothing to report: no *.json or *.svg of run, bench or plan", r->dir);
	return status;
}

struct page {
	const char *title;
	const char *body;
};

static int write_page(FILE *out, const void *ctx)
{
	const struct page *p = ctx;

	page_begin(out, p->title);
	fputs(p->body, out);
	page_end(out);
	return 0;
}

static int save(const struct report *r, const char *body, const char *output)
{
	struct page page = { .body = body };
	char *path = NULL, *title = NULL;
	int status;

	if ((!output && asprintf(&path, "%s/" PAGE, r->dir) < 0) || asprintf(&title, "onsram: %s", r->dir) < 0) {
		free(path);
		return failure(CMD, "out of memory");
	}
	page.title = title;
	status = save_file(CMD, output ? output : path, write_page, &page);
	if (!status)
		puts(output ? output : path);
	free(title);
	free(path);
	return status;
}

static int make(struct report *r, const char *output)
{
	char *body = NULL;
	size_t size;
	int status;

	r->nr_files = scandir(r->dir, &r->files, wanted, alphasort);
	if (r->nr_files < 0)
		return failure(CMD, "%s: %s", r->dir, strerror(errno));
	r->body = open_memstream(&body, &size);
	status = r->body ? add_files(r) : failure(CMD, "out of memory");
	if (r->body && fclose(r->body) && !status)
		status = failure(CMD, "out of memory");
	if (!status)
		status = save(r, body, output);
	free(body);
	for (int i = 0; i < r->nr_files; i++)
		free(r->files[i]);
	free(r->files);
	return status;
}

int cmd_report(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *output = NULL;
	struct report r = { 0 };
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			output = optarg;
			break;
		case 'h':
			help();
			return 0;
		default:
			return bad_option(CMD, c, argv);
		}
	}
	if (optind == argc)
		return usage_error(CMD, "which folder?");
	r.dir = argv[optind++];
	if (optind < argc)
		return usage_error(CMD, "one folder at a time, not \"%s\" too", argv[optind]);
	return make(&r, output);
}
