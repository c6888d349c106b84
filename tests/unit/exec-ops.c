// SPDX-License-Identifier: MIT
#include <string.h>

#include "exec-fixture.h"
#include "exec-ops.h"

void op_view(struct op *op, int s, uint32_t dtype, uint32_t rank, const uint32_t *dims)
{
	struct onsram_view *v = &op->view[s];
	int32_t stride = 1;

	memset(v, 0, sizeof(*v));
	v->dtype = dtype;
	v->rank = rank;
	while (rank--) {
		v->dims[rank] = dims[rank];
		v->strides[rank] = stride;
		stride *= dims[rank];
	}
}

struct op op_make(enum base base)
{
	static const uint32_t opcodes[] = {
		ONSRAM_OP_COPY, ONSRAM_OP_FILL, ONSRAM_OP_GEMM, ONSRAM_OP_CONV, ONSRAM_OP_POOL,
		ONSRAM_OP_ELEMENTWISE, ONSRAM_OP_ELEMENTWISE, ONSRAM_OP_ELEMENTWISE,
		ONSRAM_OP_ELEMENTWISE, ONSRAM_OP_REDUCE, ONSRAM_OP_SOFTMAX, ONSRAM_OP_NORM,
		ONSRAM_OP_NORM, ONSRAM_OP_NORM, ONSRAM_OP_NORM, ONSRAM_OP_GATHER, ONSRAM_OP_RESIZE,
	};
	struct op op = { .opcode = opcodes[base] };
	struct onsram_attr *a = &op.attr;
	int i, s;

	F32(&op, 0, 2, 4, 5, 6);
	if (base != FILL)
		F32(&op, 1, 2, 4, 5, 6);
	switch (base) {
	case GEMM:
		F32(&op, 0, 2, 3, 5);
		F32(&op, 1, 2, 3, 4);
		F32(&op, 2, 2, 4, 5);
		F32(&op, 3, 2, 3, 5);
		F32(&op, 4, 2, 3, 5);
		a->act = ONSRAM_ACT_LEAKY_RELU;
		a->act_param[0] = 1;
		break;
	case CONV:
	case POOL:
		for (i = 0; i < 2; i++) {
			a->stride[i] = 2;
			a->dilation[i] = 1;
			a->pad_begin[i] = 1;
			a->pad_end[i] = 1;
			a->kernel[i] = base == POOL ? 2 : 0;
		}
		/* 5 + 2 - 2 = 5: a remainder; 6 + 2 - 2 = 6: none */
		F32(&op, 0, 2, 4, 3, 4);
		if (base == POOL)
			break;
		F32(&op, 0, 2, 6, 3, 4);
		F32(&op, 2, 6, 2, 2, 2);
		F32(&op, 3, 6);
		F32(&op, 4, 2, 6, 3, 4);
		a->groups = 2;
		break;
	case WHERE:
	case ADD:
	case EQUAL:
		F32(&op, 2, 2, 4, 5, 6);
		a->func = base == ADD ? ONSRAM_EW_ADD : base == EQUAL ? ONSRAM_EW_EQUAL : ONSRAM_EW_WHERE;
		if (base == EQUAL)
			op.view[0].dtype = ONSRAM_DTYPE_BOOL;
		if (base != WHERE)
			break;
		op.view[1].dtype = ONSRAM_DTYPE_BOOL;
		F32(&op, 3, 2, 4, 5, 6);
		break;
	case CLIP:
		a->func = ONSRAM_EW_CLIP;
		a->param[0] = a->param[1] = 1;
		break;
	case REDUCE:
		F32(&op, 0, 2, 1, 5, 1);
		a->axis = 10;
		break;
	case SOFTMAX:
		a->axis = 3;
		break;
	case BATCH:
		for (s = 2; s < 6; s++)
			F32(&op, s, 4);
		a->param[0] = 1;
		break;
	case LRN:
		a->func = ONSRAM_NORM_LRN;
		a->kernel[0] = 5;
		a->param[0] = a->param[1] = a->param[2] = 1;
		break;
	case LAYER:
		a->func = ONSRAM_NORM_LAYER;
		a->axis = 2;
		F32(&op, 2, 5, 6);
		F32(&op, 3, 5, 6);
		break;
	case GROUP:
		a->func = ONSRAM_NORM_GROUP;
		a->groups = 2;
		F32(&op, 2, 4);
		F32(&op, 3, 4);
		break;
	case GATHER:
		F32(&op, 0, 2, 3, 5, 6);
		F32(&op, 2, 3);
		op.view[2].dtype = ONSRAM_DTYPE_I64;
		a->axis = 1;
		break;
	case RESIZE:
		F32(&op, 0, 2, 4, 10, 3);
		break;
	default:
		break;
	}
	return op;
}

void op_damage(struct op *op)
{
	uint32_t *words = (uint32_t *)op, count = 1 + random_in(0, 3);

	while (count--) {
		uint32_t word = random_in(0, sizeof(*op) / 4);

		switch ((int)random_in(0, 4)) {
		case 0:
			words[word] ^= 1u << (int)random_in(0, 32);
			break;
		case 1:
			words[word] = random_in(0, 8);
			break;
		case 2:
			words[word] = (int32_t)-random_in(0, 30);
			break;
		default:
			op->view[(int)random_in(0, 3)].strides[(int)random_in(0, 4)] =
				random_in(-130, 130);
		}
	}
}
