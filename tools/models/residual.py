# SPDX-License-Identifier: MIT
"""ResNeXt-50 32x4d (Xie et al. 2017) and MobileNet v1 (Howard et al. 2017)."""
from graph import Graph


def bottleneck(g, x, width, channels, stride, groups):
    """1x1, grouped 3x3, 1x1, and the input added, projected where its shape differs."""
    y = g.conv_bn_relu(x, width, 1)
    y = g.conv_bn_relu(y, width, 3, stride, group=groups)
    y = g.batch_norm(g.conv(y, channels, 1, bias=False))
    if stride != 1 or g.shapes[x][1] != channels:
        x = g.batch_norm(g.conv(x, channels, 1, stride, bias=False))
    return g.op("Relu", g.op("Add", y, x))


def classify(g, x):
    """Mean of each channel, a fully connected layer, probabilities."""
    x = g.gemm(g.flatten(g.global_pool(x)), 1000)
    g.output(g.op("Softmax", x, axis=1), "prob", [1, 1000])
    return g


def resnext50():
    g = Graph("resnext50")
    x = g.conv_bn_relu(g.input("data", [1, 3, 224, 224]), 64, 7, 2)
    x = g.pool("MaxPool", x, 3, 2, 1)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for block in range(blocks):
            x = bottleneck(g, x, 128 << stage, 256 << stage, 2 if stage and not block else 1, 32)
    return classify(g, x)


def mobilenet():
    g = Graph("mobilenet")
    x = g.conv_bn_relu(g.input("data", [1, 3, 224, 224]), 32, 3, 2)
    for channels, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
                             *[(512, 1)] * 5, (1024, 2), (1024, 1)):
        depth = g.shapes[x][1]
        x = g.conv_bn_relu(x, depth, 3, stride, group=depth)
        x = g.conv_bn_relu(x, channels, 1)
    return classify(g, x)
