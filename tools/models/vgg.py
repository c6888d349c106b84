# SPDX-License-Identifier: MIT
"""VGG-16 (Simonyan, Zisserman 2014)."""
from graph import Graph

# Channels of the convolutions between the poolings
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def conv_relu(g, x, channels, kernel=3, stride=1, pad=None, dilation=1):
    return g.op("Relu", g.conv(x, channels, kernel, stride, pad, dilation=dilation))


def vgg16():
    g = Graph("vgg16")
    x = g.input("data", [1, 3, 224, 224])
    for block in BLOCKS:
        for channels in block:
            x = conv_relu(g, x, channels)
        x = g.pool("MaxPool", x, 2, 2)
    x = g.flatten(x)
    for _ in range(2):
        x = g.op("Dropout", g.op("Relu", g.gemm(x, 4096)))
    g.output(g.op("Softmax", g.gemm(x, 1000), axis=1), "prob", [1, 1000])
    return g
