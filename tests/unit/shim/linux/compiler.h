/* SPDX-License-Identifier: MIT */
/* Accesses that the compiler must not split: one thread, no matter. */
#ifndef _SHIM_LINUX_COMPILER_H
#define _SHIM_LINUX_COMPILER_H

#define READ_ONCE(x)		(x)
#define WRITE_ONCE(x, v)	((x) = (v))

#endif
