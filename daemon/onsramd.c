// SPDX-License-Identifier: MIT
/*
 * onsramd: decides which tensors stay in the scratch-pad memory of onsram
 * accelerators.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "agent.h"
#include "log.h"
#include "notify.h"

#define VERSION		"1.0"
/* After the kernel announced a device it takes a moment until it can be attached to */
#define SETTLE_MS	3000
#define RESCAN_MS	200
/* Well below what the driver allows for an answer (its parameter agent_timeout_ms) */
#define BEAT_MS		1000

static const char usage[] =
"usage: onsramd [OPTION]...\n"
"\n"
"Decides which tensors stay in the scratch-pad memory of onsram accelerators:\n"
"plans for graphs under the policy 'static', rules for operations under 'eager'.\n"
"It may end or be killed at any time; the driver then falls back on its own.\n"
"\n"
"  -f, --foreground     stay in the foreground (default)\n"
"  -b, --daemonize      go to the background once attached to every device\n"
"  -d, --device DEVICE  attach to this device only: a number, accelN or a PCI\n"
"                       address; may be repeated\n"
"  -p, --pidfile FILE   write the process id to FILE\n"
"  -v, --verbose        tell what is planned and learnt\n"
"  -h, --help           show this\n"
"      --version        show the version\n"
"\n"
"Exit status: 0 when asked to end, 1 when it cannot work, 2 on wrong usage.\n";

/**
 * struct options - the command line
 * @daemonize: go to the background
 * @verbose: tell more
 * @pidfile: file or NULL
 */
struct options {
	bool daemonize;
	bool verbose;
	const char *pidfile;
};

/* Return: -1 to go on, else the exit status */
static int parse(int argc, char **argv, struct options *o, struct onsram_agent *a)
{
	static const struct option longs[] = {
		{ "foreground", no_argument, NULL, 'f' },
		{ "daemonize", no_argument, NULL, 'b' },
		{ "device", required_argument, NULL, 'd' },
		{ "pidfile", required_argument, NULL, 'p' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "fbd:p:vh", longs, NULL)) >= 0) {
		switch (c) {
		case 'f':
			o->daemonize = false;
			break;
		case 'b':
			o->daemonize = true;
			break;
		case 'd':
			a->wanted[a->nr_wanted++] = optarg;
			break;
		case 'p':
			o->pidfile = optarg;
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			puts("onsramd " VERSION);
			return 0;
		default:
			fputs("Try 'onsramd --help'.\n", stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "onsramd: unexpected argument '%s'\nTry 'onsramd --help'.\n",
			argv[optind]);
		return 2;
	}
	return -1;
}

/* --- background ------------------------------------------------------------------- */

/*
 * The parent waits for the child's word on @ready: it leaves with status 0 when the
 * child is attached, with 1 when the child ended without a word.  Returns only in
 * the child, with the pipe to write to, or -1.
 */
static int go_background(void)
{
	int ready[2];
	char word;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC)) {
		onsram_error("pipe: %s", strerror(errno));
		return -1;
	}
	pid = fork();
	if (pid < 0) {
		onsram_error("fork: %s", strerror(errno));
		return -1;
	}
	if (pid) {
		ssize_t n;

		close(ready[1]);
		do {
			n = read(ready[0], &word, 1);
		} while (n < 0 && errno == EINTR);
		_exit(n == 1 ? 0 : 1);
	}
	close(ready[0]);
	setsid();
	return ready[1];
}

/* Lets go of the terminal and of the parent */
static int settle_in_background(int ready, const struct options *o)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || chdir("/")) {
		onsram_error("cannot go to the background: %s", strerror(errno));
		return -1;
	}
	if (write(ready, "", 1) != 1)
		onsram_info("nobody waits for us to be ready");
	close(ready);
	onsram_log_init(o->verbose, true);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	close(null);
	return 0;
}

static int write_pidfile(const char *path)
{
	FILE *f = fopen(path, "we");
	bool bad;

	if (!f) {
		onsram_error("%s: %s", path, strerror(errno));
		return -1;
	}
	bad = fprintf(f, "%ld\n", (long)getpid()) < 0;
	bad |= fclose(f);
	if (bad)
		onsram_error("%s: %s", path, strerror(errno));
	return bad ? -1 : 0;
}

