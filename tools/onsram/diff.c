// SPDX-License-Identifier: MIT
/* Two plans or runs side by side, tensor by tensor. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "json-get.h"

#define CMD "diff"

/* What is compared of both as a whole; of a run it is in its last pass */
static const struct figure {
	const char *key;
	const char *what;
	void (*format)(uint64_t value, char *text, size_t size);
} figures[] = {
	{ "time_ps", "latency", format_time },
	{ "dram_read_bytes", "DRAM read", format_bytes },
	{ "dram_write_bytes", "DRAM written", format_bytes },
	{ "energy_pj", "energy", format_energy },
	{ "spm_peak_bytes", "most SPM", format_bytes },
	{ "bound_ps", "lower bound", format_time },
};

/** struct line - a tensor in both; @held: bytes, times the operations that they are there for */
struct line {
	const char *name;
	struct json_object *t[2];
	double held[2];
	double saves[2];
	double difference;
};

struct comparison {
	const char *path[2];
	struct json_object *root[2];
	bool saves;
	bool json;
	struct line *lines;
	size_t nr;
};

static void help(void)
{
	printf("usage: onsram diff A.json B.json [--json]\n\n"
	       "Two plans, or runs, as 'onsram plan --json' and 'onsram run --explain --json' print them, side\n"
	       "by side: their figures, then every tensor that is held otherwise, the largest difference first:\n"
	       "by what its stays save where both were made with --explain, else by how many bytes are held for\n"
	       "how many operations.\n\n"
	       "  --json           the same as JSON\n");
}

static int load(struct comparison *c, int i)
{
	int status = json_load(CMD, c->path[i], &c->root[i]);

	if (status)
		return status;
	/* A list of one policy is that policy */
	if (json_items(c->root[i]) == 1) {
		struct json_object *only = json_object_get(json_item(c->root[i], 0));

		json_object_put(c->root[i]);
		c->root[i] = only;
	}
	if (json_items(c->root[i]) > 1)
		return failure(CMD, "%s: of more than one policy", c->path[i]);
	if (!json_items(json_get(c->root[i], "tensors")))
		return failure(CMD, "%s: no tensors in it: it takes what 'onsram plan --json' or 'onsram run --explain --json' prints",
			       c->path[i]);
	return 0;
}

static double held(struct json_object *tensor)
{
	struct json_object *stays = json_get(tensor, "intervals");
	double sum = 0;

	for (size_t k = 0; k < json_items(stays); k++) {
		struct json_object *iv = json_item(stays, k);
		double first = (double)json_number(iv, "first_op"), last = (double)json_number(iv, "last_op");

		sum += (double)json_number(iv, "bytes") * (last - first + 1);
	}
	return sum;
}

static double saved(struct json_object *tensor)
{
	return json_object_get_double(json_get(tensor, "saves_ps"));
}

static struct json_object *find(struct json_object *tensors, const char *name)
{
	for (size_t i = 0; i < json_items(tensors); i++)
		if (!strcmp(json_text(json_item(tensors, i), "name"), name))
			return json_item(tensors, i);
	return NULL;
}

static int by_difference(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	double p = x->difference < 0 ? -x->difference : x->difference;
	double q = y->difference < 0 ? -y->difference : y->difference;

	return p != q ? (p > q ? -1 : 1) : strcmp(x->name, y->name);
}

static void add_line(struct comparison *c, struct json_object *a, struct json_object *b)
{
	struct line l = { .name = json_text(a ? a : b, "name"), .t = { a, b } };

	for (int i = 0; i < 2; i++) {
		l.held[i] = held(l.t[i]);
		l.saves[i] = saved(l.t[i]);
	}
	l.difference = c->saves ? l.saves[1] - l.saves[0] : l.held[1] - l.held[0];
	if (l.difference != 0 || l.held[0] != l.held[1] || !a || !b)
		c->lines[c->nr++] = l;
}

static int compare(struct comparison *c)
{
	struct json_object *a = json_get(c->root[0], "tensors"), *b = json_get(c->root[1], "tensors");

	c->saves = json_get(json_item(a, 0), "saves_ps") && json_get(json_item(b, 0), "saves_ps");
	c->lines = calloc(json_items(a) + json_items(b) + 1, sizeof(*c->lines));
	if (!c->lines)
		return failure(CMD, "out of memory");
	for (size_t i = 0; i < json_items(a); i++)
		add_line(c, json_item(a, i), find(b, json_text(json_item(a, i), "name")));
	for (size_t i = 0; i < json_items(b); i++)
		if (!find(a, json_text(json_item(b, i), "name")))
			add_line(c, NULL, json_item(b, i));
	qsort(c->lines, c->nr, sizeof(*c->lines), by_difference);
	return 0;
}

/* A figure of a plan, or of a run's last pass */
static struct json_object *figure(struct json_object *root, const char *key)
{
	struct json_object *passes = json_get(root, "passes"), *value = json_get(root, key);

