/* SPDX-License-Identifier: MIT */
#ifndef ONSRAM_BENCH_H
#define ONSRAM_BENCH_H

#include "command.h"
#include "measure.h"

/** struct bench_network - a network to be measured; @weight: its share of the time, in no unit */
struct bench_network {
	char *path;
	char *title;
	uint64_t weight;
};

/** struct bench_suite - networks in order */
struct bench_suite {
	struct bench_network *network;
	uint32_t nr;
};

/**
 * bench_suite_add() - add the networks of a suite, or one model file, to @suite
 * @folder: where networks are: FOLDER/suites/NAME lists a suite's
 * @name: a suite, or a path: with a '/' or ending in .onnx
 * Return: 0, or the exit status
 */
int bench_suite_add(const char *cmd, struct bench_suite *suite, const char *folder, const char *name);
void bench_suite_release(struct bench_suite *suite);

/**
 * struct bench_row - a network's figures
 * @network: which
 * @error: why there are none, or NULL
 * @operations: of the network as it was lowered
 * @results: under each policy that was asked for
 * @nr_results: how many
 * @bound_ps: lower bound of any policy
 */
struct bench_row {
	const struct bench_network *network;
	char *error;
	uint32_t operations;
	struct measurement results[NR_POLICIES];
	uint32_t nr_results;
	uint64_t bound_ps;
};

/** struct bench_report - what is the same for all networks, and their figures */
struct bench_report {
	struct policy_list policies;
	struct onsram_import_options import;
	struct onsram_model config;
	bool functional;
	uint32_t passes;
	struct bench_row *rows;
	uint32_t nr_rows;
};

/** bench_report_text() - tables on stdout */
void bench_report_text(const struct bench_report *report);
/** bench_report_object() - as JSON; the caller releases it */
struct json_object *bench_report_object(const struct bench_report *report);
/** bench_report_csv() - a line per pass in @file. Return: 0 or -1 with errno set */
int bench_report_csv(const struct bench_report *report, const char *file);

#endif
