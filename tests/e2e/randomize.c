// SPDX-License-Identifier: MIT
/*
 * A network with weights worth computing with, and what it should answer.
 *
 * The light models' weights are all alike, so that a tensor mistaken for another
 * may go unseen. This replaces them by pseudo-random ones, ends before a
 * closing Softmax, and runs the result on the host for the default inputs.
 * TMPDIR must be on the file system of the new model.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host-run.h"
#include "model.h"

/* Larger weights stay as they are: they would only make the file large */
#define RANDOM_MAX (4u << 20)

static int fail(const char *what, char *why)
{
	fprintf(stderr, "randomize: %s: %s\n", what, why ? why : "failed");
	free(why);
	return 1;
}

static int write_model(const Onnx__ModelProto *m, const char *path)
{
	char *file = model_write(m);
	int ret = rename(file, path);

	if (ret) {
		perror(path);
		model_remove(file);
		return -1;
	}
	free(file);
	return 0;
}

static int write_output(const char *model, const char *path)
{
	struct onsram_import_options opt = { .fuse = true, .dtype = ONSRAM_DTYPE_F32 };
	struct onsram_array in = { 0 }, out = { 0 };
	struct onsram_program *p;
	char *err = NULL;

	p = onsram_import(model, &opt, &err);
	if (!p)
		return fail(model, err);
	if (p->nr_inputs != 1 || p->nr_outputs != 1)
		return fail(model, strdup("one input and one output are supported"));
	if (onsram_default_input(p, 0, &in, &err) || host_run(p, &in, &out, &err) ||
	    onsram_array_save(path, &out, &err))
		return fail(path, err);
	onsram_array_release(&in);
	onsram_array_release(&out);
	onsram_program_free(p);
	return 0;
}

int main(int argc, char **argv)
{
	Onnx__ModelProto *m;
	char *err = NULL;

	if (argc != 4) {
		fprintf(stderr, "usage: randomize MODEL.onnx NEW.onnx EXPECTED.pb\n");
		return 2;
	}
	m = (Onnx__ModelProto *)proto_read(argv[1], &onnx__model_proto__descriptor, &err);
	if (!m)
		return fail(argv[1], err);
	model_drop_softmax(m);
	model_randomize(m, RANDOM_MAX);
	if (write_model(m, argv[2]))
		return 1;
	model_free(m);
	return write_output(argv[2], argv[3]);
}
