# SPDX-License-Identifier: MIT
"""Fill a network's weights with pseudo-random numbers at which it still computes something.

Every weight gets numbers of a generator that is seeded by the network's and the weight's
name, so the file is the same everywhere.  Their scale follows the data: mean and variance
are carried from the inputs through the graph, and each layer is scaled to give out the
mean square 1 (He et al. 2015).  So activations neither die out nor leave fp16's range,
whatever the depth, and rounding errors do not grow from layer to layer.
"""
import hashlib
import math

import numpy as np
from onnx import numpy_helper

# Spread of what is added to and multiplied with a layer's output.
SCALE = (0.75, 1.25)
SHIFT = (-0.1, 0.1)
# A cell's recurrent weights and gates, as they are usually started with
RECURRENT = 0.1


def raw(name, count):
    """COUNT integers of a generator seeded by NAME, even in [-32768, 32767]."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    words = np.random.PCG64(seed).random_raw((count + 3) // 4).astype("<u8", copy=False)
    return words.view("<i2")[:count].astype(np.int32)


def spread(limits):
    """Variance of numbers that are even between two limits."""
    return (limits[1] - limits[0]) ** 2 / 12


class Moments:
    """Mean and variance of a tensor's elements within a channel."""

    def __init__(self, mean, var):
        self.mean = mean
        self.var = var

    @property
    def square(self):
        return self.mean ** 2 + self.var


def rectified(x, slope=0.0):
    """Moments of a normal variable with its negative half multiplied by SLOPE."""
    std = math.sqrt(x.var)
    a = x.mean / std
    density = math.exp(-a * a / 2) / math.sqrt(2 * math.pi)
    above = (1 + math.erf(a / math.sqrt(2))) / 2
    mean = x.mean * above + std * density
    square = (x.mean ** 2 + x.var) * above + x.mean * std * density
    low_mean, low_square = x.mean - mean, x.mean ** 2 + x.var - square
    mean += slope * low_mean
    return Moments(mean, square + slope * slope * low_square - mean * mean)


