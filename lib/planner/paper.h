/* SPDX-License-Identifier: MIT */
/* OnSRAM-Static as published: what its parts are. */
#ifndef ONSRAM_PLANNER_PAPER_H
#define ONSRAM_PLANNER_PAPER_H

#include "flow.h"

/** enum onsram_bound_class - what an operation waits for when nothing is in the SPM */
enum onsram_bound_class { ONSRAM_BOUND_COMPUTE, ONSRAM_BOUND_ACTIVATION, ONSRAM_BOUND_WEIGHT };

/** onsram_paper_bound() - the class of an operation */
enum onsram_bound_class onsram_paper_bound(const struct onsram_flow *f, uint32_t op);
/** onsram_paper_reuse() - how often @op uses an element of its operand in @slot, at most */
uint64_t onsram_paper_reuse(const struct drm_onsram_op *op, uint32_t slot);
/**
 * onsram_paper_merit() - figure of merit of a tensor
 * @total: FLOPs of the graph
 *
 * 0.4 * n / (u + 1) + 0.5 * sum of 1 / reuse + 0.1 * sum of FLOPs / @total, over the n
 * operations that read it; u: operations during its life that do not use it.
 */
double onsram_paper_merit(const struct onsram_flow *f, uint32_t tensor, double total);

#endif
