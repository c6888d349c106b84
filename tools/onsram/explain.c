// SPDX-License-Identifier: MIT
#include <linux/onsram_netlink.h>
#include <stdlib.h>

#include "explain.h"

int explain_worth(struct explanation *e, const struct onsram_model *m, bool again)
{
	struct plan_input in;
	int ret;

	e->worth = calloc((size_t)e->program->nr_tensors + 1, sizeof(*e->worth));
	if (!e->worth || plan_input_init(&in, e->program))
		return -1;
	ret = onsram_plan_worth(m, &in.graph, e->intervals, e->nr_intervals, again, e->worth);
	plan_input_release(&in);
	return ret;
}

struct onsram_interval *explain_stays(const struct onsram_record *r, uint32_t *n)
{
	struct onsram_interval *iv = calloc((size_t)r->nr_stays + 1, sizeof(*iv));

	*n = 0;
	for (uint32_t k = 0; iv && k < r->nr_stays; k++) {
		const struct onsram_record_stay *s = &r->stays[k];

		if (s->tensor >= r->nr_tensors || s->begin >= r->tensors[s->tensor].bytes)
			continue;
		iv[(*n)++] = (struct onsram_interval){
			.tensor = s->tensor, .begin = s->begin, .bytes = (uint32_t)s->bytes,
			.offset = (uint32_t)s->offset, .reserve_op = s->reserve_op, .first_op = s->first_op,
			.last_op = s->last_op, .release_op = s->release_op,
			.flags = ONSRAM_INTERVAL_FETCH |
				 (s->from_ps == 0 && s->release_op == r->nr_ops ? ONSRAM_INTERVAL_KEEP : 0),
		};
	}
	return iv;
}

static const char *op_name(const struct explanation *e, uint32_t op)
{
	return e->program->ops[op].name;
}

/* "saves 12.3 us and 1.5 MiB over DRAM", or what it costs */
static void saving_text(int64_t ps, int64_t bytes)
{
	char time[24], amount[24];

	format_time((uint64_t)(ps < 0 ? -ps : ps), time, sizeof(time));
	format_bytes((uint64_t)(bytes < 0 ? -bytes : bytes), amount, sizeof(amount));
	if (ps)
		printf("%s %s", ps < 0 ? "costs" : "saves", time);
	else
		printf("saves no time by itself");
	if (bytes)
		printf(", %s %s over DRAM", amount, bytes < 0 ? "more" : "less");
}

static uint32_t stays_text(const struct explanation *e, uint32_t tensor)
{
	uint64_t whole = e->program->tensors[tensor].bytes;
	uint32_t held = 0;
	char bytes[24];

	for (uint32_t k = 0; k < e->nr_intervals; k++) {
		const struct onsram_interval *iv = &e->intervals[k];

		if (iv->tensor != tensor)
			continue;
		printf("%s", held++ ? ", " : "  held: ");
		if (iv->begin || iv->bytes < whole) {
			format_bytes(iv->bytes, bytes, sizeof(bytes));
			printf("%s of it (from byte %llu) ", bytes, (unsigned long long)iv->begin);
		}
		printf("from %s (%u) to %s (%u) at %#x", op_name(e, iv->first_op), iv->first_op,
		       op_name(e, iv->last_op), iv->last_op, iv->offset);
		if (iv->reserve_op < iv->first_op)
			printf(", fetched from %u on", iv->reserve_op);
		if (iv->release_op > iv->last_op + 1)
			printf(", gone by %u", iv->release_op);
		if (iv->flags & ONSRAM_INTERVAL_KEEP)
			printf(", kept");
	}
	return held;
}

/* What more of it would be worth, and at whose cost */
static void rest_text(const struct explanation *e, const struct onsram_worth *w, const char *what)
{
	char time[24], bytes[24];

	if (w->would_save_ps <= 0)
		return;
	format_time((uint64_t)w->would_save_ps, time, sizeof(time));
	printf("; %s would save %s", what, time);
	if (!w->missing_bytes)
		return;
	format_bytes(w->missing_bytes, bytes, sizeof(bytes));
	printf(", but at %s (%u) %s are missing", op_name(e, w->full_op), w->full_op, bytes);
	for (uint32_t i = 0; i < w->nr_displaced; i++) {
		const struct onsram_worth *other = &e->worth[w->displaced[i]];

		format_time((uint64_t)(other->saves_ps > 0 ? other->saves_ps : 0), time, sizeof(time));
		printf("%s %s, worth %s", i ? "," : ": it would displace", e->program->tensors[w->displaced[i]].name, time);
	}
}

