// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"

void onsram_notify_ready(void)
{
	static const char ready[] = "READY=1";
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t size;
	int fd;

	if (!path)
		return;
	if ((*path != '/' && *path != '@') || strlen(path) >= sizeof(addr.sun_path)) {
		onsram_error("NOTIFY_SOCKET is not the address of a socket: %s", path);
		return;
	}
	memcpy(addr.sun_path, path, strlen(path));
	size = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	if (*path == '@')	/* the abstract namespace */
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, ready, sizeof(ready) - 1, MSG_NOSIGNAL,
			     (struct sockaddr *)&addr, size) < 0)
		onsram_error("cannot tell the service manager: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}
