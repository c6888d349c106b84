// SPDX-License-Identifier: MIT
/* What follows from a record: levels, rates, rows. */
#include <stdlib.h>
#include <string.h>

#include "record.h"

const char *onsram_record_kind_name(enum onsram_record_kind kind)
{
	static const char *const names[] = {
#define ONSRAM_X(name, what) [ONSRAM_RECORD_##name] = what,
		ONSRAM_RECORD_KINDS(ONSRAM_X)
#undef ONSRAM_X
	};

	return kind < ONSRAM_RECORD_KIND_COUNT ? names[kind] : "unknown";
}

static int by_offset(const void *a, const void *b)
{
	const struct onsram_record_stay *x = *(const struct onsram_record_stay *const *)a;
	const struct onsram_record_stay *y = *(const struct onsram_record_stay *const *)b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int by_time(const void *a, const void *b)
{
	const struct onsram_record_stay *x = *(const struct onsram_record_stay *const *)a;
	const struct onsram_record_stay *y = *(const struct onsram_record_stay *const *)b;

	if (x->from_ps != y->from_ps)
		return x->from_ps < y->from_ps ? -1 : 1;
	return x < y ? -1 : x > y;
}

static const struct onsram_record_stay **sorted(const struct onsram_record *r,
						int (*compare)(const void *, const void *))
{
	const struct onsram_record_stay **list = calloc((size_t)r->nr_stays + 1, sizeof(*list));

	for (uint32_t k = 0; list && k < r->nr_stays; k++)
		list[k] = &r->stays[k];
	if (list)
		qsort(list, r->nr_stays, sizeof(*list), compare);
	return list;
}

struct onsram_record_level *onsram_record_levels(const struct onsram_record *r)
{
	struct onsram_record_level *level = calloc((size_t)r->nr_ops + 1, sizeof(*level));
	const struct onsram_record_stay **list = sorted(r, by_offset);
	uint64_t *end = calloc((size_t)r->nr_ops + 1, sizeof(*end));

	if (!level || !list || !end) {
		free(level);
		level = NULL;
		goto out;
	}
	/* From below: what is free between a stay and the one under it */
	for (uint32_t k = 0; k < r->nr_stays; k++) {
		uint64_t top = list[k]->offset + list[k]->bytes;

		for (uint32_t i = list[k]->reserve_op; i < list[k]->release_op && i < r->nr_ops; i++) {
			uint64_t low = list[k]->offset > end[i] ? list[k]->offset : end[i];

			/* What takes another's place over is there once */
			if (low - end[i] > level[i].free_largest)
				level[i].free_largest = low - end[i];
			level[i].held += top > low ? top - low : 0;
			end[i] = top > end[i] ? top : end[i];
		}
	}
	for (uint32_t i = 0; i < r->nr_ops; i++)
		if (r->spm_size > end[i] && r->spm_size - end[i] > level[i].free_largest)
			level[i].free_largest = r->spm_size - end[i];
out:
	free(end);
	free(list);
	return level;
}

static int by_step(const void *a, const void *b)
{
	const struct onsram_record_step *x = a, *y = b;

	return x->ps < y->ps ? -1 : x->ps > y->ps;
}

/* From changes to what they come to, one step per time */
static uint32_t sums(struct onsram_record_step *step, uint32_t n)
{
	uint32_t out = 0;
	double value = 0;

	qsort(step, n, sizeof(*step), by_step);
	for (uint32_t k = 0; k < n; k++) {
		value += step[k].value;
		if (k + 1 < n && step[k + 1].ps == step[k].ps)
			continue;
		/* Rounding must not leave a rest when all is over */
		step[out++] = (struct onsram_record_step){ step[k].ps, k + 1 == n || value < 0.5 ? 0 : value };
	}
	return out;
}

struct onsram_record_step *onsram_record_bandwidth(const struct onsram_record *r, uint32_t *n)
{
	struct onsram_record_step *step = calloc(2 * (size_t)r->nr_tasks + 1, sizeof(*step));

	*n = 0;
	for (uint32_t k = 0; step && k < r->nr_tasks; k++) {
		const struct onsram_record_task *t = &r->tasks[k];
		double bytes = (double)t->dram_read_bytes + (double)t->dram_write_bytes;
		double rate;

		if (t->end_ps <= t->start_ps || bytes <= 0)
			continue;
		rate = bytes * 1e12 / (double)(t->end_ps - t->start_ps);
		step[(*n)++] = (struct onsram_record_step){ t->start_ps, rate };
		step[(*n)++] = (struct onsram_record_step){ t->end_ps, -rate };
	}
	if (step)
		*n = sums(step, *n);
	return step;
}

struct onsram_record_step *onsram_record_occupancy(const struct onsram_record *r, uint32_t *n)
{
	struct onsram_record_step *step = calloc(2 * (size_t)r->nr_stays + 1, sizeof(*step));

	*n = 0;
	for (uint32_t k = 0; step && k < r->nr_stays; k++) {
		step[(*n)++] = (struct onsram_record_step){ r->stays[k].from_ps, (double)r->stays[k].bytes };
		step[(*n)++] = (struct onsram_record_step){ r->stays[k].to_ps, -(double)r->stays[k].bytes };
	}
	if (step)
		*n = sums(step, *n);
	return step;
}

uint32_t onsram_record_lanes(const struct onsram_record *r, uint32_t *lane)
{
	const struct onsram_record_stay **list = sorted(r, by_time);
	uint64_t *until = calloc((size_t)r->nr_stays + 1, sizeof(*until));
	uint32_t lanes = 0;

	for (uint32_t k = 0; list && until && k < r->nr_stays; k++) {
		uint32_t l = 0;

		while (l < lanes && until[l] > list[k]->from_ps)
			l++;
		lane[list[k] - r->stays] = l;
		until[l] = list[k]->to_ps;
		lanes = l == lanes ? lanes + 1 : lanes;
	}
	free(until);
	free(list);
	return lanes;
}
