/* SPDX-License-Identifier: MIT */
/*
 * A look at the device's statistics: what sysfs has under spm/, attribute by
 * attribute. A driver that counts more shows more, and nobody needs access to the
 * device node.
 */
#ifndef ONSRAM_LOOK_H
#define ONSRAM_LOOK_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOOK_DEVICE_SIZE 32

/**
 * struct look - attributes at one moment
 * @names: their names, sorted
 * @values: their texts, NULL for what could not be read
 * @nr: how many
 * @ns: when, CLOCK_MONOTONIC
 */
struct look {
	struct dirent **names;
	char **values;
	int nr;
	uint64_t ns;
};

/** look_dir() - the folder of the first onsram device. Return: 0, or the exit status */
int look_dir(const char *cmd, char *dir, size_t size);
/** look_device() - the PCI address of the device that @dir belongs to, or "unknown" */
void look_device(const char *dir, char device[LOOK_DEVICE_SIZE]);
/** look_take() - read all attributes in @dir. Return: 0, or the exit status */
int look_take(const char *cmd, struct look *l, const char *dir);
/** look_release() - forget them; allowed on a zeroed one */
void look_release(struct look *l);
/** look_text() - the text of an attribute, or NULL */
const char *look_text(const struct look *l, const char *name);
/** look_number() - whether an attribute is there and a number */
bool look_number(const struct look *l, const char *name, uint64_t *value);
/** look_engine() - the line of @engine in busy_ps, 0 where it has none */
uint64_t look_engine(const struct look *l, const char *engine);

/** next_line() - behind the next end of line, or NULL */
const char *next_line(const char *text);
/** read_file() - the text of a small file without its last line ends; caller frees; NULL */
char *read_file(const char *dir, const char *name);

#endif
