// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "top-view.h"

#define MAX_WIDTH 256
/* Longest bar and map: more columns show no more */
#define MAX_BAR 64
#define MAX_MAP 128
#define MAX_ENGINES 16

struct view {
	void (*line)(void *ctx, const char *text);
	void *ctx;
	unsigned int width;
	const struct top_state *now;
	const struct top_state *before;
};

__attribute__((format(printf, 2, 3)))
static void say(const struct view *v, const char *fmt, ...)
{
	char text[MAX_WIDTH + 1];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (v->width < sizeof(text))
		text[v->width] = '\0';
	v->line(v->ctx, text);
}

static uint64_t number(const struct top_state *s, const char *name)
{
	uint64_t value;

	return s && look_number(&s->look, name, &value) ? value : 0;
}

static uint64_t change(const struct view *v, const char *name)
{
	uint64_t now = number(v->now, name), before = number(v->before, name);

	return v->before && now > before ? now - before : 0;
}

static double seconds(const struct view *v)
{
	return v->before ? (v->now->look.ns - v->before->look.ns) / 1e9 : 0;
}

static double per_second(const struct view *v, double what)
{
	double s = seconds(v);

	return s > 0 ? what / s : 0;
}

static void show_bar(const struct view *v, const char *label, double part, const char *text)
{
	unsigned int room = v->width > 30 ? v->width - 30 : 8, n;
	char bar[MAX_BAR + 1];

	room = room < MAX_BAR ? room : MAX_BAR;
	n = part * room + 0.5;
	n = n < room ? n : room;
	memset(bar, '.', room);
	memset(bar, '#', n);
	bar[room] = '\0';
	say(v, "%-8s[%s] %s", label, bar, text);
}

static void show_memory(const struct view *v)
{
	uint64_t size = number(v->now, "size"), used = number(v->now, "used");
	uint64_t free = number(v->now, "free"), largest = number(v->now, "largest_free");
	char a[24], b[24], text[64];

	format_bytes(used, a, sizeof(a));
	format_bytes(size, b, sizeof(b));
	snprintf(text, sizeof(text), "%s of %s", a, b);
	show_bar(v, "SPM", size ? (double)used / size : 0, text);
	format_bytes(number(v->now, "peak"), a, sizeof(a));
	format_bytes(largest, b, sizeof(b));
	say(v, "        %llu tensors, peak %s, largest free piece %s, fragmented %.0f %%",
	    (unsigned long long)number(v->now, "resident"), a, b,
	    free ? 100.0 * (free - largest) / free : 0);
}

/* A column per piece of the SPM: the last digit of a client that has some of it */
static void show_map(const struct view *v)
{
	unsigned int columns = v->width > 10 ? v->width - 10 : 8, client;
	unsigned long long start, bytes, size = number(v->now, "size");
	char row[MAX_MAP + 1];
	const char *p = v->now->map;

	if (!p || !size)
		return;
	columns = columns < MAX_MAP ? columns : MAX_MAP;
	memset(row, '.', columns);
	row[columns] = '\0';
	for (; p; p = next_line(p))
		if (sscanf(p, "%llx %llu bytes: buffer %*u of client %u", &start, &bytes, &client) == 3 &&
		    bytes && start < size && bytes <= size - start)
			memset(row + start * columns / size, '0' + client % 10,
			       (start + bytes - 1) * columns / size - start * columns / size + 1);
	say(v, "map     [%s]", row);
}

/* Modelled time passes as the busiest engine has it: the others' share is of that */
static void show_engines(const struct view *v)
{
	struct {
		char name[32];
		uint64_t busy;
	} engine[MAX_ENGINES];
	const char *p = look_text(&v->now->look, "busy_ps");
	char text[64], time[24];
	uint64_t most = 0;
	int n = 0;

	for (; p && n < MAX_ENGINES && sscanf(p, "%31s", engine[n].name) == 1; p = next_line(p)) {
		engine[n].busy = v->before ? look_engine(&v->now->look, engine[n].name) -
					     look_engine(&v->before->look, engine[n].name) : 0;
		most = engine[n].busy > most ? engine[n].busy : most;
		n++;
	}
	for (int e = 0; e < n; e++) {
		format_time(per_second(v, engine[e].busy), time, sizeof(time));
		snprintf(text, sizeof(text), "%s/s", time);
		show_bar(v, engine[e].name, most ? (double)engine[e].busy / most : 0, text);
	}
}

static void show_rates(const struct view *v)
{
	uint64_t hits = change(v, "hits"), misses = change(v, "misses");
	char r[24], w[24], a[24];

	say(v, "hits %.0f/s  misses %.0f/s  hit rate %.0f %%  evictions %.0f/s  write-backs %.0f/s  fetches %.0f/s  fallbacks %.0f/s",
	    per_second(v, hits), per_second(v, misses),
	    hits + misses ? 100.0 * hits / (hits + misses) : 0, per_second(v, change(v, "evictions")),
	    per_second(v, change(v, "writebacks")), per_second(v, change(v, "prefetches")),
	    per_second(v, change(v, "fallbacks")));
	format_bytes(per_second(v, change(v, "dram_read_bytes")), r, sizeof(r));
	format_bytes(per_second(v, change(v, "dram_write_bytes")), w, sizeof(w));
	format_bytes(per_second(v, change(v, "dram_avoided_bytes")), a, sizeof(a));
	say(v, "DRAM read %s/s  written %s/s  avoided %s/s", r, w, a);
}

static void show_clients(const struct view *v)
{
	say(v, "%6s %7s %-16s %12s %12s %11s %11s", "client", "pid", "process", "compute/s", "copy/s",
	    "SPM", "memory");
	for (uint32_t i = 0; i < v->now->clients.nr; i++) {
		const struct client *c = &v->now->clients.client[i];
		const struct client *o = v->before ? clients_find(&v->before->clients, c->id) : NULL;
		char compute[24], copy[24], spm[24], memory[24];

		format_time(per_second(v, o ? (c->compute_ns - o->compute_ns) * 1000.0 : 0), compute,
			    sizeof(compute));
		format_time(per_second(v, o ? (c->copy_ns - o->copy_ns) * 1000.0 : 0), copy, sizeof(copy));
		format_bytes(c->spm_bytes, spm, sizeof(spm));
		format_bytes(c->memory_bytes, memory, sizeof(memory));
		say(v, "%6llu %7d %-16s %12s %12s %11s %11s", (unsigned long long)c->id, (int)c->pid,
		    c->name, compute, copy, spm, memory);
	}
}

void top_view(void (*line)(void *ctx, const char *text), void *ctx, unsigned int width,
	      const struct top_state *now, const struct top_state *before)
{
	const struct view v = {
		.line = line,
		.ctx = ctx,
		.width = width < MAX_WIDTH ? width : MAX_WIDTH,
		.now = now,
		.before = before,
	};
	const char *policy = look_text(&now->look, "policy");
	const char *fallback = look_text(&now->look, "fallback_policy");

	say(&v, "policy %s, without plan or rule %s; contents lost %llu times", policy ? policy : "?",
	    fallback ? fallback : "?", (unsigned long long)number(now, "generation"));
	show_memory(&v);
	show_map(&v);
	show_engines(&v);
	show_rates(&v);
	say(&v, "%s", "");
	show_clients(&v);
}
