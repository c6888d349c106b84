# SPDX-License-Identifier: MIT
"""YOLOv3 (Redmon, Farhadi 2018) for images of 416 x 416 and 80 classes, with its decoding."""
import math

from graph import Graph
import numpy as np

SIZE, CLASSES = 416, 80
# Width and height of the boxes that each scale starts from, coarsest scale first
ANCHORS = (((116, 90), (156, 198), (373, 326)), ((30, 61), (62, 45), (59, 119)), ((10, 13), (16, 30), (33, 23)))
VALUES = 5 + CLASSES


def conv(g, x, channels, kernel, stride=1):
    x = g.batch_norm(g.conv(x, channels, kernel, stride, bias=False))
    return g.op("LeakyRelu", x, alpha=0.1)


def darknet53(g, x):
    """The backbone: features at a 32nd, a 16th and an 8th of the resolution."""
    features = []
    x = conv(g, x, 32, 3)
    for channels, blocks in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
        x = conv(g, x, channels, 3, 2)
        for _ in range(blocks):
            x = g.op("Add", x, conv(g, conv(g, x, channels // 2, 1), channels, 3))
        features.insert(0, x)
    return features[:3]


def upsample(g, x):
    n, c, h, w = g.shapes[x]
    scales = g.constant("scales", [1, 1, 2, 2], np.float32)
    return g.op("Resize", x, "", scales, shape=[n, c, 2 * h, 2 * w], mode="nearest",
                coordinate_transformation_mode="asymmetric", nearest_mode="floor")


def decode(g, x, anchors):
    """Boxes (centre, size) in pixels, objectness and class scores: [1, boxes, 85]"""
    side = g.shapes[x][2]
    cells = side * side
    x = g.transpose(g.reshape(x, 1, len(anchors), VALUES, cells), 0, 1, 3, 2)
    columns, rows = np.meshgrid(np.arange(side), np.arange(side))
    corner = g.constant("cell", np.stack([columns, rows], -1).reshape(1, 1, cells, 2), np.float32)
    anchor = g.constant("anchor", np.array(anchors).reshape(1, len(anchors), 1, 2), np.float32)
    centre = g.op("Add", g.op("Sigmoid", g.slice(x, 3, 0, 2)), corner)
    centre = g.op("Mul", centre, g.constant("step", SIZE / side, np.float32))
    size = g.op("Mul", g.op("Exp", g.slice(x, 3, 2, 4)), anchor)
    scores = g.op("Sigmoid", g.slice(x, 3, 4, VALUES))
    return g.reshape(g.concat(centre, size, scores, axis=3), 1, len(anchors) * cells, VALUES)


def yolov3():
    g = Graph("yolov3")
    features = darknet53(g, g.input("image", [1, 3, SIZE, SIZE]))
    x, found = None, []
    for feature, anchors, channels in zip(features, ANCHORS, (512, 256, 128)):
        x = feature if x is None else g.concat(upsample(g, conv(g, x, channels, 1)), feature)
        for width, kernel in ((channels, 1), (2 * channels, 3), (channels, 1), (2 * channels, 3), (channels, 1)):
            x = conv(g, x, width, kernel)
        y = g.conv(conv(g, x, 2 * channels, 3), len(anchors) * VALUES, 1)
        found.append(decode(g, y, anchors))
    boxes = g.concat(*found)
    g.output(boxes, "detections", [1, math.prod(g.shapes[boxes]) // VALUES, VALUES])
    return g
