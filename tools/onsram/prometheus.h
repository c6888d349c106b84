/* SPDX-License-Identifier: MIT */
#ifndef ONSRAM_PROMETHEUS_H
#define ONSRAM_PROMETHEUS_H

#include <stdio.h>

#include "look.h"

/** print_prometheus() - @l in Prometheus' text format, labelled with the PCI address @device */
void print_prometheus(FILE *out, const struct look *l, const char *device);

#endif
