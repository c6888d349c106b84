/* SPDX-License-Identifier: MIT */
/*
 * Job files of `onsram submit`: tensors and operations in JSON.
 *
 *	{
 *	  "policy": "lru",
 *	  "tensors": {
 *	    "x": { "dtype": "f32", "dims": [2, 3], "data": [1, 2, 3, 4, 5, 6] },
 *	    "w": { "dtype": "f32", "dims": [3, 4], "fill": 0.5 },
 *	    "b": { "file": "bias.pb" },
 *	    "y": { "dtype": "f32", "dims": [2, 4] }
 *	  },
 *	  "operations": [
 *	    { "op": "GEMM", "operands": ["y", "x", "w"], "param": [1, 0], "act": "RELU" }
 *	  ]
 *	}
 *
 * A tensor is zero without "data", "fill" or "file" (an ONNX TensorProto, relative
 * to the current directory).  "operands" go by slot, [0] is the output, null leaves
 * one out; instead of a name there may be a view:
 *	{ "tensor": "x", "offset": BYTES, "dims": [...], "strides": [...] }
 * "op", "func" and "act" are names of onsram_op.h or numbers; "groups" and "axis"
 * are numbers; "kernel", "stride", "dilation", "pad_begin", "pad_end" are arrays;
 * "param" and "act_param" are arrays of floats; FILL takes "value" instead.
 * Attributes left out are 0.  What the file says goes to the driver as it is.
 */
#ifndef ONSRAM_JOB_H
#define ONSRAM_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include <drm/onsram_accel.h>

#include "program.h"

struct job_tensor {
	struct onsram_array contents;
	bool written;	/* by an operation */
};

struct job {
	const char *policy;	/* NULL: the device's */
	struct job_tensor *tensors;
	uint32_t nr_tensors;
	struct drm_onsram_op *ops;	/* operand.bo indexes tensors */
	uint32_t nr_ops;
};

/** job_load() - read a job file. Return: 0, or -1 with *@err set; release in both cases */
int job_load(const char *path, struct job *job, char **err);
void job_release(struct job *job);

/** dense_strides() - strides of a row-major tensor, in elements */
void dense_strides(const uint32_t *dims, uint32_t rank, int32_t *strides);

#endif
