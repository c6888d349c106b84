// SPDX-License-Identifier: MIT
/* Readiness of the daemon, as a service manager receives it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "notify.h"

static int listen_at(const char *path, socklen_t size)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(addr.sun_path, path, size);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr,
			      offsetof(struct sockaddr_un, sun_path) + size), 0);
	return fd;
}

static void expect_ready(int fd)
{
	char text[32];
	ssize_t n = recv(fd, text, sizeof(text), 0);

	assert_int_equal(n, strlen("READY=1"));
	assert_memory_equal(text, "READY=1", n);
	close(fd);
}

static void test_path(void **state)
{
	char path[64];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test-notify-%d", getpid());
	fd = listen_at(path, strlen(path));
	setenv("NOTIFY_SOCKET", path, 1);
	onsram_notify_ready();
	unlink(path);
	expect_ready(fd);
}

static void test_abstract(void **state)
{
	char path[64];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "@test-notify-%d", getpid());
	setenv("NOTIFY_SOCKET", path, 1);
	path[0] = '\0';
	fd = listen_at(path, 1 + strlen(path + 1));
	onsram_notify_ready();
	expect_ready(fd);
}

/* None of these may end the daemon */
static void test_nobody(void **state)
{
	char path[256];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	onsram_notify_ready();
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	onsram_notify_ready();
	setenv("NOTIFY_SOCKET", "relative", 1);
	onsram_notify_ready();
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	setenv("NOTIFY_SOCKET", path, 1);
	onsram_notify_ready();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_abstract),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
