/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The operations of the onsram accelerator: what every layer means by an
 * opcode, a tensor view and an attribute.  Applications, kernel driver, device,
 * performance model and policy daemon all use these definitions; nothing in
 * here knows about ioctls, registers or netlink.
 */
#ifndef _UAPI_ONSRAM_OP_H_
#define _UAPI_ONSRAM_OP_H_

#include <linux/types.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** ONSRAM_MAX_RANK - highest number of dimensions of a view */
#define ONSRAM_MAX_RANK		6
/** ONSRAM_MAX_OPERANDS - operand slots of an operation; slot 0 is the output */
#define ONSRAM_MAX_OPERANDS	6
/** ONSRAM_MAX_SPATIAL - spatial dimensions a convolution or pool can have */
#define ONSRAM_MAX_SPATIAL	3
/** ONSRAM_SPM_GRANULE - bytes; unit of SPM placement, ownership and protection */
#define ONSRAM_SPM_GRANULE	1024
/**
 * ONSRAM_STAGING_MIN - bytes of SPM that residency may never take: the engines' own
 * staging window
 */
#define ONSRAM_STAGING_MIN	(128 * 1024)

/**
 * enum onsram_dtype - element type of a view
 * @ONSRAM_DTYPE_NONE: operand slot not used; the rest of the operand must be zero
 * @ONSRAM_DTYPE_F32: IEEE 754 binary32
 * @ONSRAM_DTYPE_F16: IEEE 754 binary16 (arithmetic accumulates in binary32)
 * @ONSRAM_DTYPE_I64: two's complement 64 bit
 * @ONSRAM_DTYPE_I32: two's complement 32 bit
 * @ONSRAM_DTYPE_BOOL: one byte, 0 or 1
 */
enum onsram_dtype {
	ONSRAM_DTYPE_NONE = 0,
	ONSRAM_DTYPE_F32 = 1,
	ONSRAM_DTYPE_F16 = 2,
	ONSRAM_DTYPE_I64 = 3,
	ONSRAM_DTYPE_I32 = 4,
	ONSRAM_DTYPE_BOOL = 5,
	ONSRAM_DTYPE_COUNT
};

/**
 * struct onsram_view - shape and layout of a strided tensor
 * @dtype: enum onsram_dtype
 * @rank: number of dimensions used, 0 (scalar) to ONSRAM_MAX_RANK
 * @dims: extents in elements, each at least 1; 0 beyond @rank
 * @strides: distance in elements between neighbours of a dimension; may be 0
 *	(broadcast) or negative in inputs, must address every element once in an
 *	output; 0 beyond @rank
 *
 * The address of element (i0, i1, ...) is base + (i0*strides[0] + ...) * sizeof(dtype).
 */
struct onsram_view {
	__u32 dtype;
	__u32 rank;
	__u32 dims[ONSRAM_MAX_RANK];
	__s32 strides[ONSRAM_MAX_RANK];
};

