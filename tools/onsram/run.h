/* SPDX-License-Identifier: MIT */
#ifndef ONSRAM_RUN_H
#define ONSRAM_RUN_H

#include "command.h"
#include "explain.h"
#include "measure.h"

#define RUN_MAX_FILES 256

struct run_files {
	const char *path[RUN_MAX_FILES];
	uint32_t nr;
};

/** struct run_options - the command line; fields as its options */
struct run_options {
	const char *model;
	struct policy_list policies;
	uint64_t repeat;
	struct run_files input;
	struct run_files expect;
	struct shape_list shapes;
	struct onsram_import_options import;
	const char *output_dir;
	const char *svg;
	const char *trace;
	double rtol;
	double atol;
	bool explain;
	bool json;
};

/** run_records() - whether what a pass did is wanted in detail */
static inline bool run_records(const struct run_options *opt)
{
	return opt->svg || opt->trace || opt->explain;
}

/** run_options() - parse the command line into @opt. Return: 0, also when help was asked for (@helped), or the exit status */
int run_options(struct run_options *opt, int argc, char **argv, bool *helped);

enum expect_result { EXPECT_NONE, EXPECT_PASS, EXPECT_FAIL };

/**
 * struct run_report - what is the same for all policies, and a measurement of each
 * @record: of the last pass, where one was wanted
 * @explanation: of @record, or NULL
 */
struct run_report {
	const char *model;
	const struct onsram_program *program;
	uint32_t dtype;
	struct onsram_model config;
	uint64_t bound_ps;
	struct measurement results[NR_POLICIES];
	enum expect_result expect[NR_POLICIES];
	uint32_t nr_results;
	struct onsram_record record;
	struct explanation *explanation;
};

/** run_report_json() - an object, or for more than one policy an array of them, on stdout */
void run_report_json(const struct run_report *report);
/** run_report_text() - a table of the policies, their last passes, on stdout */
void run_report_text(const struct run_report *report);

#endif
