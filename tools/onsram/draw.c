// SPDX-License-Identifier: MIT
#include "draw.h"
#include "picture.h"
#include "save.h"

static int write_map(FILE *out, const void *record)
{
	return picture_map(out, record);
}

static int write_trace(FILE *out, const void *record)
{
	return picture_trace(out, record);
}

int draw_record(const char *cmd, const struct onsram_record *r, const char *svg, const char *trace)
{
	int status = svg ? save_file(cmd, svg, write_map, r) : 0;

	return !status && trace ? save_file(cmd, trace, write_trace, r) : status;
}
