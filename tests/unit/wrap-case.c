// SPDX-License-Identifier: MIT
#define _GNU_SOURCE

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model.h"
#include "wrap-case.h"

__attribute__((format(printf, 1, 2)))
static char *text(const char *format, ...)
{
	va_list ap;
	char *s;

	va_start(ap, format);
	if (vasprintf(&s, format, ap) < 0)
		abort();
	va_end(ap);
	return s;
}

/* Whether the file's array was of numbers that have a sign, which is now the other. */
static bool negate(const char *path, const char *to)
{
	struct onsram_array a;
	char *err = NULL;
	bool done = false;

	if (onsram_array_load(path, &a, &err)) {
		free(err);
		return false;
	}
	for (uint64_t i = 0; a.dtype == ONSRAM_DTYPE_F32 && i < a.bytes / 4; i++)
		((float *)a.data)[i] *= -1;
	for (uint64_t i = 0; a.dtype == ONSRAM_DTYPE_F16 && i < a.bytes / 2; i++)
		((uint16_t *)a.data)[i] ^= 0x8000;
	for (uint64_t i = 0; a.dtype == ONSRAM_DTYPE_I64 && i < a.bytes / 8; i++)
		((int64_t *)a.data)[i] *= -1;
	if (a.dtype != ONSRAM_DTYPE_I32 && a.dtype != ONSRAM_DTYPE_BOOL)
		done = !onsram_array_save(to, &a, &err);
	free(err);
	onsram_array_release(&a);
	return done;
}

static bool is_initializer(const Onnx__GraphProto *g, const char *name)
{
	for (size_t i = 0; i < g->n_initializer; i++)
		if (!strcmp(g->initializer[i]->name, name))
			return true;
	return false;
}

/* Bring the last @nr nodes to the front. */
static void to_front(Onnx__GraphProto *g, size_t nr)
{
	size_t old = g->n_node - nr;
	Onnx__NodeProto **nodes = malloc((g->n_node + 1) * sizeof(*nodes));

	if (!nodes)
		abort();
	memcpy(nodes, g->node + old, nr * sizeof(*nodes));
	memcpy(nodes + nr, g->node, old * sizeof(*nodes));
	free(g->node);
	g->node = nodes;
}

/* Files of the first set of data that stay as they are. */
static void link_files(const char *from, const char *to, const char *kind)
{
	for (uint32_t i = 0;; i++) {
		char *old = text("%s/%s_%u.pb", from, kind, i), *new = text("%s/%s_%u.pb", to, kind, i);
		bool there = !access(old, R_OK);

		unlink(new);
		if (there && symlink(old, new))
			abort();
		free(old);
		free(new);
		if (!there)
			return;
	}
}

bool wrap_case(const struct onsram_case *from, const char *dir, struct onsram_case *to)
{
	char *old = text("%.*stest_data_set_0", (int)(strlen(from->model) - strlen("model.onnx")), from->model);
	char *new = text("%s/test_data_set_0", dir), *err = NULL, *path;
	Onnx__ModelProto *m = (Onnx__ModelProto *)proto_read(from->model, &onnx__model_proto__descriptor, &err);
	size_t wrapped = 0;
	uint32_t k = 0;

	mkdir(new, 0777);
	link_files(old, new, "input");
	link_files(old, new, "output");
	for (size_t i = 0; m && m->graph && i < m->graph->n_input; i++) {
		Onnx__ValueInfoProto *v = m->graph->input[i];
		char *in = text("%s/input_%u.pb", old, k), *out = text("%s/input_%u.pb", new, k), *name;

		if (!is_initializer(m->graph, v->name)) {
			k++;
			unlink(out);
			if (v->type && v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE && negate(in, out)) {
				name = text("%s/negative", v->name);
				model_node(m, "Neg", name, v->name);
				free(v->name);
				v->name = name;
				wrapped++;
			} else if (symlink(in, out)) {
				abort();
			}
		}
		free(in);
		free(out);
	}
	*to = (struct onsram_case){ .name = from->name, .model = text("%s/model.onnx", dir) };
	if (wrapped) {
		to_front(m->graph, wrapped);
		path = model_write(m);
		if (rename(path, to->model))
			abort();
		free(path);
	}
	if (m)
		model_free(m);
	free(err);
	free(old);
	free(new);
	return wrapped;
}