	return value || !json_items(passes) ? value : json_get(json_item(passes, json_items(passes) - 1), key);
}

static void print_figures(const struct comparison *c)
{
	printf("%-13s %-32.32s %-32.32s\n", "", c->path[0], c->path[1]);
	printf("%-13s %-32.32s %-32.32s\n", "policy", json_text(c->root[0], "policy"), json_text(c->root[1], "policy"));
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		struct json_object *a = figure(c->root[0], figures[i].key), *b = figure(c->root[1], figures[i].key);
		char text[2][24];

		if (!a || !b)
			continue;
		figures[i].format(json_object_get_uint64(a), text[0], sizeof(text[0]));
		figures[i].format(json_object_get_uint64(b), text[1], sizeof(text[1]));
		printf("%-13s %-32s %-20s", figures[i].what, text[0], text[1]);
		if (json_object_get_uint64(a))
			printf(" %+.1f %%", 100 * (json_object_get_double(b) / json_object_get_double(a) - 1));
		putchar('\n');
	}
}

static void print_side(const struct comparison *c, const struct line *l, int i)
{
	struct json_object *stays = json_get(l->t[i], "intervals");
	char text[24];

	printf("  %c: ", 'A' + i);
	if (!l->t[i])
		printf("has no such tensor");
	else if (!json_items(stays))
		printf("not held: %s", *json_text(l->t[i], "reason") ? json_text(l->t[i], "reason") : "the policy let it go");
	for (size_t k = 0; k < json_items(stays); k++) {
		struct json_object *iv = json_item(stays, k);

		format_bytes(json_number(iv, "bytes"), text, sizeof(text));
		printf("%s%s in operations %llu to %llu at %#llx", k ? ", " : "", text,
		       (unsigned long long)json_number(iv, "first_op"), (unsigned long long)json_number(iv, "last_op"),
		       (unsigned long long)json_number(iv, "offset"));
	}
	if (c->saves && json_items(stays)) {
		format_time((uint64_t)(l->saves[i] < 0 ? -l->saves[i] : l->saves[i]), text, sizeof(text));
		printf(": %s %s", l->saves[i] < 0 ? "costs" : "saves", text);
	}
	putchar('\n');
}

static void print_text(const struct comparison *c)
{
	print_figures(c);
	printf("\n%zu tensors are held otherwise, the largest difference in %s first\n", c->nr,
	       c->saves ? "time saved" : "bytes held");
	for (size_t i = 0; i < c->nr; i++) {
		char bytes[24];

		format_bytes(json_number(c->lines[i].t[0] ? c->lines[i].t[0] : c->lines[i].t[1], "bytes"), bytes, sizeof(bytes));
		printf("\n%s: %s\n", c->lines[i].name, bytes);
		print_side(c, &c->lines[i], 0);
		print_side(c, &c->lines[i], 1);
	}
}

static void print_object(const struct comparison *c)
{
	struct json_object *o = json_object_new_object(), *whole = json_object_new_object();
	struct json_object *tensors = json_object_new_array();

	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		struct json_object *pair = json_object_new_array();

		for (int k = 0; k < 2; k++)
			json_object_array_add(pair, json_object_get(figure(c->root[k], figures[i].key)));
		json_object_object_add(whole, figures[i].key, pair);
	}
	json_object_object_add(o, "figures", whole);
	for (size_t i = 0; i < c->nr; i++) {
		struct json_object *t = json_object_new_object();

		json_object_object_add(t, "name", json_object_new_string(c->lines[i].name));
		json_object_object_add(t, c->saves ? "saves_ps" : "held_bytes_operations",
				       json_object_new_double(c->lines[i].difference));
		json_object_object_add(t, "a", json_object_get(json_get(c->lines[i].t[0], "intervals")));
		json_object_object_add(t, "b", json_object_get(json_get(c->lines[i].t[1], "intervals")));
		json_object_array_add(tensors, t);
	}
	json_object_object_add(o, "tensors", tensors);
	print_json(o);
}

static int run(struct comparison *c)
{
	int status = load(c, 0);

	if (!status)
		status = load(c, 1);
	if (!status)
		status = compare(c);
	if (!status && c->json)
		print_object(c);
	else if (!status)
		print_text(c);
	free(c->lines);
	json_object_put(c->root[0]);
	json_object_put(c->root[1]);
	return status;
}

int cmd_diff(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct comparison c = { 0 };
	int o;

	opterr = 0;
	while ((o = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (o) {
		case 'j':
			c.json = true;
			break;
		case 'h':
			help();
			return 0;
		default:
			return bad_option(CMD, o, argv);
		}
	}
	if (argc - optind != 2)
		return usage_error(CMD, "two files, not %d", argc - optind);
	c.path[0] = argv[optind];
	c.path[1] = argv[optind + 1];
	return run(&c);
}
