# SPDX-License-Identifier: MIT
"""Blocks of residual networks, ResNeXt-50 32x4d (Xie et al. 2017) and MobileNet v1 (Howard et al. 2017)."""
from graph import Graph


def residual(g, x, y, stride):
    """Y behind a last normalisation, and X added, projected where its shape differs."""
    channels = g.shapes[y][1]
    y = g.batch_norm(y)
    if stride != 1 or g.shapes[x][1] != channels:
        x = g.batch_norm(g.conv(x, channels, 1, stride, bias=False))
    return g.op("Relu", g.op("Add", y, x))


def basic(g, x, channels, stride):
    """3x3, 3x3: the block of ResNet-18 and ResNet-34."""
    y = g.conv_bn_relu(x, channels, 3, stride)
    return residual(g, x, g.conv(y, channels, 3, bias=False), stride)


def bottleneck(g, x, width, channels, stride, groups):
    """1x1, grouped 3x3, 1x1."""
    y = g.conv_bn_relu(x, width, 1)
    y = g.conv_bn_relu(y, width, 3, stride, group=groups)
    return residual(g, x, g.conv(y, channels, 1, bias=False), stride)


def paths(g, x, width, channels, stride, groups):
    """The same function as separate paths, each with a 1x1 of its own (Xie et al., figure 3 b)."""
    parts = [g.conv_bn_relu(g.conv_bn_relu(x, width // groups, 1), width // groups, 3, stride) for _ in range(groups)]
    return residual(g, x, g.conv(g.concat(*parts), channels, 1, bias=False), stride)


def classify(g, x):
    """Mean of each channel, a fully connected layer, probabilities."""
    x = g.gemm(g.flatten(g.global_pool(x)), 1000)
    g.output(g.op("Softmax", x, axis=1), "prob", [1, 1000])
    return g


def resnext50(block=bottleneck):
    g = Graph("resnext50")
    x = g.conv_bn_relu(g.input("data", [1, 3, 224, 224]), 64, 7, 2)
    x = g.pool("MaxPool", x, 3, 2, 1)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for number in range(blocks):
            x = block(g, x, 128 << stage, 256 << stage, 2 if stage and not number else 1, 32)
    return classify(g, x)


def resnext50_paths():
    return resnext50(paths)


def mobilenet():
    g = Graph("mobilenet")
    x = g.conv_bn_relu(g.input("data", [1, 3, 224, 224]), 32, 3, 2)
    for channels, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
                             *[(512, 1)] * 5, (1024, 2), (1024, 1)):
        depth = g.shapes[x][1]
        x = g.conv_bn_relu(x, depth, 3, stride, group=depth)
        x = g.conv_bn_relu(x, channels, 1)
    return classify(g, x)
