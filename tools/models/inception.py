# SPDX-License-Identifier: MIT
"""Inception v3 (Szegedy et al. 2016) and Inception v4 (Szegedy et al. 2017), without auxiliary classifiers."""
from graph import Graph

EPSILON = 1e-3
VALID = (0, 0)


def conv(g, x, channels, kernel, stride=1, pad=None):
    return g.conv_bn_relu(x, channels, kernel, stride, pad, epsilon=EPSILON)


def chain(g, x, *layers):
    """Convolutions one behind the other: (channels, kernel[, stride, pad])."""
    for layer in layers:
        x = conv(g, x, *layer)
    return x


def average(g, x):
    # As the published code has it, padding does not count.
    return g.pool("AveragePool", x, 3, 1, 1)


def shrink(g, x):
    return g.pool("MaxPool", x, 3, 2)


def finish(g, x, dropout):
    x = g.flatten(g.global_pool(x))
    x = g.op("Dropout", x) if dropout else x
    g.output(g.op("Softmax", g.gemm(x, 1000), axis=1), "prob", [1, 1000])
    return g


# --- Inception v3 -------------------------------------------------------------------------

def v3_35(g, x, pooled):
    return g.concat(conv(g, x, 64, 1), chain(g, x, (48, 1), (64, 5)), chain(g, x, (64, 1), (96, 3), (96, 3)),
                    conv(g, average(g, x), pooled, 1))


def v3_17(g, x, width):
    return g.concat(conv(g, x, 192, 1), chain(g, x, (width, 1), (width, (1, 7)), (192, (7, 1))),
                    chain(g, x, (width, 1), (width, (7, 1)), (width, (1, 7)), (width, (7, 1)), (192, (1, 7))),
                    conv(g, average(g, x), 192, 1))


def v3_8(g, x):
    middle = conv(g, x, 384, 1)
    deep = chain(g, x, (448, 1), (384, 3))
    return g.concat(conv(g, x, 320, 1), g.concat(conv(g, middle, 384, (1, 3)), conv(g, middle, 384, (3, 1))),
                    g.concat(conv(g, deep, 384, (1, 3)), conv(g, deep, 384, (3, 1))), conv(g, average(g, x), 192, 1))


def inception_v3():
    g = Graph("inception_v3")
    x = g.input("data", [1, 3, 299, 299])
    x = chain(g, x, (32, 3, 2, VALID), (32, 3, 1, VALID), (64, 3))
    x = shrink(g, x)
    x = chain(g, x, (80, 1), (192, 3, 1, VALID))
    x = shrink(g, x)
    for pooled in (32, 64, 64):
        x = v3_35(g, x, pooled)
    x = g.concat(conv(g, x, 384, 3, 2, VALID), chain(g, x, (64, 1), (96, 3), (96, 3, 2, VALID)), shrink(g, x))
    for width in (128, 160, 160, 192):
        x = v3_17(g, x, width)
    x = g.concat(chain(g, x, (192, 1), (320, 3, 2, VALID)),
                 chain(g, x, (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2, VALID)), shrink(g, x))
    for _ in range(2):
        x = v3_8(g, x)
    return finish(g, x, dropout=True)


# --- Inception v4 -------------------------------------------------------------------------

def v4_stem(g, x):
    x = chain(g, x, (32, 3, 2, VALID), (32, 3, 1, VALID), (64, 3))
    x = g.concat(shrink(g, x), conv(g, x, 96, 3, 2, VALID))
    x = g.concat(chain(g, x, (64, 1), (96, 3, 1, VALID)),
                 chain(g, x, (64, 1), (64, (1, 7)), (64, (7, 1)), (96, 3, 1, VALID)))
    return g.concat(conv(g, x, 192, 3, 2, VALID), shrink(g, x))


def v4_35(g, x):
    return g.concat(conv(g, x, 96, 1), chain(g, x, (64, 1), (96, 3)), chain(g, x, (64, 1), (96, 3), (96, 3)),
                    conv(g, average(g, x), 96, 1))


def v4_17(g, x):
    return g.concat(conv(g, x, 384, 1), chain(g, x, (192, 1), (224, (1, 7)), (256, (7, 1))),
                    chain(g, x, (192, 1), (192, (7, 1)), (224, (1, 7)), (224, (7, 1)), (256, (1, 7))),
                    conv(g, average(g, x), 128, 1))


def v4_8(g, x):
    middle = conv(g, x, 384, 1)
    deep = chain(g, x, (384, 1), (448, (3, 1)), (512, (1, 3)))
    return g.concat(conv(g, x, 256, 1), g.concat(conv(g, middle, 256, (1, 3)), conv(g, middle, 256, (3, 1))),
                    g.concat(conv(g, deep, 256, (1, 3)), conv(g, deep, 256, (3, 1))), conv(g, average(g, x), 256, 1))


def inception_v4():
    g = Graph("inception_v4")
    x = v4_stem(g, g.input("data", [1, 3, 299, 299]))
    for _ in range(4):
        x = v4_35(g, x)
    x = g.concat(conv(g, x, 384, 3, 2, VALID), chain(g, x, (192, 1), (224, 3), (256, 3, 2, VALID)), shrink(g, x))
    for _ in range(7):
        x = v4_17(g, x)
    x = g.concat(chain(g, x, (192, 1), (192, 3, 2, VALID)),
                 chain(g, x, (256, 1), (256, (1, 7)), (320, (7, 1)), (320, 3, 2, VALID)), shrink(g, x))
    for _ in range(3):
        x = v4_8(g, x)
    return finish(g, x, dropout=True)
