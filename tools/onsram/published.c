// SPDX-License-Identifier: MIT
/* docs/published.json as it is, in the program. */
#include "bench-draw.h"

__asm__(".pushsection .rodata\n"
	".global published_json\n"
	"published_json:\n"
	".incbin \"docs/published.json\"\n"
	".byte 0\n"
	".popsection\n");
