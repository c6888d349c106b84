# SPDX-License-Identifier: MIT
"""SqueezeNet 1.0 (Iandola et al. 2016), at 224 x 224 with borders as TensorFlow's "same" padding has them."""
from graph import Graph


def conv_relu(g, x, channels, kernel, stride=1):
    return g.op("Relu", g.conv(x, channels, kernel, stride))


def fire(g, x, squeezed, expanded, bypass):
    """Channels squeezed by 1x1, expanded by 1x1 and 3x3; BYPASS adds the input where it has the output's shape."""
    y = conv_relu(g, x, squeezed, 1)
    y = g.concat(conv_relu(g, y, expanded, 1), conv_relu(g, y, expanded, 3))
    return g.op("Add", x, y) if bypass and g.shapes[x] == g.shapes[y] else y


def squeezenet10(bypass=False):
    g = Graph("squeezenet10")
    x = conv_relu(g, g.input("data", [1, 3, 224, 224]), 96, 7, 2)
    for group in (((16, 64), (16, 64), (32, 128)), ((32, 128), (48, 192), (48, 192), (64, 256)), ((64, 256),)):
        x = g.pool("MaxPool", x, 3, 2, ceil=True)
        for widths in group:
            x = fire(g, x, *widths, bypass)
    x = g.flatten(g.global_pool(conv_relu(g, g.op("Dropout", x), 1000, 1)))
    g.output(g.op("Softmax", x, axis=1), "prob", [1, 1000])
    return g
