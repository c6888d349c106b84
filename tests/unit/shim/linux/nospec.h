/* SPDX-License-Identifier: MIT */
/* Speculation is the kernel's worry. */
#ifndef _SHIM_LINUX_NOSPEC_H
#define _SHIM_LINUX_NOSPEC_H

#define array_index_nospec(index, size)	(index)

#endif
