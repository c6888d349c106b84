/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hardware interface shared with the device, and register access.
 */
#ifndef _ONSRAM_HW_H_
#define _ONSRAM_HW_H_

#include <hw/misc/onsram_hw.h>

#endif
