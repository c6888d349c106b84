// SPDX-License-Identifier: MIT
/*
 * Damaged models: ONNX's backend test cases with a few bytes changed. Whatever
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
#include "exec.h"
#include "model.h"

/* Why the device would not take an operation, or NULL. */
static const char *refusal(const struct onsram_program *p, const struct drm_onsram_op *op)
{
	struct onsram_view views[ONSRAM_MAX_OPERANDS];

	for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		const struct drm_onsram_operand *o = &op->operand[s];
		int64_t begin, end;

		views[s] = o->view;
		if (!o->view.dtype)
			continue;
		if (o->bo >= p->nr_tensors || !onsram_view_extent(&o->view, &begin, &end) ||
		    begin + (int64_t)o->offset < 0 || end + o->offset > p->tensors[o->bo].bytes)
			return "an operand lies outside its tensor";
	}
	return onsram_exec_check(op->opcode, &op->attr, views);
}

static bool is_sound(const struct onsram_program *p, const char *name)
{
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const char *why = refusal(p, &p->ops[i].op);

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
		struct onsram_program *p;
		char *path, *err = NULL;

		memcpy(bad, good, size);
		damage(bad, size, rng);
		path = model_write_bytes(bad, size);
		p = onsram_import(path, &opt, &err);
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
