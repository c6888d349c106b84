// SPDX-License-Identifier: MIT
#include <string.h>

#include "perf.h"
#include "run.h"

static const char *const expect_names[] = {
	[EXPECT_NONE] = "none", [EXPECT_PASS] = "pass", [EXPECT_FAIL] = "fail",
};

static struct json_object *pass_json(const struct measure_pass *pass)
{
	const struct drm_onsram_stats *s = &pass->cost.stats;
	struct json_object *o = json_object_new_object();

	json_add_u64(o, "time_ps", s->time_ps);
	json_add_u64(o, "compute_ps", s->compute_ps);
	json_add_u64(o, "dram_read_bytes", s->dram_read_bytes);
	json_add_u64(o, "dram_write_bytes", s->dram_write_bytes);
	json_add_u64(o, "dram_avoided_bytes", s->dram_avoided_bytes);
	json_add_u64(o, "spm_bytes", s->spm_bytes);
	json_add_u64(o, "macs", s->macs);
	json_add_u64(o, "energy_pj", s->energy_pj);
	json_add_u64(o, "spm_hits", s->hits);
	json_add_u64(o, "spm_misses", s->misses);
	json_add_u64(o, "evictions", s->evictions);
	json_add_u64(o, "writebacks", s->writebacks);
	json_add_u64(o, "prefetches", s->prefetches);
	json_add_u64(o, "fallbacks", s->fallbacks);
	json_object_object_add(o, "outputs_sha256", json_object_new_string(pass->sha256));
	json_add_u64(o, "host_wall_ns", pass->cost.host_wall_ns);
	return o;
}

static struct json_object *result_json(const struct run_report *report,
				       uint32_t index)
{
	const struct measurement *result = &report->results[index];
	struct json_object *o = json_object_new_object();
	struct json_object *passes = json_object_new_array();
	uint32_t i;

	json_object_object_add(o, "model", json_object_new_string(report->model));
	json_object_object_add(o, "policy", json_object_new_string(result->policy->name));
	json_object_object_add(o, "dtype", json_object_new_string(
			report->dtype == ONSRAM_DTYPE_F16 ? "fp16" : "fp32"));
	json_add_hash(o, "config_hash", onsram_model_hash(&report->config));
	for (i = 0; i < result->nr_passes; i++)
		json_object_array_add(passes, pass_json(&result->passes[i]));
	json_object_object_add(o, "passes", passes);
	json_add_u64(o, "spm_peak_bytes", result->spm_peak_bytes);
	json_add_u64(o, "spm_size_bytes", report->config.spm_size);
	json_add_u64(o, "bound_ps", report->bound_ps);
	json_add_u64(o, "operations", report->program->nr_ops);
	json_object_object_add(o, "expect", json_object_new_string(expect_names[report->expect[index]]));
	if (report->explanation)
		json_object_object_add(o, "tensors", explain_json(report->explanation));
	return o;
}

void run_report_json(const struct run_report *report)
{
	struct json_object *array;
	uint32_t i;

	if (report->nr_results == 1) {
		print_json(result_json(report, 0));
		return;
	}
	array = json_object_new_array();
	for (i = 0; i < report->nr_results; i++)
		json_object_array_add(array, result_json(report, i));
	print_json(array);
}

static void print_row(const struct run_report *report, uint32_t index, const struct measurement *none)
{
	const struct measurement *result = &report->results[index];
	const struct drm_onsram_stats *s = measure_last(result);
	enum expect_result expect = report->expect[index];
	char time[24], dram[24], energy[24], peak[24], speed[24] = "-";

	format_time(s->time_ps, time, sizeof(time));
	format_bytes(onsram_sat_add(s->dram_read_bytes, s->dram_write_bytes), dram, sizeof(dram));
	format_energy(s->energy_pj, energy, sizeof(energy));
	format_bytes(result->spm_peak_bytes, peak, sizeof(peak));
	if (none && s->time_ps && s->time_ps != ONSRAM_BEYOND)
		snprintf(speed, sizeof(speed), "%.2fx",
			 (double)measure_last(none)->time_ps / s->time_ps);
	if (result->policy->modelled) {
		printf("  %-12s %10s %9s %11s %10s %11s  modelled, not run\n", result->policy->name, time,
		       speed, dram, energy, peak);
		return;
	}
	printf("  %-12s %10s %9s %11s %10s %11s %8llu %8llu %9llu  %.12s%s\n",
	       result->policy->name, time, speed, dram, energy, peak,
	       (unsigned long long)s->hits, (unsigned long long)s->misses,
	       (unsigned long long)s->fallbacks,
	       result->passes[result->nr_passes - 1].sha256,
	       expect == EXPECT_PASS ? "  as expected" :
	       expect == EXPECT_FAIL ? "  NOT AS EXPECTED" : "");
}

void run_report_text(const struct run_report *report)
{
	const struct measurement *none = NULL;
	const struct measurement *first = &report->results[0];
	char bound[24], spm[24];
	uint32_t i;

	for (i = 0; i < report->nr_results; i++)
		if (!strcmp(report->results[i].policy->name, "none"))
			none = &report->results[i];
	format_time(report->bound_ps, bound, sizeof(bound));
	format_bytes(report->config.spm_size, spm, sizeof(spm));
	printf("%s: %u operations, %s, SPM %s, configuration %016llx\n", report->model,
	       report->program->nr_ops, report->dtype == ONSRAM_DTYPE_F16 ? "fp16" : "fp32",
	       spm, (unsigned long long)onsram_model_hash(&report->config));
	if (first->nr_passes > 1)
		printf("  the last of %u passes\n", first->nr_passes);
	printf("  %-12s %10s %9s %11s %10s %11s %8s %8s %9s  %s\n", "policy", "latency",
	       "speed-up", "DRAM", "energy", "SPM peak", "hits", "misses", "fallbacks",
	       "outputs (SHA-256)");
	for (i = 0; i < report->nr_results; i++)
		print_row(report, i, none);
	printf("  lower bound of any policy: %s\n", bound);
	if (report->nr_results > 1)
		printf("  outputs across policies: %s\n",
		       measure_agree(report->results, report->nr_results) ? "identical, bit for bit" : "DIFFERENT");
	if (report->explanation)
		explain_text(report->explanation);
}
