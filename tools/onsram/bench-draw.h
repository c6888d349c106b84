/* SPDX-License-Identifier: MIT */
/* A bench as a picture. */
#ifndef ONSRAM_BENCH_DRAW_H
#define ONSRAM_BENCH_DRAW_H

#include <json-c/json.h>
#include <stdio.h>

/** published_json - the publication's figures: docs/published.json */
extern const char published_json[];

/**
 * bench_draw() - how many times faster each policy is, network by network, and as published
 * @report: what `onsram bench --json` prints
 * Return: 0, or -1 without memory, or where it is no such report
 */
int bench_draw(FILE *out, struct json_object *report);

#endif
