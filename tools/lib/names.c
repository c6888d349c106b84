// SPDX-License-Identifier: MIT
/* Values by name: an open hash table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h;
}

static struct name *slot(struct name *list, uint32_t size, const char *name)
{
	uint32_t i = hash(name) & (size - 1);

	while (list[i].name && strcmp(list[i].name, name))
		i = (i + 1) & (size - 1);
	return &list[i];
}

int names_add(struct names *names, const char *name, const struct drm_onsram_operand *v)
{
	struct name *s;

	if (names->nr * 2 >= names->size) {
		uint32_t size = names->size ? names->size * 2 : 16;
		struct name *list = calloc(size, sizeof(*list));

		if (!list)
			return -ENOMEM;
		for (uint32_t i = 0; i < names->size; i++)
			if (names->list[i].name)
				*slot(list, size, names->list[i].name) = names->list[i];
		free(names->list);
		names->list = list;
		names->size = size;
	}
	s = slot(names->list, names->size, name);
	if (s->name)
		return -EEXIST;
	s->name = strdup(name);
	if (!s->name)
		return -ENOMEM;
	s->value = *v;
	names->nr++;
	return 0;
}

const struct drm_onsram_operand *names_find(const struct names *names, const char *name)
{
	struct name *s;

	if (!names->size)
		return NULL;
	s = slot(names->list, names->size, name);
	return s->name ? &s->value : NULL;
}

void names_release(struct names *names)
{
	for (uint32_t i = 0; i < names->size; i++)
		free(names->list[i].name);
	free(names->list);
	memset(names, 0, sizeof(*names));
}
