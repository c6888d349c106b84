/* SPDX-License-Identifier: MIT */
/* Operations on constants: computed when they are pushed. */
#ifndef ONSRAM_FOLD_H
#define ONSRAM_FOLD_H

#include "ir.h"

/** FOLD_INPUTS - inputs of an elementwise function */
#define FOLD_INPUTS 3

/**
 * fold() - compute @op into its output, which becomes a constant, where all its inputs
 *	are constants and so is all that was written there before
 * Return: 1 when done, 0 where it is for the device, -1 on failure
 */
int fold(struct ir_graph *g, const struct drm_onsram_op *op);
/** unfold() - leave to the device what was computed into @tensor, because something else writes there, too */
void unfold(struct ir_graph *g, uint32_t tensor);

/* fold-math.c: one element, as the device computes it. Return: false for a function that the host does not compute */
bool fold_float(const struct onsram_attr *attr, const float in[FOLD_INPUTS], float *out);
bool fold_compare(uint32_t func, const float in[FOLD_INPUTS], uint8_t *out);
/** fold_int() - integers wrap, a division by 0 gives 0; comparisons give 0 or 1 */
bool fold_int(uint32_t func, const int64_t in[FOLD_INPUTS], int64_t *out);
/** fold_reduce_float(), fold_reduce_int() - take @v into @acc, which has elements already or not (@seen) */
bool fold_reduce_float(uint32_t func, double v, bool seen, double *acc);
/** fold_reduce_nothing() - what a reduction of no element gives, as FILL takes it. Return: false where that is undefined */
bool fold_reduce_nothing(uint32_t func, uint32_t dtype, uint32_t *param);
bool fold_reduce_int(uint32_t func, int64_t v, bool seen, int64_t *acc);

#endif
