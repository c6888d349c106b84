// SPDX-License-Identifier: GPL-2.0-only
/*
 * Validation of operations: attributes, shapes and types of each opcode.
 */
#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "onsram_validate.h"
#include "onsram_validate_op.h"

/* Fields of struct onsram_attr that an operation uses; PARAM(n): the first n of param[] */
#define USES_GROUPS	BIT(0)
#define USES_AXIS	BIT(1)
#define USES_ACT	BIT(2)
#define USES_KERNEL	BIT(3)
#define USES_WINDOW	BIT(4)		/* stride, dilation, pads */
#define USES_PARAM(n)	((u32)(n) << 8)
#define PARAMS_USED(u)	((u) >> 8)

static const struct onsram_view *view_of(const struct drm_onsram_op *op, u32 slot)
{
	return &op->operand[slot].view;
}

static bool is_float(u32 dtype)
{
	return dtype == ONSRAM_DTYPE_F32 || dtype == ONSRAM_DTYPE_F16;
}

static bool is_int(u32 dtype)
{
	return dtype == ONSRAM_DTYPE_I32 || dtype == ONSRAM_DTYPE_I64;
}

static bool same_dims(const struct onsram_view *a, const struct onsram_view *b)
{
	return a->rank == b->rank && !memcmp(a->dims, b->dims, sizeof(a->dims));
}

static bool all_zero(const u16 *values, u32 from)
{
	for (; from < ONSRAM_MAX_SPATIAL; from++)
		if (values[from])
			return false;
	return true;
}

static int attr_refuse(struct onsram_validate_error *err, const char *why)
{
	return onsram_refuse(err, ONSRAM_VALIDATE_NO_SLOT, why);
}

static u32 act_params(u32 act)
{
	switch (act) {
	case ONSRAM_ACT_CLIP:
		return 2;
	case ONSRAM_ACT_LEAKY_RELU:
		return 1;
	default:
		return 0;
	}
}

/* Fields an operation does not use are 0; @spatial: entries of the spatial arrays it uses */
static int check_unused(const struct onsram_attr *attr, u32 uses, u32 spatial,
			struct onsram_validate_error *err)
{
	u32 window = uses & USES_WINDOW ? spatial : 0;
	u32 i;

	if (!(uses & USES_GROUPS) && attr->groups)
		return attr_refuse(err, "attr.groups is not used and must be 0");
	if (!(uses & USES_AXIS) && attr->axis)
		return attr_refuse(err, "attr.axis is not used and must be 0");
	if (!(uses & USES_ACT) && attr->act)
		return attr_refuse(err, "attr.act is not used and must be 0");
	if (attr->act >= ONSRAM_ACT_COUNT)
		return attr_refuse(err, "attr.act out of range");
	for (i = act_params(attr->act); i < ARRAY_SIZE(attr->act_param); i++)
		if (attr->act_param[i])
			return attr_refuse(err, "attr.act_param is not used and must be 0");
	if (!all_zero(attr->kernel, uses & USES_KERNEL ? spatial : 0))
		return attr_refuse(err, "attr.kernel is not used and must be 0");
	if (!all_zero(attr->stride, window))
		return attr_refuse(err, "attr.stride is not used and must be 0");
	if (!all_zero(attr->dilation, window))
		return attr_refuse(err, "attr.dilation is not used and must be 0");
	if (!all_zero(attr->pad_begin, window))
		return attr_refuse(err, "attr.pad_begin is not used and must be 0");
	if (!all_zero(attr->pad_end, window))
		return attr_refuse(err, "attr.pad_end is not used and must be 0");
	for (i = PARAMS_USED(uses); i < ARRAY_SIZE(attr->param); i++)
		if (attr->param[i])
			return attr_refuse(err, "attr.param is not used and must be 0");
	return 0;
}

static int check_all_float(const struct drm_onsram_op *op, struct onsram_validate_error *err)
{
	u32 s;

	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (onsram_operand_present(op, s) && !is_float(view_of(op, s)->dtype))
			return onsram_refuse(err, s, "dtype must be F32 or F16");
	return 0;
}

/* An optional operand of rank 1 with one element per channel */
static int check_channels(const struct drm_onsram_op *op, u32 slot, u32 channels,
			  struct onsram_validate_error *err)
{
	const struct onsram_view *v = view_of(op, slot);

	if (!onsram_operand_present(op, slot))
		return 0;
	if (v->rank != 1)
		return onsram_refuse(err, slot, "rank must be 1");
	if (v->dims[0] != channels)
		return onsram_refuse(err, slot, "extent is not the number of channels");
	return 0;
}

