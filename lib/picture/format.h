/* SPDX-License-Identifier: MIT */
/* Figures in words, and text in the formats that it is written to. */
#ifndef ONSRAM_FORMAT_H
#define ONSRAM_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** format_time() - picoseconds in words of four digits: "12.34 ms"; a figure may be ONSRAM_BEYOND */
void format_time(uint64_t ps, char *text, size_t size);
/** format_bytes() - "12.34 MiB" */
void format_bytes(uint64_t bytes, char *text, size_t size);
/** format_energy() - picojoules: "12.34 mJ" */
void format_energy(uint64_t pj, char *text, size_t size);

/**
 * write_xml() - @text as XML's character data
 * @most: characters at most, the last of them an ellipsis where there are more; 0: all
 *
 * What is no UTF-8, or no character that XML has, becomes U+FFFD.
 */
void write_xml(FILE *out, const char *text, size_t most);
/** write_json() - @text as a JSON string, with its quotes; likewise */
void write_json(FILE *out, const char *text);
/** text_length() - characters of @text as write_xml() counts them */
size_t text_length(const char *text);

#endif
