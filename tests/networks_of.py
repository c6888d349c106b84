# SPDX-License-Identifier: MIT
"""Networks of any number of operations."""
from onnx import TensorProto, helper, save


def chain(path, n, size, branch=7):
    """A network of N operations, some of which use what was made long before."""
    nodes, made = [], ["x"]
    for i in range(n):
        out = "y" if i == n - 1 else f"tensor_{i} <&> é"
        other = made[-branch] if i % branch == branch - 1 and len(made) > branch else made[-1]
        nodes.append(helper.make_node(("Add", "Mul", "Sub")[i % 3], [made[-1], other], [out], name=f"operation_{i}"))
        made.append(out)
    info = [helper.make_tensor_value_info(t, TensorProto.FLOAT, [size]) for t in ("x", "y")]
    save(helper.make_model(helper.make_graph(nodes, 'a "chain"', info[:1], info[1:]), ir_version=8,
                           opset_imports=[helper.make_opsetid("", 17)]), path)
