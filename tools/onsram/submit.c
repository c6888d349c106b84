// SPDX-License-Identifier: MIT
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "device.h"
#include "job.h"
#include "perf.h"

#define CMD "submit"
/* Values printed per tensor without --all */
#define SHOWN 16

struct options {
	const char *path;
	bool all;
	bool json;
};

static void help(void)
{
	printf("usage: onsram submit JOB.json [--all] [--json]\n\n"
	       "Run the operations of a job file as one job, through the plain ioctls, and print\n"
	       "the tensors they write: type, shape, SHA-256 and the first %d values.\n\n"
	       "  --all     print all values\n"
	       "  --json    print tensors and statistics as JSON\n\n"
	       "A job file:\n"
	       "  {\n"
	       "    \"policy\": \"lru\",\n"
	       "    \"tensors\": {\n"
	       "      \"x\": { \"dtype\": \"f32\", \"dims\": [2, 3], \"data\": [1, 2, 3, 4, 5, 6] },\n"
	       "      \"w\": { \"dtype\": \"f32\", \"dims\": [3, 4], \"fill\": 0.5 },\n"
	       "      \"y\": { \"dtype\": \"f32\", \"dims\": [2, 4] }\n"
	       "    },\n"
	       "    \"operations\": [\n"
	       "      { \"op\": \"GEMM\", \"operands\": [\"y\", \"x\", \"w\"], \"param\": [1, 0], \"act\": \"RELU\" }\n"
	       "    ]\n"
	       "  }\n"
	       "\"policy\" is none, lru, static or eager (default: the device's). A tensor may also\n"
	       "come from \"file\": an ONNX TensorProto. An operand may be a view: { \"tensor\": \"x\",\n"
	       "\"offset\": BYTES, \"dims\": [...], \"strides\": [...] }, or null. Operations take \"func\",\n"
	       "\"groups\", \"axis\", \"kernel\", \"stride\", \"dilation\", \"pad_begin\", \"pad_end\", \"act_param\", and\n"
	       "FILL a \"value\"; names and meanings are those of drm/onsram_op.h.\n", SHOWN);
}

static double element(const struct onsram_array *a, uint64_t i)
{
	switch (a->dtype) {
	case ONSRAM_DTYPE_I64:
		return (double)((const int64_t *)a->data)[i];
	case ONSRAM_DTYPE_I32:
		return ((const int32_t *)a->data)[i];
	case ONSRAM_DTYPE_BOOL:
		return ((const uint8_t *)a->data)[i];
	default:
		return ((const float *)a->data)[i];
	}
}

static void print_tensor(const struct options *opt, const struct onsram_array *a, uint64_t elements,
			 const char *hex, const char *type)
{
	char shape[96];
	uint64_t i;

	onsram_shape_text(a->dims, a->rank, shape, sizeof(shape));
	printf("%s: %s %s, SHA-256 %s\n ", a->name, type, shape, hex);
	for (i = 0; i < elements && (opt->all || i < SHOWN); i++)
		printf(" %.9g", element(a, i));
	if (i < elements)
		printf(" ... (%llu more)", (unsigned long long)(elements - i));
	putchar('\n');
}

static void add_tensor(struct json_object *list, const struct options *opt,
		       const struct onsram_array *a, uint64_t elements, const char *hex,
		       const char *type)
{
	struct json_object *o = json_object_new_object();
	struct json_object *dims = json_object_new_array();
	struct json_object *data = json_object_new_array();
	uint64_t i;

	for (i = 0; i < a->rank; i++)
		json_object_array_add(dims, json_object_new_int64(a->dims[i]));
	for (i = 0; i < elements && (opt->all || i < SHOWN); i++)
		json_object_array_add(data, json_object_new_double(element(a, i)));
	json_object_object_add(o, "name", json_object_new_string(a->name));
	json_object_object_add(o, "dtype", json_object_new_string(type));
	json_object_object_add(o, "dims", dims);
	json_object_object_add(o, "sha256", json_object_new_string(hex));
	json_object_object_add(o, "data", data);
	json_object_array_add(list, o);
}

/* Read back what was written; values of f16 are shown through f32, the hash is of the bytes */
static int show_tensors(const struct options *opt, struct onsram_device *dev, struct job *job,
			struct onsram_bo *bos, struct json_object *list)
{
	uint32_t i;
	int ret;

	for (i = 0; i < job->nr_tensors; i++) {
		struct onsram_array *a = &job->tensors[i].contents;
		const char *type = dtype_name(a->dtype);
		uint64_t elements = a->bytes / onsram_dtype_size(a->dtype);
		char hex[65];

		if (!job->tensors[i].written)
			continue;
		ret = onsram_bo_read(dev, &bos[i], a->data, a->bytes);
		if (ret)
			return failure(CMD, "tensor \"%s\": reading it failed: %s", a->name,
				       strerror(-ret));
		sha256_hex(a, 1, hex);
		if (a->dtype == ONSRAM_DTYPE_F16 && onsram_array_convert(a, ONSRAM_DTYPE_F32))
			return failure(CMD, "out of memory");
		if (list)
			add_tensor(list, opt, a, elements, hex, type);
		else
			print_tensor(opt, a, elements, hex, type);
	}
	return 0;
}

