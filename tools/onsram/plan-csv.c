// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "plan-csv.h"

enum column { ID, LOWER, UPPER, SIZE, NR_COLUMNS };

static const char *const column_names[NR_COLUMNS] = { "id", "lower", "upper", "size" };

/* More columns than the four are allowed and ignored. */
#define MAX_COLUMNS 32

struct id {
	char *text;
	unsigned int line;
};

struct problem {
	const char *cmd;
	const char *path;
	uint64_t capacity;
	unsigned int line;
	bool has_header;
	int column[NR_COLUMNS];	/* where in a line */
	struct id *ids;
	struct onsram_rect *rects;
	size_t nr;
	size_t room;
};

/* What is wrong with the problem, and where */
static int bad(const struct problem *p, unsigned int line, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (line)
		return usage_error(p->cmd, "%s:%u: %s", p->path, line, text);
	return usage_error(p->cmd, "%s: %s", p->path, text);
}

static int split(char *line, char **field)
{
	int n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (n < MAX_COLUMNS) {
		char *comma = strchr(line, ',');

		field[n++] = line;
		if (!comma)
			break;
		*comma = '\0';
		line = comma + 1;
	}
	return n;
}

static int parse_header(struct problem *p, char *line)
{
	char *field[MAX_COLUMNS];
	int n = split(line, field), i, c;

	for (c = 0; c < NR_COLUMNS; c++) {
		p->column[c] = -1;
		for (i = 0; i < n; i++)
			if (!strcmp(field[i], column_names[c]))
				p->column[c] = i;
		if (p->column[c] < 0)
			return bad(p, p->line, "the first line names no column \"%s\"", column_names[c]);
	}
	p->has_header = true;
	return 0;
}

static int grow(struct problem *p)
{
	size_t room = p->room ? 2 * p->room : 256;
	struct onsram_rect *rects = reallocarray(p->rects, room, sizeof(*rects));
	struct id *ids;

	if (!rects)
		return -1;
	p->rects = rects;
	ids = reallocarray(p->ids, room, sizeof(*ids));
	if (!ids)
		return -1;
	p->ids = ids;
	p->room = room;
	return 0;
}

static int parse_line(struct problem *p, char *line)
{
	char *field[MAX_COLUMNS];
	int n = split(line, field), c;
	uint64_t value[NR_COLUMNS];

	for (c = 0; c < NR_COLUMNS; c++) {
		if (p->column[c] >= n)
			return bad(p, p->line, "no column \"%s\"", column_names[c]);
		if (c != ID && parse_u64(field[p->column[c]], 0, INT64_MAX, &value[c]))
			return bad(p, p->line, "\"%s\" is no %s", field[p->column[c]], column_names[c]);
	}
	if (!*field[p->column[ID]])
		return bad(p, p->line, "the id is empty");
	if (value[LOWER] >= value[UPPER])
		return bad(p, p->line, "lower is not below upper");
	if (!value[SIZE])
		return bad(p, p->line, "the size is 0");
	if (value[SIZE] > p->capacity)
		return bad(p, p->line, "a size of %llu is more than the capacity",
			   (unsigned long long)value[SIZE]);
	if (p->nr == p->room && grow(p))
		return failure(p->cmd, "out of memory");
	p->ids[p->nr] = (struct id){ strdup(field[p->column[ID]]), p->line };
	if (!p->ids[p->nr].text)
		return failure(p->cmd, "out of memory");
	p->rects[p->nr++] = (struct onsram_rect){
		.lower = value[LOWER], .upper = value[UPPER], .size = value[SIZE],
	};
	return 0;
}

static int by_text(const void *a, const void *b)
{
	const struct id *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : x->line < y->line ? -1 : x->line > y->line;
}

/* No two buffers have the same id */
static int check_ids(const struct problem *p)
{
	struct id *sorted = calloc(p->nr + 1, sizeof(*sorted));
	int status = 0;

	if (!sorted)
		return failure(p->cmd, "out of memory");
	memcpy(sorted, p->ids, p->nr * sizeof(*sorted));
	qsort(sorted, p->nr, sizeof(*sorted), by_text);
	for (size_t i = 1; i < p->nr && !status; i++)
		if (!strcmp(sorted[i - 1].text, sorted[i].text))
			status = bad(p, sorted[i].line, "the id \"%s\" is that of line %u, too",
				     sorted[i].text, sorted[i - 1].line);
	free(sorted);
	return status;
}

