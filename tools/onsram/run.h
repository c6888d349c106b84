/* SPDX-License-Identifier: MIT */
#ifndef ONSRAM_RUN_H
#define ONSRAM_RUN_H

#include "command.h"
#include "policy.h"

enum expect_result { EXPECT_NONE, EXPECT_PASS, EXPECT_FAIL };

/** struct run_pass - a pass and the SHA-256 of its outputs */
struct run_pass {
	struct onsram_pass cost;
	char sha256[65];
};

/** struct run_result - a model under one policy */
struct run_result {
	const struct policy *policy;
	struct run_pass *passes;
	uint32_t nr_passes;
	uint64_t spm_peak_bytes;
	enum expect_result expect;
};

/** struct run_report - what is the same for all policies */
struct run_report {
	const char *model;
	const struct onsram_program *program;
	uint32_t dtype;
	struct onsram_model config;
	uint64_t bound_ps;
	struct run_result results[NR_POLICIES];
	uint32_t nr_results;
};

/** run_report_json() - an object, or for more than one policy an array of them, on stdout */
void run_report_json(const struct run_report *report);
/** run_report_text() - a table of the policies, their last passes, on stdout */
void run_report_text(const struct run_report *report);
/** run_outputs_identical() - every pass under every policy gave the same bytes */
bool run_outputs_identical(const struct run_report *report);

#endif
