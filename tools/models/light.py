# SPDX-License-Identifier: MIT
"""Networks that ONNX's test data have, with weights that are worth computing with."""
import os

import onnx
from onnx import TensorProto, numpy_helper


def path(file):
    cache = os.environ.get("ONSRAM_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "onsram")
    return os.path.join(cache, "onnx-testdata", "data", "light", f"light_{file}.onnx")


def load(file):
    """The model and its weights as holes: nodes that make constants, and trained numbers that are left."""
    model = onnx.load(path(file))
    graph = model.graph
    initializers = {i.name: i for i in graph.initializer}
    holes, nodes = {}, []
    for node in graph.node:
        if node.op_type == "ConstantOfShape":
            holes[node.output[0]] = numpy_helper.to_array(initializers.pop(node.input[0])).tolist()
        else:
            nodes.append(node)
    for name, tensor in list(initializers.items()):
        if tensor.data_type == TensorProto.FLOAT:
            holes[name] = list(tensor.dims)
            del initializers[name]
    names = {i.name for i in graph.initializer} | set(holes)
    read = {i for node in nodes for i in node.input}
    holes = {name: shape for name, shape in holes.items() if name in read}
    inputs = [i for i in graph.input if i.name not in names]
    for field, values in ((graph.node, nodes), (graph.initializer, list(initializers.values())), (graph.input, inputs)):
        del field[:]
        field.extend(values)
    # Weights need not be listed among the inputs since version 4.
    model.ir_version = 4
    return model, holes
