/* SPDX-License-Identifier: MIT */
/* A test case whose inputs are computed: operators then read activations, which fusion and placement treat differently. */
#ifndef ONSRAM_WRAP_CASE_H
#define ONSRAM_WRAP_CASE_H

#include "case.h"

/**
 * wrap_case() - make a case of @from in folder @dir: its inputs are negated in the files and
 *	again by a node in front of the model
 * Return: whether there was anything to negate
 */
bool wrap_case(const struct onsram_case *from, const char *dir, struct onsram_case *to);

#endif