/**
 * ONSRAM_OPERATIONS - the operation table
 *
 * X(name, value, required, optional, functions)
 *	required: bit mask of operand slots that must be present
 *	optional: bit mask of operand slots that may be present
 *	functions: number of values attr.func may take (0 means attr.func must be 0)
 *
 * Operand slots (slot 0 is always the output):
 *	COPY		1 source (dtype may differ: converts)
 *	FILL		- value in attr.param[0..1] (low, high word of the element; f16/f32:
 *			fp32 bits in param[0])
 *	GEMM		1 A [batch.., M, K], 2 B [batch.., K, N], 3 bias, 4 residual (both of
 *			out's shape, broadcast by stride 0)
 *			out [batch.., M, N]; transposed operands are views with swapped strides;
 *			out = act(alpha * A x B + beta * bias + residual), alpha/beta in
 *			attr.param[0..1] as fp32 bits
 *	CONV		1 X [N, C, spatial..], 2 W [O, C/groups, kernel..], 3 bias [O], 4
 *			residual (shape of out)
 *			out [N, O, spatial..] = act(conv + bias + residual)
 *	POOL		1 X [N, C, spatial..]; func: enum onsram_pool
 *	ELEMENTWISE	1 A, 2 B, 3 C, all of the output's shape (broadcast by stride 0); func:
 *			enum onsram_elementwise
 *	REDUCE		1 X; attr.axis is a bit mask of reduced dimensions, which have extent 1
 *			in the output; func: enum onsram_reduce
 *	SOFTMAX		1 X; attr.axis is the dimension; func 1 takes the logarithm
 *	NORM		1 X [N, C, ..], 2 scale [C], 3 bias [C], 4 mean [C], 5 variance [C];
 *			func: enum onsram_norm
 *	GATHER		1 data, 2 indices (i32/i64); attr.axis is the dimension of data;
 *			out = data.dims[:axis] + indices.dims + data.dims[axis+1:]
 *	RESIZE		1 X, same rank as out; func: enum onsram_resize
 */
#define ONSRAM_OPERATIONS(X) \
	X(COPY,		1,  0x03, 0x00, 0) \
	X(FILL,		2,  0x01, 0x00, 0) \
	X(GEMM,		3,  0x07, 0x18, 0) \
	X(CONV,		4,  0x07, 0x18, 0) \
	X(POOL,		5,  0x03, 0x00, ONSRAM_POOL_COUNT) \
	X(ELEMENTWISE,	6,  0x03, 0x0c, ONSRAM_EW_COUNT) \
	X(REDUCE,	7,  0x03, 0x00, ONSRAM_REDUCE_COUNT) \
	X(SOFTMAX,	8,  0x03, 0x00, 2) \
	X(NORM,		9,  0x03, 0x3c, ONSRAM_NORM_COUNT) \
	X(GATHER,	10, 0x07, 0x00, 0) \
	X(RESIZE,	11, 0x03, 0x00, ONSRAM_RESIZE_COUNT)

