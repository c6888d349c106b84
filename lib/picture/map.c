// SPDX-License-Identifier: MIT
/* The SPM's map above the engines' time line. */
#include <stdlib.h>

#include "picture.h"
#include "svg.h"

#define LEFT		92
#define RIGHT		136
#define MAP_TOP		78
#define MAP_HEIGHT	340
#define LEVEL_HEIGHT	56
#define ROW_HEIGHT	26
#define RATE_HEIGHT	64
/* Names of operations, turned by 60 degrees */
#define NAME_LENGTH	18
#define NAME_HEIGHT	(SVG_CHARACTER * 0.87)
/* Fewer operations than that are named below the map */
#define NAMED_OPS	90
#define LEAST_WIDTH	1180
#define OP_WIDTH	4

struct map {
	FILE *out;
	const struct onsram_record *r;
	double width;
	double y;	/* where the next part begins */
};

static double op_x(const struct map *m, double op)
{
	return LEFT + m->width * op / m->r->nr_ops;
}

static double time_x(const struct map *m, uint64_t ps)
{
	return LEFT + m->width * ((double)ps / (double)(m->r->time_ps ? m->r->time_ps : 1));
}

static double address_y(const struct map *m, uint64_t address)
{
	return MAP_TOP + MAP_HEIGHT * (1 - (double)address / (double)m->r->spm_size);
}

static void head(const struct map *m)
{
	const struct onsram_record *r = m->r;
	char time[24], base[24], bound[24], spm[24];
	double x = LEFT;

	format_time(r->time_ps, time, sizeof(time));
	format_time(r->baseline_ps, base, sizeof(base));
	format_time(r->bound_ps, bound, sizeof(bound));
	format_bytes(r->spm_size, spm, sizeof(spm));
	svg_text(m->out, LEFT, 22, "start", "title", "%s under %s: %s", r->network, r->policy, time);
	svg_text(m->out, LEFT, 40, "start", "note", "%s; %u operations, SPM of %s%s%s; no policy is faster than %s",
		 r->origin, r->nr_ops, spm, r->baseline_ps ? "; with nothing held " : "",
		 r->baseline_ps ? base : "", bound);
	for (int kind = 0; kind < ONSRAM_RECORD_KIND_COUNT; kind++) {
		const char *name = onsram_record_kind_name(kind);

		svg_rect(m->out, x, 52, 12, 12, name, 0);
		svg_text(m->out, x + 17, 62, "start", "label", "%s", name);
		x += 90;
	}
	svg_rect(m->out, x, 52, 12, 12, "activation moving", 0);
	svg_text(m->out, x + 17, 62, "start", "label", "place taken for a fetch or write-back");
	svg_rect(m->out, x + 215, 52, 12, 12, "scattered", 0);
	svg_text(m->out, x + 232, 62, "start", "label", "free, but not in the largest free piece");
}

static void axes(const struct map *m)
{
	const struct onsram_record *r = m->r;
	uint64_t step = svg_nice_step(46.0 * r->nr_ops / m->width);
	char text[24];

	for (int i = 0; i <= 4; i++) {
		uint64_t address = r->spm_size / 4 * i;

		format_bytes(address, text, sizeof(text));
		svg_line(m->out, LEFT, address_y(m, address), LEFT + m->width, address_y(m, address), "grid");
		svg_text(m->out, LEFT - 6, address_y(m, address) + 4, "end", "label", "%s", text);
	}
	for (uint64_t op = 0; op < r->nr_ops; op += step) {
		svg_line(m->out, op_x(m, op), MAP_TOP, op_x(m, op), MAP_TOP + MAP_HEIGHT, "grid");
		svg_text(m->out, op_x(m, op + 0.5), MAP_TOP + MAP_HEIGHT + LEVEL_HEIGHT + 24, "middle", "label",
			 "%llu", (unsigned long long)op);
	}
	svg_text(m->out, LEFT - 6, MAP_TOP + MAP_HEIGHT + LEVEL_HEIGHT + 24, "end", "head", "operation");
}

/* One rectangle of a stay: where its bytes serve, or where its place waits for them */
static void part(const struct map *m, const struct onsram_record_stay *s, uint32_t first, uint32_t end, bool moving)
{
	const struct onsram_record *r = m->r;
	const struct onsram_record_tensor *t = s->tensor < r->nr_tensors ? &r->tensors[s->tensor] : NULL;
	double x = op_x(m, first), width = op_x(m, end) - x;
	double y = address_y(m, s->offset + s->bytes), height = address_y(m, s->offset) - y;
	char class[32], bytes[24], of[24], from[24], to[24];

	if (first >= end)
		return;
	snprintf(class, sizeof(class), "%s%s", t ? onsram_record_kind_name(t->kind) : "other",
		 moving ? " moving" : "");
	format_bytes(s->bytes, bytes, sizeof(bytes));
	format_bytes(t ? t->bytes : s->bytes, of, sizeof(of));
	format_time(s->from_ps, from, sizeof(from));
	format_time(s->to_ps, to, sizeof(to));
	svg_rect(m->out, x, y, width, height, class, 1);
	svg_tip(m->out, "rect", "%s (%s)\n%s of %s from byte %llu, at %#llx\noperations %u to %u, place taken %u to %u\n%s to %s",
		t ? t->name : "of another network", t ? onsram_record_kind_name(t->kind) : "unknown", bytes, of,
		(unsigned long long)s->begin, (unsigned long long)s->offset, s->first_op, s->last_op,
		s->reserve_op, s->release_op - 1, from, to);
	if (t && !moving)
		svg_label(m->out, x, y, width, height, t->name);
}

