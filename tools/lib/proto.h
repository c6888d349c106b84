/* SPDX-License-Identifier: MIT */
/* ONNX's protocol buffers: files, tensors, attributes. */
#ifndef ONSRAM_PROTO_H
#define ONSRAM_PROTO_H

#include <onnx.pb-c.h>

#include "program.h"

/**
 * proto_read() - read a file that holds one message
 * Return: the message, for protobuf_c_message_free_unpacked(); or NULL with *@err set
 */
ProtobufCMessage *proto_read(const char *path, const ProtobufCMessageDescriptor *type, char **err);

/** proto_dtype() - enum onsram_dtype of an ONNX element type, ONSRAM_DTYPE_NONE where it has none; float64 is held as float32 */
uint32_t proto_dtype(int32_t elem_type);
const char *proto_dtype_name(int32_t elem_type);

/** proto_tensor() - contents of a TensorProto; @a->name is its name. Return: 0, or -1 with *@err set */
int proto_tensor(const Onnx__TensorProto *t, struct onsram_array *a, char **err);

/** proto_text() - a string, "" where it is not there */
static inline const char *proto_text(const char *s)
{
	return s ? s : "";
}

/* Attributes of a node; the default where the node has none of that name and type. */
const Onnx__AttributeProto *proto_attr(const Onnx__NodeProto *n, const char *name);
int64_t proto_int(const Onnx__NodeProto *n, const char *name, int64_t def);
float proto_float(const Onnx__NodeProto *n, const char *name, float def);
/** proto_is() - whether string attribute @name, "" or absent meaning @def, is @value */
bool proto_is(const Onnx__NodeProto *n, const char *name, const char *def, const char *value);

#endif
