// SPDX-License-Identifier: MIT
/*
 * Damaged models: ONNX's backend test cases with a few bytes, an attribute, an
 * input, a dimension or an element of an input changed. Whatever
 * the importer makes of one, it neither crashes nor makes a program that the
 * device would refuse.
 *
 * usage: fuzz-cases [ROUNDS [SEED]]: so many changes of each model (default 2); prints TAP
 */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "host-run.h"
#include "model.h"

static bool is_sound(const struct onsram_program *p, const char *name)
{
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const char *why = host_refusal(p, i);

		if (!why)
			continue;
		printf("# %s: operation %u, '%s': %s\n", name, i, p->ops[i].name, why);
		return false;
	}
	return true;
}

static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	long length = -1;

	if (f && !fseek(f, 0, SEEK_END))
		length = ftell(f);
	if (length > 0) {
		rewind(f);
		data = malloc(length);
	}
	if (data && fread(data, 1, length, f) != (size_t)length) {
		free(data);
		data = NULL;
	}
	if (f)
		fclose(f);
	*size = length > 0 ? length : 0;
	return data;
}

/* Inputs of the case's first set of data, as far as they can be read. */
static uint32_t read_inputs(const struct onsram_case *c, struct onsram_array *in, uint32_t max)
{
	size_t folder = strlen(c->model) - strlen("model.onnx");
	uint32_t nr = 0;
	int ret = 0;

	while (nr < max && !ret) {
		char *path, *err = NULL;

		if (asprintf(&path, "%.*stest_data_set_0/input_%u.pb", (int)folder, c->model, nr) < 0)
			return nr;
		ret = onsram_array_load(path, &in[nr], &err);
		nr += !ret;
		free(path);
		free(err);
	}
	return nr;
}

/* Change a few bytes of @data. */
static void damage(uint8_t *data, size_t size, uint64_t *rng)
{
	static const uint8_t special[] = { 0, 1, 2, 0x7f, 0x80, 0xff };
	uint32_t changes = 1 + random_next(rng) % 3;

	while (changes--) {
		uint8_t *byte = &data[random_next(rng) % size];

		switch (random_next(rng) % 3) {
		case 0:
			*byte = random_next(rng);
			break;
		case 1:
			*byte ^= 1u << random_next(rng) % 8;
			break;
		default:
			*byte = special[random_next(rng) % sizeof(special)];
		}
	}
}

static int64_t odd_number(uint64_t *rng)
{
	static const int64_t odd[] = {
		0, 1, -1, 2, -2, 3, 5, 7, 8, 31, 63, 64, 65, 255, 256, 65535, 65536, INT32_MAX, INT32_MIN,
		1ll << 28, 1ll << 32, 1ll << 40, INT64_MAX, INT64_MIN,
	};

	return odd[random_next(rng) % (sizeof(odd) / sizeof(odd[0]))];
}

static void damage_attribute(Onnx__AttributeProto *a, uint64_t *rng)
{
	static const float odd[] = { 0, -1, 0.5f, 3, 1e9f, -1e30f, 1e-30f };

	if (a->n_ints && random_next(rng) % 4 == 0)
		a->n_ints--;
	else if (a->n_ints)
		a->ints[random_next(rng) % a->n_ints] = odd_number(rng);
	else if (a->n_floats)
		a->floats[random_next(rng) % a->n_floats] = odd[random_next(rng) % 7];
	else if (a->s.len)
		a->s.data[random_next(rng) % a->s.len] ^= 1u << random_next(rng) % 8;
	else if (a->has_i)
		a->i = odd_number(rng);
	else if (a->has_f)
		a->f = odd[random_next(rng) % 7];
}

/* Exchange two inputs of a node, or leave one out. */
static void damage_inputs(Onnx__NodeProto *n, uint64_t *rng)
{
	size_t a = random_next(rng) % n->n_input, b = random_next(rng) % n->n_input;
	char *name = n->input[a];

	if (a == b) {
		if (*name)
			*name = 0;
		return;
	}
	n->input[a] = n->input[b];
	n->input[b] = name;
}

static void damage_shape(Onnx__TensorShapeProto *shape, uint64_t *rng)
{
	Onnx__TensorShapeProto__Dimension *d;

	if (!shape || !shape->n_dim)
		return;
	d = shape->dim[random_next(rng) % shape->n_dim];
	if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
		d->dim_value = odd_number(rng);
}

