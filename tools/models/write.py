# SPDX-License-Identifier: MIT
"""Write a network into a folder, laid out as ONNX's own test cases are."""
import importlib
import os

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

import suites
import weights
from graph import Graph

# A file of 2 GiB is no valid protocol buffer.
LIMIT = (1 << 31) - 1


def default_inputs(name, model):
    """Even noise of mean 0 and variance 1 for every input."""
    inputs = {}
    for info in model.graph.input:
        kind = info.type.tensor_type
        if kind.elem_type != TensorProto.FLOAT:
            raise ValueError(f"{name}: input {info.name} needs values of its own")
        shape = [d.dim_value or 1 for d in kind.shape.dim]
        values = weights.raw(f"{name}/{info.name}", int(np.prod(shape)))
        inputs[info.name] = (values.astype(np.float32) * np.float32(3 ** 0.5 / 32768)).reshape(shape)
    return inputs


def inputs_of(name, model):
    module = importlib.import_module(suites.NETWORKS[name][1])
    own = getattr(module, "INPUTS", {}).get(name)
    return own() if own else default_inputs(name, model)


def write(name, folder):
    """model.onnx, and inputs in test_data_set_0."""
    made = suites.make(name)
    shapes = {}
    if isinstance(made, Graph):
        model, holes, shapes = made.model(), made.holes, made.shapes
    else:
        model, holes = made
    weights.fill(name, model, holes, shapes)
    onnx.checker.check_model(model)
    data = model.SerializeToString()
    if len(data) > LIMIT:
        raise ValueError(f"{name}: larger than 2 GiB")
    cases = os.path.join(folder, "test_data_set_0")
    os.makedirs(cases)
    with open(os.path.join(folder, "model.onnx"), "wb") as f:
        f.write(data)
    inputs = inputs_of(name, model)
    for i, info in enumerate(model.graph.input):
        with open(os.path.join(cases, f"input_{i}.pb"), "wb") as f:
            f.write(numpy_helper.from_array(inputs[info.name], info.name).SerializeToString())
