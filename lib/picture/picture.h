/* SPDX-License-Identifier: MIT */
/*
 * Pictures (SVG, without a script) and traces.  Pure: they go to a stream, whose
 * errors the caller looks for.
 */
#ifndef ONSRAM_PICTURE_H
#define ONSRAM_PICTURE_H

#include <stdio.h>

#include "record.h"

/**
 * picture_map() - the SPM, address over operations, above the engines and DRAM over time
 *
 * Return: 0, or -1 without memory.
 */
int picture_map(FILE *out, const struct onsram_record *r);

/**
 * picture_trace() - a record in the Trace Event Format that Perfetto and Chrome open
 *
 * A track per engine, tracks of stays in the SPM, no two events on a track
 * overlapping; counters of SPM occupancy and DRAM bandwidth; residency events.
 * Return: 0, or -1 without memory.
 */
int picture_trace(FILE *out, const struct onsram_record *r);

#define PICTURE_MAX_SERIES	8

/**
 * struct picture_bar_group - a network
 * @value: of each series, 0: none
 * @published: what was published for it, 0: nothing
 */
struct picture_bar_group {
	const char *name;
	double value[PICTURE_MAX_SERIES];
	double published[PICTURE_MAX_SERIES];
};

/** struct picture_bars - groups of bars, how many times better than 1 */
struct picture_bars {
	const char *title;
	const char *note;
	const char *axis;
	const char *series[PICTURE_MAX_SERIES];
	uint32_t nr_series;
	struct picture_bar_group *groups;
	uint32_t nr_groups;
};

/** picture_bars() - a bar for each value, and a mark for what was published */
void picture_bars(FILE *out, const struct picture_bars *b);

#endif