/* Change what the model says, not its bytes. */
static void damage_model(Onnx__ModelProto *m, uint64_t *rng)
{
	Onnx__GraphProto *graph = m->graph;
	Onnx__NodeProto *n = graph->n_node ? graph->node[random_next(rng) % graph->n_node] : NULL;
	Onnx__ValueInfoProto *in = graph->n_input ? graph->input[random_next(rng) % graph->n_input] : NULL;
	uint32_t what = random_next(rng) % 8;

	if (what < 4 && n && n->n_attribute)
		damage_attribute(n->attribute[random_next(rng) % n->n_attribute], rng);
	else if (what < 6 && n && n->n_input)
		damage_inputs(n, rng);
	else if (what == 6 && m->n_opset_import)
		m->opset_import[0]->version = 1 + random_next(rng) % 22;
	else if (in && in->type && in->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
		damage_shape(in->type->tensor_type->shape, rng);
}

/* Change an element of an input, which shapes may depend on. Return: which input, to be restored */
static struct onsram_array *damage_contents(struct onsram_array *in, uint32_t nr, uint64_t *rng, int64_t *index, int64_t *old)
{
	struct onsram_array *a = nr ? &in[random_next(rng) % nr] : NULL;

	if (!a || a->dtype != ONSRAM_DTYPE_I64 || a->bytes < 8)
		return NULL;
	*index = random_next(rng) % (a->bytes / 8);
	*old = ((int64_t *)a->data)[*index];
	((int64_t *)a->data)[*index] = odd_number(rng);
	return a;
}

struct tally {
	uint32_t imports, accepted, unsound;
};

static void fuzz(const struct onsram_case *c, uint32_t rounds, uint64_t *rng, struct tally *tally)
{
	struct onsram_array in[16];
	uint32_t nr = read_inputs(c, in, 16);
	size_t size;
	uint8_t *good = read_file(c->model, &size), *bad = malloc(size + 1);

	for (uint32_t i = 0; i < rounds && good && bad; i++) {
		struct onsram_import_options opt = {
			.fuse = i & 1, .dtype = i & 2 ? ONSRAM_DTYPE_F16 : ONSRAM_DTYPE_F32, .inputs = in, .nr_inputs = nr,
		};
		struct onsram_array *changed = NULL;
		struct onsram_program *p;
		Onnx__ModelProto *m;
		int64_t index, old;
		char *path, *err = NULL;

		if (random_next(rng) % 4 == 0) {
			memcpy(bad, good, size);
			damage(bad, size, rng);
			path = model_write_bytes(bad, size);
		} else {
			m = onnx__model_proto__unpack(NULL, size, good);
			if (!m || !m->graph)
				break;
			damage_model(m, rng);
			path = model_write(m);
			model_free(m);
			changed = damage_contents(in, nr, rng, &index, &old);
		}
		p = onsram_import(path, &opt, &err);
		if (changed)
			((int64_t *)changed->data)[index] = old;
		tally->imports++;
		tally->accepted += !!p;
		tally->unsound += p ? !is_sound(p, c->name) : !err;
		onsram_program_free(p);
		free(err);
		model_remove(path);
	}
	free(good);
	free(bad);
	while (nr)
		onsram_array_release(&in[--nr]);
}

int main(int argc, char **argv)
{
	uint32_t rounds = argc > 1 ? atoi(argv[1]) : 2;
	uint64_t rng = argc > 2 ? strtoull(argv[2], NULL, 0) : 0x853c49e6748fea9bull;
	char *folder = onnx_cases_folder(), *err = NULL;
	struct onsram_cases cases;
	struct tally tally = { 0 };

	if (!folder || onsram_cases_find(folder, &cases, &err)) {
		printf("not ok 1 - %s\n", err ? err : "out of memory");
		return 1;
	}
	for (uint32_t i = 0; i < cases.nr; i++) {
		const char *model = strrchr(cases.list[i].model, '/');

		if (model && !strcmp(model, "/model.onnx"))
			fuzz(&cases.list[i], rounds, &rng, &tally);
	}
	onsram_cases_release(&cases);
	free(folder);
	printf("# %u damaged models, %u accepted\n1..2\n", tally.imports, tally.accepted);
	printf("%sok 1 - all are refused with a message, or become operations that the device takes\n",
	       tally.unsound ? "not " : "");
	printf("%sok 2 - some are refused and some are not\n",
	       tally.accepted && tally.accepted < tally.imports ? "" : "not ");
	return tally.unsound || !tally.accepted || tally.accepted == tally.imports;
}
