// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "save.h"

static int wrong(const char *cmd, const char *path)
{
	return failure(cmd, "%s: %s", path, strerror(errno));
}

/* Everything written and on its way to the disk, whose quota may tell only then */
static int finish(FILE *f, int written)
{
	bool bad = written || fflush(f) || ferror(f);
	int error = written ? ENOMEM : errno;

	if (!bad && fsync(fileno(f)) && errno != EINVAL && errno != EROFS) {
		bad = true;
		error = errno;
	}
	if (fclose(f) && !bad) {
		bad = true;
		error = errno;
	}
	errno = error;
	return bad ? -1 : 0;
}

static int replace(const char *cmd, const char *path, mode_t mode, int (*write)(FILE *, const void *),
		   const void *ctx)
{
	char *temporary;
	int fd, ret;
	FILE *f;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return failure(cmd, "out of memory");
	fd = mkstemp(temporary);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		ret = wrong(cmd, path);
		free(temporary);
		return ret;
	}
	ret = write(f, ctx);
	if (!ret)
		ret = fchmod(fd, mode);
	ret = finish(f, ret) || rename(temporary, path) ? wrong(cmd, path) : 0;
	if (ret)
		unlink(temporary);
	free(temporary);
	return ret;
}

int save_file(const char *cmd, const char *path, int (*write)(FILE *, const void *), const void *ctx)
{
	mode_t mask = umask(0), mode = 0666;
	struct stat st;
	FILE *f;

	umask(mask);
	mode &= ~mask;
	progress_end();
	if (stat(path, &st) || S_ISREG(st.st_mode))
		return replace(cmd, path, mode, write, ctx);
	f = fopen(path, "we");
	if (!f)
		return wrong(cmd, path);
	return finish(f, write(f, ctx)) ? wrong(cmd, path) : 0;
}

char *file_text(const char *path, size_t *size)
{
	FILE *in = fopen(path, "re"), *out;
	char *text = NULL, part[65536];
	size_t n;
	int bad;

	if (!in)
		return NULL;
	out = open_memstream(&text, size);
	while (out && (n = fread(part, 1, sizeof(part), in)))
		fwrite(part, 1, n, out);
	bad = !out || ferror(in);
	fclose(in);
	if ((out && fclose(out)) || bad) {
		free(text);
		return NULL;
	}
	return text;
}
