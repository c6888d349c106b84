/* SPDX-License-Identifier: MIT */
/* What `onsram top` shows, as lines of text. */
#ifndef ONSRAM_TOP_VIEW_H
#define ONSRAM_TOP_VIEW_H

#include "client.h"
#include "look.h"

/**
 * struct top_state - a moment
 * @look: the device's statistics
 * @clients: who uses it
 * @map: debugfs's list of resident tensors, or NULL where this user may not see it
 */
struct top_state {
	struct look look;
	struct clients clients;
	char *map;
};

/**
 * top_view() - draw @now on @width columns
 * @line: called for each line, without an end of line
 * @before: the moment that rates count from, or NULL
 */
void top_view(void (*line)(void *ctx, const char *text), void *ctx, unsigned int width,
	      const struct top_state *now, const struct top_state *before);

#endif
