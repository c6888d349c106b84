// SPDX-License-Identifier: MIT
/*
 * ONNX's backend test cases on the host, by the device's own arithmetic.
 *
 * usage: host-cases [FOLDER [GLOB]]
 *
 * A line for each case, and the counts; without arguments, TAP about the cases of ONNX's package, of which none may
 * fail, fused or not.
 */
#define _GNU_SOURCE

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "host-run.h"
#include "model.h"
#include "wrap-case.h"

/* Cases that passed when this was written: a later change must not lose any. */
#define LEAST 1058

static int run(void *ctx, const struct onsram_program *p, const struct onsram_array *in,
	       struct onsram_array *out, char **err)
{
	(void)ctx;
	return host_run(p, in, out, err);
}

static const char *const words[] = { "passed", "folded", "unsupported", "failed" };

struct counts {
	uint32_t of[4];
};

/* Run the cases that match @glob; print all of them, or those that fail. */
static struct counts run_cases(const struct onsram_cases *cases, const char *glob, bool fuse, bool all)
{
	struct onsram_case_options opt = {
		.import = { .fuse = fuse, .dtype = ONSRAM_DTYPE_F32 }, .rtol = 1e-3, .atol = 1e-7, .run = run,
	};
	struct counts counts = { 0 };

	for (uint32_t i = 0; i < cases->nr; i++) {
		enum onsram_verdict verdict;
		char *reason;

		if (fnmatch(glob, cases->list[i].name, 0))
			continue;
		verdict = onsram_case_run(&cases->list[i], &opt, &reason);
		counts.of[verdict]++;
		if (all || verdict == ONSRAM_CASE_FAILED)
			printf("%s%s %s%s%s\n", all ? "" : "# ", words[verdict], cases->list[i].name, reason ? ": " : "",
			       reason ? reason : "");
		fflush(stdout);
		free(reason);
	}
	for (int v = 0; v < 4; v++)
		printf("%s%u %s%s", v || all ? "" : "# ", counts.of[v], words[v], v < 3 ? ", " : "\n");
	return counts;
}

/* The cases again, with a node before each input, in a folder of its own. Return: those that fail */
static uint32_t run_wrapped(const struct onsram_cases *cases)
{
	struct onsram_case_options opt = {
		.import = { .fuse = true, .dtype = ONSRAM_DTYPE_F32 }, .rtol = 1e-3, .atol = 1e-7, .run = run,
	};
	char dir[] = "/tmp/onsram-cases-XXXXXX", *remove;
	uint32_t nr = 0, failed = 0;

	if (!mkdtemp(dir))
		return 1;
	for (uint32_t i = 0; i < cases->nr; i++) {
		const char *file = strrchr(cases->list[i].model, '/');
		struct onsram_case c;
		char *reason = NULL;

		if (!file || strcmp(file, "/model.onnx"))
			continue;
		if (wrap_case(&cases->list[i], dir, &c)) {
			nr++;
			if (onsram_case_run(&c, &opt, &reason) == ONSRAM_CASE_FAILED) {
				printf("# failed with computed inputs: %s: %s\n", c.name, reason ? reason : "");
				failed++;
			}
		}
		free(reason);
		free(c.model);
	}
	printf("# %u cases with computed inputs\n", nr);
	if (asprintf(&remove, "rm -r %s", dir) >= 0 && system(remove))
		failed++;
	free(remove);
	return failed;
}

static int tap(const struct onsram_cases *cases)
{
	struct counts fused = run_cases(cases, "[!l]*", true, false), plain = run_cases(cases, "[!l]*", false, false);
	bool results[] = {
		!fused.of[ONSRAM_CASE_FAILED], !plain.of[ONSRAM_CASE_FAILED], !run_wrapped(cases),
		fused.of[ONSRAM_CASE_PASSED] >= LEAST,
	};

	printf("1..4\n%sok 1 - no case fails\n", results[0] ? "" : "not ");
	printf("%sok 2 - nor without fusion\n", results[1] ? "" : "not ");
	printf("%sok 3 - nor with inputs that are computed\n", results[2] ? "" : "not ");
	printf("%sok 4 - at least %d cases pass\n", results[3] ? "" : "not ", LEAST);
	return !(results[0] && results[1] && results[2] && results[3]);
}

int main(int argc, char **argv)
{
	char *folder = argc > 1 ? argv[1] : onnx_cases_folder(), *err = NULL;
	struct onsram_cases cases;
	int status;

	if (!folder || onsram_cases_find(folder, &cases, &err)) {
		printf("not ok 1 - %s\n", err ? err : "out of memory");
		return 1;
	}
	if (argc > 1)
		status = run_cases(&cases, argc > 2 ? argv[2] : "*", true, true).of[ONSRAM_CASE_FAILED] != 0;
	else
		status = tap(&cases);
	onsram_cases_release(&cases);
	if (argc < 2)
		free(folder);
	return status;
}