static int onsram_check_COPY(const struct drm_onsram_op *op, struct onsram_validate_error *err)
{
	if (!same_dims(view_of(op, 0), view_of(op, 1)))
		return onsram_refuse(err, 1, "dims differ from the output's");
	return check_unused(&op->attr, 0, 0, err);
}

static int onsram_check_FILL(const struct drm_onsram_op *op, struct onsram_validate_error *err)
{
	u32 dtype = view_of(op, 0)->dtype;

	if (dtype == ONSRAM_DTYPE_BOOL && op->attr.param[0] > 1)
		return attr_refuse(err, "attr.param[0] of a BOOL is 0 or 1");
	return check_unused(&op->attr, USES_PARAM(dtype == ONSRAM_DTYPE_I64 ? 2 : 1), 0, err);
}

static int onsram_check_GEMM(const struct drm_onsram_op *op, struct onsram_validate_error *err)
{
	const struct onsram_view *out = view_of(op, 0), *a = view_of(op, 1), *b = view_of(op, 2);
	u32 s, d, rank = out->rank;
	int ret;

	ret = check_all_float(op, err);
	if (ret)
		return ret;
	if (rank < 2)
		return onsram_refuse(err, 0, "rank must be at least 2");
	if (a->rank != rank)
		return onsram_refuse(err, 1, "rank differs from the output's");
	if (b->rank != rank)
		return onsram_refuse(err, 2, "rank differs from the output's");
	for (d = 0; d < rank - 2; d++) {
		if (a->dims[d] != out->dims[d])
			return onsram_refuse(err, 1, "batch extent differs from the output's");
		if (b->dims[d] != out->dims[d])
			return onsram_refuse(err, 2, "batch extent differs from the output's");
	}
	if (a->dims[rank - 2] != out->dims[rank - 2])
		return onsram_refuse(err, 1, "M differs from the output's");
	if (b->dims[rank - 1] != out->dims[rank - 1])
		return onsram_refuse(err, 2, "N differs from the output's");
	if (a->dims[rank - 1] != b->dims[rank - 2])
		return onsram_refuse(err, 2, "K differs from A's");
	for (s = 3; s <= 4; s++)
		if (onsram_operand_present(op, s) && !same_dims(view_of(op, s), out))
			return onsram_refuse(err, s, "dims differ from the output's");
	return check_unused(&op->attr, USES_ACT | USES_PARAM(2), 0, err);
}

/*
 * One spatial dimension of a convolution or pool; @window: elements of the
 * kernel, @ceil: one output element more is fine where it begins inside.
 */
static int check_window(const struct drm_onsram_op *op, u32 i, u32 kernel, bool ceil,
			struct onsram_validate_error *err)
{
	const struct onsram_attr *attr = &op->attr;
	u32 in = view_of(op, 1)->dims[2 + i];
	u32 out = view_of(op, 0)->dims[2 + i];
	u64 padded, window, fits;

	if (!attr->stride[i])
		return attr_refuse(err, "attr.stride must be at least 1");
	if (!attr->dilation[i])
		return attr_refuse(err, "attr.dilation must be at least 1");
	padded = (u64)in + attr->pad_begin[i] + attr->pad_end[i];
	window = (u64)attr->dilation[i] * (kernel - 1) + 1;
	if (window > padded)
		return onsram_refuse(err, 1, "window larger than the padded input");
	fits = (padded - window) / attr->stride[i] + 1;
	if (out == fits)
		return 0;
	if (ceil && out == fits + 1 && (padded - window) % attr->stride[i] &&
	    fits * attr->stride[i] < padded)
		return 0;
	return onsram_refuse(err, 0,
			     "spatial extent does not follow from input, window, stride and pads");
}