/*
 * What makes an operation well formed.  The driver refuses any other at submit,
 * the device again at execution; both follow this list.
 *
 * Views:
 *	- dtype below ONSRAM_DTYPE_COUNT, rank at most ONSRAM_MAX_RANK, dims at least
 *	  1 up to the rank; dims and strides are 0 beyond it, a view of dtype NONE is 0
 *	- at most ONSRAM_MAX_ELEMENTS elements (broadcast ones count), and at most
 *	  ONSRAM_MAX_EXTENT bytes from the first to behind the last byte addressed
 *	- the output: dimensions of extent 1 aside and ordered by |stride|, each
 *	  |stride| is larger than the sum of |stride| * (dim - 1) of those before it
 *	- required slots present, others than required and optional ones absent
 *
 * Attributes: func below the table's functions (below 1 where that is 0), act
 * below ONSRAM_ACT_COUNT, reserved 0; a field that the operation, its function
 * or its act does not use is 0.  "float" is F32 or F16, operands may mix them.
 *
 *	COPY		dims of slot 1 = output's; any dtypes
 *	FILL		param[0..1] used; param[1] is 0 unless the dtype is I64; param[0] is 0
 *			or 1 for BOOL
 *	GEMM		float; rank at least 2 and the same everywhere; batch dims of A and B,
 *			all dims of bias and residual = output's (broadcast by stride 0); M, N,
 *			K agree; act, act_param, param[0..1] used
 *	CONV		float; rank 3 to 5, the same for out, X, W and residual; groups at least
 *			1 and a divisor of C and O; W.dims[1] = C / groups; O = out.dims[1];
 *			bias rank 1, dims[0] = O; residual dims = output's; per spatial
 *			dimension stride and dilation at least 1, window = dilation * (W.dim -
 *			1) + 1 at most padded = X.dim + pad_begin + pad_end, out.dim = (padded -
 *			window) / stride + 1; groups, act, act_param, stride, dilation, pads
 *			used
 *	POOL		float; rank 3 to 5, N and C of out = X's; as CONV with kernel for W.dim,
 *			and out.dim may also be one larger where the division has a remainder
 *			and the last window begins inside padded, pad_end included (ceil mode);
 *			kernel, stride, dilation, pads used
 *	ELEMENTWISE	exactly the function's inputs present, dims = output's; dtypes as
 *			the function's table says; its params used
 *	REDUCE		same rank; axis below 1 << rank; out.dim = 1 where reduced, else X's;
 *			float, or equal and I64/I32
 *	SOFTMAX		float; dims = output's; axis below rank
 *	NORM		float; dims of X = output's, rank at least 2; C = dims[1]
 *			BATCH: slots 2-5 present, rank 1, dims[0] = C; param[0] used
 *			LRN: slots 2-5 absent; kernel[0] at least 1; kernel[0], param[0..2] used
 *			LAYER: slot 2 present, 3 optional, 4 and 5 absent; dims = X.dims[axis:];
 *			axis below rank; axis, param[0] used
 *			GROUP: slot 2 present, 3 optional, 4 and 5 absent, rank 1, dims[0] = C;
 *			groups at least 1 and a divisor of C; groups, param[0] used
 *	GATHER		out dtype = data's; indices I32 or I64; axis below data's rank; dims as
 *			the table says; a negative index counts from the end, one out of range
 *			fails at execution
 *	RESIZE		same rank, rank at least 1; NEAREST: equal dtypes; LINEAR: float
 *
 * In act_param, CLIP uses both entries and LEAKY_RELU the first.
 *
 * Work: at most what the device says (max_op_work), so that no operation keeps an
 * engine for long.  In multiply-accumulates:
 *	GEMM		elements of the output * K
 *	CONV		elements of the output * C / groups * elements of the kernel
 *	POOL		elements of the output * elements of the kernel * ONSRAM_WORK_WINDOW
 *	NORM LRN	elements of the output * min(size, C) * ONSRAM_WORK_WINDOW
 *	REDUCE		elements of the input
 *	others		elements of the output
 */

/** ONSRAM_WORK_WINDOW - work of an element of a window, in multiply-accumulates */
#define ONSRAM_WORK_WINDOW	8

/** ONSRAM_MAX_ELEMENTS - elements a view may have */
#define ONSRAM_MAX_ELEMENTS	0x10000000u
/** ONSRAM_MAX_EXTENT - bytes a view may span */
#define ONSRAM_MAX_EXTENT	0x100000000ull

/** enum onsram_opcode - ONSRAM_OP_<name> from ONSRAM_OPERATIONS */
enum onsram_opcode {
#define ONSRAM_X(name, value, required, optional, funcs) ONSRAM_OP_##name = value,
	ONSRAM_OPERATIONS(ONSRAM_X)
#undef ONSRAM_X
	ONSRAM_OP_COUNT
};

/**
 * enum onsram_pool - what a POOL makes of a window
 *
 * Of the window's elements, per spatial dimension i * stride + k * dilation -
 * pad_begin with k below kernel, some lie in X, some in the padding (pad_begin
 * before and pad_end behind X), and in ceil mode some beyond that.
 *
 * MAX: the largest of those in X; minus infinity where there is none.
 * AVG: the sum of those in X, divided by their number; 0 where there is none.
 * AVG_PAD: the sum of those in X, divided by the number of those in X and in the
 *	padding; what lies beyond the padding counts nowhere.
 */
enum onsram_pool {
	ONSRAM_POOL_MAX = 0,
	ONSRAM_POOL_AVG = 1,
	ONSRAM_POOL_AVG_PAD = 2,
	ONSRAM_POOL_COUNT
};

