// SPDX-License-Identifier: MIT
/* What a bench found out, as tables, JSON and CSV. */
#include <math.h>
#include <string.h>

#include "bench.h"
#include "perf.h"

/* A column: a policy's first or last pass, or (no policy) the bound */
struct column {
	uint32_t index;	/* of the policy in the report */
	bool bound;
	bool first;
	const char *head;
	const char *pass;
};

/* Whether a policy's first pass is another one than its last: plans and rules come and are learnt */
static bool learns(const struct policy *p)
{
	return !p->modelled && p->mode != ONSRAM_RUN_GRAPH;
}

static uint32_t columns(const struct bench_report *r, struct column *column)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->policies.nr; i++) {
		const struct policy *p = r->policies.policy[i];

		if (learns(p) && r->passes > 1)
			column[n++] = (struct column){ i, false, true, p->name, "pass 1" };
		column[n++] = (struct column){
			i, false, false, p->name, learns(p) && r->passes > 1 ? "last" : p->modelled ? "model" : "",
		};
	}
	column[n++] = (struct column){ .bound = true, .head = "bound", .pass = "" };
	return n;
}

static const struct drm_onsram_stats *stats_of(const struct bench_row *row, const struct column *c)
{
	const struct measurement *m = &row->results[c->index];

	return &m->passes[c->first ? 0 : m->nr_passes - 1].cost.stats;
}

static uint64_t time_of(const struct bench_row *row, const struct column *c)
{
	return c->bound ? row->bound_ps : stats_of(row, c)->time_ps;
}

/* What the others are compared with: nothing managed, or else the first policy there is */
static struct column baseline(const struct bench_report *r)
{
	struct column c = { .head = r->policies.policy[0]->name };

	for (uint32_t i = 0; i < r->policies.nr; i++)
		if (!strcmp(r->policies.policy[i]->name, "none"))
			c = (struct column){ .index = i, .head = "none" };
	return c;
}

static bool is_baseline(const struct column *c, const struct column *base)
{
	return !c->bound && c->index == base->index && c->first == base->first;
}

static double ratio(const struct bench_row *row, const struct column *base, const struct column *c,
		    bool energy)
{
	double a = energy ? stats_of(row, base)->energy_pj : time_of(row, base);
	double b = energy ? stats_of(row, c)->energy_pj : time_of(row, c);

	return b > 0 ? a / b : 0;
}

static void head(const struct column *column, uint32_t n)
{
	printf("  %-16s", "network");
	for (uint32_t k = 0; k < n; k++)
		printf(" %12s", column[k].head);
	printf("\n  %-16s", "");
	for (uint32_t k = 0; k < n; k++)
		printf(" %12s", column[k].pass);
	putchar('\n');
}

/* The baseline's own column has amounts, the others how many times less theirs are */
static void ratios(const struct bench_report *r, const struct column *column, uint32_t n, bool energy)
{
	const struct column base = baseline(r);
	double logs[2 * NR_POLICIES + 1] = { 0 };
	uint32_t good = 0;

	head(column, n);
	for (uint32_t i = 0; i < r->nr_rows; i++) {
		const struct bench_row *row = &r->rows[i];
		char text[24];

		if (row->error)
			continue;
		good++;
		printf("  %-16.16s", row->network->title);
		if (energy)
			format_energy(stats_of(row, &base)->energy_pj, text, sizeof(text));
		else
			format_time(time_of(row, &base), text, sizeof(text));
		for (uint32_t k = 0; k < n; k++) {
			double x = ratio(row, &base, &column[k], energy);

			logs[k] += log(x);
			if (is_baseline(&column[k], &base))
				printf(" %12s", text);
			else
				printf(" %11.2fx", x);
		}
		putchar('\n');
	}
	printf("  %-16s", "geometric mean");
	for (uint32_t k = 0; k < n; k++) {
		if (is_baseline(&column[k], &base))
			printf(" %12s", "");
		else
			printf(" %11.2fx", exp(logs[k] / good));
	}
	putchar('\n');
}

static void amounts(const struct bench_report *r, const struct column *column, uint32_t n, bool peak)
{
	head(column, n);
	for (uint32_t i = 0; i < r->nr_rows; i++) {
		const struct bench_row *row = &r->rows[i];

		if (row->error)
			continue;
		printf("  %-16.16s", row->network->title);
		for (uint32_t k = 0; k < n; k++) {
			const struct drm_onsram_stats *s = stats_of(row, &column[k]);
			char text[24];

			format_bytes(peak ? row->results[column[k].index].spm_peak_bytes :
					    s->dram_read_bytes + s->dram_write_bytes, text, sizeof(text));
			printf(" %12s", text);
		}
		putchar('\n');
	}
}

void bench_report_text(const struct bench_report *r)
{
	struct column column[2 * NR_POLICIES + 1];
	uint32_t n = columns(r, column), failed = 0;
	char spm[24];

	format_bytes(r->config.spm_size, spm, sizeof(spm));
	printf("%u networks, %s, %s, performance model %s, SPM %s, configuration %016llx, %u passes%s\n",
	       r->nr_rows, r->import.dtype == ONSRAM_DTYPE_F16 ? "fp16" : "fp32",
	       r->import.fuse ? "fused" : "not fused",
	       r->config.preset == ONSRAM_PRESET_PAPER ? "paper" : "default", spm,
	       (unsigned long long)onsram_model_hash(&r->config), r->passes,
	       r->functional ? "" : ", results not computed");
	for (uint32_t i = 0; i < r->nr_rows; i++)
		failed += !!r->rows[i].error;
	if (failed < r->nr_rows) {
		/* The bound, which is the last column, is one of time alone */
		printf("\nTime, and how many times faster\n");
		ratios(r, column, n, false);
		printf("\nEnergy, and how many times less\n");
		ratios(r, column, n - 1, true);
		printf("\nBytes over DRAM\n");
		amounts(r, column, n - 1, false);
		printf("\nMost SPM taken\n");
		amounts(r, column, n - 1, true);
	}
	if (failed)
		printf("\nFailed\n");
	for (uint32_t i = 0; i < r->nr_rows; i++)
		if (r->rows[i].error)
			printf("  %-16.16s %s\n", r->rows[i].network->title, r->rows[i].error);
}

