/* SPDX-License-Identifier: MIT */
/* Arithmetic that tells of its overflow. */
#ifndef _SHIM_LINUX_OVERFLOW_H
#define _SHIM_LINUX_OVERFLOW_H

#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)

#endif
