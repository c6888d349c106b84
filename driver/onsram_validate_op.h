/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each opcode asks of its attributes and of the shapes of its operands.
 */
#ifndef _ONSRAM_VALIDATE_OP_H_
#define _ONSRAM_VALIDATE_OP_H_

#include "onsram_validate.h"

/**
 * struct onsram_op_rule - an entry of the allow-list
 * @required: mask of operand slots that must be present
 * @optional: mask of operand slots that may be present
 * @funcs: values attr.func may take, 0 where it must be 0
 * @check: attributes, shapes and types, for an operation whose views are well formed
 */
struct onsram_op_rule {
	u32 required;
	u32 optional;
	u32 funcs;
	int (*check)(const struct drm_onsram_op *op, struct onsram_validate_error *err);
};

/** onsram_op_rule() - the entry of an opcode, NULL where it is not on the list */
const struct onsram_op_rule *onsram_op_rule(u32 opcode);

/** onsram_op_work() - what onsram_op.h calls the work of a well-formed operation; saturates */
u64 onsram_op_work(const struct drm_onsram_op *op);

/** onsram_elements_of() - product of the dims of a view that has been checked */
u64 onsram_elements_of(const struct onsram_view *view);

static inline int onsram_refuse(struct onsram_validate_error *err, int slot, const char *why)
{
	err->slot = slot;
	err->why = why;
	return -EINVAL;
}

static inline bool onsram_operand_present(const struct drm_onsram_op *op, u32 slot)
{
	return op->operand[slot].view.dtype != ONSRAM_DTYPE_NONE;
}

#endif
