/* SPDX-License-Identifier: MIT */
/* The parts of a report's page. */
#ifndef ONSRAM_REPORT_PAGE_H
#define ONSRAM_REPORT_PAGE_H

#include <json-c/json.h>
#include <stdio.h>

/** enum page_kind - what a JSON file is */
enum page_kind { PAGE_UNKNOWN, PAGE_BENCH, PAGE_RUN, PAGE_PLAN, PAGE_TRACE };

/** page_kind() - as its members tell */
enum page_kind page_kind(struct json_object *o);

void page_begin(FILE *out, const char *title);
void page_end(FILE *out);
/** page_report() - a section of a bench, run or plan, called by its file. Return: 0, or -1 without memory */
int page_report(FILE *out, const char *file, enum page_kind kind, struct json_object *o);
/** page_picture() - a section of a picture that this program made */
void page_picture(FILE *out, const char *file, const char *svg, size_t size);
/** page_trace() - a section with a trace to be taken from the page */
void page_trace(FILE *out, const char *file, const char *text, size_t size);

#endif
