// SPDX-License-Identifier: MIT
#include <string.h>

#include "bench-draw.h"
#include "format.h"
#include "json-get.h"
#include "report-page.h"

static const char style[] =
	"body{font:14px/1.45 sans-serif;color:#222;margin:24px auto;padding:0 24px;max-width:1460px}"
	"h1{font-size:22px}h2{font-size:17px;margin-top:36px;border-bottom:1px solid #ccc}"
	"table{border-collapse:collapse;margin:10px 0}td,th{padding:3px 10px;border-bottom:1px solid #e4e4e4;text-align:right}"
	"td:first-child,th:first-child{text-align:left}figure{margin:10px 0;overflow-x:auto}summary{cursor:pointer}";

enum page_kind page_kind(struct json_object *o)
{
	struct json_object *first = json_items(o) ? json_item(o, 0) : o;

	if (json_get(o, "traceEvents"))
		return PAGE_TRACE;
	if (json_items(json_get(o, "networks")))
		return PAGE_BENCH;
	if (json_items(json_get(first, "passes")))
		return PAGE_RUN;
	return json_items(json_get(o, "tensors")) && json_get(o, "baseline_ps") ? PAGE_PLAN : PAGE_UNKNOWN;
}

void page_begin(FILE *out, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", out);
	write_xml(out, title, 0);
	fprintf(out, "</title><style>%s</style></head>\n<body><h1>", style);
	write_xml(out, title, 0);
	fputs("</h1>\n", out);
}

void page_end(FILE *out)
{
	fputs("</body></html>\n", out);
}

static void section(FILE *out, const char *what, const char *file)
{
	fprintf(out, "<h2>%s: ", what);
	write_xml(out, file, 0);
	fputs("</h2>\n", out);
}

static void cell(FILE *out, const char *text)
{
	fputs("<td>", out);
	write_xml(out, text, 0);
	fputs("</td>", out);
}

static void cell_with(FILE *out, void (*format)(uint64_t, char *, size_t), uint64_t value)
{
	char text[24];

	format(value, text, sizeof(text));
	cell(out, text);
}

static void cell_number(FILE *out, uint64_t value)
{
	fprintf(out, "<td>%llu</td>", (unsigned long long)value);
}

static void cell_ratio(FILE *out, uint64_t base, uint64_t value)
{
	if (base && value)
		fprintf(out, "<td>%.2f&times;</td>", (double)base / (double)value);
	else
		fputs("<td></td>", out);
}

static void head(FILE *out, const char *const *columns)
{
	fputs("<table><tr>", out);
	for (; *columns; columns++)
		fprintf(out, "<th>%s</th>", *columns);
	fputs("</tr>\n", out);
}

static void pass_row(FILE *out, struct json_object *run, size_t i, uint64_t base)
{
	struct json_object *p = json_item(json_get(run, "passes"), i);

	fputs("<tr>", out);
	cell(out, json_text(run, "policy"));
	cell_number(out, i + 1);
	cell_with(out, format_time, json_number(p, "time_ps"));
	cell_ratio(out, base, json_number(p, "time_ps"));
	cell_with(out, format_bytes, json_number(p, "dram_read_bytes"));
	cell_with(out, format_bytes, json_number(p, "dram_write_bytes"));
	cell_with(out, format_energy, json_number(p, "energy_pj"));
	cell_number(out, json_number(p, "spm_hits"));
	cell_number(out, json_number(p, "spm_misses"));
	cell_number(out, json_number(p, "evictions"));
	cell_number(out, json_number(p, "fallbacks"));
	fputs("</tr>\n", out);
}

static uint64_t last_time(struct json_object *run)
{
	struct json_object *passes = json_get(run, "passes");

	return json_items(passes) ? json_number(json_item(passes, json_items(passes) - 1), "time_ps") : 0;
}

static void run_section(FILE *out, struct json_object *o)
{
	static const char *const columns[] = {
		"policy", "pass", "latency", "times none", "DRAM read", "DRAM written", "energy", "hits", "misses",
		"evictions", "fallbacks", NULL,
	};
	size_t n = json_items(o) ? json_items(o) : 1;
	struct json_object *first = json_items(o) ? json_item(o, 0) : o;
	char spm[24], bound[24];
	uint64_t base = 0;

	format_bytes(json_number(first, "spm_size_bytes"), spm, sizeof(spm));
	format_time(json_number(first, "bound_ps"), bound, sizeof(bound));
	fputs("<p>", out);
	write_xml(out, json_text(first, "model"), 0);
	fprintf(out, ": %llu operations, %s, SPM %s, no policy is faster than %s; configuration ",
		(unsigned long long)json_number(first, "operations"), json_text(first, "dtype")[0] == 'f' ?
		json_text(first, "dtype") : "", spm, bound);
	write_xml(out, json_text(first, "config_hash"), 0);
	fputs("</p>\n", out);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(json_text(json_items(o) ? json_item(o, i) : o, "policy"), "none"))
			base = last_time(json_items(o) ? json_item(o, i) : o);
	head(out, columns);
	for (size_t i = 0; i < n; i++) {
		struct json_object *run = json_items(o) ? json_item(o, i) : o;

		for (size_t k = 0; k < json_items(json_get(run, "passes")); k++)
			pass_row(out, run, k, base);
	}
	fputs("</table>\n", out);
}

