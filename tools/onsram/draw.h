/* SPDX-License-Identifier: MIT */
/* Pictures and traces as files. */
#ifndef ONSRAM_DRAW_H
#define ONSRAM_DRAW_H

#include "record.h"

/** draw_record() - a record's map to @svg, its trace to @trace; NULL: not. Return: 0, or the exit status */
int draw_record(const char *cmd, const struct onsram_record *r, const char *svg, const char *trace);

#endif
