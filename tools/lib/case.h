/* SPDX-License-Identifier: MIT */
/*
 * ONNX's backend test cases: a folder with model.onnx and test_data_set_N/
 * input_K.pb and output_K.pb, or NAME.onnx beside NAME_output_K.pb, which runs
 * with the default inputs.
 */
#ifndef ONSRAM_CASE_H
#define ONSRAM_CASE_H

#include "program.h"

/** struct onsram_case - @name is its path below the folder that was searched, @model its ONNX file */
struct onsram_case {
	char *name;
	char *model;
};

struct onsram_cases {
	struct onsram_case *list;
	uint32_t nr;
};

/**
 * enum onsram_verdict - how a case went
 * @ONSRAM_CASE_PASSED: the outputs are as expected
 * @ONSRAM_CASE_FOLDED: likewise, but nothing that the device did depends on an input
 * @ONSRAM_CASE_UNSUPPORTED: refused before anything ran
 * @ONSRAM_CASE_FAILED: the outputs are not as expected, or the run failed
 */
enum onsram_verdict {
	ONSRAM_CASE_PASSED,
	ONSRAM_CASE_FOLDED,
	ONSRAM_CASE_UNSUPPORTED,
	ONSRAM_CASE_FAILED,
};

/**
 * struct onsram_case_options - how cases are run
 * @import: how their models are lowered; shapes and inputs are the case's own
 * @run: runs a program once, as host or device; 0, or -1 with *@err set
 */
struct onsram_case_options {
	struct onsram_import_options import;
	double rtol;
	double atol;
	int (*run)(void *ctx, const struct onsram_program *p, const struct onsram_array *in,
		   struct onsram_array *out, char **err);
	void *ctx;
};

/** onsram_cases_find() - all cases in and below folder @dir, sorted by name. Return: 0, or -1 with *@err set */
int onsram_cases_find(const char *dir, struct onsram_cases *cases, char **err);
void onsram_cases_release(struct onsram_cases *cases);

/** onsram_case_run() - run a case, with all its sets of data. *@reason, which the caller frees, says why it did not pass */
enum onsram_verdict onsram_case_run(const struct onsram_case *c, const struct onsram_case_options *opt,
				    char **reason);

#endif
