/* SPDX-License-Identifier: MIT */
/* The elements of SVG that the pictures are made of. */
#ifndef ONSRAM_SVG_H
#define ONSRAM_SVG_H

#include <stdint.h>
#include <stdio.h>

#include "format.h"

/** SVG_CHARACTER - width of a character in the size of labels, pixels */
#define SVG_CHARACTER	6.0

/** svg_begin() - a picture of that size, its title and styles */
void svg_begin(FILE *out, double width, double height, const char *title);
void svg_end(FILE *out);

/** svg_rect() - a rectangle of a class of the style sheet; not closed where @tip, that svg_tip() follows */
void svg_rect(FILE *out, double x, double y, double width, double height, const char *class, int tip);
/** svg_tip() - what is told when the pointer rests on the element before, which it closes */
__attribute__((format(printf, 3, 4)))
void svg_tip(FILE *out, const char *element, const char *fmt, ...);
/** svg_line() - from one point to another */
void svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *class);
/** svg_text() - a text; @anchor: start, middle or end */
__attribute__((format(printf, 6, 7)))
void svg_text(FILE *out, double x, double y, const char *anchor, const char *class, const char *fmt, ...);
/** svg_label() - a name inside a rectangle where there is room for some of it */
void svg_label(FILE *out, double x, double y, double width, double height, const char *text);
/** svg_turned() - a name that hangs down from a point, of at most @most characters */
void svg_turned(FILE *out, double x, double y, size_t most, const char *text);

/** svg_nice_step() - 1, 2 or 5 times a power of ten, at least @least */
uint64_t svg_nice_step(double least);

#endif
