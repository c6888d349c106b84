/* SPDX-License-Identifier: MIT */
/* Why a tensor is not held. */
#ifndef ONSRAM_PLANNER_EXPLAIN_H
#define ONSRAM_PLANNER_EXPLAIN_H

#include "draft.h"

/** onsram_explain() - @reason, per tensor, of a draft that has been placed */
void onsram_explain(struct onsram_draft *d, enum onsram_reason *reason);
/** onsram_explain_none() - likewise, where nothing has been chosen */
void onsram_explain_none(const struct onsram_flow *f, enum onsram_reason *reason);

#endif