/*
 * What an elementwise function takes: float (F32, F16 or both), the integers I64
 * or I32, BOOL; all operands of one type but for the two that follow.
 */
#define ONSRAM_EW_FLOAT		0x01
#define ONSRAM_EW_INT		0x02
#define ONSRAM_EW_BOOL		0x04
/** ONSRAM_EW_COMPARES - the output is BOOL, the inputs are of one dtype */
#define ONSRAM_EW_COMPARES	0x08
/** ONSRAM_EW_SELECTS - slot 1 is BOOL, the others are of one dtype */
#define ONSRAM_EW_SELECTS	0x10

/* The combinations that occur, as the table names them */
#define ONSRAM_EW_TAKES_F	ONSRAM_EW_FLOAT
#define ONSRAM_EW_TAKES_FI	(ONSRAM_EW_FLOAT | ONSRAM_EW_INT)
#define ONSRAM_EW_TAKES_FIB	(ONSRAM_EW_FLOAT | ONSRAM_EW_INT | ONSRAM_EW_BOOL)
#define ONSRAM_EW_TAKES_IB	(ONSRAM_EW_INT | ONSRAM_EW_BOOL)
#define ONSRAM_EW_TAKES_CMP	(ONSRAM_EW_TAKES_FIB | ONSRAM_EW_COMPARES)
#define ONSRAM_EW_TAKES_SEL	(ONSRAM_EW_TAKES_FIB | ONSRAM_EW_SELECTS)

/**
 * ONSRAM_ELEMENTWISE_FUNCTIONS - X(name, value, inputs, flops, takes, params)
 *
 *	flops: per element, what the performance model charges the vector unit with
 *	takes: ONSRAM_EW_TAKES_<takes> above
 *	params: entries of attr.param it uses
 *
 * CLIP: min(max(a, param0), param1).  LEAKY_RELU: a < 0 ? param0 * a : a.
 * HARD_SIGMOID: clip(param0 * a + param1, 0, 1).  AFFINE: param0 * a + param1.
 * MUL_ADD: a * b + c.  WHERE: a ? b : c.  ROUND: halves to even.  MOD: what is left
 * of a by b, with b's sign; REM: with a's.  Integers wrap, division truncates; a
 * division by 0, and what is left of one, is 0.
 */
#define ONSRAM_ELEMENTWISE_FUNCTIONS(X) \
	X(IDENTITY,	0,  1, 1, FIB, 0) \
	X(RELU,		1,  1, 1, FI, 0) \
	X(CLIP,		2,  1, 2, F, 2) \
	X(LEAKY_RELU,	3,  1, 2, F, 1) \
	X(SIGMOID,	4,  1, 4, F, 0) \
	X(TANH,		5,  1, 6, F, 0) \
	X(EXP,		6,  1, 2, F, 0) \
	X(LOG,		7,  1, 2, F, 0) \
	X(SQRT,		8,  1, 1, F, 0) \
	X(NEG,		9,  1, 1, FI, 0) \
	X(ABS,		10, 1, 1, FI, 0) \
	X(ERF,		11, 1, 8, F, 0) \
	X(HARD_SIGMOID,	12, 1, 4, F, 2) \
	X(AFFINE,	13, 1, 2, F, 2) \
	X(RECIPROCAL,	14, 1, 1, F, 0) \
	X(ADD,		15, 2, 1, FI, 0) \
	X(SUB,		16, 2, 1, FI, 0) \
	X(MUL,		17, 2, 1, FI, 0) \
	X(DIV,		18, 2, 1, FI, 0) \
	X(MAX,		19, 2, 1, FIB, 0) \
	X(MIN,		20, 2, 1, FIB, 0) \
	X(POW,		21, 2, 4, F, 0) \
	X(EQUAL,	22, 2, 1, CMP, 0) \
	X(LESS,		23, 2, 1, CMP, 0) \
	X(GREATER,	24, 2, 1, CMP, 0) \
	X(MUL_ADD,	25, 3, 2, FI, 0) \
	X(WHERE,	26, 3, 1, SEL, 0) \
	X(FLOOR,	27, 1, 1, F, 0) \
	X(CEIL,		28, 1, 1, F, 0) \
	X(ROUND,	29, 1, 1, F, 0) \
	X(SIGN,		30, 1, 1, FI, 0) \
	X(SIN,		31, 1, 6, F, 0) \
	X(COS,		32, 1, 6, F, 0) \
	X(TAN,		33, 1, 8, F, 0) \
	X(ASIN,		34, 1, 8, F, 0) \
	X(ACOS,		35, 1, 8, F, 0) \
	X(ATAN,		36, 1, 8, F, 0) \
	X(SINH,		37, 1, 6, F, 0) \
	X(COSH,		38, 1, 6, F, 0) \
	X(ASINH,	39, 1, 8, F, 0) \
	X(ACOSH,	40, 1, 8, F, 0) \
	X(ATANH,	41, 1, 8, F, 0) \
	X(MOD,		42, 2, 4, FI, 0) \
	X(REM,		43, 2, 4, FI, 0) \
	X(BIT_AND,	44, 2, 1, IB, 0) \
	X(BIT_OR,	45, 2, 1, IB, 0) \
	X(BIT_XOR,	46, 2, 1, IB, 0)