static int bench_section(FILE *out, struct json_object *o)
{
	static const char *const columns[] = { "network", "policy", "latency", "times none", "DRAM", "energy", "most SPM", NULL };
	struct json_object *networks = json_get(o, "networks");

	fputs("<figure>", out);
	if (bench_draw(out, o))
		return -1;
	fputs("</figure>\n<details><summary>Figures</summary>\n", out);
	head(out, columns);
	for (size_t i = 0; i < json_items(networks); i++) {
		struct json_object *network = json_item(networks, i), *policies = json_get(network, "policies");
		uint64_t base = json_number(json_get(json_get(policies, "none"), "last"), "time_ps");

		if (!json_object_is_type(policies, json_type_object))
			continue;
		json_object_object_foreach(policies, name, policy) {
			struct json_object *last = json_get(policy, "last");

			fputs("<tr>", out);
			cell(out, json_text(network, "name"));
			cell(out, name);
			cell_with(out, format_time, json_number(last, "time_ps"));
			cell_ratio(out, base, json_number(last, "time_ps"));
			cell_with(out, format_bytes, json_number(last, "dram_bytes"));
			cell_with(out, format_energy, json_number(last, "energy_pj"));
			cell_with(out, format_bytes, json_number(policy, "spm_peak_bytes"));
			fputs("</tr>\n", out);
		}
	}
	fputs("</table></details>\n", out);
	return 0;
}

static void stay_text(FILE *out, struct json_object *iv)
{
	char bytes[24];

	format_bytes(json_number(iv, "bytes"), bytes, sizeof(bytes));
	fprintf(out, "operations %llu to %llu: %s at %#llx<br>", (unsigned long long)json_number(iv, "first_op"),
		(unsigned long long)json_number(iv, "last_op"), bytes, (unsigned long long)json_number(iv, "offset"));
}

static void plan_section(FILE *out, struct json_object *o)
{
	static const char *const columns[] = { "tensor", "size", "in the SPM, or why not", NULL };
	struct json_object *tensors = json_get(o, "tensors");
	char time[24], base[24], bound[24];

	format_time(json_number(o, "time_ps"), time, sizeof(time));
	format_time(json_number(o, "baseline_ps"), base, sizeof(base));
	format_time(json_number(o, "bound_ps"), bound, sizeof(bound));
	fputs("<p>", out);
	write_xml(out, json_text(o, "model"), 0);
	fputs(" planned under ", out);
	write_xml(out, json_text(o, "policy"), 0);
	fprintf(out, ": %s, with nothing held %s, no plan is faster than %s</p>\n<details><summary>Tensors</summary>\n",
		time, base, bound);
	head(out, columns);
	for (size_t i = 0; i < json_items(tensors); i++) {
		struct json_object *t = json_item(tensors, i), *stays = json_get(t, "intervals");

		fputs("<tr>", out);
		cell(out, json_text(t, "name"));
		cell_with(out, format_bytes, json_number(t, "bytes"));
		fputs("<td>", out);
		for (size_t k = 0; k < json_items(stays); k++)
			stay_text(out, json_item(stays, k));
		if (!json_items(stays))
			write_xml(out, json_text(t, "reason"), 0);
		fputs("</td></tr>\n", out);
	}
	fputs("</table></details>\n", out);
}

int page_report(FILE *out, const char *file, enum page_kind kind, struct json_object *o)
{
	switch (kind) {
	case PAGE_BENCH:
		section(out, "Bench", file);
		return bench_section(out, o);
	case PAGE_RUN:
		section(out, "Run", file);
		run_section(out, o);
		return 0;
	case PAGE_PLAN:
		section(out, "Plan", file);
		plan_section(out, o);
		return 0;
	default:
		return 0;
	}
}

void page_picture(FILE *out, const char *file, const char *svg, size_t size)
{
	section(out, "Picture", file);
	fputs("<figure>", out);
	fwrite(svg, 1, size, out);
	fputs("</figure>\n", out);
}

static void write_base64(FILE *out, const char *text, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)text;

	for (size_t i = 0; i < size; i += 3) {
		uint32_t group = (uint32_t)p[i] << 16 | (i + 1 < size ? p[i + 1] : 0) << 8 | (i + 2 < size ? p[i + 2] : 0);

		fputc(digits[group >> 18], out);
		fputc(digits[group >> 12 & 63], out);
		fputc(i + 1 < size ? digits[group >> 6 & 63] : '=', out);
		fputc(i + 2 < size ? digits[group & 63] : '=', out);
	}
}

void page_trace(FILE *out, const char *file, const char *text, size_t size)
{
	section(out, "Trace", file);
	fputs("<p>Save it and open it in Perfetto (ui.perfetto.dev) or chrome://tracing: <a download=\"", out);
	write_xml(out, file, 0);
	fputs("\" href=\"data:application/json;base64,", out);
	write_base64(out, text, size);
	fputs("\">", out);
	write_xml(out, file, 0);
	fputs("</a></p>\n", out);
}
