# SPDX-License-Identifier: MIT
"""Multi-head attention as in the transformer (Vaswani et al. 2017), and BERT-base (Devlin et al. 2019)."""
import math

from graph import Graph
import numpy as np
from onnx import TensorProto

LENGTH = 128


def attention(g, x, heads, mask=None):
    """Every position attends to every position of the same sequence X."""
    n, length, width = g.shapes[x]
    depth = width // heads

    def split(name, *perm):
        return g.transpose(g.reshape(g.linear(x, width, name), n, length, heads, depth), *perm)

    query, key, value = split("query", 0, 2, 1, 3), split("key", 0, 2, 3, 1), split("value", 0, 2, 1, 3)
    scores = g.op("Mul", g.matmul(query, key), g.constant("scale", 1 / math.sqrt(depth), np.float32))
    if mask:
        scores = g.op("Add", scores, mask)
    context = g.transpose(g.matmul(g.op("Softmax", scores, axis=3), value), 0, 2, 1, 3)
    return g.linear(g.reshape(context, n, length, width), width, "output")


def layer_norm(g, x, epsilon):
    name = g.unique("norm")
    width = g.shapes[x][-1]
    return g.op("LayerNormalization", x, g.weight(f"{name}.scale", width), g.weight(f"{name}.bias", width),
                name=name, axis=-1, epsilon=epsilon)


def mha(length=LENGTH):
    """The attention sublayers of the base model's encoder, each with its residual and normalisation."""
    g = Graph("mha")
    x = g.input("sequence", [1, length, 512])
    for _ in range(6):
        x = layer_norm(g, g.op("Add", x, attention(g, x, 8)), 1e-5)
    g.output(x, "attended", [1, length, 512])
    return g


# --- BERT-base --------------------------------------------------------------------------

VOCABULARY, POSITIONS, TYPES = 30522, 512, 2
WIDTH, HEADS, INNER, LAYERS = 768, 12, 3072, 12
EPSILON = 1e-12


def gelu(g, x):
    erf = g.op("Erf", g.op("Div", x, g.constant("sqrt2", math.sqrt(2), np.float32)))
    gate = g.op("Add", erf, g.constant("one", 1, np.float32))
    return g.op("Mul", g.op("Mul", x, gate), g.constant("half", 0.5, np.float32))


def embeddings(g, ids, types):
    shape = [1, LENGTH, WIDTH]
    words = g.op("Gather", g.weight("embeddings.word", VOCABULARY, WIDTH), ids, shape=shape, axis=0)
    kinds = g.op("Gather", g.weight("embeddings.type", TYPES, WIDTH), types, shape=shape, axis=0)
    places = g.op("Gather", g.weight("embeddings.position", POSITIONS, WIDTH),
                  g.constant("positions", [list(range(LENGTH))]), shape=shape, axis=0)
    return layer_norm(g, g.op("Add", g.op("Add", words, kinds), places), EPSILON)


def attention_mask(g, mask):
    """0 where the mask is 1, a number that no score comes near where it is 0."""
    x = g.op("Unsqueeze", mask, g.constant("axes", [1, 2]), shape=[1, 1, 1, LENGTH])
    x = g.op("Cast", x, to=TensorProto.FLOAT)
    x = g.op("Sub", g.constant("one", 1, np.float32), x, shape=[1, 1, 1, LENGTH])
    return g.op("Mul", x, g.constant("lowest", -10000, np.float32))


def bert_base():
    g = Graph("bert_base")
    ids, mask, types = (g.input(name, [1, LENGTH], TensorProto.INT64)
                        for name in ("input_ids", "attention_mask", "token_type_ids"))
    mask = attention_mask(g, mask)
    x = embeddings(g, ids, types)
    for _ in range(LAYERS):
        x = layer_norm(g, g.op("Add", attention(g, x, HEADS, mask), x), EPSILON)
        inner = gelu(g, g.linear(x, INNER, "inner"))
        x = layer_norm(g, g.op("Add", g.linear(inner, WIDTH, "outer"), x), EPSILON)
    first = g.op("Gather", x, g.constant("first", 0), shape=[1, WIDTH], axis=1)
    pooled = g.op("Tanh", g.gemm(first, WIDTH, "pooler"))
    g.output(x, "last_hidden_state", [1, LENGTH, WIDTH])
    g.output(pooled, "pooler_output", [1, WIDTH])
    return g


def bert_inputs():
    """100 words and padding; a second sentence begins at word 60."""
    word = (np.arange(LENGTH, dtype=np.int64) * 2654435761 % VOCABULARY)[None]
    place = np.arange(LENGTH, dtype=np.int64)[None]
    mask = (place < 100).astype(np.int64)
    return {"input_ids": word * mask, "attention_mask": mask, "token_type_ids": (place >= 60) * mask}


INPUTS = {"bert_base": bert_inputs}
