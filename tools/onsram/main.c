// SPDX-License-Identifier: MIT
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{ "run", cmd_run, "run an ONNX model on the device and report what it cost" },
	{ "bench", cmd_bench, "compare the policies on a suite of networks" },
	{ "plan", cmd_plan, "plan a model's SPM residency, without a device" },
	{ "count", cmd_count, "count a model's operations, parameters and bytes, without a device" },
	{ "diff", cmd_diff, "two plans or runs side by side, tensor by tensor" },
	{ "report", cmd_report, "make one page of runs, benches, plans, their pictures and traces" },
	{ "conformance", cmd_conformance, "run ONNX's backend test cases on the device" },
	{ "submit", cmd_submit, "run the operations of a job file" },
	{ "info", cmd_info, "what the device is" },
	{ "stat", cmd_stat, "SPM statistics of the device" },
	{ "top", cmd_top, "who uses the device's SPM, updating in place" },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(void)
{
	size_t i;

	printf("usage: onsram COMMAND [ARGUMENTS]\n\n"
	       "Work with an onsram accelerator and its scratch-pad memory (SPM).\n\n");
	for (i = 0; i < NR_COMMANDS; i++)
		printf("  %-11s %s\n", commands[i].name, commands[i].what);
	printf("\n'onsram COMMAND --help' tells more about one of them.\n"
	       "Exit status: 0 success, 1 failure (no device, bad file, results that differ),\n"
	       "2 wrong usage.\n");
}

int main(int argc, char **argv)
{
	size_t i;
	int status;

	/* A reader that is gone is an error like a full disk */
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2)
		return usage_error("", "which command?");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help();
		return 0;
	}
	for (i = 0; i < NR_COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		status = commands[i].run(argc - 1, argv + 1);
		progress_end();
		if (fflush(stdout) || ferror(stdout))
			return failure(argv[1], "standard output cannot be written");
		return status;
	}
	return usage_error("", "unknown command \"%s\"", argv[1]);
}
