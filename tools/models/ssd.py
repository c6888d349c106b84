# SPDX-License-Identifier: MIT
"""SSD300 (Liu et al. 2016), which detects objects behind VGG-16, or behind ResNet-34 (He et al. 2016)."""
import itertools
import math

from graph import Graph
import numpy as np
from residual import basic
from vgg import BLOCKS, conv_relu

CLASSES = 21
SIZE = 300
# Per feature map: its side, step in pixels, smallest and largest box, further aspect ratios
MAPS = ((38, 8, 30, 60, (2,)), (19, 16, 60, 111, (2, 3)), (10, 32, 111, 162, (2, 3)),
        (5, 64, 162, 213, (2, 3)), (3, 100, 213, 264, (2,)), (1, 300, 264, 315, (2,)))
VARIANCES = (0.1, 0.2)


def boxes_of(ratios):
    return 2 + 2 * len(ratios)


def default_boxes():
    """Centre x, centre y, width and height of the 8732 default boxes, in parts of the image."""
    boxes = []
    for side, step, smallest, largest, ratios in MAPS:
        shapes = [(smallest, smallest), (math.sqrt(smallest * largest),) * 2]
        for ratio in ratios:
            root = math.sqrt(ratio)
            shapes += [(smallest * root, smallest / root), (smallest / root, smallest * root)]
        for row, column in itertools.product(range(side), repeat=2):
            for width, height in shapes:
                boxes.append([(column + 0.5) * step / SIZE, (row + 0.5) * step / SIZE, width / SIZE, height / SIZE])
    return np.array(boxes, np.float32)


def l2_norm(g, x):
    """Scale the channels of each position to length 1, then by learned factors."""
    n, channels, h, w = g.shapes[x]
    square = g.op("Mul", x, x)
    length = g.op("Sqrt", g.op("ReduceSum", square, g.constant("axis", [1]), shape=[n, 1, h, w], keepdims=1))
    length = g.op("Max", length, g.constant("least", 1e-10, np.float32))
    return g.op("Mul", g.op("Div", x, length), g.weight("conv4_3_norm.scale", 1, channels, 1, 1))


def vgg_features(g, x):
    features = []
    for number, block in enumerate(BLOCKS, 1):
        for channels in block:
            x = conv_relu(g, x, channels)
        if number == 4:
            features.append(l2_norm(g, x))
        x = g.pool("MaxPool", x, 3, 1, 1) if number == 5 else g.pool("MaxPool", x, 2, 2, ceil=number == 3)
    x = conv_relu(g, x, 1024, dilation=6)
    x = conv_relu(g, x, 1024, 1)
    features.append(x)
    for middle, channels, stride, pad in ((256, 512, 2, 1), (128, 256, 2, 1), (128, 256, 1, 0), (128, 256, 1, 0)):
        x = conv_relu(g, conv_relu(g, x, middle, 1), channels, 3, stride, pad)
        features.append(x)
    return features


def resnet_features(g, x):
    """The first three stages, the third without a stride, and normalised layers behind them."""
    x = g.pool("MaxPool", g.conv_bn_relu(x, 64, 7, 2), 3, 2, 1)
    for stage, blocks in enumerate((3, 4, 6)):
        for block in range(blocks):
            x = basic(g, x, 64 << stage, 2 if stage == 1 and not block else 1)
    features = [x]
    for middle, channels, stride, pad in ((256, 512, 2, 1), (256, 512, 2, 1), (128, 256, 2, 1), (128, 256, 1, 0),
                                          (128, 256, 1, 0)):
        x = g.conv_bn_relu(g.conv_bn_relu(x, middle, 1), channels, 3, stride, pad)
        features.append(x)
    return features


BACKBONES = {"vgg16": vgg_features, "resnet34": resnet_features}


def head(g, feature, boxes, width):
    """A convolution that predicts WIDTH numbers per box: [1, boxes, WIDTH]"""
    x = g.transpose(g.conv(feature, boxes * width, 3), 0, 2, 3, 1)
    return g.reshape(x, 1, math.prod(g.shapes[x]) // width, width)


def ssd300(backbone="vgg16"):
    """Scores, and boxes decoded into left, top, right, bottom. Suppression is the application's."""
    g = Graph("ssd300")
    x = g.input("image", [1, 3, SIZE, SIZE])
    offsets, scores = [], []
    for feature, (_, _, _, _, ratios) in zip(BACKBONES[backbone](g, x), MAPS):
        offsets.append(head(g, feature, boxes_of(ratios), 4))
        scores.append(head(g, feature, boxes_of(ratios), CLASSES))
    offsets, scores = g.concat(*offsets), g.concat(*scores)
    default = default_boxes()
    centre = g.constant("default_centre", default[None, :, :2], np.float32)
    size = g.constant("default_size", default[None, :, 2:], np.float32)
    moved = g.op("Mul", g.op("Mul", g.slice(offsets, 2, 0, 2), g.constant("variance", VARIANCES[0], np.float32)), size)
    centre = g.op("Add", moved, centre)
    grown = g.op("Exp", g.op("Mul", g.slice(offsets, 2, 2, 4), g.constant("variance", VARIANCES[1], np.float32)))
    half = g.op("Mul", g.op("Mul", grown, size), g.constant("half", 0.5, np.float32))
    boxes = g.concat(g.op("Sub", centre, half), g.op("Add", centre, half), axis=2)
    g.output(g.op("Softmax", scores, axis=2), "scores", [1, len(default), CLASSES])
    g.output(boxes, "boxes", [1, len(default), 4])
    return g