static int read_problem(struct problem *p)
{
	FILE *f = fopen(p->path, "re");
	char *line = NULL;
	size_t size = 0;
	int status = 0;

	if (!f)
		return failure(p->cmd, "%s: %s", p->path, strerror(errno));
	while (!status && getline(&line, &size, f) >= 0) {
		p->line++;
		if (line[strspn(line, " \t\r\n")] == '\0')
			continue;
		status = p->has_header ? parse_line(p, line) : parse_header(p, line);
	}
	if (!status && ferror(f))
		status = failure(p->cmd, "%s: %s", p->path, strerror(errno));
	else if (!status && !p->has_header)
		status = bad(p, 0, "the file is empty");
	if (!status)
		status = check_ids(p);
	free(line);
	fclose(f);
	return status;
}

static int write_to(const struct problem *p, const char *path)
{
	FILE *f = fopen(path, "we");
	size_t i;

	if (!f)
		return failure(p->cmd, "%s: %s", path, strerror(errno));
	fprintf(f, "id,lower,upper,size,offset\n");
	for (i = 0; i < p->nr; i++)
		fprintf(f, "%s,%llu,%llu,%llu,%llu\n", p->ids[i].text,
			(unsigned long long)p->rects[i].lower,
			(unsigned long long)p->rects[i].upper,
			(unsigned long long)p->rects[i].size,
			(unsigned long long)p->rects[i].offset);
	if (ferror(f) | fclose(f))
		return failure(p->cmd, "%s: %s", path, strerror(errno));
	return 0;
}

/* Whole or not at all: what was there before stays until all has been written */
static int write_solution(const struct problem *p, const char *path)
{
	char *part;
	int status;

	if (asprintf(&part, "%s.part", path) < 0)
		return failure(p->cmd, "out of memory");
	status = write_to(p, part);
	if (!status && rename(part, path))
		status = failure(p->cmd, "%s: %s", path, strerror(errno));
	if (status)
		unlink(part);
	free(part);
	return status;
}

static bool before(void *end_ns)
{
	return now_ns() < *(uint64_t *)end_ns;
}

static int solve(struct problem *p, uint64_t seconds, const char *solution)
{
	uint64_t end_ns = now_ns() + seconds * 1000000000, height;
	const struct onsram_clock clock = { before, &end_ns };
	enum onsram_allocated found;
	int status;

	progress_update(p->cmd, "placing buffers", 0, 0);
	found = onsram_allocate(p->rects, p->nr, p->capacity, &clock, &height);
	progress_end();
	if (found == ONSRAM_ALLOCATE_NO_MEMORY)
		return failure(p->cmd, "out of memory");
	if (found == ONSRAM_ALLOCATE_INVALID)
		return bad(p, 0, "the sizes add up to more than 63 bits");
	status = write_solution(p, solution);
	if (status || found == ONSRAM_ALLOCATED)
		return status;
	failure(p->cmd, "%s: %s of its %zu buffers in %llu bytes%s; the lowest one found, of %llu bytes, is in %s",
		p->path, found == ONSRAM_ALLOCATE_IMPOSSIBLE ? "there is no placement" :
							       "no placement was found",
		p->nr, (unsigned long long)p->capacity,
		found == ONSRAM_ALLOCATE_IMPOSSIBLE ? "" : " in time", (unsigned long long)height, solution);
	return STATUS_HIGHER;
}

int plan_csv(const char *cmd, const char *problem, uint64_t capacity, uint64_t seconds, const char *solution)
{
	struct problem p = { .cmd = cmd, .path = problem, .capacity = capacity };
	int status = read_problem(&p);
	size_t i;

	if (!status)
		status = solve(&p, seconds, solution);
	for (i = 0; i < p.nr; i++)
		free(p.ids[i].text);
	free(p.ids);
	free(p.rects);
	return status;
}
