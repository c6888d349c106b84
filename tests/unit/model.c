// SPDX-License-Identifier: MIT
#define _GNU_SOURCE

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model.h"

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

/* Append @item to a repeated field. */
#define append(array, nr, item) do { \
	(array) = must(realloc((array), ((nr) + 1) * sizeof(*(array)))); \
	(array)[(nr)++] = (item); \
} while (0)

#define message(type, init) ({ \
	type *m_ = must(malloc(sizeof(*m_))); \
	init(m_); \
	m_; \
})

Onnx__ModelProto *model_new(int64_t opset)
{
	Onnx__ModelProto *m = message(Onnx__ModelProto, onnx__model_proto__init);
	Onnx__OperatorSetIdProto *o = message(Onnx__OperatorSetIdProto, onnx__operator_set_id_proto__init);

	o->has_version = true;
	o->version = opset;
	append(m->opset_import, m->n_opset_import, o);
	m->graph = message(Onnx__GraphProto, onnx__graph_proto__init);
	m->graph->name = must(strdup("test"));
	return m;
}

void model_free(Onnx__ModelProto *m)
{
	protobuf_c_message_free_unpacked(&m->base, NULL);
}

char *model_write_bytes(const void *data, size_t size)
{
	const char *dir = getenv("TMPDIR");
	char *path;
	int fd;

	if (asprintf(&path, "%s/onsram-test-XXXXXX", dir ? dir : "/tmp") < 0)
		abort();
	fd = mkstemp(path);
	if (fd < 0)
		abort();
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n <= 0)
			abort();
		data = (const char *)data + n;
		size -= n;
	}
	close(fd);
	return path;
}

char *model_write(const Onnx__ModelProto *m)
{
	size_t size = onnx__model_proto__get_packed_size(m);
	uint8_t *data = must(malloc(size));
	char *path;

	onnx__model_proto__pack(m, data);
	path = model_write_bytes(data, size);
	free(data);
	return path;
}

void model_remove(char *path)
{
	unlink(path);
	free(path);
}

static Onnx__ValueInfoProto *value_info(const char *name)
{
	Onnx__ValueInfoProto *v = message(Onnx__ValueInfoProto, onnx__value_info_proto__init);

	v->name = must(strdup(name));
	return v;
}

Onnx__ValueInfoProto *model_input(Onnx__ModelProto *m, const char *name, uint32_t rank, const int64_t *dims)
{
	Onnx__ValueInfoProto *v = value_info(name);
	Onnx__TypeProto__Tensor *t = message(Onnx__TypeProto__Tensor, onnx__type_proto__tensor__init);

	v->type = message(Onnx__TypeProto, onnx__type_proto__init);
	v->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	v->type->tensor_type = t;
	t->has_elem_type = true;
	t->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
	t->shape = message(Onnx__TensorShapeProto, onnx__tensor_shape_proto__init);
	for (uint32_t d = 0; d < rank; d++) {
		Onnx__TensorShapeProto__Dimension *dim = message(Onnx__TensorShapeProto__Dimension,
								 onnx__tensor_shape_proto__dimension__init);

		dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		dim->dim_value = dims[d];
		append(t->shape->dim, t->shape->n_dim, dim);
	}
	append(m->graph->input, m->graph->n_input, v);
	return v;
}

void model_dim(Onnx__ValueInfoProto *input, uint32_t d, const char *name)
{
	Onnx__TensorShapeProto__Dimension *dim = input->type->tensor_type->shape->dim[d];

	dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE__NOT_SET;
	dim->dim_value = 0;
	if (name) {
		dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
		dim->dim_param = must(strdup(name));
	}
}

void model_output(Onnx__ModelProto *m, const char *name)
{
	append(m->graph->output, m->graph->n_output, value_info(name));
}

/* An initializer whose raw data the caller fills. */
static void *initializer(Onnx__ModelProto *m, const char *name, int32_t type, size_t size, uint32_t rank,
			 const int64_t *dims)
{
	Onnx__TensorProto *t = message(Onnx__TensorProto, onnx__tensor_proto__init);

	t->name = must(strdup(name));
	t->has_data_type = true;
	t->data_type = type;
	for (uint32_t d = 0; d < rank; d++) {
		append(t->dims, t->n_dims, dims[d]);
		size *= dims[d];
	}
	t->has_raw_data = true;
	t->raw_data.len = size;
	t->raw_data.data = must(malloc(size ? size : 1));
	append(m->graph->initializer, m->graph->n_initializer, t);
	return t->raw_data.data;
}

void model_floats(Onnx__ModelProto *m, const char *name, uint32_t rank, const int64_t *dims, const float *data)
{
	float *out = initializer(m, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, sizeof(float), rank, dims);
	uint64_t n = 1;

	for (uint32_t d = 0; d < rank; d++)
		n *= dims[d];
	for (uint64_t i = 0; i < n; i++)
		out[i] = data ? data[i] : i;
}

void model_ints(Onnx__ModelProto *m, const char *name, uint32_t nr, const int64_t *data)
{
	int64_t dim = nr;
	void *out = initializer(m, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, sizeof(*data), 1, &dim);

	if (nr)
		memcpy(out, data, nr * sizeof(*data));
}

static void names(const char *list, char ***array, size_t *nr)
{
	char *copy = must(strdup(list)), *save, *name;

	for (name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save))
		append(*array, *nr, must(strdup(strcmp(name, "-") ? name : "")));
	free(copy);
}

Onnx__NodeProto *model_node(Onnx__ModelProto *m, const char *op, const char *in, const char *out)
{
	Onnx__NodeProto *n = message(Onnx__NodeProto, onnx__node_proto__init);

	n->op_type = must(strdup(op));
	names(in, &n->input, &n->n_input);
	names(out, &n->output, &n->n_output);
	append(m->graph->node, m->graph->n_node, n);
	return n;
}

