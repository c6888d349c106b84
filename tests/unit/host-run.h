/* SPDX-License-Identifier: MIT */
/* A program on the host: what a device would compute, by its own arithmetic. */
#ifndef ONSRAM_HOST_RUN_H
#define ONSRAM_HOST_RUN_H

#include "program.h"

/** host_refusal() - why a device would not take operation @i of a program, or NULL */
const char *host_refusal(const struct onsram_program *p, uint32_t i);

/**
 * host_run() - run a program once
 * @p: program
 * @in: contents of its inputs
 * @out: room for its outputs; caller releases each
 * Return: 0, or -1 with *@err set, which the caller frees
 */
int host_run(const struct onsram_program *p, const struct onsram_array *in, struct onsram_array *out,
	     char **err);

#endif
