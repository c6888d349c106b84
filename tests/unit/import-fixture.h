/* SPDX-License-Identifier: MIT */
/* Small models, imported and run on the host. */
#ifndef ONSRAM_IMPORT_FIXTURE_H
#define ONSRAM_IMPORT_FIXTURE_H

#include "model.h"

#define DIMS(...) sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t), (int64_t[]){ __VA_ARGS__ }
#define FLOATS(...) (float[]){ __VA_ARGS__ }

/** start() - a model with input x and output y, both float */
Onnx__ModelProto *start(int64_t opset, uint32_t rank, const int64_t *dims);
/** import_as() - the model as a program; the test fails where it is refused */
struct onsram_program *import_as(const Onnx__ModelProto *m, const struct onsram_import_options *opt);
/** import_model() - the same */
struct onsram_program *import_model(const Onnx__ModelProto *m, bool fuse, uint32_t dtype);
/** run_model() - outputs for inputs that count 0, 1, 2, ... */
void run_model(const struct onsram_program *p, struct onsram_array *out);
/** must_be() - require these floats, within 1e-5 */
void must_be(const struct onsram_array *got, const float *want);
/** expect() - require output y, fused and not, with @ops operations when fused; the model is freed */
void expect(Onnx__ModelProto *m, uint32_t ops, uint32_t rank, const int64_t *dims, const float *want);

#endif
