// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder.h"
#include "replay.h"

#define INSTANCES	"/sys/kernel/tracing/instances"
#define PREFIX		"onsram-"
/* Of each processor: the events of the longest pass, several times over */
#define BUFFER_KIB	"16384"

struct recorder {
	struct replay replay;
	char dir[96];
	int pipe;
	uint32_t client;
	bool has_client;
	char device[64];
	char *text;		/* read, and no whole line yet */
	size_t length;
	struct replay_event *events;
	uint32_t nr;
	uint32_t room;
};

__attribute__((format(printf, 2, 3)))
static int fail(char **err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(err, fmt, ap) < 0)
		*err = NULL;
	va_end(ap);
	return -1;
}

static int set(const struct recorder *rec, const char *file, const char *value, char **err)
{
	char path[192];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", rec->dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ret = fd < 0 ? -1 : (int)write(fd, value, strlen(value));
	if (ret < 0)
		fail(err, "%s: %s%s", path, strerror(errno),
		     fd < 0 && errno == ENOENT ? ": is the module loaded, and of this version?" : "");
	if (fd >= 0)
		close(fd);
	return ret < 0 ? -1 : 0;
}

/* What is left of processes that were killed */
static void remove_stale(void)
{
	DIR *dir = opendir(INSTANCES);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		int pid = strncmp(d->d_name, PREFIX, strlen(PREFIX)) ? 0 : atoi(d->d_name + strlen(PREFIX));

		if (pid > 0 && kill(pid, 0) && errno == ESRCH)
			unlinkat(dirfd(dir), d->d_name, AT_REMOVEDIR);
	}
	if (dir)
		closedir(dir);
}

