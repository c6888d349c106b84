/* SPDX-License-Identifier: MIT */
/* Whole files: written so that they are there whole or not at all, and read. */
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

/** file_text() - what is in a file, with a NUL behind it; free() it. Return: NULL with errno set */
char *file_text(const char *path, size_t *size);

#endif