/** enum onsram_elementwise - ONSRAM_EW_<name> from ONSRAM_ELEMENTWISE_FUNCTIONS */
enum onsram_elementwise {
#define ONSRAM_X(name, value, inputs, flops, takes, params) ONSRAM_EW_##name = value,
	ONSRAM_ELEMENTWISE_FUNCTIONS(ONSRAM_X)
#undef ONSRAM_X
	ONSRAM_EW_COUNT
};

enum onsram_reduce {
	ONSRAM_REDUCE_SUM = 0,
	ONSRAM_REDUCE_MEAN = 1,
	ONSRAM_REDUCE_MAX = 2,
	ONSRAM_REDUCE_MIN = 3,
	ONSRAM_REDUCE_PROD = 4,
	ONSRAM_REDUCE_SUM_SQUARE = 5,
	ONSRAM_REDUCE_COUNT
};

/**
 * enum onsram_norm - BATCH needs slots 2-5; LRN needs none of them
 *
 * BATCH: scale * (x - mean) / sqrt(var + eps) + bias, eps in attr.param[0].
 * LRN: x / (bias + alpha / size * sum of squares over size channels)^beta with
 *	attr.kernel[0] = size, attr.param[0..2] = alpha, beta, bias.
 * LAYER: over the dimensions from attr.axis on, slots 2 (scale) and 3 (bias,
 *	optional) have the shape of the normalised dimensions, eps in attr.param[0].
 * GROUP: attr.groups groups of channels (groups = C is instance normalisation), slots 2
 *	(scale) and 3 (bias, optional) per channel, eps in attr.param[0].
 */
enum onsram_norm {
	ONSRAM_NORM_BATCH = 0,
	ONSRAM_NORM_LRN = 1,
	ONSRAM_NORM_LAYER = 2,
	ONSRAM_NORM_GROUP = 3,
	ONSRAM_NORM_COUNT
};

/**
 * enum onsram_resize - coordinate transform: half_pixel for LINEAR, asymmetric floor for
 * NEAREST
 */
enum onsram_resize {
	ONSRAM_RESIZE_NEAREST = 0,
	ONSRAM_RESIZE_LINEAR = 1,
	ONSRAM_RESIZE_COUNT
};

/**
 * enum onsram_act - activation of the GEMM and CONV epilogue
 *
 * CLIP, LEAKY_RELU take attr.act_param[] as the elementwise function takes param[].
 */
