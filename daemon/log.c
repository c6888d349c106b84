// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include "log.h"

static bool verbose, background;

void onsram_log_init(bool all, bool to_syslog)
{
	if (to_syslog && !background)
		openlog("onsramd", LOG_PID, LOG_DAEMON);
	verbose = all;
	background = to_syslog;
}

static void put(int level, const char *fmt, va_list ap)
{
	if (background) {
		vsyslog(level, fmt, ap);
		return;
	}
	fputs("onsramd: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void onsram_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(LOG_ERR, fmt, ap);
	va_end(ap);
}

void onsram_info(const char *fmt, ...)
{
	va_list ap;

	if (!verbose)
		return;
	va_start(ap, fmt);
	put(LOG_INFO, fmt, ap);
	va_end(ap);
}
