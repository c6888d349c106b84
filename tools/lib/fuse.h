/* SPDX-License-Identifier: MIT */
/* Fusion: what its passes share. */
#ifndef ONSRAM_FUSE_H
#define ONSRAM_FUSE_H

#include "ir.h"

/**
 * struct fuse_uses - who touches a tensor
 * @reads: operands that read it
 * @writes: operations that write it
 * @reader: the last that reads it
 * @writer: the last that writes it
 */
struct fuse_uses {
	uint32_t reads;
	uint32_t writes;
	uint32_t reader;
	uint32_t writer;
};

/** fuse_uses() - count afresh into @uses, one entry per tensor, @nr of them */
void fuse_uses(const struct ir_graph *g, struct fuse_uses *uses, uint32_t nr);

/**
 * fuse_norm() - fold @next, a scale and shift per channel of @op's output, into @op's constants
 * Return: 1 when done, 0 where it cannot be or would not be exact enough, -1 on failure
 */
int fuse_norm(struct ir_graph *g, struct drm_onsram_op *op, const struct drm_onsram_op *next,
	      uint32_t slot);

/** fuse_copies() - let producers write straight to where a COPY would bring their output. Return: 0 or -1 */
int fuse_copies(struct ir_graph *g);

#endif