/* --- what happens ------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The kernel's announcements of devices; the family itself has none */
static int open_uevents(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Whether any of the announcements that wait is about an accelerator or a module */
static bool read_uevents(int fd)
{
	struct sockaddr_nl from;
	struct iovec iov;
	struct msghdr msg;
	bool found = false;
	char buf[8192];
	ssize_t n;

	for (;;) {
		iov = (struct iovec){ buf, sizeof(buf) - 1 };
		msg = (struct msghdr){ .msg_name = &from, .msg_namelen = sizeof(from),
				       .msg_iov = &iov, .msg_iovlen = 1 };
		n = recvmsg(fd, &msg, 0);
		if (n < 0 && errno == ENOBUFS)
			found = true;	/* missed some: look */
		else if (n < 0)
			return found;
		/* Only the kernel's own */
		if (n <= 0 || from.nl_pid)
			continue;
		buf[n] = '\0';
		for (char *p = buf; p < buf + n; p += strlen(p) + 1)
			found |= !strcmp(p, "SUBSYSTEM=accel") || !strcmp(p, "SUBSYSTEM=module");
	}
}

/* Attaches to what appeared, lets go of what went */
static void look_around(struct onsram_agent *a)
{
	if (!a->nl)
		onsram_agent_connect(a);
	else
		onsram_agent_rescan(a);
}

static int serve(struct onsram_agent *a, int signals, int uevents)
{
	uint64_t look_until = 0;

	for (;;) {
		struct pollfd fds[3] = {
			{ .fd = signals, .events = POLLIN },
			{ .fd = uevents, .events = POLLIN },
			{ .fd = a->nl ? onsram_nl_event_fd(a->nl) : -1, .events = POLLIN },
		};
		bool looking = now_ms() < look_until;
		bool planning = onsram_agent_beat(a);

		if (poll(fds, 3, looking ? RESCAN_MS : planning ? BEAT_MS : -1) < 0 &&
		    errno != EINTR) {
			onsram_error("poll: %s", strerror(errno));
			return 1;
		}
		if (fds[0].revents)
			return 0;
		if (fds[1].revents && read_uevents(uevents)) {
			look_until = now_ms() + SETTLE_MS;
			looking = true;
		}
		if (fds[2].revents)
			onsram_agent_events(a);
		if (looking)
			look_around(a);
	}
}

static int start(struct onsram_agent *a, const struct options *o, int ready)
{
	int ret = onsram_agent_connect(a);

	if (ret == -ENOENT)
		onsram_error("no onsram driver: is the module loaded ('modprobe onsram')?");
	else if (ret == -ENODEV)
		onsram_error("no %sonsram device is present", a->nr_wanted ? "such " : "");
	if (ret)
		return -1;
	if (o->pidfile && write_pidfile(o->pidfile))
		return -1;
	return ready >= 0 ? settle_in_background(ready, o) : 0;
}

int main(int argc, char **argv)
{
	struct onsram_agent agent = { 0 };
	struct options o = { 0 };
	int ready = -1, signals, uevents, ret;

	agent.wanted = calloc((size_t)argc, sizeof(*agent.wanted));
	if (!agent.wanted) {
		onsram_error("not enough memory");
		return 1;
	}
	ret = parse(argc, argv, &o, &agent);
	if (ret >= 0)
		goto out;
	onsram_log_init(o.verbose, false);
	ret = 1;
	if (o.daemonize) {
		ready = go_background();
		if (ready < 0)
			goto out;
	}
	signals = open_signals();
	/* Before the first look, so that no device appears unseen between the two */
	uevents = open_uevents();
	if (signals < 0 || uevents < 0) {
		onsram_error("cannot watch for signals and devices: %s", strerror(errno));
		goto out;
	}
	if (start(&agent, &o, ready))
		goto out;
	onsram_notify_ready();
	ret = serve(&agent, signals, uevents);
	if (o.pidfile)
		unlink(o.pidfile);
out:
	onsram_agent_disconnect(&agent);
	free(agent.wanted);
	return ret;
}
