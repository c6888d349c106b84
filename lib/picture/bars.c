// SPDX-License-Identifier: MIT
/* Bars of several series, network by network. */
#include "picture.h"
#include "svg.h"

#define LEFT	60
#define TOP	86
#define HEIGHT	300
#define BAR	13
#define GAP	20
#define NAMES	110
#define RIGHT	40
#define LEAST_WIDTH	860

struct chart {
	FILE *out;
	const struct picture_bars *b;
	double most;
	double group;	/* pixels from one to the next */
};

static double value_y(const struct chart *c, double value)
{
	return TOP + HEIGHT * (1 - value / c->most);
}

static double most_of(const struct picture_bars *b)
{
	double most = 1;

	for (uint32_t g = 0; g < b->nr_groups; g++) {
		for (uint32_t s = 0; s < b->nr_series; s++) {
			most = b->groups[g].value[s] > most ? b->groups[g].value[s] : most;
			most = b->groups[g].published[s] > most ? b->groups[g].published[s] : most;
		}
	}
	return most * 1.06;
}

static void legend(const struct chart *c, bool published)
{
	double x = LEFT;
	char class[8];

	for (uint32_t s = 0; s < c->b->nr_series; s++) {
		snprintf(class, sizeof(class), "bar%u", s % 6);
		svg_rect(c->out, x, 52, 12, 12, class, 0);
		svg_text(c->out, x + 17, 62, "start", "label", "%s", c->b->series[s]);
		x += 30 + SVG_CHARACTER * 1.1 * (double)text_length(c->b->series[s]);
	}
	if (published) {
		svg_line(c->out, x, 58, x + 14, 58, "published");
		svg_text(c->out, x + 19, 62, "start", "label", "as published");
	}
}

static void group(const struct chart *c, uint32_t g)
{
	const struct picture_bar_group *group = &c->b->groups[g];
	double x = LEFT + GAP / 2.0 + c->group * g;
	char class[8];

	for (uint32_t s = 0; s < c->b->nr_series; s++, x += BAR) {
		double y = value_y(c, group->value[s]);

		snprintf(class, sizeof(class), "bar%u", s % 6);
		if (group->value[s] > 0) {
			svg_rect(c->out, x, y, BAR - 2, TOP + HEIGHT - y, class, 1);
			svg_tip(c->out, "rect", "%s, %s: %.2f", group->name, c->b->series[s], group->value[s]);
		}
		if (group->published[s] > 0) {
			y = value_y(c, group->published[s]);
			fprintf(c->out, "<path class=\"published\" d=\"M%.2f %.2fh%d\">", x - 2, y, BAR + 2);
			svg_tip(c->out, "path", "%s, %s: %.2f as published", group->name, c->b->series[s],
				group->published[s]);
		}
	}
	svg_turned(c->out, LEFT + c->group * (g + 0.4), TOP + HEIGHT + 14, 18, group->name);
}

void picture_bars(FILE *out, const struct picture_bars *b)
{
	struct chart c = { .out = out, .b = b, .most = most_of(b), .group = BAR * b->nr_series + GAP };
	double width = c.group * b->nr_groups, step = c.most > 8 ? 2 : c.most > 3 ? 1 : 0.5;
	bool published = false;

	width = width < LEAST_WIDTH ? LEAST_WIDTH : width;
	for (uint32_t g = 0; g < b->nr_groups; g++)
		for (uint32_t s = 0; s < b->nr_series; s++)
			published |= b->groups[g].published[s] > 0;
	svg_begin(out, LEFT + width + RIGHT, TOP + HEIGHT + NAMES, b->title);
	svg_text(out, LEFT, 22, "start", "title", "%s", b->title);
	svg_text(out, LEFT, 40, "start", "note", "%s", b->note);
	legend(&c, published);
	for (double v = 0; v <= c.most; v += step) {
		svg_line(out, LEFT, value_y(&c, v), LEFT + width, value_y(&c, v), "grid");
		svg_text(out, LEFT - 6, value_y(&c, v) + 4, "end", "label", "%.1f", v);
	}
	svg_text(out, LEFT, TOP - 6, "end", "label", "%s", b->axis);
	for (uint32_t g = 0; g < b->nr_groups; g++)
		group(&c, g);
	svg_line(out, LEFT, value_y(&c, 1), LEFT + width, value_y(&c, 1), "axis");
	svg_line(out, LEFT, TOP + HEIGHT, LEFT + width, TOP + HEIGHT, "axis");
	svg_end(out);
}
