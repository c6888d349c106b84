// SPDX-License-Identifier: MIT
/*
 * A record in the Trace Event Format.  Its times are microseconds, which viewers
 * keep to a nanosecond: starts and ends are rounded down to it, so that what does
 * not overlap does not come to do so.
 */
#include <stdlib.h>

#include "format.h"
#include "picture.h"

enum { PID_DEVICE = 1, PID_SPM = 2 };
/* The SPM's tracks: its events, and a lane per stay at a time */
enum { TID_EVENTS = 1, TID_LANES = 2 };

static void at(FILE *out, uint64_t ps)
{
	fprintf(out, "%llu.%03llu", (unsigned long long)(ps / 1000000), (unsigned long long)(ps / 1000 % 1000));
}

static void name_track(FILE *out, const char *what, int pid, uint32_t tid, const char *name, uint32_t number)
{
	fprintf(out, ",\n{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%d,\"tid\":%u,\"args\":{\"name\":\"%s", what, pid, tid, name);
	if (number != UINT32_MAX)
		fprintf(out, " %u", number);
	fputs("\"}}", out);
}

static void place_track(FILE *out, int pid, uint32_t tid)
{
	fprintf(out, ",\n{\"ph\":\"M\",\"name\":\"thread_sort_index\",\"pid\":%d,\"tid\":%u,\"args\":{\"sort_index\":%u}}",
		pid, tid, tid);
}

static const char *tensor_name(const struct onsram_record *r, uint32_t tensor)
{
	return tensor < r->nr_tensors ? r->tensors[tensor].name : "of another network";
}

static void slice(FILE *out, int pid, uint32_t tid, const char *category, const char *name, uint64_t from_ps,
		  uint64_t to_ps)
{
	uint64_t end = to_ps / 1000 * 1000, start = from_ps / 1000 * 1000;

	fprintf(out, ",\n{\"ph\":\"X\",\"pid\":%d,\"tid\":%u,\"cat\":\"%s\",\"name\":", pid, tid, category);
	write_json(out, name);
	fputs(",\"ts\":", out);
	at(out, start);
	fputs(",\"dur\":", out);
	at(out, end - start);
	fputs(",\"args\":{", out);
}

static void tracks(FILE *out, const struct onsram_record *r, uint32_t lanes)
{
	name_track(out, "process_name", PID_DEVICE, 0, "engines", UINT32_MAX);
	name_track(out, "process_name", PID_SPM, 0, "scratch-pad memory", UINT32_MAX);
	for (uint32_t e = 0; e < r->engines; e++) {
		if (e + 1 == r->engines)
			name_track(out, "thread_name", PID_DEVICE, e + 1, "copy engine", UINT32_MAX);
		else
			name_track(out, "thread_name", PID_DEVICE, e + 1, "compute", e);
		place_track(out, PID_DEVICE, e + 1);
	}
	name_track(out, "thread_name", PID_SPM, TID_EVENTS, "residency", UINT32_MAX);
	place_track(out, PID_SPM, TID_EVENTS);
	for (uint32_t l = 0; l < lanes; l++) {
		name_track(out, "thread_name", PID_SPM, TID_LANES + l, "tensors", l);
		place_track(out, PID_SPM, TID_LANES + l);
	}
}

static void tasks(FILE *out, const struct onsram_record *r)
{
	static const char *const categories[] = { "operation", "fetch", "write-back", "zeroing" };

	for (uint32_t k = 0; k < r->nr_tasks; k++) {
		const struct onsram_record_task *t = &r->tasks[k];

		slice(out, PID_DEVICE, t->engine + 1, categories[t->what],
		      t->what == ONSRAM_RECORD_OPERATION ? t->name : tensor_name(r, t->tensor), t->start_ps, t->end_ps);
		fprintf(out, "\"start_ps\":%llu,\"end_ps\":%llu,\"compute_ps\":%llu,\"dram_read_bytes\":%llu,\"dram_write_bytes\":%llu,\"spm_bytes\":%llu}}",
			(unsigned long long)t->start_ps, (unsigned long long)t->end_ps,
			(unsigned long long)t->compute_ps, (unsigned long long)t->dram_read_bytes,
			(unsigned long long)t->dram_write_bytes, (unsigned long long)t->spm_bytes);
	}
}

static void event(FILE *out, const struct onsram_record *r, const struct onsram_record_stay *s, const char *what,
		  uint64_t ps)
{
	fprintf(out, ",\n{\"ph\":\"i\",\"s\":\"t\",\"pid\":%d,\"tid\":%d,\"cat\":\"residency\",\"name\":\"%s\",\"ts\":", PID_SPM,
		TID_EVENTS, what);
	at(out, ps);
	fputs(",\"args\":{\"tensor\":", out);
	write_json(out, tensor_name(r, s->tensor));
	fprintf(out, ",\"offset\":%llu,\"bytes\":%llu}}", (unsigned long long)s->offset, (unsigned long long)s->bytes);
}

static void stays(FILE *out, const struct onsram_record *r, const uint32_t *lane)
{
	for (uint32_t k = 0; k < r->nr_stays; k++) {
		const struct onsram_record_stay *s = &r->stays[k];

		slice(out, PID_SPM, TID_LANES + lane[k], s->tensor < r->nr_tensors ?
		      onsram_record_kind_name(r->tensors[s->tensor].kind) : "other", tensor_name(r, s->tensor),
		      s->from_ps, s->to_ps);
		fprintf(out, "\"offset\":%llu,\"bytes\":%llu,\"begin\":%llu,\"first_op\":%u,\"last_op\":%u}}",
			(unsigned long long)s->offset, (unsigned long long)s->bytes, (unsigned long long)s->begin,
			s->first_op, s->last_op);
		event(out, r, s, "placed", s->from_ps);
		event(out, r, s, s->release_op < r->nr_ops ? "released" : "at the end", s->to_ps);
	}
}

static void counter(FILE *out, int pid, const char *name, const char *series, const struct onsram_record_step *step,
		    uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		fprintf(out, ",\n{\"ph\":\"C\",\"pid\":%d,\"name\":\"%s\",\"ts\":", pid, name);
		at(out, step[k].ps);
		fprintf(out, ",\"args\":{\"%s\":%.0f}}", series, step[k].value);
	}
}

int picture_trace(FILE *out, const struct onsram_record *r)
{
	uint32_t nr_rates, nr_levels, *lane = calloc((size_t)r->nr_stays + 1, sizeof(*lane));
	struct onsram_record_step *rates = onsram_record_bandwidth(r, &nr_rates);
	struct onsram_record_step *taken = onsram_record_occupancy(r, &nr_levels);
	uint32_t lanes = lane ? onsram_record_lanes(r, lane) : 0;
	int ret = -1;

	if (!lane || !rates || !taken || (r->nr_stays && !lanes))
		goto out;
	fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"network\":", out);
	write_json(out, r->network);
	fputs(",\"policy\":", out);
	write_json(out, r->policy);
	fprintf(out, ",\"time_ps\":\"%llu\"},\"traceEvents\":[\n", (unsigned long long)r->time_ps);
	fputs("{\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":1,\"tid\":0,\"args\":{\"sort_index\":1}}", out);
	tracks(out, r, lanes);
	tasks(out, r);
	stays(out, r, lane);
	counter(out, PID_SPM, "SPM occupancy", "bytes", taken, nr_levels);
	counter(out, PID_DEVICE, "DRAM bandwidth", "bytes per second", rates, nr_rates);
	fputs("\n]}\n", out);
	ret = 0;
out:
	free(lane);
	free(rates);
	free(taken);
	return ret;
}
