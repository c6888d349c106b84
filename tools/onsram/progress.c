// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"

/* Without a terminal: silence for this long, then a line as often */
#define QUIET_NS	2000000000ull
#define LINE_NS		5000000000ull
#define REDRAW_NS	100000000ull

static struct {
	const char *what;
	uint64_t start;
	uint64_t last;
	bool drawn;
} state;

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void progress_update(const char *cmd, const char *what, uint64_t done, uint64_t total)
{
	bool tty = isatty(STDERR_FILENO);
	uint64_t now = now_ns(), interval = tty ? REDRAW_NS : LINE_NS;

	if (!state.what || strcmp(state.what, what)) {
		state.what = what;
		state.start = now;
		state.last = 0;
	}
	if (!tty && now - state.start < QUIET_NS)
		return;
	if (state.last && now - state.last < interval)
		return;
	state.last = now;
	fprintf(stderr, "%sonsram %s: %s", tty ? "\r\033[K" : "", cmd, what);
	if (total)
		fprintf(stderr, ", %llu %%", (unsigned long long)(100.0 * done / total));
	fprintf(stderr, " (%llu s)%s", (unsigned long long)((now - state.start) / 1000000000),
		tty ? "" : "\n");
	fflush(stderr);
	state.drawn = tty;
}

void progress_end(void)
{
	if (state.drawn)
		fputs("\r\033[K", stderr);
	state.drawn = false;
	state.what = NULL;
}
