// SPDX-License-Identifier: MIT
/*
 * Statistics for Prometheus: names, units and types as its conventions have them
 * (base units; counters end in _total).
 */
#include <stdlib.h>
#include <string.h>

#include "prometheus.h"

static const struct metric {
	const char *attribute;
	const char *name;
	const char *type;
	const char *help;
} metrics[] = {
	{ "size", "onsram_spm_size_bytes", "gauge", "Scratch-pad memory of the device." },
	{ "used", "onsram_spm_used_bytes", "gauge", "Scratch-pad memory that resident tensors take." },
	{ "peak", "onsram_spm_peak_bytes", "gauge", "Most that resident tensors took." },
	{ "free", "onsram_spm_free_bytes", "gauge", "What tensors could still take." },
	{ "largest_free", "onsram_spm_largest_free_bytes", "gauge", "Largest free piece." },
	{ "resident", "onsram_spm_resident_tensors", "gauge", "Resident tensors." },
	{ "hits", "onsram_spm_hits_total", "counter", "Operands found in the scratch-pad memory." },
	{ "misses", "onsram_spm_misses_total", "counter", "Operands not found there." },
	{ "evictions", "onsram_spm_evictions_total", "counter", "Tensors that lost their place." },
	{ "writebacks", "onsram_spm_writebacks_total", "counter", "Copies of dirty tensors to DRAM." },
	{ "prefetches", "onsram_spm_prefetches_total", "counter", "Copies of tensors from DRAM." },
	{ "fallbacks", "onsram_spm_fallbacks_total", "counter", "Operations without a plan or rule." },
	{ "scrubs", "onsram_spm_scrubs_total", "counter", "Ranges zeroed for another client." },
	{ "generation", "onsram_spm_losses_total", "counter", "Losses of the memory's contents." },
	{ "dram_read_bytes", "onsram_dram_read_bytes_total", "counter", "Bytes read from DRAM." },
	{ "dram_write_bytes", "onsram_dram_written_bytes_total", "counter", "Bytes written to DRAM." },
	{ "dram_avoided_bytes", "onsram_dram_avoided_bytes_total", "counter",
	  "Operand bytes that did not cross DRAM." },
};

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_engines(FILE *out, const struct look *l, const char *device)
{
	const char *line = look_text(l, "busy_ps");
	char engine[32];
	unsigned long long ps;

	if (!line)
		return;
	head(out, "onsram_engine_busy_seconds_total", "counter", "Modelled time of an engine's jobs.");
	for (; line && sscanf(line, "%31s %llu", engine, &ps) == 2; line = next_line(line))
		fprintf(out, "onsram_engine_busy_seconds_total{device=\"%s\",engine=\"%s\"} %.12f\n",
			device, engine, ps / 1e12);
}

void print_prometheus(FILE *out, const struct look *l, const char *device)
{
	const char *policy = look_text(l, "policy"), *fallback = look_text(l, "fallback_policy");
	uint64_t value;

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		const struct metric *m = &metrics[i];

		if (!look_number(l, m->attribute, &value))
			continue;
		head(out, m->name, m->type, m->help);
		fprintf(out, "%s{device=\"%s\"} %llu\n", m->name, device, (unsigned long long)value);
	}
	if (look_number(l, "energy_pj", &value)) {
		head(out, "onsram_energy_joules_total", "counter", "Modelled energy.");
		fprintf(out, "onsram_energy_joules_total{device=\"%s\"} %.12f\n", device, value / 1e12);
	}
	print_engines(out, l, device);
	if (policy && fallback) {
		head(out, "onsram_policy_info", "gauge", "Default policy, and the one without a plan or rule.");
		fprintf(out, "onsram_policy_info{device=\"%s\",policy=\"%s\",fallback=\"%s\"} 1\n",
			device, policy, fallback);
	}
}