static struct json_object *cost_json(const struct measure_pass *pass)
{
	const struct drm_onsram_stats *s = &pass->cost.stats;
	struct json_object *o = json_object_new_object();

	json_add_u64(o, "time_ps", s->time_ps);
	json_add_u64(o, "energy_pj", s->energy_pj);
	json_add_u64(o, "dram_bytes", s->dram_read_bytes + s->dram_write_bytes);
	return o;
}

static struct json_object *policy_json(const struct measurement *m)
{
	struct json_object *o = cost_json(&m->passes[0]);

	if (m->nr_passes > 1)
		json_add_u64(o, "time_ps_pass2", m->passes[1].cost.stats.time_ps);
	json_object_object_add(o, "last", cost_json(&m->passes[m->nr_passes - 1]));
	json_add_u64(o, "spm_peak_bytes", m->spm_peak_bytes);
	if (m->policy->modelled)
		json_object_object_add(o, "modelled", json_object_new_boolean(true));
	else
		json_object_object_add(o, "outputs_sha256",
				       json_object_new_string(m->passes[m->nr_passes - 1].sha256));
	return o;
}

static struct json_object *row_json(const struct bench_row *row)
{
	struct json_object *o = json_object_new_object(), *list;

	json_object_object_add(o, "name", json_object_new_string(row->network->title));
	json_object_object_add(o, "path", json_object_new_string(row->network->path));
	if (row->error) {
		json_object_object_add(o, "error", json_object_new_string(row->error));
		return o;
	}
	json_add_u64(o, "operations", row->operations);
	list = json_object_new_object();
	for (uint32_t i = 0; i < row->nr_results; i++)
		json_object_object_add(list, row->results[i].policy->name, policy_json(&row->results[i]));
	json_object_object_add(o, "policies", list);
	for (uint32_t i = 0; i < row->nr_results; i++)
		if (!strcmp(row->results[i].policy->name, "ideal"))
			json_add_u64(o, "ideal_ps", measure_last(&row->results[i])->time_ps);
	json_add_u64(o, "bound_ps", row->bound_ps);
	return o;
}

struct json_object *bench_report_object(const struct bench_report *r)
{
	struct json_object *o = json_object_new_object(), *rows = json_object_new_array();

	json_object_object_add(o, "dtype", json_object_new_string(
			r->import.dtype == ONSRAM_DTYPE_F16 ? "fp16" : "fp32"));
	json_object_object_add(o, "fuse", json_object_new_boolean(r->import.fuse));
	json_object_object_add(o, "model", json_object_new_string(
			r->config.preset == ONSRAM_PRESET_PAPER ? "paper" : "default"));
	json_add_hash(o, "config_hash", onsram_model_hash(&r->config));
	json_add_u64(o, "spm_size_bytes", r->config.spm_size);
	json_add_u64(o, "passes", r->passes);
	json_object_object_add(o, "functional", json_object_new_boolean(r->functional));
	for (uint32_t i = 0; i < r->nr_rows; i++)
		json_object_array_add(rows, row_json(&r->rows[i]));
	json_object_object_add(o, "networks", rows);
	return o;
}

/* A field that may have commas, quotes and ends of lines in it */
static void csv_text(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', f);
		fputc(*text, f);
	}
	fputc('"', f);
}

static void csv_row(FILE *f, const struct bench_row *row)
{
	for (uint32_t k = 0; k < row->nr_results; k++) {
		const struct measurement *m = &row->results[k];

		for (uint32_t p = 0; p < m->nr_passes; p++) {
			const struct drm_onsram_stats *s = &m->passes[p].cost.stats;

			csv_text(f, row->network->title);
			fprintf(f, ",%u,%s,%u,%llu,%llu,%llu,%llu,%llu,%llu,\n", row->operations,
				m->policy->name, p + 1, (unsigned long long)s->time_ps,
				(unsigned long long)s->dram_read_bytes,
				(unsigned long long)s->dram_write_bytes,
				(unsigned long long)s->energy_pj,
				(unsigned long long)m->spm_peak_bytes,
				(unsigned long long)row->bound_ps);
		}
	}
}

int bench_report_csv(const struct bench_report *r, const char *file)
{
	FILE *f = fopen(file, "w");
	bool bad;

	if (!f)
		return -1;
	fprintf(f, "network,operations,policy,pass,time_ps,dram_read_bytes,dram_write_bytes,energy_pj,spm_peak_bytes,bound_ps,error\n");
	for (uint32_t i = 0; i < r->nr_rows; i++) {
		const struct bench_row *row = &r->rows[i];

		if (!row->error) {
			csv_row(f, row);
			continue;
		}
		csv_text(f, row->network->title);
		fprintf(f, ",,,,,,,,,,");
		csv_text(f, row->error);
		fputc('\n', f);
	}
	bad = ferror(f);
	return fclose(f) || bad ? -1 : 0;
}
