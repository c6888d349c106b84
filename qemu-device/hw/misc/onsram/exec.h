/*
 * onsram functional execution: the arithmetic of the operations
 *
 * Plain C without QEMU headers: the device calls it from its worker threads,
 * the unit tests from the host.  What an operation means stands in
 * onsram_op.h; the only file that knows the arithmetic library is exec-matmul.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ONSRAM_EXEC_H
#define ONSRAM_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef ONSRAM_IN_QEMU
#include "standard-headers/drm/onsram_op.h"
#else
#include <drm/onsram_op.h>
#endif

/*
 * An operand in host memory.  @data is the address of element (0, 0, ...),
 * aligned to the element size; the bytes onsram_view_extent() tells around it
 * must be accessible.  Absent slots have dtype NONE, their @data is not read.
 */
struct onsram_exec_tensor {
    struct onsram_view view;
    void *data;
};

/*
 * Scratch memory (grows, is kept).  One thread at a time may use a context;
 * different contexts run concurrently.
 */
struct onsram_exec;

/* NULL when memory runs out */
struct onsram_exec *onsram_exec_create(void);
void onsram_exec_destroy(struct onsram_exec *ctx);

/*
 * Whether an operation of ONSRAM_MAX_OPERANDS @views is well formed: NULL, or
 * what is wrong (static text).  Nothing is assumed of the input.  The rules are
 * listed in onsram_op.h.
 */
const char *onsram_exec_check(uint32_t opcode, const struct onsram_attr *attr,
                              const struct onsram_view *views);

/* What onsram_op.h calls the work of a well-formed operation; saturates */
uint64_t onsram_exec_work(uint32_t opcode, const struct onsram_attr *attr,
                          const struct onsram_view *views);

/*
 * Bytes a view covers relative to its element (0, 0, ...): [*begin, *end),
 * begin <= 0 < end.  False where the view is malformed, too large or dtype
 * NONE; onsram_exec_check() has refused such views.
 */
bool onsram_view_extent(const struct onsram_view *view, int64_t *begin,
                        int64_t *end);

/*
 * Carry an operation of ONSRAM_MAX_OPERANDS @tensors out that
 * onsram_exec_check() accepts.  Operand memory may change meanwhile (the result
 * is then undefined, nothing else).
 *
 * The result depends on values, shapes and strides, never on addresses.
 *
 * 0 or a negative errno: ENOMEM no scratch memory, ERANGE an index of GATHER
 * is out of range, EIO the arithmetic library failed: nothing has been written
 * to the output then.  ECANCELED: see below; the output may be partly written.
 */
int onsram_exec_run(struct onsram_exec *ctx, uint32_t opcode,
                    const struct onsram_attr *attr,
                    const struct onsram_exec_tensor *tensors);

/*
 * From any thread: end the operation under way, and those begun before it is
 * taken back, with ECANCELED, within milliseconds whatever the operation.
 */
void onsram_exec_cancel(struct onsram_exec *ctx, bool cancel);

#endif