static const char *role_name(enum onsram_tensor_role role)
{
	static const char *const names[] = {
		[ONSRAM_ROLE_ACTIVATION] = "activation", [ONSRAM_ROLE_WEIGHT] = "weight",
		[ONSRAM_ROLE_INPUT] = "input", [ONSRAM_ROLE_OUTPUT] = "output",
	};

	return names[role];
}

void explain_text(const struct explanation *e)
{
	for (uint32_t t = 0; t < e->program->nr_tensors; t++) {
		const struct onsram_worth *w = &e->worth[t];
		char bytes[24];

		format_bytes(e->program->tensors[t].bytes, bytes, sizeof(bytes));
		printf("\n%s: %s, %s\n", e->program->tensors[t].name, role_name(e->program->tensors[t].role), bytes);
		if (stays_text(e, t)) {
			printf(": ");
			saving_text(w->saves_ps, w->saves_bytes);
			rest_text(e, w, "all of it, all the time,");
		} else {
			printf("  not held: %s", e->reason ? onsram_reason_text(e->reason[t]) :
						    w->would_save_ps > 0 ? "the policy let it go" : "holding it saves no time");
			rest_text(e, w, "holding it");
		}
		putchar('\n');
	}
}

static struct json_object *interval_json(const struct onsram_interval *iv)
{
	struct json_object *entry = json_object_new_object();

	json_add_u64(entry, "reserve_op", iv->reserve_op);
	json_add_u64(entry, "first_op", iv->first_op);
	json_add_u64(entry, "last_op", iv->last_op);
	json_add_u64(entry, "release_op", iv->release_op);
	json_add_u64(entry, "begin", iv->begin);
	json_add_u64(entry, "offset", iv->offset);
	json_add_u64(entry, "bytes", iv->bytes);
	json_object_object_add(entry, "fetch", json_object_new_boolean(iv->flags & ONSRAM_INTERVAL_FETCH));
	json_object_object_add(entry, "keep", json_object_new_boolean(iv->flags & ONSRAM_INTERVAL_KEEP));
	return entry;
}

static void add_worth(const struct explanation *e, uint32_t t, struct json_object *o)
{
	const struct onsram_worth *w = &e->worth[t];
	struct json_object *displaced = json_object_new_array();

	json_object_object_add(o, "saves_ps", json_object_new_int64(w->saves_ps));
	json_object_object_add(o, "saves_dram_bytes", json_object_new_int64(w->saves_bytes));
	json_object_object_add(o, "would_save_ps", json_object_new_int64(w->would_save_ps));
	json_add_u64(o, "missing_bytes", w->missing_bytes);
	for (uint32_t i = 0; i < w->nr_displaced; i++)
		json_object_array_add(displaced, json_object_new_string(e->program->tensors[w->displaced[i]].name));
	json_object_object_add(o, "displaces", displaced);
}

struct json_object *explain_json(const struct explanation *e)
{
	struct json_object *tensors = json_object_new_array();

	for (uint32_t t = 0; t < e->program->nr_tensors; t++) {
		struct json_object *o = json_object_new_object(), *intervals = json_object_new_array();

		for (uint32_t k = 0; k < e->nr_intervals; k++)
			if (e->intervals[k].tensor == t)
				json_object_array_add(intervals, interval_json(&e->intervals[k]));
		json_object_object_add(o, "name", json_object_new_string(e->program->tensors[t].name));
		json_add_u64(o, "bytes", e->program->tensors[t].bytes);
		json_object_object_add(o, "intervals", intervals);
		if (e->reason)
			json_object_object_add(o, "reason", json_object_new_string(onsram_reason_text(e->reason[t])));
		if (e->worth)
			add_worth(e, t, o);
		json_object_array_add(tensors, o);
	}
	return tensors;
}
