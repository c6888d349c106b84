// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "svg.h"

static const char style[] =
	"text{font:11px sans-serif;fill:#222}"
	".title{font-size:15px;font-weight:bold}.note{fill:#666}"
	".label{font-size:10px}.head{font-weight:bold}"
	".page{fill:#fff}.frame{fill:none;stroke:#888}.grid{stroke:#e4e4e4}.axis{stroke:#888}"
	".activation{fill:#fdc98b;stroke:#b5651d}.weight{fill:#a9cce8;stroke:#2b6ca3}"
	".input{fill:#b5dfae;stroke:#3f8f36}.output{fill:#f4b0b0;stroke:#b03a3a}"
	".other{fill:#ddd;stroke:#777}.moving{fill-opacity:.45;stroke-dasharray:2 2}"
	".operation{fill:#c9c3e6;stroke:#6a5fa8}.fetch{fill:#a9cce8;stroke:#2b6ca3}"
	".writeback{fill:#f4b0b0;stroke:#b03a3a}.scrub{fill:#ddd;stroke:#777}"
	".held{fill:#b9b9b9}.scattered{fill:#d9534f}.rate{fill:#8fbf9f;stroke:#3c7a52}"
	".mark{stroke:#c0392b;stroke-width:1.5;stroke-dasharray:6 3}.marked{fill:#c0392b}"
	".bar0{fill:#9e9e9e}.bar1{fill:#8fbbe0}.bar2{fill:#c9b6e4}.bar3{fill:#f0a35c}"
	".bar4{fill:#6fb98f}.bar5{fill:#d8d8d8}"
	".published{fill:none;stroke:#c0392b;stroke-width:2}"
	".point{fill:#2b6ca3;fill-opacity:.55}.front{fill:none;stroke:#c0392b;stroke-width:1.5}";

void svg_begin(FILE *out, double width, double height, const char *title)
{
	width = ceil(width);
	height = ceil(height);
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n<title>",
		width, height, width, height);
	write_xml(out, title, 0);
	fprintf(out, "</title>\n<style>%s</style>\n", style);
	svg_rect(out, 0, 0, width, height, "page", 0);
}

void svg_end(FILE *out)
{
	fputs("</svg>\n", out);
}

void svg_rect(FILE *out, double x, double y, double width, double height, const char *class, int tip)
{
	fprintf(out, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" class=\"%s\"%s", x, y,
		width, height, class, tip ? ">" : "/>\n");
}

static char *print(const char *fmt, va_list ap)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	vfprintf(f, fmt, ap);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

void svg_tip(FILE *out, const char *element, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = print(fmt, ap);
	va_end(ap);
	fputs("<title>", out);
	write_xml(out, text ? text : "", 0);
	fprintf(out, "</title></%s>\n", element);
	free(text);
}

void svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *class)
{
	fprintf(out, "<line x1=\"%.2f\" y1=\"%.2f\" x2=\"%.2f\" y2=\"%.2f\" class=\"%s\"/>\n", x1, y1, x2, y2,
		class);
}

void svg_text(FILE *out, double x, double y, const char *anchor, const char *class, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = print(fmt, ap);
	va_end(ap);
	fprintf(out, "<text x=\"%.2f\" y=\"%.2f\" text-anchor=\"%s\" class=\"%s\">", x, y, anchor, class);
	write_xml(out, text ? text : "", 0);
	fputs("</text>\n", out);
	free(text);
}

void svg_label(FILE *out, double x, double y, double width, double height, const char *text)
{
	/* An ellipsis is wider than a character */
	double room = (width - 10) / SVG_CHARACTER;

	if (room < 3 || height < 11)
		return;
	fprintf(out, "<text x=\"%.2f\" y=\"%.2f\" class=\"label\" pointer-events=\"none\">", x + 2,
		y + height / 2 + 3.5);
	write_xml(out, text, (size_t)room);
	fputs("</text>\n", out);
}

void svg_turned(FILE *out, double x, double y, size_t most, const char *text)
{
	fprintf(out, "<text x=\"%.2f\" y=\"%.2f\" class=\"label\" transform=\"rotate(60 %.2f %.2f)\">", x, y, x, y);
	write_xml(out, text, most);
	fputs("</text>\n", out);
}

uint64_t svg_nice_step(double least)
{
	uint64_t step = 1;

	for (;;) {
		static const unsigned int times[] = { 1, 2, 5 };

		for (int i = 0; i < 3; i++)
			if ((double)(times[i] * step) >= least)
				return times[i] * step;
		if (step > UINT64_MAX / 100)
			return step;
		step *= 10;
	}
}