static int onsram_check_CONV(const struct drm_onsram_op *op, struct onsram_validate_error *err)
{
	const struct onsram_view *out = view_of(op, 0), *x = view_of(op, 1), *w = view_of(op, 2);
	u32 i, rank = out->rank, groups = op->attr.groups;
	int ret;

	ret = check_all_float(op, err);
	if (ret)
		return ret;
	if (rank < 3 || rank > 2 + ONSRAM_MAX_SPATIAL)
		return onsram_refuse(err, 0, "rank must be 3 to 5");
	if (x->rank != rank)
		return onsram_refuse(err, 1, "rank differs from the output's");
	if (w->rank != rank)
		return onsram_refuse(err, 2, "rank differs from the output's");
	if (x->dims[0] != out->dims[0])
		return onsram_refuse(err, 1, "batch extent differs from the output's");
	if (w->dims[0] != out->dims[1])
		return onsram_refuse(err, 2, "output channels differ from the output's");
	if (!groups || x->dims[1] % groups || out->dims[1] % groups)
		return attr_refuse(err, "attr.groups must divide the channels");
	if (w->dims[1] != x->dims[1] / groups)
		return onsram_refuse(err, 2, "input channels are not C / groups");
	ret = check_channels(op, 3, out->dims[1], err);
	if (ret)
		return ret;
	if (onsram_operand_present(op, 4) && !same_dims(view_of(op, 4), out))
		return onsram_refuse(err, 4, "dims differ from the output's");
	for (i = 0; i < rank - 2; i++) {
		ret = check_window(op, i, w->dims[2 + i], false, err);
		if (ret)
			return ret;
	}
	return check_unused(&op->attr, USES_GROUPS | USES_ACT | USES_WINDOW, rank - 2, err);
}

static int onsram_check_POOL(const struct drm_onsram_op *op, struct onsram_validate_error *err)
{
	const struct onsram_view *out = view_of(op, 0), *x = view_of(op, 1);
	u32 i, rank = out->rank;
	int ret;

	ret = check_all_float(op, err);
	if (ret)
		return ret;
	if (rank < 3 || rank > 2 + ONSRAM_MAX_SPATIAL)
		return onsram_refuse(err, 0, "rank must be 3 to 5");
	if (x->rank != rank)
		return onsram_refuse(err, 1, "rank differs from the output's");
	if (x->dims[0] != out->dims[0] || x->dims[1] != out->dims[1])
		return onsram_refuse(err, 1, "batch or channels differ from the output's");
	for (i = 0; i < rank - 2; i++) {
		if (!op->attr.kernel[i])
			return attr_refuse(err, "attr.kernel must be at least 1");
		ret = check_window(op, i, op->attr.kernel[i], true, err);
		if (ret)
			return ret;
	}
	return check_unused(&op->attr, USES_KERNEL | USES_WINDOW, rank - 2, err);
}

/* A row of the table of elementwise functions */
struct ew_function {
	u8 func;
	u8 inputs;
	u8 flops;
	u8 takes;
	u8 params;
};