class Filler:
    """Walks a model's nodes in order, filling the holes that they read."""

    def __init__(self, name, model, holes, shapes):
        self.name = name
        self.graph = model.graph
        self.holes = holes
        self.shapes = shapes
        self.filled = {}
        # Which hole a tensor is another shape of
        self.source = {h: h for h in holes}
        self.moments = {}

    # --- numbers ----------------------------------------------------------------------

    def put(self, tensor, low, high):
        """Fill the hole behind TENSOR with numbers in [LOW, HIGH]."""
        hole = self.source[tensor]
        shape = self.holes[hole]
        values = raw(f"{self.name}/{hole}", math.prod(shape)).astype(np.float32)
        values = (values + np.float32(32768.5)) * np.float32((high - low) / 65536) + np.float32(low)
        return self.keep(hole, values)

    def put_even(self, tensor, std):
        """Fill the hole behind TENSOR with numbers of standard deviation STD around 0."""
        limit = std * math.sqrt(3)
        return self.put(tensor, -limit, limit)

    def keep(self, hole, values):
        self.filled[hole] = np.ascontiguousarray(values.reshape(self.holes[hole]))
        return self.filled[hole]

    def shape(self, tensor):
        """Shape of the hole behind TENSOR."""
        return self.holes[self.source[tensor]]

    def is_hole(self, tensor):
        return tensor in self.source and self.source[tensor] not in self.filled

    def of(self, tensor):
        return self.moments.get(tensor, Moments(0.0, 1.0))

    # --- operators --------------------------------------------------------------------

    def product(self, x, weight, fan_in, bias=None):
        """A convolution or matrix product by a weight: gives out the mean square 1."""
        self.put_even(weight, 1 / math.sqrt(fan_in * x.square))
        if bias:
            self.put(bias, *SHIFT)
        return Moments(0.0, 1.0 + (spread(SHIFT) if bias else 0.0))

    def conv(self, node, x):
        return self.product(x, node.input[1], math.prod(self.shape(node.input[1])[1:]), hole_at(node, 2))

    def gemm(self, node, x):
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        # The weight may come from a shape with more dimensions before its two.
        return self.product(x, node.input[1], self.shape(node.input[1])[-1 if transposed else -2], hole_at(node, 2))

    def matmul(self, node, x):
        if not self.is_hole(node.input[1]):
            return Moments(0.0, x.square * self.of(node.input[1]).square)
        return self.product(x, node.input[1], self.shape(node.input[1])[-2])

    def batch_norm(self, node, x):
        _, scale, bias, mean, var = node.input
        self.put(scale, *SCALE)
        self.put(bias, *SHIFT)
        self.put(mean, *(v * math.sqrt(x.square) for v in SHIFT))
        self.put(var, *(v * x.square for v in SCALE))
        inverse = math.log(SCALE[1] / SCALE[0]) / (SCALE[1] - SCALE[0])
        return Moments(0.0, (1 + spread(SHIFT)) * inverse * (1 + spread(SCALE)) + spread(SHIFT))

    def add(self, node, x):
        parts = []
        for tensor in node.input:
            if self.is_hole(tensor):
                self.put(tensor, *SHIFT)
                parts.append(Moments(0.0, spread(SHIFT)))
            elif tensor in self.moments:
                parts.append(self.of(tensor))
        return Moments(sum(p.mean for p in parts), sum(p.var for p in parts))

    def mul(self, node, x):
        if node.input[0] == node.input[1]:
            return Moments(x.mean ** 2 + x.var, 2 * x.var ** 2)
        for tensor in node.input:
            if self.is_hole(tensor):
                # Around what gives out variance 1
                self.put(tensor, *(s / math.sqrt(x.var) for s in SCALE))
                return Moments(x.mean / math.sqrt(x.var), 1.0)
        return x

    def divide(self, node, x):
        by = self.moments.get(node.input[1])
        return Moments(x.mean / by.mean, x.var / by.mean ** 2) if by else x

    def reduce_sum(self, node, x):
        terms = math.prod(self.shapes[node.input[0]]) / math.prod(self.shapes[node.output[0]])
        return Moments(x.mean * terms, x.var * terms)

    def concat(self, node, x):
        parts = [self.of(t) for t in node.input]
        mean = sum(p.mean for p in parts) / len(parts)
        return Moments(mean, sum(p.var for p in parts) / len(parts))

    def max_pool(self, node, x):
        # Neighbours are alike, so less than the maximum of as many independent ones.
        return Moments(x.mean + math.sqrt(x.var), x.var)

    def average_pool(self, node, x):
        kernel = next(a.ints for a in node.attribute if a.name == "kernel_shape")
        return Moments(x.mean, x.var / math.sqrt(math.prod(kernel)))

    def global_average_pool(self, node, x):
        return Moments(x.mean, x.var / 4)

    def layer_norm(self, node, x):
        self.put(node.input[1], *SCALE)
        if hole_at(node, 2):
            self.put(node.input[2], *SHIFT)
        return Moments(0.0, 1.0)

    def gather(self, node, x):
        if not self.is_hole(node.input[0]):
            return x
        self.put_even(node.input[0], 1.0)
        return Moments(0.0, 1.0)

    def lstm(self, node, x):
        for tensor in node.input[1:4]:
            if tensor and self.is_hole(tensor):
                self.put(tensor, -RECURRENT, RECURRENT)
        return Moments(0.0, 0.1)

    def leaky_relu(self, node, x):
        return rectified(x, next((a.f for a in node.attribute if a.name == "alpha"), 0.01))

    OPERATORS = {
        "Conv": conv, "Gemm": gemm, "MatMul": matmul, "BatchNormalization": batch_norm,
        "Relu": lambda self, node, x: rectified(x), "LeakyRelu": leaky_relu,
        "Sigmoid": lambda self, node, x: Moments(0.5, 0.05), "Tanh": lambda self, node, x: Moments(0.0, 0.4),
        "Add": add, "Sum": add, "Mul": mul, "Concat": concat, "MaxPool": max_pool,
        "AveragePool": average_pool, "GlobalAveragePool": global_average_pool,
        "Div": divide, "ReduceSum": reduce_sum, "Sqrt": lambda self, node, x: Moments(math.sqrt(x.mean), x.var),
        "LayerNormalization": layer_norm, "Gather": gather, "LSTM": lstm,
    }
    RESHAPED = ("Unsqueeze", "Reshape", "Identity", "Squeeze")

    def fill(self):
        """Make every hole an initializer."""
        for node in self.graph.node:
            if node.op_type in self.RESHAPED and node.input[0] in self.source:
                self.source[node.output[0]] = self.source[node.input[0]]
                continue
            if not node.input:
                continue
            # A node's stream is its first input that is no weight.
            stream = next((i for i in node.input if i and i not in self.source), None)
            operator = self.OPERATORS.get(node.op_type)
            x = self.of(stream)
            moments = operator(self, node, x) if operator else Moments(x.mean, x.var)
            for output in node.output:
                self.moments[output] = moments
        empty = [h for h in self.holes if h not in self.filled]
        if empty:
            raise ValueError(f"{self.name}: nothing says how to fill {', '.join(empty[:5])}")
        for name, values in self.filled.items():
            self.graph.initializer.append(numpy_helper.from_array(values, name))


def hole_at(node, index):
    return node.input[index] if len(node.input) > index and node.input[index] else None


def fill(name, model, holes, shapes):
    """Fill HOLES, weights of network NAME's MODEL by name and shape; SHAPES are those of its tensors."""
    Filler(name, model, holes, shapes).fill()
