// SPDX-License-Identifier: MIT
#include <getopt.h>
#include <stdlib.h>

#include "command.h"
#include "device.h"
#include "perf.h"

#define CMD "info"

static void help(void)
{
	printf("usage: onsram info [--json]\n\n"
	       "Print what the device is: its geometry, limits and performance model.\n");
}

static void print_text(const struct onsram_device *dev)
{
	const struct drm_onsram_dev_info *i = &dev->info;

	printf("%-18s /dev/accel/accel%d\n", "node", dev->index);
	printf("%-18s %u\n", "hw_version", i->hw_version);
	printf("%-18s 0x%x\n", "caps", i->caps);
	printf("%-18s %u bytes\n", "granule", i->granule);
	printf("%-18s %u bytes\n", "staging_min", i->staging_min);
	printf("%-18s %u\n", "max_ops", i->max_ops);
	printf("%-18s %u\n", "max_bos", i->max_bos);
	printf("%-18s %u bytes\n", "page_size", i->page_size);
	printf("%-18s %llu multiply-accumulates\n", "max_op_work", (unsigned long long)i->max_op_work);
#define ONSRAM_X(field, what) \
	printf("%-18s %llu  (%s)\n", #field, (unsigned long long)i->model.field, what);
	ONSRAM_MODEL_PARAMS(ONSRAM_X)
#undef ONSRAM_X
	printf("%-18s %016llx\n", "config_hash", (unsigned long long)onsram_model_hash(&i->model));
}

static void print_object(const struct onsram_device *dev)
{
	const struct drm_onsram_dev_info *i = &dev->info;
	struct json_object *o = json_object_new_object();
	struct json_object *model = json_object_new_object();

	json_add_u64(o, "index", dev->index);
	json_add_u64(o, "hw_version", i->hw_version);
	json_add_u64(o, "caps", i->caps);
	json_add_u64(o, "granule_bytes", i->granule);
	json_add_u64(o, "staging_min_bytes", i->staging_min);
	json_add_u64(o, "max_ops", i->max_ops);
	json_add_u64(o, "max_bos", i->max_bos);
	json_add_u64(o, "page_size_bytes", i->page_size);
	json_add_u64(o, "max_op_work_macs", i->max_op_work);
#define ONSRAM_X(field, what) json_add_u64(model, #field, i->model.field);
	ONSRAM_MODEL_PARAMS(ONSRAM_X)
#undef ONSRAM_X
	json_object_object_add(o, "model", model);
	json_add_hash(o, "config_hash", onsram_model_hash(&i->model));
	print_json(o);
}

int cmd_info(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct onsram_device *dev;
	bool json = false;
	char *err;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'h':
			help();
			return 0;
		default:
			return bad_option(CMD, c, argv);
		}
	}
	if (optind < argc)
		return usage_error(CMD, "takes no argument such as \"%s\"", argv[optind]);
	dev = onsram_device_open(&err);
	if (!dev)
		return failure_text(CMD, err);
	if (json)
		print_object(dev);
	else
		print_text(dev);
	onsram_device_close(dev);
	return 0;
}
