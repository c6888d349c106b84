/* SPDX-License-Identifier: MIT */
#ifndef ONSRAM_JOB_NAMES_H
#define ONSRAM_JOB_NAMES_H

#include <stdint.h>

/* Names of onsram_op.h. Return: the value, or -1 for an unknown name */
int64_t opcode_by_name(const char *name);
int64_t func_by_name(uint32_t opcode, const char *name);
int64_t act_by_name(const char *name);
int64_t dtype_by_name(const char *name);

#endif
