/* SPDX-License-Identifier: MIT */
/* Places in the SPM for what is in it for a while, and for what is needed of it at each time. */
#ifndef ONSRAM_PLANNER_OFFSETS_H
#define ONSRAM_PLANNER_OFFSETS_H

#include <stdbool.h>
#include <stdint.h>

/** struct onsram_step - @bytes from operation @from on, up to the next step */
struct onsram_step {
	uint32_t from;
	uint32_t bytes;
};

/**
 * struct onsram_item - something that needs a place, as a stack of steps at one offset
 * @step: @nr_steps, ascending
 * @to: exclusive end of the last one
 * @offset: place, once it has one
 */
struct onsram_item {
	struct onsram_step *step;
	uint32_t nr_steps;
	uint32_t to;
	uint32_t offset;
};

/** struct onsram_offsets - the SPM over time; @first: per operation: items that begin there */
struct onsram_offsets {
	uint64_t capacity;
	uint32_t nr_ops;
	struct onsram_item **item;
	uint32_t nr;
	uint32_t room;
	uint32_t *first;
	uint32_t *next;
	uint32_t *lasting;
	uint32_t nr_lasting;
	struct onsram_gap *gap;
};

/** onsram_offsets_init() - empty; at most @room items. Return: 0, or -1 without memory */
int onsram_offsets_init(struct onsram_offsets *o, uint64_t capacity, uint32_t nr_ops, uint32_t room);
/** onsram_offsets_fini() - also after a failed init */
void onsram_offsets_fini(struct onsram_offsets *o);
/** onsram_offsets_clear() - nothing has a place */
void onsram_offsets_clear(struct onsram_offsets *o);
/**
 * onsram_offsets_place() - give an item a place where no other one is
 * @low: the lowest there is; else the one that leaves least beside it
 *
 * Return: whether there is one.
 */
bool onsram_offsets_place(struct onsram_offsets *o, struct onsram_item *item, bool low);
/** onsram_offsets_most() - how much of an item that is @bytes all the time could have a place */
uint32_t onsram_offsets_most(struct onsram_offsets *o, uint32_t from, uint32_t to, uint32_t bytes);

#endif
