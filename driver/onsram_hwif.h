/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hardware interface shared with the device.
 */
#ifndef _ONSRAM_HWIF_H_
#define _ONSRAM_HWIF_H_

#include <asm/byteorder.h>

/* Commands and completion records are plain little-endian structures */
#ifdef __BIG_ENDIAN
#error "onsram: little-endian machines only"
#endif

#include <hw/misc/onsram_hw.h>

#endif