#define ONSRAM_X(name, value, inputs, flops, takes, params) \
	[ONSRAM_EW_##name] = { value, inputs, flops, ONSRAM_EW_TAKES_##takes, params },
static const struct ew_function ew_functions[ONSRAM_EW_COUNT] = {
	ONSRAM_ELEMENTWISE_FUNCTIONS(ONSRAM_X)
};

#undef ONSRAM_X

static u32 ew_class(u32 dtype)
{
	return is_float(dtype) ? ONSRAM_EW_FLOAT : is_int(dtype) ? ONSRAM_EW_INT : ONSRAM_EW_BOOL;
}

static int check_ew_dtypes(const struct drm_onsram_op *op, const struct ew_function *f,
			   struct onsram_validate_error *err)
{
	u32 out = view_of(op, 0)->dtype, a = view_of(op, 1)->dtype, first = 1, s;

	if (f->takes & ONSRAM_EW_COMPARES) {
		if (out != ONSRAM_DTYPE_BOOL)
			return onsram_refuse(err, 0, "a comparison writes BOOL");
		if (view_of(op, 2)->dtype != a)
			return onsram_refuse(err, 2, "dtype differs from A's");
		return 0;
	}
	if (f->takes & ONSRAM_EW_SELECTS) {
		if (a != ONSRAM_DTYPE_BOOL)
			return onsram_refuse(err, 1, "the condition must be BOOL");
		first = 2;
	}
	if (!(f->takes & ew_class(out)))
		return onsram_refuse(err, 0, "the function does not take this dtype");
	if (is_float(out) && first == 1)
		return check_all_float(op, err);
	for (s = first; s <= f->inputs; s++)
		if (view_of(op, s)->dtype != out)
			return onsram_refuse(err, s, "dtype differs from the output's");
	return 0;
}

static int onsram_check_ELEMENTWISE(const struct drm_onsram_op *op,
				    struct onsram_validate_error *err)
{
	const struct ew_function *f =
		&ew_functions[array_index_nospec(op->attr.func, ONSRAM_EW_COUNT)];
	u32 s;
	int ret;

	for (s = 1; s <= 3; s++) {
		if (onsram_operand_present(op, s) ? s > f->inputs : s <= f->inputs)
			return onsram_refuse(err, s, "the function takes another number of inputs");
		if (s <= f->inputs && !same_dims(view_of(op, s), view_of(op, 0)))
			return onsram_refuse(err, s, "dims differ from the output's");
	}
	ret = check_ew_dtypes(op, f, err);
	if (ret)
		return ret;
	return check_unused(&op->attr, USES_PARAM(f->params), 0, err);
}

static int onsram_check_REDUCE(const struct drm_onsram_op *op, struct onsram_validate_error *err)
{
	const struct onsram_view *out = view_of(op, 0), *x = view_of(op, 1);
	u32 d;

	if (!(is_float(out->dtype) && is_float(x->dtype)) &&
	    !(is_int(out->dtype) && out->dtype == x->dtype))
		return onsram_refuse(err, 0, "dtypes must be float, or the same I64 or I32");
	if (x->rank != out->rank)
		return onsram_refuse(err, 1, "rank differs from the output's");
	if (op->attr.axis >= 1u << x->rank)
		return attr_refuse(err, "attr.axis names a dimension beyond the rank");
	for (d = 0; d < x->rank; d++)
		if (out->dims[d] != (op->attr.axis & (1u << d) ? 1 : x->dims[d]))
			return onsram_refuse(err, 0, "dims do not follow from input and axis");
	return check_unused(&op->attr, USES_AXIS, 0, err);
}

static int onsram_check_SOFTMAX(const struct drm_onsram_op *op, struct onsram_validate_error *err)
{
	int ret = check_all_float(op, err);

	if (ret)
		return ret;
	if (!same_dims(view_of(op, 0), view_of(op, 1)))
		return onsram_refuse(err, 1, "dims differ from the output's");
	if (op->attr.axis >= view_of(op, 0)->rank)
		return attr_refuse(err, "attr.axis beyond the rank");
	return check_unused(&op->attr, USES_AXIS, 0, err);
}

/* Slots from 2 on: those in @required present, those in @optional allowed */
static int check_norm_slots(const struct drm_onsram_op *op, u32 required, u32 optional,
			    struct onsram_validate_error *err)
{
	u32 s;

	for (s = 2; s < ONSRAM_MAX_OPERANDS; s++) {
		if (onsram_operand_present(op, s)) {
			if (!((required | optional) & (1u << s)))
				return onsram_refuse(err, s, "the function has no such operand");
		} else if (required & (1u << s)) {
			return onsram_refuse(err, s, "required operand is absent");
		}
	}
	return 0;
}

static int check_norm_layer(const struct drm_onsram_op *op, struct onsram_validate_error *err)
{
	const struct onsram_view *x = view_of(op, 1);
	u32 axis = op->attr.axis, s, d;

	if (axis >= x->rank)
		return attr_refuse(err, "attr.axis beyond the rank");
	for (s = 2; s <= 3; s++) {
		const struct onsram_view *v = view_of(op, s);

		if (!onsram_operand_present(op, s))
			continue;
		if (v->rank != x->rank - axis)
			return onsram_refuse(err, s,
					     "rank is not that of the normalised dimensions");
		for (d = 0; d < v->rank; d++)
			if (v->dims[d] != x->dims[axis + d])
				return onsram_refuse(err, s, "dims are not the normalised ones");
	}
	return check_unused(&op->attr, USES_AXIS | USES_PARAM(1), 0, err);
}

static int onsram_check_NORM(const struct drm_onsram_op *op, struct onsram_validate_error *err)
{
	const struct onsram_view *x = view_of(op, 1);
	u32 required = 0, optional = 0, uses = 0, spatial = 0, s;
	int ret;

	ret = check_all_float(op, err);
	if (ret)
		return ret;
	if (!same_dims(view_of(op, 0), x))
		return onsram_refuse(err, 1, "dims differ from the output's");
	if (x->rank < 2)
		return onsram_refuse(err, 1, "rank must be at least 2");

	switch (op->attr.func) {
	case ONSRAM_NORM_BATCH:
		required = 0x3c;
		uses = USES_PARAM(1);
		break;
	case ONSRAM_NORM_LRN:
		if (!op->attr.kernel[0])
			return attr_refuse(err, "attr.kernel[0] must be at least 1");
		spatial = 1;
		uses = USES_KERNEL | USES_PARAM(3);
		break;
	case ONSRAM_NORM_GROUP:
		if (!op->attr.groups || x->dims[1] % op->attr.groups)
			return attr_refuse(err, "attr.groups must divide the channels");
		fallthrough;
	case ONSRAM_NORM_LAYER:
		required = 0x04;
		optional = 0x08;
		uses = USES_GROUPS | USES_PARAM(1);
		break;
	}
	ret = check_norm_slots(op, required, optional, err);
	if (ret)
		return ret;
	if (op->attr.func == ONSRAM_NORM_LAYER)
		return check_norm_layer(op, err);
	for (s = 2; s < ONSRAM_MAX_OPERANDS; s++) {
		ret = check_channels(op, s, x->dims[1], err);
		if (ret)
			return ret;
	}
	return check_unused(&op->attr, uses, spatial, err);
}

static int onsram_check_GATHER(const struct drm_onsram_op *op, struct onsram_validate_error *err)
{
	const struct onsram_view *out = view_of(op, 0);
	const struct onsram_view *data = view_of(op, 1), *at = view_of(op, 2);
	u32 axis = op->attr.axis, d;

	if (out->dtype != data->dtype)
		return onsram_refuse(err, 1, "dtype differs from the output's");
	if (!is_int(at->dtype))
		return onsram_refuse(err, 2, "indices must be I32 or I64");
	if (axis >= data->rank)
		return attr_refuse(err, "attr.axis beyond the rank");
	if (out->rank != data->rank - 1 + at->rank)
		return onsram_refuse(err, 0, "rank does not follow from data and indices");
	for (d = 0; d < out->rank; d++) {
		u32 want;

		if (d < axis)
			want = data->dims[d];
		else if (d < axis + at->rank)
			want = at->dims[d - axis];
		else
			want = data->dims[d - at->rank + 1];
		if (out->dims[d] != want)
			return onsram_refuse(err, 0, "dims do not follow from data and indices");
	}
	return check_unused(&op->attr, USES_AXIS, 0, err);
}

static int onsram_check_RESIZE(const struct drm_onsram_op *op, struct onsram_validate_error *err)
{
	const struct onsram_view *out = view_of(op, 0), *x = view_of(op, 1);

	if (x->rank != out->rank)
		return onsram_refuse(err, 1, "rank differs from the output's");
	if (!x->rank)
		return onsram_refuse(err, 1, "rank must be at least 1");
	if (op->attr.func == ONSRAM_RESIZE_LINEAR) {
		int ret = check_all_float(op, err);

		if (ret)
			return ret;
	} else if (x->dtype != out->dtype) {
		return onsram_refuse(err, 1, "dtype differs from the output's");
	}
	return check_unused(&op->attr, 0, 0, err);
}

#define ONSRAM_X(name, value, required, optional, funcs) \
	[value] = { required, optional, funcs, onsram_check_##name },
static const struct onsram_op_rule op_rules[ONSRAM_OP_COUNT] = {
	ONSRAM_OPERATIONS(ONSRAM_X)
};

#undef ONSRAM_X

const struct onsram_op_rule *onsram_op_rule(u32 opcode)
{
	const struct onsram_op_rule *rule;

	if (opcode >= ONSRAM_OP_COUNT)
		return NULL;
	rule = &op_rules[array_index_nospec(opcode, ONSRAM_OP_COUNT)];
	return rule->check ? rule : NULL;
}

/* A factor of the work per element of the output */
static u64 onsram_work_times(u64 work, u64 factor)
{
	u64 product;

	return check_mul_overflow(work, factor, &product) ? U64_MAX : product;
}

u64 onsram_op_work(const struct drm_onsram_op *op)
{
	const struct onsram_view *in = &op->operand[1].view, *w = &op->operand[2].view;
	u64 work = onsram_elements_of(&op->operand[0].view);
	u32 i;

	switch (op->opcode) {
	case ONSRAM_OP_GEMM:
		return onsram_work_times(work, in->dims[in->rank - 1]);
	case ONSRAM_OP_CONV:
		for (i = 1; i < w->rank; i++)
			work = onsram_work_times(work, w->dims[i]);
		return work;
	case ONSRAM_OP_POOL:
		for (i = 0; i < in->rank - 2; i++)
			work = onsram_work_times(work, op->attr.kernel[i]);
		return onsram_work_times(work, ONSRAM_WORK_WINDOW);
	case ONSRAM_OP_NORM:
		if (op->attr.func != ONSRAM_NORM_LRN)
			return work;
		work = onsram_work_times(work, min_t(u32, op->attr.kernel[0], in->dims[1]));
		return onsram_work_times(work, ONSRAM_WORK_WINDOW);
	case ONSRAM_OP_REDUCE:
		return onsram_elements_of(in);
	default:
		return work;
	}
}
