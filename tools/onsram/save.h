/* SPDX-License-Identifier: MIT */
/* Files that are there whole or not at all. */
#ifndef ONSRAM_SAVE_H
#define ONSRAM_SAVE_H

#include <stdio.h>

/**
 * save_file() - write a file
 * @write: writes it to @out and returns 0, or -1 where memory is short
 * @ctx: its argument
 *
 * It goes to a file beside @path that takes its place when all is written; what is no
 * regular file (a pipe, /dev/stdout) is written to directly.
 * Return: 0, or the exit status
 */
int save_file(const char *cmd, const char *path, int (*write)(FILE *out, const void *ctx), const void *ctx);

#endif
