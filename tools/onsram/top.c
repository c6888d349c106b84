// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <ncurses.h>

#include "command.h"
#include "top-view.h"

#define CMD "top"
#define BATCH_COLUMNS 100

static void help(void)
{
	printf("usage: onsram top [--interval SECONDS] [--count N] [--batch]\n\n"
	       "Show who uses the device's SPM and how, updating in place; q ends it. Rates count\n"
	       "modelled time, bytes and operands per second of this clock.\n\n"
	       "  --interval SECONDS  how often to look (1 to 3600, default 1)\n"
	       "  --count N           end after so many looks\n"
	       "  --batch             plain text, one look after the other\n\n"
	       "The map has a column per piece of the SPM: the last digit of the client's number,\n"
	       "a dot where it is free. It and other users' clients are shown to root only.\n");
}

static void release(struct top_state *s)
{
	look_release(&s->look);
	clients_release(&s->clients);
	free(s->map);
	*s = (struct top_state){ 0 };
}

/* debugfs's folder is named after the PCI function */
static char *read_map(const char *sysfs)
{
	char device[LOOK_DEVICE_SIZE], dir[64];

	look_device(sysfs, device);
	snprintf(dir, sizeof(dir), "/sys/kernel/debug/accel/%s", device);
	return read_file(dir, "spm");
}

static int take(struct top_state *s, const char *dir)
{
	int status = look_take(CMD, &s->look, dir);

	if (status)
		return status;
	s->map = read_map(dir);
	if (clients_take(&s->clients)) {
		release(s);
		return failure(CMD, "out of memory");
	}
	return 0;
}

static void print_line(void *ctx, const char *text)
{
	(void)ctx;
	puts(text);
}

static void draw_line(void *ctx, const char *text)
{
	int *row = ctx;

	if (*row < LINES)
		mvaddnstr(*row, 0, text, COLS);
	(*row)++;
}

static void draw(const struct top_state *now, const struct top_state *before)
{
	int row = 0;

	erase();
	top_view(draw_line, &row, COLS, now, before);
	refresh();
}

/* Wait for the next look. Return: whether the user wants to end */
static bool pause_for(bool batch, unsigned int seconds)
{
	uint64_t until = now_ns() + seconds * 1000000000ull;
	int key;

	if (batch) {
		sleep(seconds);
		return false;
	}
	do {
		key = getch();	/* waits for a tenth of a second */
		if (key == 'q' || key == 'Q')
			return true;
	} while (key != KEY_RESIZE && now_ns() < until);
	return false;
}

static int watch(const char *dir, bool batch, uint64_t looks, unsigned int seconds)
{
	struct top_state before = { 0 }, now = { 0 };
	bool first = true;
	int status;

	while (!(status = take(&now, dir))) {
		if (batch) {
			if (!first)
				putchar('\n');
			top_view(print_line, NULL, BATCH_COLUMNS, &now, first ? NULL : &before);
			fflush(stdout);
		} else {
			draw(&now, first ? NULL : &before);
		}
		release(&before);
		before = now;
		now = (struct top_state){ 0 };
		first = false;
		if (!--looks || ferror(stdout) || pause_for(batch, seconds))
			break;
	}
	release(&before);
	return status;
}

/* Messages go to the terminal, so they wait until it is as it was */
static int watch_on_screen(const char *dir, uint64_t looks, unsigned int seconds)
{
	char message[256] = "";
	FILE *held, *err = stderr;
	SCREEN *screen;
	int status;

	setlocale(LC_ALL, "");
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return failure(CMD, "the terminal \"%s\" is not known here; try --batch",
			       getenv("TERM") ? getenv("TERM") : "");
	held = fmemopen(message, sizeof(message), "w");
	if (held)
		stderr = held;
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, true);
	timeout(100);
	status = watch(dir, false, looks, seconds);
	endwin();
	delscreen(screen);
	stderr = err;
	if (held) {
		fclose(held);
		fputs(message, stderr);
	}
	return status;
}

int cmd_top(int argc, char **argv)
{
	static const struct option options[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'n' },
		{ "batch", no_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t interval = 1, count = UINT64_MAX;
	bool batch = false;
	char dir[96];
	int c, status;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case 'i':
			if (parse_u64(optarg, 1, 3600, &interval))
				return usage_error(CMD, "--interval is a number from 1 to 3600, not \"%s\"",
						   optarg);
			break;
		case 'n':
			if (parse_u64(optarg, 1, UINT64_MAX, &count))
				return usage_error(CMD, "--count is a number of at least 1, not \"%s\"",
						   optarg);
			break;
		case 'b':
			batch = true;
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
	status = look_dir(CMD, dir, sizeof(dir));
	if (status)
		return status;
	if (batch)
		return watch(dir, true, count, interval);
	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		return failure(CMD, "this is no terminal; try --batch");
	return watch_on_screen(dir, count, interval);
}