static int start(struct recorder *rec, char **err)
{
	char text[128];

	remove_stale();
	snprintf(rec->dir, sizeof(rec->dir), INSTANCES "/" PREFIX "%d", getpid());
	if (mkdir(rec->dir, 0700)) {
		rec->dir[0] = 0;
		return fail(err, "recording what the device does needs root and tracefs at /sys/kernel/tracing: %s",
			    strerror(errno));
	}
	snprintf(text, sizeof(text), "common_pid == %d", getpid());
	if (set(rec, "buffer_size_kb", BUFFER_KIB, err) || set(rec, "events/onsram/onsram_submit/filter", text, err) ||
	    set(rec, "events/onsram/onsram_submit/enable", "1", err) ||
	    set(rec, "events/onsram/onsram_command/enable", "1", err))
		return -1;
	snprintf(text, sizeof(text), "%s/trace_pipe", rec->dir);
	rec->pipe = open(text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return rec->pipe < 0 ? fail(err, "%s: %s", text, strerror(errno)) : 0;
}

struct recorder *recorder_open(const struct onsram_program *p, char **err)
{
	struct recorder *rec = calloc(1, sizeof(*rec));

	*err = NULL;
	if (!rec)
		return NULL;
	rec->replay.program = p;
	rec->pipe = -1;
	if (!start(rec, err))
		return rec;
	recorder_close(rec);
	return NULL;
}

/* A list of numbers as the event has it: NAME={0x1,0x2,...} */
static int parse_list(const char *text, const char *name, uint64_t list[ONSRAM_MAX_OPERANDS])
{
	const char *p = strstr(text, name);
	char *end;

	p = p ? p + strlen(name) : "";
	for (int i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
		list[i] = strtoull(p, &end, 16);
		if (end == p || *end != (i + 1 < ONSRAM_MAX_OPERANDS ? ',' : '}'))
			return -1;
		p = end + 1;
	}
	return 0;
}

/* The command's event; -1: it is another one's */
static int parse_command(struct recorder *rec, const char *text, struct replay_event *e)
{
	unsigned long long v[8];
	unsigned int client;
	char device[64];

	*e = (struct replay_event){ 0 };
	if (sscanf(text, "dev=%63s client=%u engine=%u kind=%u order=%llu start_ps=%llu end_ps=%llu compute_ps=%llu dram_read_bytes=%llu dram_write_bytes=%llu spm_bytes=%llu error=%d flags=%llu",
		   device, &client, &e->engine, &e->kind, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &e->error,
		   &v[7]) != 13)
		return -1;
	if (parse_list(text, " place={", e->place) || parse_list(text, " begin={", e->begin) ||
	    parse_list(text, " bytes={", e->bytes))
		return -1;
	if (rec->has_client && strcmp(device, rec->device))
		return -1;
	e->ours = rec->has_client && client == rec->client;
	e->order = v[0];
	e->start_ps = v[1];
	e->end_ps = v[2];
	e->compute_ps = v[3];
	e->dram_read_bytes = v[4];
	e->dram_write_bytes = v[5];
	e->spm_bytes = v[6];
	e->flags = v[7];
	return 0;
}

static int parse_line(struct recorder *rec, const char *line)
{
	static const char command[] = " onsram_command: ", submit[] = " onsram_submit: ";
	const char *p = strstr(line, submit);
	unsigned int client;

	if (p && !rec->has_client && sscanf(p + strlen(submit), "dev=%63s client=%u", rec->device, &client) == 2) {
		rec->has_client = true;
		rec->client = client;
	}
	p = strstr(line, command);
	if (!p)
		return 0;
	if (rec->nr == rec->room) {
		uint32_t room = rec->room ? 2 * rec->room : 1024;
		struct replay_event *more = realloc(rec->events, (size_t)room * sizeof(*more));

		if (!more)
			return -1;
		rec->events = more;
		rec->room = room;
	}
	if (!parse_command(rec, p + strlen(command), &rec->events[rec->nr]))
		rec->nr++;
	return 0;
}

static int parse_text(struct recorder *rec)
{
	char *line = rec->text, *end;

	while ((end = memchr(line, '\n', rec->length - (size_t)(line - rec->text)))) {
		*end = 0;
		if (parse_line(rec, line))
			return -1;
		line = end + 1;
	}
	rec->length -= (size_t)(line - rec->text);
	memmove(rec->text, line, rec->length);
	return 0;
}

/* Events that the buffer had no room for */
static int check_lost(const struct recorder *rec, char **err)
{
	long processors = sysconf(_SC_NPROCESSORS_CONF);

	for (long i = 0; i < processors; i++) {
		char path[160], line[64];
		unsigned long long lost = 0, n;
		FILE *f;

		snprintf(path, sizeof(path), "%s/per_cpu/cpu%ld/stats", rec->dir, i);
		f = fopen(path, "re");
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "overrun: %llu", &n) == 1 || sscanf(line, "dropped events: %llu", &n) == 1)
				lost += n;
		if (f)
			fclose(f);
		if (lost)
			return fail(err, "the kernel's trace buffer of " BUFFER_KIB " KiB lost %llu events of the pass", lost);
	}
	return 0;
}

/* All there is by now */
static int collect(struct recorder *rec, char **err)
{
	ssize_t n;

	rec->nr = 0;
	for (;;) {
		char *more = realloc(rec->text, rec->length + 65537);

		if (!more)
			return fail(err, "out of memory");
		rec->text = more;
		n = read(rec->pipe, rec->text + rec->length, 65536);
		if (n <= 0)
			break;
		rec->length += (size_t)n;
		if (parse_text(rec))
			return fail(err, "out of memory");
	}
	if (n < 0 && errno != EAGAIN)
		return fail(err, "%s/trace_pipe: %s", rec->dir, strerror(errno));
	return check_lost(rec, err);
}

int recorder_begin(struct recorder *rec, char **err)
{
	if (collect(rec, err))
		return -1;
	return replay_events(&rec->replay, rec->events, rec->nr) ? fail(err, "out of memory") : 0;
}

int recorder_end(struct recorder *rec, struct onsram_record *r, char **err)
{
	if (collect(rec, err))
		return -1;
	switch (replay_pass(&rec->replay, rec->events, rec->nr, r)) {
	case 0: return 0;
	case -1: return fail(err, "out of memory");
	default: return fail(err, "the driver's trace events have %u of the network's %u operations",
			     rec->replay.op, rec->replay.program->nr_ops);
	}
}

void recorder_close(struct recorder *rec)
{
	if (!rec)
		return;
	if (rec->pipe >= 0)
		close(rec->pipe);
	if (rec->dir[0])
		rmdir(rec->dir);
	replay_release(&rec->replay);
	free(rec->events);
	free(rec->text);
	free(rec);
}
