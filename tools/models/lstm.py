# SPDX-License-Identifier: MIT
"""The medium language model of Zaremba et al. 2014 for the Penn Treebank: two LSTM layers of 650."""
from graph import Graph
import numpy as np
from onnx import TensorProto

VOCABULARY, WIDTH, STEPS, LAYERS = 10000, 650, 20, 2


def start(name):
    g = Graph(name)
    ids = g.input("words", [STEPS, 1], TensorProto.INT64)
    table = g.weight("embedding", VOCABULARY, WIDTH)
    return g, g.op("Gather", table, ids, shape=[STEPS, 1, WIDTH], axis=0)


def finish(g, x):
    """The next word's probabilities behind each word."""
    logits = g.gemm(g.reshape(x, STEPS, WIDTH), VOCABULARY, "softmax")
    g.output(g.op("Softmax", logits, axis=1), "probabilities", [STEPS, VOCABULARY])
    return g


def cell(g, x, h, c, weight, bias):
    """One step of a layer: a product of input and state, four gates of it."""
    gates = g.op("Add", g.matmul(g.concat(x, h), weight), bias)
    i, j, f, o = g.op("Split", gates, outputs=4, shape=[1, WIDTH], axis=1)
    forget = g.op("Sigmoid", g.op("Add", f, g.constant("forget_bias", 1, np.float32)))
    kept = g.op("Mul", c, forget)
    new = g.op("Mul", g.op("Sigmoid", i), g.op("Tanh", j))
    c = g.op("Add", kept, new)
    return g.op("Mul", g.op("Tanh", c), g.op("Sigmoid", o)), c


def ptb_lstm():
    """Unrolled into matrix operations, as frameworks do for training on steps of 20 words."""
    g, embedded = start("ptb_lstm")
    cells = [(g.weight(f"layer{i}.kernel", 2 * WIDTH, 4 * WIDTH), g.weight(f"layer{i}.bias", 4 * WIDTH))
             for i in range(LAYERS)]
    zero = g.constant("zero_state", np.zeros((1, WIDTH)), np.float32)
    state = [(zero, zero)] * LAYERS
    hidden = []
    for step in range(STEPS):
        x = g.reshape(g.slice(embedded, 0, step, step + 1), 1, WIDTH)
        for layer, (weight, bias) in enumerate(cells):
            state[layer] = cell(g, x, *state[layer], weight, bias)
            x = state[layer][0]
        hidden.append(x)
    return finish(g, g.concat(*hidden, axis=0))


def ptb_lstm_operator():
    """The same layers as ONNX's LSTM operator."""
    g, x = start("ptb_lstm_operator")
    for layer in range(LAYERS):
        names = [g.weight(f"layer{layer}.{part}", 1, *shape) for part, shape in
                 (("input", (4 * WIDTH, WIDTH)), ("recurrent", (4 * WIDTH, WIDTH)), ("bias", (8 * WIDTH,)))]
        x = g.op("LSTM", x, *names, shape=[STEPS, 1, 1, WIDTH], hidden_size=WIDTH)
        x = g.op("Squeeze", x, g.constant("direction", [1]), shape=[STEPS, 1, WIDTH])
    return finish(g, x)


def words():
    """Twenty words, all over the vocabulary."""
    return {"words": (np.arange(STEPS, dtype=np.int64) * 2654435761 % VOCABULARY)[:, None]}


INPUTS = {"ptb_lstm": words, "ptb_lstm_operator": words}
