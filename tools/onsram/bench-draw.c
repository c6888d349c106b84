// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "bench-draw.h"
#include "json-get.h"
#include "picture.h"

/* What is drawn of each network: a policy's last pass, or the bound; and what was published for it */
static const struct {
	const char *name;
	const char *published;
} series[] = {
	{ "lru", NULL }, { "static-paper", "static" }, { "static", NULL }, { "eager", NULL },
	{ "ideal", "infinite" }, { "bound", NULL },
};

#define NR_SERIES (sizeof(series) / sizeof(series[0]))

static double time_of(struct json_object *network, const char *name)
{
	if (!strcmp(name, "bound"))
		return (double)json_number(network, "bound_ps");
	return (double)json_number(json_get(json_get(json_get(network, "policies"), name), "last"), "time_ps");
}

static void fill(struct picture_bar_group *g, struct json_object *network, struct json_object *published)
{
	double base = time_of(network, "none");

	g->name = json_text(network, "name");
	for (size_t s = 0; s < NR_SERIES; s++) {
		double time = time_of(network, series[s].name);

		g->value[s] = base > 0 && time > 0 ? base / time : 0;
		if (series[s].published)
			g->published[s] = json_object_get_double(json_get(json_get(json_get(published, "networks"), g->name),
									  series[s].published));
	}
}

int bench_draw(FILE *out, struct json_object *report)
{
	struct json_object *networks = json_get(report, "networks"), *published = json_tokener_parse(published_json);
	struct picture_bars b = { .title = "How many times faster than none, which manages nothing", .axis = "times", .nr_series = NR_SERIES };
	char note[320];
	int ret = -1;

	if (!published || !networks)
		goto out;
	b.groups = calloc(json_items(networks) + 1, sizeof(*b.groups));
	if (!b.groups)
		goto out;
	for (size_t s = 0; s < NR_SERIES; s++)
		b.series[s] = series[s].name;
	for (size_t i = 0; i < json_items(networks); i++) {
		struct json_object *network = json_item(networks, i);

		if (json_get(network, "policies"))
			fill(&b.groups[b.nr_groups++], network, published);
	}
	snprintf(note, sizeof(note), "Last pass; %.20s, %s, performance model %.20s, configuration %.20s. Published: graphs not fused, their model; beside static-paper and ideal.",
		 json_text(report, "dtype"), json_object_get_boolean(json_get(report, "fuse")) ? "fused" : "not fused",
		 json_text(report, "model"), json_text(report, "config_hash"));
	b.note = note;
	picture_bars(out, &b);
	ret = 0;
out:
	free(b.groups);
	json_object_put(published);
	return ret;
}
