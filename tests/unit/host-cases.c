// SPDX-License-Identifier: MIT
/*
 * ONNX's backend test cases on the host, by the device's own arithmetic.
 *
 * usage: host-cases [FOLDER [GLOB]]
 *
 * A line for each case, and the counts; without arguments, as TAP of two tests: the cases of ONNX's package, of
 * which none may fail.
 */
#define _GNU_SOURCE

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "case.h"
#include "host-run.h"

/* Cases that passed when this was written: a later change must not lose any. */
#define LEAST 808

static int run(void *ctx, const struct onsram_program *p, const struct onsram_array *in,
	       struct onsram_array *out, char **err)
{
	(void)ctx;
	return host_run(p, in, out, err);
}

static char *default_folder(void)
{
	const char *cache = getenv("ONSRAM_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *path;
	int n = cache ? asprintf(&path, "%s/onnx-testdata/data", cache) :
		xdg ? asprintf(&path, "%s/onsram/onnx-testdata/data", xdg) :
		      asprintf(&path, "%s/.cache/onsram/onnx-testdata/data", home ? home : "");

	return n < 0 ? NULL : path;
}

int main(int argc, char **argv)
{
	static const char *const words[] = { "passed", "folded", "unsupported", "failed" };
	struct onsram_case_options opt = {
		.import = { .fuse = true, .dtype = ONSRAM_DTYPE_F32 }, .rtol = 1e-3, .atol = 1e-7, .run = run,
	};
	char *folder = argc > 1 ? argv[1] : default_folder(), *err = NULL;
	const char *glob = argc > 2 ? argv[2] : argc > 1 ? "*" : "[!l]*";
	const char *mark = argc > 1 ? "" : "# ";
	uint32_t counts[4] = { 0 };
	struct onsram_cases cases;

	if (!folder || onsram_cases_find(folder, &cases, &err)) {
		printf("not ok 1 - %s\n", err ? err : "out of memory");
		return 1;
	}
	for (uint32_t i = 0; i < cases.nr; i++) {
		enum onsram_verdict verdict;
		char *reason;

		if (fnmatch(glob, cases.list[i].name, 0))
			continue;
		verdict = onsram_case_run(&cases.list[i], &opt, &reason);
		counts[verdict]++;
		if (argc > 1 || verdict == ONSRAM_CASE_FAILED)
			printf("%s%s %s%s%s\n", mark, words[verdict], cases.list[i].name, reason ? ": " : "",
			       reason ? reason : "");
		fflush(stdout);
		free(reason);
	}
	onsram_cases_release(&cases);
	for (int v = 0; v < 4; v++)
		printf("%s%u %s%s", v ? "" : mark, counts[v], words[v], v < 3 ? ", " : "\n");
	if (argc > 1)
		return counts[ONSRAM_CASE_FAILED] != 0;
	free(folder);
	printf("1..2\n%sok 1 - no case fails\n", counts[ONSRAM_CASE_FAILED] ? "not " : "");
	printf("%sok 2 - at least %d cases pass\n", counts[ONSRAM_CASE_PASSED] < LEAST ? "not " : "", LEAST);
	return counts[ONSRAM_CASE_FAILED] || counts[ONSRAM_CASE_PASSED] < LEAST;
}