enum onsram_act {
	ONSRAM_ACT_NONE = 0,
	ONSRAM_ACT_RELU = 1,
	ONSRAM_ACT_CLIP = 2,
	ONSRAM_ACT_LEAKY_RELU = 3,
	ONSRAM_ACT_SIGMOID = 4,
	ONSRAM_ACT_TANH = 5,
	ONSRAM_ACT_COUNT
};

/**
 * struct onsram_attr - attributes of an operation; fields an operation does not use are 0
 * @func: function within the opcode (enum onsram_pool, _elementwise, _reduce, _norm, _resize)
 * @groups: CONV: groups (at least 1); NORM GROUP: groups
 * @axis: SOFTMAX, GATHER, NORM LAYER: dimension; REDUCE: bit mask of dimensions
 * @act: enum onsram_act, GEMM and CONV only
 * @kernel: POOL: window, at least 1 per spatial dimension (CONV's is in the weight view);
 *	NORM LRN: [0] = size
 * @stride: CONV, POOL: step per spatial dimension, at least 1
 * @dilation: CONV, POOL: at least 1
 * @pad_begin: CONV, POOL: zero (max pool: minus infinity) elements before
 * @pad_end: likewise after
 * @reserved: must be 0
 * @param: parameters as fp32 bit patterns (FILL: raw words)
 * @act_param: parameters of @act as fp32 bit patterns
 *
 * Spatial arrays hold the outermost spatial dimension first; entries beyond
 * the operation's spatial rank are 0.
 */
struct onsram_attr {
	__u32 func;
	__u32 groups;
	__u32 axis;
	__u32 act;
	__u16 kernel[ONSRAM_MAX_SPATIAL];
	__u16 stride[ONSRAM_MAX_SPATIAL];
	__u16 dilation[ONSRAM_MAX_SPATIAL];
	__u16 pad_begin[ONSRAM_MAX_SPATIAL];
	__u16 pad_end[ONSRAM_MAX_SPATIAL];
	__u16 reserved;
	__u32 param[4];
	__u32 act_param[2];
};

/**
 * ONSRAM_MODEL_PARAMS - parameters of the device and its performance model
 *
 * X(field, what it is).  All are __u64.  This list is struct onsram_model, the
 * register block ONSRAM_REG_MODEL, DEV_QUERY's answer and the input of the
 * configuration hash.
 */
#define ONSRAM_MODEL_PARAMS(X) \
	X(spm_size,		"scratch-pad memory, bytes") \
	X(peak_flops,		"matrix unit, floating point operations per second (2 per MAC)") \
	X(vector_flops,		"vector unit, floating point operations per second") \
	X(dram_bw,		"external memory bandwidth, bytes per second") \
	X(spm_bw,		"scratch-pad bandwidth, bytes per second") \
	X(dram_latency_ps,	"latency of an operation's first DRAM access, picoseconds") \
	X(cmd_overhead_ps,	"fixed cost of a command, picoseconds (200 cycles at 1.5 GHz)") \
	X(mac_rows,		"array rows: the reduction is padded to a multiple") \
	X(mac_cols,		"array columns: output channels are padded to a multiple") \
	X(compute_engines,	"number of compute engines") \
	X(preset,		"enum onsram_preset") \
	X(mac_fj,		"energy of a multiply-accumulate, femtojoules") \
	X(spm_byte_fj,		"energy of an SPM byte, femtojoules") \
	X(dram_byte_fj,		"energy of a DRAM byte, femtojoules") \
	X(static_uw,		"static power, microwatts")

enum onsram_preset {
	ONSRAM_PRESET_DEFAULT = 0,
	ONSRAM_PRESET_PAPER = 1,
};

/** struct onsram_model - see ONSRAM_MODEL_PARAMS for units */
struct onsram_model {
#define ONSRAM_X(field, what) __u64 field;
	ONSRAM_MODEL_PARAMS(ONSRAM_X)
#undef ONSRAM_X
};

#if defined(__cplusplus)
}
#endif

#endif
