/* SPDX-License-Identifier: MIT */
/* Values by name. */
#ifndef ONSRAM_NAMES_H
#define ONSRAM_NAMES_H

#include <stdint.h>

#include <drm/onsram_accel.h>

struct name {
	char *name;
	struct drm_onsram_operand value;
};

/** struct names - a hash table, @size slots (a power of two); all zero is an empty one */
struct names {
	struct name *list;
	uint32_t nr;
	uint32_t size;
};

/** names_add() - Return: 0, -EEXIST where the name is taken, -ENOMEM */
int names_add(struct names *names, const char *name, const struct drm_onsram_operand *v);
/** names_find() - Return: the value of that name, or NULL; it stays until the next names_add() */
const struct drm_onsram_operand *names_find(const struct names *names, const char *name);
void names_release(struct names *names);

#endif
