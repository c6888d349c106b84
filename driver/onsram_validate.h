/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Validation of operations: the allow-list between user space and the rings.
 *
 * Pure functions of their arguments.  The rules are listed in onsram_op.h; the
 * device applies the ones that do not need buffers once more.
 */
#ifndef _ONSRAM_VALIDATE_H_
#define _ONSRAM_VALIDATE_H_

#include <linux/types.h>

#include <drm/onsram_accel.h>

/**
 * struct onsram_validate_bo - a buffer an operand may name
 * @size: bytes
 */
struct onsram_validate_bo {
	u64 size;
};

/** ONSRAM_VALIDATE_NO_SLOT - the operation is refused for something else than an operand */
#define ONSRAM_VALIDATE_NO_SLOT	(-1)

/**
 * struct onsram_validate_error - why an operation is refused
 * @why: static text
 * @slot: operand slot, or ONSRAM_VALIDATE_NO_SLOT
 */
struct onsram_validate_error {
	const char *why;
	int slot;
};

/**
 * onsram_validate_op() - check every field of an operation
 * @op: private copy: what has been checked must not change afterwards
 * @bos: buffers that operand.bo indexes
 * @nr_bos: number of them
 * @max_work: the device's limit of an operation's work
 * @err: filled in on failure
 *
 * Return: 0 or -EINVAL.
 */
int onsram_validate_op(const struct drm_onsram_op *op, const struct onsram_validate_bo *bos,
		       u32 nr_bos, u64 max_work, struct onsram_validate_error *err);

/**
 * struct onsram_extent - bytes of a buffer that a view addresses
 * @base: of element (0, 0, ...)
 * @begin: first byte
 * @end: behind the last byte
 */
struct onsram_extent {
	s64 base;
	s64 begin;
	s64 end;
};

/**
 * onsram_extent_of_view() - what lies between the first and the last byte of a view
 * @view: of an operation that onsram_validate_op() accepted
 * @offset: of element (0, 0, ...) in its buffer
 */
struct onsram_extent onsram_extent_of_view(const struct onsram_view *view, u64 offset);

/**
 * onsram_op_writes_all() - does a valid operation overwrite every byte of a buffer
 * @op: operation that onsram_validate_op() accepted
 * @size: bytes of the buffer its output lies in
 */
bool onsram_op_writes_all(const struct drm_onsram_op *op, u64 size);

/** onsram_dtype_bytes() - bytes of an element, 0 for NONE and unknown types */
u32 onsram_dtype_bytes(u32 dtype);

#endif
