/* SPDX-License-Identifier: MIT */
/* Records of passes on a device: the driver's trace events, read from tracefs. */
#ifndef ONSRAM_RECORDER_H
#define ONSRAM_RECORDER_H

#include "program.h"
#include "record.h"

struct recorder;

/**
 * recorder_open() - begin to record what the device does for this process, which opens it after this
 * @err: on failure what is wrong and what to do; caller frees
 */
struct recorder *recorder_open(const struct onsram_program *p, char **err);
/** recorder_begin() - a pass begins. Return: 0, or -1 with *@err set */
int recorder_begin(struct recorder *rec, char **err);
/**
 * recorder_end() - the pass has ended
 * @r: a record of the program's tensors that gets its tasks and stays
 * Return: 0, or -1 with *@err set
 */
int recorder_end(struct recorder *rec, struct onsram_record *r, char **err);
/** recorder_close() - NULL is allowed */
void recorder_close(struct recorder *rec);

#endif