static void stays(const struct map *m)
{
	for (uint32_t k = 0; k < m->r->nr_stays; k++) {
		const struct onsram_record_stay *s = &m->r->stays[k];

		part(m, s, s->reserve_op, s->first_op, true);
		part(m, s, s->last_op + 1, s->release_op, true);
		part(m, s, s->first_op, s->last_op + 1, false);
	}
}

/* Held bytes from below, free ones that are of no use to the largest tensor from above */
static int levels(struct map *m)
{
	struct onsram_record_level *level = onsram_record_levels(m->r);
	double y = MAP_TOP + MAP_HEIGHT + 8, scale = LEVEL_HEIGHT / (double)m->r->spm_size;
	uint64_t peak = 0;
	char text[24];

	if (!level)
		return -1;
	svg_text(m->out, LEFT - 6, y + 14, "end", "label", "held and");
	svg_text(m->out, LEFT - 6, y + 27, "end", "label", "fragmented");
	for (uint32_t i = 0; i < m->r->nr_ops; i++) {
		double x = op_x(m, i), width = op_x(m, i + 1) - x;
		uint64_t free_bytes = m->r->spm_size - (level[i].held < m->r->spm_size ? level[i].held : m->r->spm_size);
		double scattered = (double)(free_bytes - level[i].free_largest) * scale;
		double held = (double)level[i].held * scale;

		peak = level[i].held > peak ? level[i].held : peak;
		if (level[i].held)
			svg_rect(m->out, x, y + LEVEL_HEIGHT - held, width, held, "held", 0);
		if (scattered >= 0.01)
			svg_rect(m->out, x, y, width, scattered, "scattered", 0);
	}
	svg_rect(m->out, LEFT, y, m->width, LEVEL_HEIGHT, "frame", 0);
	format_bytes(peak, text, sizeof(text));
	svg_line(m->out, LEFT, y + LEVEL_HEIGHT - (double)peak * scale, LEFT + m->width,
		 y + LEVEL_HEIGHT - (double)peak * scale, "mark");
	svg_text(m->out, LEFT + m->width + 5, y + LEVEL_HEIGHT - (double)peak * scale + 4, "start", "label marked",
		 "most held %s", text);
	free(level);
	return 0;
}

static void high_water(const struct map *m)
{
	uint64_t top = 0;
	char text[24];

	for (uint32_t k = 0; k < m->r->nr_stays; k++)
		if (m->r->stays[k].offset + m->r->stays[k].bytes > top)
			top = m->r->stays[k].offset + m->r->stays[k].bytes;
	format_bytes(top, text, sizeof(text));
	svg_line(m->out, LEFT, address_y(m, top), LEFT + m->width, address_y(m, top), "mark");
	svg_text(m->out, LEFT + m->width + 5, address_y(m, top) + 4, "start", "label marked", "high water %s", text);
}

/* Height of the longest name */
static double names_height(const struct map *m)
{
	size_t most = 0;

	for (uint32_t k = 0; k < m->r->nr_tasks; k++) {
		const struct onsram_record_task *t = &m->r->tasks[k];
		size_t n = t->what == ONSRAM_RECORD_OPERATION ? text_length(t->name) : 0;

		most = n > most ? n : most;
	}
	return 16 + NAME_HEIGHT * (double)(most < NAME_LENGTH ? most : NAME_LENGTH);
}

static void names(const struct map *m)
{
	for (uint32_t k = 0, op = 0; k < m->r->nr_tasks; k++) {
		const struct onsram_record_task *t = &m->r->tasks[k];

		if (t->what == ONSRAM_RECORD_OPERATION)
			svg_turned(m->out, op_x(m, op++ + 0.5), m->y, NAME_LENGTH, t->name);
	}
}

