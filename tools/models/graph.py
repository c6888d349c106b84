# SPDX-License-Identifier: MIT
"""A small builder of ONNX graphs whose weights are filled in later."""
import math

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8


class Graph:
    """Nodes, inputs and outputs of a network; `holes` are its weights, by name and shape."""

    def __init__(self, name):
        self.name = name
        self.nodes = []
        self.inputs = []
        self.outputs = []
        self.constants = []
        self.holes = {}
        self.shapes = {}
        self.counts = {}

    def unique(self, name):
        """NAME, with a number where it is taken."""
        self.counts[name] = self.counts.get(name, 0) + 1
        return name if self.counts[name] == 1 else f"{name}_{self.counts[name]}"

    def input(self, name, shape, dtype=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        self.shapes[name] = list(shape)
        return name

    def output(self, tensor, name, shape, dtype=TensorProto.FLOAT):
        """Call TENSOR, which the last node to make it made, NAME, and give it out."""
        for node in self.nodes:
            node.output[:] = [name if o == tensor else o for o in node.output]
            node.input[:] = [name if i == tensor else i for i in node.input]
        self.outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def weight(self, name, *shape):
        self.holes[name] = list(shape)
        self.shapes[name] = list(shape)
        return name

    def constant(self, name, values, dtype=np.int64):
        name = self.unique(name)
        self.constants.append(numpy_helper.from_array(np.array(values, dtype), name))
        self.shapes[name] = list(np.shape(values))
        return name

    def op(self, kind, *inputs, name=None, shape=None, outputs=1, **attributes):
        """Append a node; its output has the first input's shape unless SHAPE says another."""
        name = self.unique(name or kind)
        made = [name if outputs == 1 else f"{name}:{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), made, name=name, **attributes))
        for o in made:
            self.shapes[o] = list(shape if shape is not None else self.shapes[inputs[0]])
        return made[0] if outputs == 1 else made

    # --- layers ---------------------------------------------------------------------

    def window(self, x, channels, kernel, stride, pads, dilation=1, ceil=False):
        """Shape behind a window over the image X."""
        n, _, h, w = self.shapes[x]
        rows, cols = pair(kernel)
        top, left, bottom, right = pads
        size = [(h + top + bottom - dilation * (rows - 1) - 1) / stride + 1,
                (w + left + right - dilation * (cols - 1) - 1) / stride + 1]
        return [n, channels] + [math.ceil(s) if ceil else math.floor(s) for s in size]

    def conv(self, x, channels, kernel, stride=1, pad=None, group=1, dilation=1, bias=True, name="conv"):
        """A convolution; PAD None keeps the size at stride 1, else one number, (rows, columns) or four."""
        rows, cols = pair(kernel)
        if pad is None:
            pad = (dilation * (rows // 2), dilation * (cols // 2))
        pads = four(pad)
        name = self.unique(name)
        inputs = [x, self.weight(f"{name}.weight", channels, self.shapes[x][1] // group, rows, cols)]
        if bias:
            inputs.append(self.weight(f"{name}.bias", channels))
        return self.op("Conv", *inputs, name=name, shape=self.window(x, channels, kernel, stride, pads, dilation),
                       kernel_shape=[rows, cols], strides=[stride, stride], pads=pads, group=group,
                       dilations=[dilation, dilation])

    def batch_norm(self, x, epsilon=1e-5):
        name = self.unique("bn")
        vectors = [self.weight(f"{name}.{v}", self.shapes[x][1]) for v in ("scale", "bias", "mean", "var")]
        return self.op("BatchNormalization", x, *vectors, name=name, epsilon=epsilon)

    def conv_bn_relu(self, x, channels, kernel, stride=1, pad=None, group=1, epsilon=1e-5):
        x = self.conv(x, channels, kernel, stride, pad, group, bias=False)
        return self.op("Relu", self.batch_norm(x, epsilon))

    def pool(self, kind, x, kernel, stride, pad=0, ceil=False, **attributes):
        """MaxPool or AveragePool."""
        pads = four(pad)
        if ceil:
            attributes["ceil_mode"] = 1
        return self.op(kind, x, shape=self.window(x, self.shapes[x][1], kernel, stride, pads, ceil=ceil),
                       kernel_shape=list(pair(kernel)), strides=[stride, stride], pads=pads, **attributes)

    def global_pool(self, x):
        return self.op("GlobalAveragePool", x, shape=self.shapes[x][:2] + [1, 1])

    def concat(self, *parts, axis=1):
        shape = list(self.shapes[parts[0]])
        shape[axis] = sum(self.shapes[p][axis] for p in parts)
        return self.op("Concat", *parts, shape=shape, axis=axis)

    def flatten(self, x):
        return self.op("Flatten", x, shape=[self.shapes[x][0], math.prod(self.shapes[x][1:])], axis=1)

    def reshape(self, x, *shape):
        return self.op("Reshape", x, self.constant("shape", shape), shape=shape)

    def transpose(self, x, *perm):
        return self.op("Transpose", x, shape=[self.shapes[x][p] for p in perm], perm=perm)

    def slice(self, x, axis, start, end):
        shape = list(self.shapes[x])
        shape[axis] = end - start
        ends = [self.constant("slice", [v]) for v in (start, end, axis)]
        return self.op("Slice", x, *ends, shape=shape)

    def matmul(self, a, b):
        return self.op("MatMul", a, b, shape=self.shapes[a][:-1] + self.shapes[b][-1:])

    def gemm(self, x, width, name="fc"):
        """A fully connected layer, with the weights' rows as outputs."""
        name = self.unique(name)
        weight = self.weight(f"{name}.weight", width, self.shapes[x][1])
        return self.op("Gemm", x, weight, self.weight(f"{name}.bias", width), name=name,
                       shape=[self.shapes[x][0], width], transB=1)

    def linear(self, x, width, name="linear"):
        """A fully connected layer over the last dimension, as transformers have it."""
        name = self.unique(name)
        weight = self.weight(f"{name}.weight", self.shapes[x][-1], width)
        return self.op("Add", self.matmul(x, weight), self.weight(f"{name}.bias", width), name=name)

    def model(self):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.constants)
        return helper.make_model(graph, producer_name="onsram", ir_version=IR_VERSION,
                                 opset_imports=[helper.make_opsetid("", OPSET)])


def pair(value):
    return (value, value) if isinstance(value, int) else value


def four(pad):
    """ONNX's pads: begin of each dimension, then end of each."""
    if isinstance(pad, int):
        return [pad] * 4
    return list(pad) * 2 if len(pad) == 2 else list(pad)
