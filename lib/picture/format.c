// SPDX-License-Identifier: MIT
#include <stdbool.h>

#include "format.h"
#include "perf.h"

static void format_scaled(uint64_t figure, double step, const char *const *units, char *text,
			  size_t size)
{
	double value = figure;

	if (figure == ONSRAM_BEYOND) {
		snprintf(text, size, "beyond range");
		return;
	}
	while (value >= step && units[1]) {
		value /= step;
		units++;
	}
	snprintf(text, size, "%.*f %s", value < 10 ? 3 : value < 100 ? 2 : 1, value, *units);
}

void format_time(uint64_t ps, char *text, size_t size)
{
	static const char *const units[] = { "ps", "ns", "us", "ms", "s", NULL };

	format_scaled(ps, 1000, units, text, size);
}

void format_bytes(uint64_t bytes, char *text, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", NULL };

	format_scaled(bytes, 1024, units, text, size);
}

void format_energy(uint64_t pj, char *text, size_t size)
{
	static const char *const units[] = { "pJ", "nJ", "uJ", "mJ", "J", NULL };

	format_scaled(pj, 1000, units, text, size);
}

/* The next character's bytes, 1 with @good false where they are no UTF-8 */
static size_t character(const unsigned char *p, bool *good)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
	uint32_t code = n == 1 ? *p : *p & (0x7f >> n);

	*good = *p < 0x80 || (*p >= 0xc2 && *p <= 0xf4);
	for (size_t i = 1; *good && i < n; i++) {
		*good = (p[i] & 0xc0) == 0x80;
		code = code << 6 | (p[i] & 0x3f);
	}
	*good = *good && code >= least[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) &&
		(code >= 0x20 || code == '\t' || code == '\n') && code != 0x7f && code != 0xfffe && code != 0xffff;
	return *good ? n : 1;
}

size_t text_length(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n = 0;
	bool good;

	for (; *p; n++)
		p += character(p, &good);
	return n;
}

static void write_characters(FILE *out, const char *text, size_t most,
			     const char *(*special)(unsigned char c))
{
	const unsigned char *p = (const unsigned char *)text;

	for (size_t left = most; *p; left--) {
		bool good;
		size_t n = character(p, &good);
		const char *other = n == 1 && good ? special(*p) : NULL;

		if (most && left == 1 && p[n]) {
			fputs("\xe2\x80\xa6", out);
			return;
		}
		if (!good)
			fputs("\xef\xbf\xbd", out);
		else if (other)
			fputs(other, out);
		else
			fwrite(p, 1, n, out);
		p += n;
	}
}

static const char *special_xml(unsigned char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

void write_xml(FILE *out, const char *text, size_t most)
{
	write_characters(out, text, most, special_xml);
}

static const char *special_json(unsigned char c)
{
	switch (c) {
	case '"': return "\\\"";
	case '\\': return "\\\\";
	case '\t': return "\\t";
	case '\n': return "\\n";
	/* A trace may stand in a page's script element */
	case '<': return "\\u003c";
	default: return NULL;
	}
}

void write_json(FILE *out, const char *text)
{
	fputc('"', out);
	write_characters(out, text, 0, special_json);
	fputc('"', out);
}