static int show_results(const struct options *opt, struct onsram_device *dev, struct job *job,
			struct onsram_bo *bos, const struct drm_onsram_stats *s)
{
	struct json_object *root, *list;
	char time[24], dram[24], energy[24];
	int status;

	if (!opt->json) {
		status = show_tensors(opt, dev, job, bos, NULL);
		format_time(s->time_ps, time, sizeof(time));
		format_bytes(onsram_sat_add(s->dram_read_bytes, s->dram_write_bytes), dram, sizeof(dram));
		format_energy(s->energy_pj, energy, sizeof(energy));
		if (!status)
			printf("%llu operations: %s, DRAM %s, %s\n", (unsigned long long)s->ops,
			       time, dram, energy);
		return status;
	}
	root = json_object_new_object();
	list = json_object_new_array();
	json_object_object_add(root, "tensors", list);
	json_add_u64(root, "operations", s->ops);
	json_add_u64(root, "time_ps", s->time_ps);
	json_add_u64(root, "compute_ps", s->compute_ps);
	json_add_u64(root, "dram_read_bytes", s->dram_read_bytes);
	json_add_u64(root, "dram_write_bytes", s->dram_write_bytes);
	json_add_u64(root, "energy_pj", s->energy_pj);
	json_add_u64(root, "spm_hits", s->hits);
	json_add_u64(root, "spm_misses", s->misses);
	status = show_tensors(opt, dev, job, bos, list);
	if (status)
		json_object_put(root);
	else
		print_json(root);
	return status;
}

static int load_tensors(struct onsram_device *dev, const struct job *job, struct onsram_bo *bos,
			uint32_t *handles)
{
	uint32_t i;
	int ret;

	for (i = 0; i < job->nr_tensors; i++) {
		const struct onsram_array *a = &job->tensors[i].contents;

		ret = onsram_bo_create(dev, a->bytes, &bos[i]);
		if (!ret)
			ret = onsram_bo_write(dev, &bos[i], a->data, a->bytes);
		if (ret)
			return failure(CMD, "tensor \"%s\": no buffer of %llu bytes: %s", a->name,
				       (unsigned long long)a->bytes, strerror(-ret));
		handles[i] = bos[i].handle;
	}
	return 0;
}

static int run_job(struct onsram_device *dev, const struct job *job, const uint32_t *handles,
		   struct drm_onsram_stats *stats)
{
	struct drm_onsram_sync sync = { .flags = DRM_ONSRAM_SYNC_SIGNAL };
	int ret;

	ret = job->policy ? onsram_device_set_policy(dev, job->policy) : 0;
	if (ret)
		return failure(CMD, "setting the policy failed: %s", strerror(-ret));
	ret = onsram_sync_create(dev, &sync.handle);
	if (ret)
		return failure(CMD, "creating a syncobj failed: %s", strerror(-ret));
	ret = onsram_submit(dev, job->ops, job->nr_ops, handles, job->nr_tensors, &sync, 1);
	if (ret)
		return failure(CMD, "the driver did not take the job: %s", strerror(-ret));
	while ((ret = onsram_sync_wait(dev, sync.handle, 0, 200000000)) == -ETIME)
		progress_update(CMD, "running", 0, 0);
	if (!ret)
		ret = onsram_device_stats(dev, stats);
	if (ret)
		return failure(CMD, "waiting for the device failed: %s", strerror(-ret));
	if (stats->errors)
		return failure(CMD, "the job failed on the device; the kernel log tells why");
	return 0;
}

static int submit_job(const struct options *opt, struct job *job)
{
	struct onsram_bo *bos = calloc(job->nr_tensors, sizeof(*bos));
	uint32_t *handles = calloc(job->nr_tensors, sizeof(*handles));
	struct drm_onsram_stats stats;
	struct onsram_device *dev = NULL;
	int status = STATUS_FAILURE;
	uint32_t i;
	char *err = NULL;

	if (bos && handles)
		dev = onsram_device_open(&err);
	if (!dev) {
		failure_text(CMD, err);
		goto out;
	}
	status = load_tensors(dev, job, bos, handles);
	if (!status)
		status = run_job(dev, job, handles, &stats);
	if (!status)
		status = show_results(opt, dev, job, bos, &stats);
	for (i = 0; i < job->nr_tensors; i++)
		onsram_bo_destroy(dev, &bos[i]);
	onsram_device_close(dev);
out:
	free(handles);
	free(bos);
	return status;
}

int cmd_submit(int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options opt = { 0 };
	struct job job;
	int c, status;
	char *err;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			opt.all = true;
			break;
		case 'j':
			opt.json = true;
			break;
		case 'h':
			help();
			return 0;
		default:
			return bad_option(CMD, c, argv);
		}
	}
	if (optind == argc)
		return usage_error(CMD, "which job file?");
	if (optind + 1 < argc)
		return usage_error(CMD, "one job file at a time, not \"%s\" too", argv[optind + 1]);
	opt.path = argv[optind];
	status = job_load(opt.path, &job, &err) ? failure_text(CMD, err) : submit_job(&opt, &job);
	job_release(&job);
	return status;
}
