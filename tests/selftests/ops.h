/* SPDX-License-Identifier: MIT */
/*
 * Small valid operations that the tests run, and break one field at a time.
 *
 * All work on buffers of BUFFER_BYTES; operand slot s names buffer s.
 */
#ifndef ONSRAM_TEST_OPS_H
#define ONSRAM_TEST_OPS_H

#include <stdint.h>

#include <drm/onsram_accel.h>

#define BUFFER_BYTES	16384
#define NR_BUFFERS	ONSRAM_MAX_OPERANDS

/** dense() - a row-major view; @dims ends with 0 */
struct onsram_view dense(uint32_t dtype, const uint32_t *dims);
#define DENSE(dtype, ...) dense(ONSRAM_DTYPE_##dtype, (const uint32_t[]){ __VA_ARGS__, 0 })

/** set_operand() - slot @slot: buffer @slot from its start */
void set_operand(struct drm_onsram_op *op, uint32_t slot, struct onsram_view view);

/** f32_bits() - an attribute's parameter */
uint32_t f32_bits(float f);

struct drm_onsram_op copy_op(void);		/* f32 [4, 6] */
struct drm_onsram_op fill_op(float value);	/* f32 [4, 6] */
struct drm_onsram_op fill_all_op(float value);	/* f32, the whole buffer: what becomes resident */
struct drm_onsram_op gemm_op(void);		/* f32 [4, 5] = [4, 6] x [6, 5] + bias [5] broadcast */
struct drm_onsram_op conv_op(void);		/* f32 [1, 4, 5, 5] from X [1, 2, 5, 5], W [4, 2, 3, 3], pad 1, bias */
struct drm_onsram_op pool_op(void);		/* f32 max [1, 2, 3, 3] from [1, 2, 6, 6], window 2, stride 2 */
struct drm_onsram_op add_op(void);		/* f32 [4, 6] */
struct drm_onsram_op reduce_op(void);		/* f32 mean over dimension 1: [4, 1] from [4, 6] */
struct drm_onsram_op softmax_op(void);		/* f32 [4, 6] over dimension 1 */
struct drm_onsram_op batch_norm_op(void);	/* f32 [1, 3, 4, 4] */
struct drm_onsram_op lrn_op(void);		/* f32 [1, 6, 2, 2], size 3 */
struct drm_onsram_op gather_op(void);		/* f32 [3, 6] from [4, 6] by i32 [3], dimension 0 */
struct drm_onsram_op resize_op(void);		/* f32 nearest [1, 2, 4, 4] from [1, 2, 2, 2] */

#endif
