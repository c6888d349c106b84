// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "plan-csv.h"

enum column { ID, LOWER, UPPER, SIZE, NR_COLUMNS };

static const char *const column_names[NR_COLUMNS] = { "id", "lower", "upper", "size" };

/* More columns than the four are allowed and ignored. */
#define MAX_COLUMNS 32

struct problem {
	const char *cmd;
	const char *path;
	unsigned int line;
	bool has_header;
	int column[NR_COLUMNS];	/* where in a line */
	char **ids;
	struct onsram_rect *rects;
	size_t nr;
	size_t room;
};

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
			return failure(p->cmd, "%s: the first line names no column \"%s\"", p->path,
				       column_names[c]);
	}
	p->has_header = true;
	return 0;
}

static int grow(struct problem *p)
{
	size_t room = p->room ? 2 * p->room : 256;
	struct onsram_rect *rects = reallocarray(p->rects, room, sizeof(*rects));
	char **ids;

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
			return failure(p->cmd, "%s:%u: no column \"%s\"", p->path, p->line,
				       column_names[c]);
		if (c != ID && parse_u64(field[p->column[c]], 0, INT64_MAX, &value[c]))
			return failure(p->cmd, "%s:%u: \"%s\" is no %s", p->path, p->line,
				       field[p->column[c]], column_names[c]);
	}
	if (value[LOWER] >= value[UPPER])
		return failure(p->cmd, "%s:%u: lower is not below upper", p->path, p->line);
	if (p->nr == p->room && grow(p))
		return failure(p->cmd, "out of memory");
	p->ids[p->nr] = strdup(field[p->column[ID]]);
	if (!p->ids[p->nr])
		return failure(p->cmd, "out of memory");
	p->rects[p->nr++] = (struct onsram_rect){
		.lower = value[LOWER], .upper = value[UPPER], .size = value[SIZE],
	};
	return 0;
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
		status = failure(p->cmd, "%s: the file is empty", p->path);
	free(line);
	fclose(f);
	return status;
}

static int write_solution(const struct problem *p, const char *path)
{
	FILE *f = fopen(path, "we");
	size_t i;

	if (!f)
		return failure(p->cmd, "%s: %s", path, strerror(errno));
	fprintf(f, "id,lower,upper,size,offset\n");
	for (i = 0; i < p->nr; i++)
		fprintf(f, "%s,%llu,%llu,%llu,%llu\n", p->ids[i],
			(unsigned long long)p->rects[i].lower,
			(unsigned long long)p->rects[i].upper,
			(unsigned long long)p->rects[i].size,
			(unsigned long long)p->rects[i].offset);
	if (ferror(f) | fclose(f))
		return failure(p->cmd, "%s: %s", path, strerror(errno));
	return 0;
}

int plan_csv(const char *cmd, const char *problem, uint64_t capacity, const char *solution)
{
	struct problem p = { .cmd = cmd, .path = problem };
	int status = read_problem(&p);
	size_t i;

	if (!status) {
		progress_update(cmd, "placing buffers", 0, 0);
		if (onsram_allocate(p.rects, p.nr, capacity))
			status = failure(cmd, "%s: no placement of its %zu buffers in %llu bytes was found",
					 problem, p.nr, (unsigned long long)capacity);
		else
			status = write_solution(&p, solution);
	}
	for (i = 0; i < p.nr; i++)
		free(p.ids[i]);
	free(p.ids);
	free(p.rects);
	return status;
}