static void task(const struct map *m, const struct onsram_record_task *t, double y)
{
	static const char *const classes[] = { "operation", "fetch", "writeback", "scrub" };
	static const char *const what[] = { "operation", "fetch", "write-back", "zeroing" };
	const char *name = t->what == ONSRAM_RECORD_OPERATION ? t->name :
			   t->tensor < m->r->nr_tensors ? m->r->tensors[t->tensor].name : "";
	double x = time_x(m, t->start_ps), width = time_x(m, t->end_ps) - x;
	char start[24], last[24], read[24], written[24], compute[24];

	format_time(t->start_ps, start, sizeof(start));
	format_time(t->end_ps - t->start_ps, last, sizeof(last));
	format_time(t->compute_ps, compute, sizeof(compute));
	format_bytes(t->dram_read_bytes, read, sizeof(read));
	format_bytes(t->dram_write_bytes, written, sizeof(written));
	svg_rect(m->out, x, y + 3, width, ROW_HEIGHT - 6, classes[t->what], 1);
	svg_tip(m->out, "rect", "%s %s\nfrom %s for %s\narithmetic %s\nDRAM: %s read, %s written", what[t->what], name,
		start, last, compute, read, written);
	svg_label(m->out, x, y + 3, width, ROW_HEIGHT - 6, name);
}

static void engines(struct map *m)
{
	for (uint32_t e = 0; e < m->r->engines; e++) {
		svg_rect(m->out, LEFT, m->y, m->width, ROW_HEIGHT, "frame", 0);
		if (e + 1 == m->r->engines)
			svg_text(m->out, LEFT - 6, m->y + 17, "end", "head", "copy engine");
		else
			svg_text(m->out, LEFT - 6, m->y + 17, "end", "head", "compute %u", e);
		for (uint32_t k = 0; k < m->r->nr_tasks; k++)
			if (m->r->tasks[k].engine == e)
				task(m, &m->r->tasks[k], m->y);
		m->y += ROW_HEIGHT + 4;
	}
}

static int rate(struct map *m)
{
	uint32_t n;
	struct onsram_record_step *step = onsram_record_bandwidth(m->r, &n);
	double bottom = m->y + RATE_HEIGHT, value = 0, bw = (double)(m->r->dram_bw ? m->r->dram_bw : 1);

	if (!step)
		return -1;
	fprintf(m->out, "<path class=\"rate\" d=\"M%d %.2f", LEFT, bottom);
	for (uint32_t k = 0; k < n; k++) {
		double x = time_x(m, step[k].ps), share = step[k].value / bw;

		fprintf(m->out, "L%.2f %.2fL%.2f %.2f", x, bottom - RATE_HEIGHT * value, x,
			bottom - RATE_HEIGHT * (share < 1 ? share : 1));
		value = share < 1 ? share : 1;
	}
	fprintf(m->out, "Z\"/>\n");
	svg_rect(m->out, LEFT, m->y, m->width, RATE_HEIGHT, "frame", 0);
	svg_text(m->out, LEFT - 6, m->y + RATE_HEIGHT / 2, "end", "head", "DRAM");
	svg_text(m->out, LEFT + m->width + 5, m->y + 9, "start", "label", "%.3g GB/s", bw / 1e9);
	m->y = bottom;
	free(step);
	return 0;
}

static void clock_axis(struct map *m)
{
	uint64_t step = svg_nice_step(84.0 * (double)m->r->time_ps / m->width);

	/* No two steps closer than 84 pixels, so that there are few */
	for (uint64_t ps = 0; ps <= m->r->time_ps; ps += step) {
		char text[24];

		format_time(ps, text, sizeof(text));
		if (!ps)
			snprintf(text, sizeof(text), "0");
		svg_line(m->out, time_x(m, ps), m->y, time_x(m, ps), m->y + 5, "axis");
		svg_text(m->out, time_x(m, ps), m->y + 17, "middle", "label", "%s", text);
		if (ps > UINT64_MAX - step)
			break;
	}
	svg_text(m->out, LEFT - 6, m->y + 17, "end", "head", "time");
	m->y += 30;
}

int picture_map(FILE *out, const struct onsram_record *r)
{
	struct map m = { .out = out, .r = r, .width = LEAST_WIDTH };
	double height, named = r->nr_ops <= NAMED_OPS ? names_height(&m) : 0;

	if ((double)r->nr_ops * OP_WIDTH > m.width)
		m.width = (double)r->nr_ops * OP_WIDTH;
	m.y = MAP_TOP + MAP_HEIGHT + LEVEL_HEIGHT + 40;
	height = m.y + named + r->engines * (ROW_HEIGHT + 4) + RATE_HEIGHT + 44;
	svg_begin(out, LEFT + m.width + RIGHT, height, r->network);
	head(&m);
	axes(&m);
	stays(&m);
	svg_rect(out, LEFT, MAP_TOP, m.width, MAP_HEIGHT, "frame", 0);
	high_water(&m);
	if (levels(&m))
		return -1;
	if (named > 0)
		names(&m);
	m.y += named;
	engines(&m);
	if (rate(&m))
		return -1;
	clock_axis(&m);
	svg_end(out);
	return 0;
}
