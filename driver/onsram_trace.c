// SPDX-License-Identifier: GPL-2.0-only
/* Tracepoints */

#include "onsram_drv.h"

#define CREATE_TRACE_POINTS
#include "onsram_trace.h"
