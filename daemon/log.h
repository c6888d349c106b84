/* SPDX-License-Identifier: MIT */
/* Messages: to stderr, or to syslog once the daemon is in the background. */
#ifndef ONSRAM_LOG_H
#define ONSRAM_LOG_H

#include <stdbool.h>

/** onsram_log_init() - whether to tell what happens, and not only what goes wrong; where to */
void onsram_log_init(bool verbose, bool syslog);
/** onsram_error() - something went wrong: say what, and what to do about it */
void onsram_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** onsram_info() - only with --verbose */
void onsram_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
