/* SPDX-License-Identifier: MIT */
/*
 * The importer's graph: tensors (storage), values (views of storage) and
 * operations.  A value is a struct drm_onsram_operand whose bo indexes the
 * graph's tensors; until the program is made, its offset counts elements and
 * its floats are F32 whatever the device is to store them as.
 */
#ifndef ONSRAM_IR_H
#define ONSRAM_IR_H

#include <onnx.pb-c.h>

#include "names.h"
#include "program.h"

/** IR_MAX_ELEMENTS - elements a tensor may have: more, and no operation could view it whole */
#define IR_MAX_ELEMENTS		ONSRAM_MAX_ELEMENTS
/** IR_FOLD_ELEMENTS - constants larger than this are not computed or expanded on the host */
#define IR_FOLD_ELEMENTS	(1u << 16)
/** IR_FOLD_TOTAL - all constants so made together: a small file must not ask for much memory */
#define IR_FOLD_TOTAL		(1u << 24)
/**
 * IR_PIN_INTS, IR_PIN_FLOATS - elements of an input that can become a constant: larger ones are
 * the data that the network works on, not what gives shapes
 */
#define IR_PIN_INTS		1024
#define IR_PIN_FLOATS		16
/** IR_MAX_OPS - operations before fusion; it leaves a few of them for each that the device takes */
#define IR_MAX_OPS		(4 * DRM_ONSRAM_MAX_OPS)

typedef struct drm_onsram_operand ir_value;

/**
 * struct ir_tensor - storage
 * @data: contents of a constant, dense in @view, owned
 * @filled: constant with one value, @fill
 * @written: some operation writes it
 * @made: constant that operations were folded into
 * @given: INPUT: contents that the program depends on, not owned
 */
struct ir_tensor {
	char *name;
	enum onsram_tensor_role role;
	struct onsram_view view;
	void *data;
	bool filled;
	bool written;
	bool made;
	uint32_t fill[2];
	const struct onsram_array *given;
};

/**
 * struct ir_op - an operation
 * @dead: not for the device
 * @folded: because its result was computed on the host, so far
 */
struct ir_op {
	struct drm_onsram_op op;
	char *name;
	bool dead;
	bool folded;
};

/**
 * struct ir_scope - where names mean something: the graph, a branch or loop body, a function
 * @outer: whose names a body sees, too, but a function does not
 * @function: the function, whose attributes are those of node @call; else NULL
 */
struct ir_scope {
	struct names names;
	struct ir_scope *outer;
	const Onnx__FunctionProto *function;
	const Onnx__NodeProto *call;
	uint32_t depth;
};

/**
 * struct ir_symbol - a named dimension
 * @from: what gave it its size
 */
struct ir_symbol {
	const char *name;
	const char *from;
	uint32_t size;
};

/**
 * struct ir_graph - what the importer has made so far
 * @opset: version of the default operator set the model asks for
 * @scope: innermost
 * @model: for its functions
 * @symbols: named dimensions whose size is known; names belong to the model and the options
 * @pinned: per input whose contents are given: whether they are a constant
 * @pins: @pinned has become more: the import is to be done anew
 * @narrowed: some float64 is held as float32
 * @folded: elements of constants that were made on the host
 * @node_op: operator of the node being lowered, for messages
 * @node_name: name of that node, or of its first output
 * @err: first failure
 */
struct ir_graph {
	struct onsram_import_options opt;
	int64_t opset;
	struct ir_tensor *tensors;
	uint32_t nr_tensors;
	struct ir_op *ops;
	uint32_t nr_ops;
	struct ir_scope *scope;
	const Onnx__ModelProto *model;
	uint32_t *inputs;
	uint32_t nr_inputs;
	uint32_t *outputs;
	uint32_t nr_outputs;
	struct ir_symbol *symbols;
	uint32_t nr_symbols;
	bool *pinned;
	bool pins;
	bool narrowed;
	uint64_t folded;
	const char *node_op;
	const char *node_name;
	char *err;
};

