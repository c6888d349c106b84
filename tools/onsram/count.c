// SPDX-License-Identifier: MIT
/* What a network consists of: its size before anything runs. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "perf.h"

#define CMD "count"

struct options {
	struct shape_list shapes;
	struct onsram_import_options import;
	bool json;
};

/**
 * struct counts - of one program
 * @parameters: elements of float constants
 * @convolved: elements of the outputs of convolutions
 * @activation_bytes: of all tensors made by operations
 */
struct counts {
	uint64_t operations;
	uint64_t parameters;
	uint64_t macs;
	uint64_t vector_flops;
	uint64_t convolved;
	uint64_t weight_bytes;
	uint64_t activation_bytes;
};

static void help(void)
{
	printf("usage: onsram count MODEL.onnx... [OPTIONS]\n\n"
	       "Count a network's operations, parameters, multiply-accumulates (MACs) and bytes. No device\n"
	       "is needed.\n\n"
	       "  --dtype T        fp32 (default) or fp16: how floats are stored on the device\n"
	       "  --fuse on|off    fold BatchNorm, bias and activation (default on)\n"
	       "  --shape NAME=D,..  dimensions of input NAME where the model leaves them open; also the\n"
	       "                   size of a named dimension: N=4\n"
	       "  --json           an array with an object for each model\n");
}

static int parse_options(struct options *opt, int argc, char **argv, bool *helped)
{
	static const struct option options[] = {
		{ "dtype", required_argument, NULL, 'd' },
		{ "fuse", required_argument, NULL, 'f' },
		{ "shape", required_argument, NULL, 'S' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, status = 0;

	opterr = 0;
	while (!status && (c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case 'd':
			status = parse_dtype(CMD, optarg, &opt->import.dtype);
			break;
		case 'f':
			status = parse_fuse(CMD, optarg, &opt->import.fuse);
			break;
		case 'S':
			status = parse_shape(CMD, optarg, &opt->shapes, &opt->import);
			break;
		case 'j':
			opt->json = true;
			break;
		case 'h':
			help();
			*helped = true;
			return 0;
		default:
			status = bad_option(CMD, c, argv);
		}
	}
	if (!status && optind == argc)
		return usage_error(CMD, "which model?");
	return status;
}

static void count_op(const struct drm_onsram_op *op, struct counts *n)
{
	struct onsram_perf_op perf = { .opcode = op->opcode, .attr = op->attr };

	for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		perf.view[s] = op->operand[s].view;
	n->operations++;
	n->macs += onsram_op_macs(&perf);
	n->vector_flops += onsram_op_flops(&perf);
	if (op->opcode == ONSRAM_OP_CONV)
		n->convolved += onsram_view_elements(&perf.view[0]);
}

static void count_tensor(const struct onsram_tensor *t, struct counts *n)
{
	if (t->role == ONSRAM_ROLE_WEIGHT) {
		n->weight_bytes += t->bytes;
		if (t->view.dtype == ONSRAM_DTYPE_F32 || t->view.dtype == ONSRAM_DTYPE_F16)
			n->parameters += onsram_view_elements(&t->view);
	} else if (t->role != ONSRAM_ROLE_INPUT) {
		n->activation_bytes += t->bytes;
	}
}

static struct json_object *counts_json(const char *model, const struct counts *n)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "model", json_object_new_string(model));
	json_add_u64(o, "operations", n->operations);
	json_add_u64(o, "parameters", n->parameters);
	json_add_u64(o, "macs", n->macs);
	json_add_u64(o, "vector_flops", n->vector_flops);
	json_add_u64(o, "convolution_outputs", n->convolved);
	json_add_u64(o, "weight_bytes", n->weight_bytes);
	json_add_u64(o, "activation_bytes", n->activation_bytes);
	return o;
}

static void print_row(const char *model, const struct counts *n, bool first)
{
	char weights[24], activations[24];

	if (first)
		printf("%10s %12s %14s %13s %11s %11s  %s\n", "operations", "parameters", "MACs", "vector FLOPs",
		       "weights", "activations", "model");
	format_bytes(n->weight_bytes, weights, sizeof(weights));
	format_bytes(n->activation_bytes, activations, sizeof(activations));
	printf("%10llu %12llu %14llu %13llu %11s %11s  %s\n", (unsigned long long)n->operations,
	       (unsigned long long)n->parameters, (unsigned long long)n->macs,
	       (unsigned long long)n->vector_flops, weights, activations, model);
}

static int count_model(const struct options *opt, const char *path, bool first, struct json_object *all)
{
	struct counts n = { 0 };
	struct onsram_program *p;
	char *err = NULL;

	progress_update(CMD, "reading the model", 0, 0);
	p = onsram_import(path, &opt->import, &err);
	progress_end();
	if (!p)
		return failure_text(CMD, err);
	for (uint32_t i = 0; i < p->nr_ops; i++)
		count_op(&p->ops[i].op, &n);
	for (uint32_t i = 0; i < p->nr_tensors; i++)
		count_tensor(&p->tensors[i], &n);
	onsram_program_free(p);
	if (opt->json)
		json_object_array_add(all, counts_json(path, &n));
	else
		print_row(path, &n, first);
	return 0;
}

int cmd_count(int argc, char **argv)
{
	struct options opt = { .import = { .fuse = true, .dtype = ONSRAM_DTYPE_F32 } };
	struct json_object *all = NULL;
	bool helped = false;
	int status = parse_options(&opt, argc, argv, &helped);

	if (status || helped)
		return status;
	if (opt.json)
		all = json_object_new_array();
	for (int i = optind; !status && i < argc; i++)
		status = count_model(&opt, argv[i], i == optind, all);
	if (all && !status)
		print_json(all);
	else
		json_object_put(all);
	return status;
}