static Onnx__AttributeProto *attribute(Onnx__NodeProto *n, const char *name,
				       Onnx__AttributeProto__AttributeType type)
{
	Onnx__AttributeProto *a = message(Onnx__AttributeProto, onnx__attribute_proto__init);

	a->name = must(strdup(name));
	a->has_type = true;
	a->type = type;
	append(n->attribute, n->n_attribute, a);
	return a;
}

void node_int(Onnx__NodeProto *n, const char *name, int64_t value)
{
	Onnx__AttributeProto *a = attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);

	a->has_i = true;
	a->i = value;
}

void node_float(Onnx__NodeProto *n, const char *name, float value)
{
	Onnx__AttributeProto *a = attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);

	a->has_f = true;
	a->f = value;
}

void node_string(Onnx__NodeProto *n, const char *name, const char *value)
{
	Onnx__AttributeProto *a = attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);

	a->has_s = true;
	a->s.len = strlen(value);
	a->s.data = must((uint8_t *)strdup(value));
}

void node_ints(Onnx__NodeProto *n, const char *name, uint32_t nr, const int64_t *data)
{
	Onnx__AttributeProto *a = attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);

	for (uint32_t i = 0; i < nr; i++)
		append(a->ints, a->n_ints, data[i]);
}

void node_graph(Onnx__NodeProto *n, const char *name, Onnx__ModelProto *body)
{
	attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH)->g = body->graph;
	body->graph = NULL;
	model_free(body);
}

void node_reference(Onnx__NodeProto *n, const char *name, const char *of)
{
	Onnx__AttributeProto *a = attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);

	a->ref_attr_name = must(strdup(of));
}

void model_function(Onnx__ModelProto *m, const char *name, Onnx__ModelProto *body)
{
	Onnx__FunctionProto *f = message(Onnx__FunctionProto, onnx__function_proto__init);
	Onnx__GraphProto *graph = body->graph;

	f->name = must(strdup(name));
	f->domain = must(strdup("test"));
	for (size_t i = 0; i < graph->n_input; i++)
		append(f->input, f->n_input, must(strdup(graph->input[i]->name)));
	for (size_t i = 0; i < graph->n_output; i++)
		append(f->output, f->n_output, must(strdup(graph->output[i]->name)));
	f->node = graph->node;
	f->n_node = graph->n_node;
	graph->node = NULL;
	graph->n_node = 0;
	append(m->functions, m->n_functions, f);
	model_free(body);
}

void node_value(Onnx__NodeProto *n, float value)
{
	Onnx__AttributeProto *a = attribute(n, "value", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR);

	a->t = message(Onnx__TensorProto, onnx__tensor_proto__init);
	append(a->t->dims, a->t->n_dims, 1);
	a->t->has_data_type = true;
	a->t->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
	append(a->t->float_data, a->t->n_float_data, value);
}

uint32_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 32;
}

static const Onnx__TensorProto *find(const Onnx__ModelProto *m, const char *name)
{
	for (size_t i = 0; i < m->graph->n_initializer; i++)
		if (!strcmp(m->graph->initializer[i]->name, name))
			return m->graph->initializer[i];
	return NULL;
}

void model_randomize(Onnx__ModelProto *m, uint64_t max)
{
	uint64_t state = 88172645463325252ull;
	size_t kept = 0;

	for (size_t i = 0; i < m->graph->n_node; i++) {
		Onnx__NodeProto *n = m->graph->node[i];
		const Onnx__TensorProto *shape = NULL;
		uint64_t count = 1, fan_in = 1;
		struct onsram_array a;
		int64_t dims[8];
		uint32_t rank;
		char *err = NULL;
		float *data;

		m->graph->node[kept] = n;
		if (!strcmp(n->op_type, "ConstantOfShape"))
			shape = find(m, n->input[0]);
		if (!shape || proto_tensor(shape, &a, &err)) {
			free(err);
			kept++;
			continue;
		}
		rank = a.dims[0];
		for (uint32_t d = 0; d < rank; d++) {
			dims[d] = ((int64_t *)a.data)[d];
			count *= dims[d];
			fan_in *= d ? dims[d] : 1;
		}
		onsram_array_release(&a);
		if (count > max) {
			kept++;
			continue;
		}
		data = initializer(m, n->output[0], ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, sizeof(float),
				   rank, dims);
		for (uint64_t e = 0; e < count; e++) {
			float r = random_next(&state) / 4294967296.0f;

			/* Vectors serve as variances too, so they are positive. */
			data[e] = rank == 1 ? 0.5f + r / 2 : (2 * r - 1) * sqrtf(3.0f / fan_in);
		}
		protobuf_c_message_free_unpacked(&n->base, NULL);
	}
	m->graph->n_node = kept;
}

void model_drop_softmax(Onnx__ModelProto *m)
{
	Onnx__NodeProto *last = m->graph->node[m->graph->n_node - 1];

	if (strcmp(last->op_type, "Softmax"))
		return;
	free(m->graph->output[0]->name);
	m->graph->output[0]->name = must(strdup(last->input[0]));
	protobuf_c_message_free_unpacked(&last->base, NULL);
	m->graph->n_node--;
}

char *onnx_cases_folder(void)
{
	const char *cache = getenv("ONSRAM_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *path;
	int n = cache ? asprintf(&path, "%s/onnx-testdata/data", cache) :
		xdg ? asprintf(&path, "%s/onsram/onnx-testdata/data", xdg) :
		      asprintf(&path, "%s/.cache/onsram/onnx-testdata/data", home ? home : "");

	return n < 0 ? NULL : path;
}