/** ir_fail() - record what is wrong, once, naming the current node. Return: -1 */
int ir_fail(struct ir_graph *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** ir_nomem() - ir_fail() for a failed allocation. Return: -1 */
int ir_nomem(struct ir_graph *g);
/** ir_free() - release what the graph owns, not @g itself */
void ir_free(struct ir_graph *g);

/** ir_scope_enter() - names are bound in a scope of their own; @function and its @call may be NULL. Return: 0 or -1 */
int ir_scope_enter(struct ir_graph *g, const Onnx__FunctionProto *function, const Onnx__NodeProto *call);
void ir_scope_leave(struct ir_graph *g);
/** ir_bind() - give a value its name; a name is bound only once in a scope. Return: 0 or -1 */
int ir_bind(struct ir_graph *g, const char *name, const ir_value *v);
/** ir_lookup() - the value of that name, or NULL */
const ir_value *ir_lookup(const struct ir_graph *g, const char *name);

/** ir_tensor_new() - new storage; @out views all of it. Return: 0 or -1 */
int ir_tensor_new(struct ir_graph *g, const char *name, enum onsram_tensor_role role,
		  uint32_t dtype, uint32_t rank, const int64_t *dims, ir_value *out);
/** ir_const_new() - new constant that takes over @data, also on failure. Return: 0 or -1 */
int ir_const_new(struct ir_graph *g, const char *name, uint32_t dtype, uint32_t rank,
		 const int64_t *dims, void *data, ir_value *out);
/** ir_filled_new() - new constant whose every element is @fill. Return: 0 or -1 */
int ir_filled_new(struct ir_graph *g, const char *name, uint32_t dtype, uint32_t rank,
		  const int64_t *dims, const uint32_t fill[2], ir_value *out);
/**
 * ir_push() - append an operation, named after the current node
 *
 * One on constants is computed at once, where they are small; its output is a constant then.
 * Return: 0 or -1
 */
int ir_push(struct ir_graph *g, const struct drm_onsram_op *op);
/** ir_keep() - append an operation that was pushed before; its name is taken over, also on failure. Return: 0 or -1 */
int ir_keep(struct ir_graph *g, const struct ir_op *op);
/** ir_copy() - @out is a dense copy of @v, made by an operation. Return: 0 or -1 */
int ir_copy(struct ir_graph *g, const ir_value *v, ir_value *out);
/** ir_reshape() - @out is @v under other dimensions: a view where strides allow it, else a copy. Return: 0 or -1 */
int ir_reshape(struct ir_graph *g, const ir_value *v, uint32_t rank, const int64_t *dims, ir_value *out);

/** ir_may_fold() - whether the host may make another constant of @n elements, which then counts */
bool ir_may_fold(struct ir_graph *g, uint64_t n);
/** ir_charge() - require that the host may make a constant of @n elements, however large, which then counts. Return: 0 or -1 */
int ir_charge(struct ir_graph *g, uint64_t n);
bool ir_is_const(const struct ir_graph *g, const ir_value *v);
/**
 * ir_need_const() - require that @v is a constant
 *
 * Inputs that it is computed from become constants where their contents are given: the
 * import fails here and is done anew.
 * Return: 0 or -1
 */
int ir_need_const(struct ir_graph *g, const ir_value *v, const char *what);
/** ir_is_uniform() - whether @v is a constant with one value */
bool ir_is_uniform(const struct ir_graph *g, const ir_value *v);
/** ir_uniform_bits() - the element of a uniform constant as FILL takes it. Return: 0 or -1 */
int ir_uniform_bits(struct ir_graph *g, const ir_value *v, uint32_t *param);
/** ir_const_read() - dense copy of a constant. Return: malloc'ed data, or NULL with the failure recorded */
void *ir_const_read(struct ir_graph *g, const ir_value *v);
/** ir_ints() - elements of a constant integer vector. Return: their number (at most @max), or -1 */
int ir_ints(struct ir_graph *g, const ir_value *v, const char *what, int64_t *out, uint32_t max);
/** ir_float() - a constant scalar. Return: 0 or -1 */
int ir_float(struct ir_graph *g, const ir_value *v, const char *what, float *out);

/** ir_dtype() - type that ONNX's @elem_type has inside the graph. Return: it, or ONSRAM_DTYPE_NONE with the failure recorded */
uint32_t ir_dtype(struct ir_graph *g, int64_t elem_type, const char *what);

/* view.c: arithmetic on views, no graph */
size_t view_dtype_size(uint32_t dtype);
const char *view_dtype_name(uint32_t dtype);
/** view_count() - elements of a view */
uint64_t view_count(const struct onsram_view *v);
/** view_dense() - make @v the dense row major view of @dims */
void view_dense(struct onsram_view *v, uint32_t dtype, uint32_t rank, const uint32_t *dims);
bool view_is_dense(const struct onsram_view *v);
bool view_same_dims(const struct onsram_view *a, const struct onsram_view *b);
bool view_equal(const struct onsram_view *a, const struct onsram_view *b);
/** view_swap() - exchange dimensions @a and @b */
void view_swap(struct onsram_view *v, uint32_t a, uint32_t b);
/** view_reshape() - @v under other dimensions without moving an element. Return: false where strides cannot say it */
bool view_reshape(const struct onsram_view *v, uint32_t rank, const uint32_t *dims, struct onsram_view *out);
/** view_broadcast() - repeat @v over @dims, its first dimension at dimension @at of them. Return: whether it fits */
bool view_broadcast(const struct onsram_view *v, uint32_t rank, const uint32_t *dims, uint32_t at,
		    struct onsram_view *out);
/** view_extent() - lowest and highest element an operand touches */
void view_extent(const ir_value *v, int64_t *lo, int64_t *hi);

/** struct view_iter - walks a view in row major order; @at is the element's distance from the first */
struct view_iter {
	const struct onsram_view *view;
	uint32_t index[ONSRAM_MAX_RANK];
	int64_t at;
};

void view_iter_start(struct view_iter *it, const struct onsram_view *v);
void view_iter_next(struct view_iter *it);

static inline uint32_t float_bits(float f)
{
	union { float f; uint32_t u; } x = { .f = f };

	return x.u;
}

static inline float bits_float(uint32_t u)
{
	union { uint32_t u; float f; } x = { .u = u };

	return x.f;
}

#endif
