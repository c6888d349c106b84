/* SPDX-License-Identifier: MIT */
/* Single bits and masks. */
#ifndef _SHIM_LINUX_BITS_H
#define _SHIM_LINUX_BITS_H

#define BIT(n)		(1ul << (n))
#define GENMASK(h, l)	((~0ul << (l)) & (~0ul >> (63 - (h))))

#endif
