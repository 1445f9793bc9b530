"""Graphs written node by node: the odd spellings that exporters and people produce."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from common import Net, chirp, graph, image, padding, series, tokens

T, WIDTH, HEADS, WORDS = 24, 64, 4, 200


def sentence(rng, length=T):
    return {"ids": tokens(rng, length, WORDS), "mask": padding(rng, length)}


# Attention masks ----------------------------------------------------------------------------------------------------


def encoder(folder, mask, opset=17, layers=2, mask_type=TensorProto.INT64, draw=sentence, **block):
    """Two layers of a transformer over tokens; `mask(net)` returns what turns scores into what the Softmax reads."""
    n = Net(3, opset)
    n.input("ids", 1, "length", dtype=TensorProto.INT64)
    x = n.norm(n.embed("ids", WORDS, WIDTH), WIDTH)
    masked = mask(n)
    for _ in range(layers):
        x = n.block(x, WIDTH, HEADS, masked, **block)
    n.dense(n.norm(x, WIDTH), WIDTH, 32)
    n.output("logits", 1, "length", 32)
    n.save(folder)
    return draw


def added_padding(value):
    """A mask of 0 and `value`, added: (1 - mask) * value, as transformers did it for years."""

    def mask(n):
        n.input("mask", 1, "length", dtype=TensorProto.INT64)
        m = n.op("Unsqueeze", n.op("Cast", "mask", to=TensorProto.FLOAT), n.ints(1, 2))
        bias = n.op("Mul", n.op("Sub", 1.0, m), value)
        return lambda s: n.op("Add", s, bias)

    return mask


for name, value in (("min", np.finfo(np.float32).min), ("1e4", -1e4), ("1e9", -1e9), ("half", -65504.0), ("40", -40.0)):
    graph(f"mask_pad_{name}")(lambda folder, value=value: encoder(folder, added_padding(value)))


def ids_only(rng):
    return {"ids": tokens(rng, T, WORDS)}


@graph("mask_where_inf")
def _(folder):
    def mask(n):
        n.input("mask", 1, "length", dtype=TensorProto.INT64)
        keep = n.op("Unsqueeze", n.op("Cast", "mask", to=TensorProto.BOOL), n.ints(1, 2))
        return lambda s: n.op("Where", keep, s, -np.inf)

    return encoder(folder, mask, opset=20)


def causal(n, constant):
    """A causal mask of 64 x 64, sliced to the length of the data."""
    length = n.op("Gather", n.op("Shape", "ids"), n.ints(1))
    table = n.const(np.triu(np.full((64, 64), constant), 1))
    ends = n.op("Concat", length, length, axis=0)
    return n.op("Slice", table, n.ints(0, 0), ends, n.ints(0, 1))


for name, value in (("inf", -np.inf), ("1e9", -1e9), ("min", np.finfo(np.float32).min)):

    @graph(f"mask_causal_sliced_{name}")
    def _(folder, value=value):
        def mask(n):
            bias = causal(n, value)
            return lambda s: n.op("Add", s, bias)

        return encoder(folder, mask, draw=ids_only)


@graph("mask_gpt2_old_spelling")
def _(folder):
    """scores * keep - 1e4 * (1 - keep)"""

    def mask(n):
        length = n.op("Gather", n.op("Shape", "ids"), n.ints(1))
        table = n.const(np.tril(np.ones((64, 64))))
        keep = n.op("Slice", table, n.ints(0, 0), n.op("Concat", length, length, axis=0), n.ints(0, 1))
        drop = n.op("Mul", n.op("Sub", 1.0, keep), 1e4)
        return lambda s: n.op("Sub", n.op("Mul", s, keep), drop)

    return encoder(folder, mask, draw=ids_only)


@graph("mask_trilu_computed")
def _(folder):
    """Trilu of ConstantOfShape(-inf)"""

    def mask(n):
        length = n.op("Gather", n.op("Shape", "ids"), n.ints(1))
        value = numpy_helper.from_array(np.array([-np.inf], np.float32))
        full = n.op("ConstantOfShape", n.op("Concat", length, length, axis=0), value=value)
        bias = n.op("Trilu", full, n.const(1, np.int64), upper=1)
        return lambda s: n.op("Add", s, bias)

    return encoder(folder, mask, opset=18, draw=ids_only)


@graph("mask_from_lengths")
def _(folder):
    """Range < length, Where(-65504)"""

    def mask(n):
        n.input("count", 1, dtype=TensorProto.INT64)
        length = n.op("Squeeze", n.op("Gather", n.op("Shape", "ids"), n.ints(1)))
        places = n.op("Range", n.const(0, np.int64), length, n.const(1, np.int64))
        keep = n.op("Less", places, "count")
        return lambda s: n.op("Where", keep, s, -65504.0)

    return encoder(folder, mask, draw=lambda r: {"ids": tokens(r, T, WORDS), "count": r.integers(4, T + 1, 1)})


@graph("mask_alibi_causal")
def _(folder):
    """ALiBi: a slope per head times the distance, and -inf ahead"""

    def mask(n):
        length = n.op("Gather", n.op("Shape", "ids"), n.ints(1))
        distance = np.arange(64)[None, :] - np.arange(64)[:, None]
        slopes = 2.0 ** -np.arange(2, 2 * HEADS + 1, 2)
        table = n.const(np.where(distance > 0, -np.inf, slopes[:, None, None] * distance)[None])
        bias = n.op("Slice", table, n.ints(0, 0), n.op("Concat", length, length, axis=0), n.ints(2, 3))
        return lambda s: n.op("Add", s, bias)

    return encoder(folder, mask, opset=19, draw=ids_only)


@graph("mask_t5_relative_and_padding")
def _(folder):
    """A learned bias per distance (Gather) plus the padding mask, added to each other first"""

    def mask(n):
        n.input("mask", 1, "length", dtype=TensorProto.INT64)
        buckets = np.clip(np.arange(T)[None, :] - np.arange(T)[:, None], -7, 8) + 7
        table = n.op("Gather", n.const(2 * n.rng.normal(size=(16, HEADS))), n.const(buckets, np.int64))
        relative = n.op("Unsqueeze", n.transpose(table, 2, 0, 1), n.ints(0))
        m = n.op("Unsqueeze", n.op("Cast", "mask", to=TensorProto.FLOAT), n.ints(1, 2))
        bias = n.op("Add", relative, n.op("Mul", n.op("Sub", 1.0, m), np.finfo(np.float32).min))
        return lambda s: n.op("Add", s, bias)

    return encoder(folder, mask)


@graph("mask_guarded_rows")
def _(folder):
    """torch's guard of rows that are masked throughout: Where(IsNaN(softmax), 0, softmax)"""
    n = Net(4, 20)
    n.input("ids", 1, "length", dtype=TensorProto.INT64)
    n.input("mask", 1, "length", dtype=TensorProto.INT64)
    x = n.embed("ids", WORDS, WIDTH)
    keep = n.op("Unsqueeze", n.op("Cast", "mask", to=TensorProto.BOOL), n.ints(1, 2))
    bias = n.op("Where", keep, 0.0, -np.inf)

    def softmax(net, s):
        p = net.op("Softmax", s, axis=-1)
        return net.op("Where", net.op("IsNaN", p), 0.0, p)

    for _ in range(2):
        x = n.op("Add", x, n.attention(n.norm(x, WIDTH), WIDTH, HEADS, lambda s: n.op("Add", s, bias), softmax))
    n.dense(n.norm(x, WIDTH), WIDTH, 32)
    n.output("logits", 1, "length", 32)
    n.save(folder)
    return sentence


@graph("mask_swin_windows")
def _(folder):
    """Shifted windows: a relative bias and a mask of -100 as two constants"""
    n = Net(5)
    n.input("image", 1, 3, 32, 32)
    x = n.conv("image", 3, WIDTH, 4, None, strides=[4, 4], pads=[0] * 4)  # [1,64,8,8]
    x = n.transpose(n.reshape(x, 1, WIDTH, 2, 4, 2, 4), 0, 2, 4, 3, 5, 1)
    x = n.norm(n.reshape(x, 4, 16, WIDTH), WIDTH)
    relative = n.const(n.rng.normal(size=(1, HEADS, 16, 16)))
    band = np.zeros((4, 1, 16, 16))
    band[1:, :, :8, 8:] = band[1:, :, 8:, :8] = -100
    shifted = n.const(band)
    for i in range(2):
        mask = lambda s: n.op("Add", s, relative)
        masked = lambda s: n.op("Add", mask(s), shifted)
        x = n.block(x, WIDTH, HEADS, masked if i else mask)
    x = n.op("ReduceMean", n.reshape(n.norm(x, WIDTH), 1, 64, WIDTH), axes=[1], keepdims=0)
    n.gemm(x, WIDTH, 20)
    n.output("scores", 1, 20)
    n.save(folder)
    return lambda rng: {"image": image(rng)}


@graph("mask_graph_attention")
def _(folder):
    """GAT: LeakyRelu of pair scores, Where(adjacency, e, -9e15)"""
    n = Net(6)
    n.input("nodes", 1, 20, 32)
    n.input("edges", 1, 20, 20)
    h = n.dense("nodes", 32, WIDTH, bias=False)
    for _ in range(2):
        left, right = n.dense(h, WIDTH, 1, bias=False), n.dense(h, WIDTH, 1, bias=False)
        e = n.op("LeakyRelu", n.op("Add", left, n.transpose(right, 0, 2, 1)), alpha=0.2)
        e = n.op("Where", n.op("Greater", "edges", 0.0), e, -9e15)
        h = n.op("Elu", n.op("MatMul", n.op("Softmax", e, axis=-1), n.dense(h, WIDTH, WIDTH)))
    n.dense(h, WIDTH, 7)
    n.output("classes", 1, 20, 7)
    n.save(folder)

    def draw(rng):
        edges = (rng.random((1, 20, 20)) < 0.2) | np.eye(20, dtype=bool)
        return {"nodes": series(rng, 20, 32), "edges": edges.astype(np.float32)}

    return draw


@graph("mask_policy_actions")
def _(folder):
    """A policy: actions that are not allowed get -1e8 before the Softmax that is the output"""
    n = Net(7)
    n.input("state", 1, 48)
    n.input("allowed", 1, 12, dtype=TensorProto.BOOL)
    x = n.op("Relu", n.gemm("state", 48, 128))
    x = n.op("Relu", n.gemm(x, 128, 128))
    value = n.op("Tanh", n.gemm(x, 128, 1))
    n.op("Softmax", n.op("Where", "allowed", n.gemm(x, 128, 12), -1e8), axis=-1)
    n.output("policy", 1, 12)
    n.also(value, "value", 1, 1)
    n.save(folder)
    return lambda r: {"state": series(r, 1, 48)[0], "allowed": np.arange(12)[None] < r.integers(3, 13)}


@graph("mask_bahdanau_lstm")
def _(folder):
    """Additive attention over a padded LSTM: Tanh, MatMul to one score, mask of -1e9, Softmax over time"""
    n = Net(8)
    n.input("frames", 1, 20, 32)
    n.input("mask", 1, 20)
    x = n.transpose("frames", 1, 0, 2)
    x = n.op(
        "LSTM", x, n.weight(1, 256, 32, fan_in=32), n.weight(1, 256, 64, fan_in=64), n.bias(1, 512), hidden_size=64
    )
    x = n.transpose(n.op("Squeeze", x, n.ints(1)), 1, 0, 2)
    scores = n.dense(n.op("Tanh", n.dense(x, 64, 64)), 64, 1, bias=False)
    drop = n.op("Mul", n.op("Sub", 1.0, n.op("Unsqueeze", "mask", n.ints(2))), -1e9)
    p = n.op("Softmax", n.op("Add", scores, drop), axis=1)
    n.gemm(n.op("ReduceSum", n.op("Mul", x, p), n.ints(1), keepdims=0), 64, 10)
    n.output("scores", 1, 10)
    n.save(folder)
    return lambda r: {"frames": series(r, 20, 32), "mask": padding(r, 20).astype(np.float32)}


# Softmax whose probabilities are small ------------------------------------------------------------------------------


@graph("softmax_flat_long")
def _(folder):
    """Attention over 400 frames with scores near 0"""
    n = Net(9)
    n.input("frames", 1, 400, 48)
    x = n.norm(n.dense("frames", 48, WIDTH), WIDTH)
    flat = lambda s: n.op("Mul", s, 0.05)
    for _ in range(2):
        x = n.op("Add", x, n.attention(n.norm(x, WIDTH), WIDTH, HEADS, flat))
    n.dense(x, WIDTH, 16)
    n.output("y", 1, 400, 16)
    n.save(folder)
    return lambda r: {"frames": series(r, 400, 48)}


@graph("softmax_keypoints")
def _(folder):
    """Soft argmax: a Softmax over 1024 places, times coordinates"""
    n = Net(10)
    n.input("image", 1, 3, 64, 64)
    x = n.conv("image", 3, 32, 3, strides=[2, 2])
    x = n.conv(x, 32, 32)
    x = n.conv(x, 32, 10, 1, None)
    p = n.op("Softmax", n.reshape(x, 1, 10, 1024), axis=-1)
    grid = np.stack(np.mgrid[0:32, 0:32], -1).reshape(1024, 2) / 32
    n.op("MatMul", p, n.const(grid))
    n.output("points", 1, 10, 2)
    n.save(folder)
    return lambda r: {"image": image(r, 3, 64, 64)}


@graph("softmax_experts")
def _(folder):
    """A gate of 48 experts at a high temperature weighs their outputs"""
    n = Net(11)
    n.input("x", 1, 64)
    gate = n.op("Softmax", n.op("Div", n.gemm("x", 64, 48), 20.0), axis=-1)
    experts = n.reshape(n.op("Relu", n.gemm("x", 64, 48 * 32)), 1, 48, 32)
    y = n.op("MatMul", n.op("Unsqueeze", gate, n.ints(1)), experts)
    n.gemm(n.reshape(y, 1, 32), 32, 12)
    n.output("y", 1, 12)
    n.save(folder)
    return lambda r: {"x": series(r, 1, 64)[0]}


# Joins --------------------------------------------------------------------------------------------------------------


@graph("join_unet")
def _(folder):
    """A U-Net with ConvTranspose and skips of Relus joined with values below 0"""
    n = Net(12)
    n.input("image", 1, 3, 64, 64)
    a = n.conv("image", 3, 24)
    b = n.conv(n.op("MaxPool", a, kernel_shape=[2, 2], strides=[2, 2]), 24, 48)
    c = n.conv(n.op("MaxPool", b, kernel_shape=[2, 2], strides=[2, 2]), 48, 64)
    up = lambda x, i, o: n.op("ConvTranspose", x, n.weight(i, o, 2, 2), n.bias(o), strides=[2, 2])
    d = n.conv(n.op("Concat", up(c, 64, 48), b, axis=1), 96, 48)
    e = n.conv(n.op("Concat", up(d, 48, 24), a, axis=1), 48, 24)
    n.conv(e, 24, 4, 1, None)
    n.output("mask", 1, 4, 64, 64)
    n.save(folder)
    return lambda r: {"image": image(r, 3, 64, 64)}


@graph("join_yolo_neck_leaky")
def _(folder):
    """Resize, Concat of LeakyRelus, three heads whose boxes and scores are joined"""
    n = Net(13)
    n.input("image", 1, 3, 64, 64)
    leaky = lambda x: n.op("LeakyRelu", x, alpha=0.1)
    c = lambda x, i, o, k=3, s=1: leaky(n.conv(x, i, o, k, None, strides=[s, s]))
    p3 = c(c(c("image", 3, 16, 3, 2), 16, 32, 3, 2), 32, 32)
    p4 = c(p3, 32, 64, 3, 2)
    p5 = c(p4, 64, 96, 3, 2)
    up = lambda x: n.op(
        "Resize",
        x,
        "",
        n.const([1, 1, 2, 2]),
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )
    f4 = c(n.op("Concat", up(c(p5, 96, 64, 1)), p4, axis=1), 128, 64)
    f3 = c(n.op("Concat", up(c(f4, 64, 32, 1)), p3, axis=1), 64, 32)
    heads = [n.reshape(n.conv(f, i, 18, 1, None), 1, 18, -1) for f, i in ((f3, 32), (f4, 64), (p5, 96))]
    y = n.transpose(n.op("Concat", *heads, axis=2), 0, 2, 1)
    box, score = n.op("Split", y, n.ints(4, 14), outputs=2, axis=2)
    n.op("Concat", n.op("Mul", n.op("Exp", n.op("Clip", box, -4.0, 4.0)), 8.0), n.op("Sigmoid", score), axis=2)
    n.output("boxes", 1, 336, 18)
    n.save(folder)
    return lambda r: {"image": image(r, 3, 64, 64)}


@graph("join_shuffle_unit")
def _(folder):
    """ShuffleNet: Split, a branch with Relus joined with one that passes through, channels shuffled"""
    n = Net(14)
    n.input("image", 1, 3, 48, 48)
    x = n.conv("image", 3, 48, 3, None, strides=[2, 2])
    for _ in range(3):
        a, b = n.op("Split", x, n.ints(24, 24), outputs=2, axis=1)
        b = n.conv(n.conv(n.conv(b, 24, 24, 1), 24, 24, 3, None, group=24), 24, 24, 1)
        x = n.reshape(n.op("Concat", a, b, axis=1), 1, 2, 24, 24, 24)
        x = n.reshape(n.transpose(x, 0, 2, 1, 3, 4), 1, 48, 24, 24)
    n.gemm(n.op("Flatten", n.op("GlobalAveragePool", x)), 48, 20)
    n.output("scores", 1, 20)
    n.save(folder)
    return lambda r: {"image": image(r, 3, 48, 48)}


@graph("join_relu_with_input")
def _(folder):
    """A Conv-Relu joined with coordinates and with the image itself"""
    n = Net(15)
    n.input("image", 1, 3, 56, 56)
    grid = np.stack(np.mgrid[-1:1:56j, -1:1:56j])[None]
    x = n.conv(n.op("Concat", "image", n.const(grid), axis=1), 5, 61)
    x = n.conv(n.op("Concat", x, "image", axis=1), 64, 64)
    x = n.conv(n.op("Concat", x, n.conv(x, 64, 32, 3, None), axis=1), 96, 64)
    n.conv(x, 64, 8, 1, None)
    n.output("y", 1, 8, 56, 56)
    n.save(folder)
    return lambda r: {"image": image(r, 3, 56, 56)}


@graph("join_lstm_states")
def _(folder):
    """Embeddings, characters by Conv-Relu-max and numbers joined in front of a Gemm"""
    n = Net(16)
    n.input("ids", 1, 16, dtype=TensorProto.INT64)
    n.input("numbers", 1, 8)
    e = n.embed("ids", WORDS, 32)
    c = n.op("ReduceMax", n.conv(n.transpose(e, 0, 2, 1), 32, 48, 3, rank=1), axes=[2], keepdims=0)
    m = n.op("ReduceMean", e, axes=[1], keepdims=0)
    x = n.op("Concat", c, m, "numbers", axis=1)
    n.gemm(n.op("Relu", n.gemm(x, 88, 64)), 64, 10)
    n.output("scores", 1, 10)
    n.save(folder)
    return lambda r: {"ids": tokens(r, 16, WORDS), "numbers": 5 * series(r, 1, 8)[0]}


# Ranks and shapes of biases, constants on the left -------------------------------------------------------------------


@graph("gemm_bias_shapes")
def _(folder):
    """C of shape (), [1], [1,N], [1,1], [M,1], [M,N]"""
    n = Net(17)
    n.input("x", 4, 48)
    x = "x"
    for shape in ((), (1,), (1, 48), (1, 1), (4, 1), (4, 48)):
        y = n.op("Gemm", x, n.weight(48, 48), n.const(0.5 + 0.2 * n.rng.normal(size=shape)), transB=1)
        x = n.op("Relu", y)
    n.op("Gemm", x, n.weight(48, 10), n.const(0.3), alpha=0.5, beta=2.0)
    n.output("y", 4, 10)
    n.save(folder)
    return lambda r: {"x": series(r, 4, 48)[0]}


@graph("scalars_everywhere")
def _(folder):
    """Scalar bias of MatMul, scalar scale of a Conv's result, a scalar input, a mean over everything"""
    n = Net(18)
    n.input("image", 1, 3, 32, 32)
    n.input("gain")
    mean = n.op("ReduceMean", "image", keepdims=0)
    x = n.op("Mul", n.op("Sub", "image", mean), "gain")
    x = n.op("Add", n.op("Mul", n.conv(x, 3, 32, 3, None, strides=[2, 2]), 1.7), 0.3)
    x = n.op("Relu", x)
    x = n.op("PRelu", n.op("Add", n.conv(x, 32, 32, 3, None), -0.1), 0.25)
    x = n.op("Flatten", n.op("GlobalAveragePool", x))
    n.op("Add", n.dense(n.op("Add", n.dense(x, 32, 64, False), 0.2), 64, 10, False), 0.1)
    n.output("y", 1, 10)
    n.save(folder)
    return lambda r: {"image": image(r), "gain": np.array(1 + 0.2 * r.random(), np.float32)}


@graph("left_mixer")
def _(folder):
    """MLP-Mixer whose tokens are mixed by a constant on the left"""
    n = Net(19)
    n.input("image", 1, 3, 32, 32)
    x = n.transpose(n.reshape(n.conv("image", 3, 64, 4, None, strides=[4, 4], pads=[0] * 4), 1, 64, 64), 0, 2, 1)
    for _ in range(2):
        y = n.op("Relu", n.op("Add", n.op("MatMul", n.weight(128, 64), n.norm(x, 64)), n.bias(128, 1)))
        x = n.op("Add", x, n.op("MatMul", n.weight(64, 128), y))
        x = n.op("Add", x, n.dense(n.gelu(n.dense(n.norm(x, 64), 64, 128)), 128, 64))
    n.gemm(n.op("ReduceMean", x, axes=[1], keepdims=0), 64, 20)
    n.output("scores", 1, 20)
    n.save(folder)
    return lambda r: {"image": image(r)}


@graph("left_graph_convolution")
def _(folder):
    """Graph convolutions over a fixed graph: A (X W)"""
    n = Net(20)
    n.input("joints", 1, 25, 12)
    rng = np.random.default_rng(1)
    a = np.eye(25) + (rng.random((25, 25)) < 0.1)
    a = n.const(a / a.sum(1, keepdims=True))
    x = n.norm(n.dense("joints", 12, 64), 64)
    for _ in range(3):
        x = n.op("Relu", n.op("Add", n.op("MatMul", a, n.dense(x, 64, 64, False)), n.bias(64)))
    n.op("MatMul", n.const(np.full((1, 25), 1 / 25)), n.dense(x, 64, 10))
    n.output("scores", 1, 1, 10)
    n.save(folder)
    return lambda r: {"joints": series(r, 25, 12)}


@graph("left_vector")
def _(folder):
    """Pooling over time by a constant of rank 1 on the left, batched constants on the left"""
    n = Net(21)
    n.input("frames", 1, 30, 40)
    x = n.op("Relu", n.dense("frames", 40, 64))
    p = n.op("MatMul", n.const(np.exp(-np.arange(30) / 10) / 10), x)
    q = n.op("MatMul", n.weight(1, 8, 30, fan_in=30), x)
    n.op("Add", n.dense(q, 64, 12), n.dense(p, 64, 12))
    n.output("y", 1, 8, 12)
    n.save(folder)
    return lambda r: {"frames": series(r, 30, 40)}


# States that start at 0 ---------------------------------------------------------------------------------------------


@graph("state_streaming_convolution")
def _(folder):
    """A causal convolution with its cache as input and output; zero in all calibration samples"""
    n = Net(22)
    n.input("frames", 1, 40, 16)
    x, caches = "frames", []
    for i in range(2):
        width = 40 if i == 0 else 48
        n.input(f"cache_{i}", 1, width, 4)
        joined = n.op("Concat", f"cache_{i}", x, axis=2)
        caches.append((n.op("Slice", joined, n.ints(-4), n.ints(1 << 30), n.ints(2)), width))
        x = n.conv(joined, width, 48, 5, rank=1, pads=[0, 0])
    n.conv(x, 48, 12, 1, None, rank=1)
    n.output("y", 1, 12, 16)
    for i, (cache, width) in enumerate(caches):
        n.also(cache, f"new_cache_{i}", 1, width, 4)
    n.save(folder)
    return Stateful(
        folder,
        {"frames": lambda r: series(r, 16, 40).transpose(0, 2, 1)},
        {"cache_0": ("new_cache_0", (1, 40, 4)), "cache_1": ("new_cache_1", (1, 48, 4))},
    )


class Stateful:
    """Draws samples of a model with states: 0 to calibrate with; to measure on, those that earlier samples left."""

    def __init__(self, folder, fresh, states):
        self.folder, self.fresh, self.states, self.session = folder, fresh, states, None

    def __call__(self, rng):
        import onnxruntime

        self.session = self.session or onnxruntime.InferenceSession(self.folder / "model.onnx")
        feeds = {name: np.zeros(shape, np.float32) for name, (_, shape) in self.states.items()}
        measuring = any((self.folder / "eval").glob("*")) or (self.folder / "eval").exists()
        for _ in range(4 if measuring else 1):
            feeds |= {name: draw(rng) for name, draw in self.fresh.items()}
            last = dict(feeds)
            names = [o for o, _ in self.states.values()]
            feeds |= dict(zip(self.states, self.session.run(names, feeds)))
        return last


@graph("state_gru_enhancer")
def _(folder):
    """A streaming GRU between Gemms: h and hn, zero in all calibration samples"""
    n = Net(23)
    n.input("frame", 1, 1, 64)
    n.input("h", 1, 1, 96)
    x = n.op("Relu", n.dense("frame", 64, 96))
    y, hn = n.op(
        "GRU",
        x,
        n.weight(1, 288, 96, fan_in=96),
        n.weight(1, 288, 96, fan_in=96),
        n.bias(1, 576),
        "",
        "h",
        outputs=2,
        hidden_size=96,
        linear_before_reset=1,
    )
    n.op("Sigmoid", n.dense(n.op("Squeeze", y, n.ints(1)), 96, 64))
    n.output("gains", 1, 1, 64)
    n.also(hn, "hn", 1, 1, 96)
    n.save(folder)
    return Stateful(folder, {"frame": lambda r: series(r, 1, 64)}, {"h": ("hn", (1, 1, 96))})


@graph("state_lstm_cell_written_out")
def _(folder):
    """An LSTM cell of MatMuls and gates with h and c as inputs"""
    n = Net(24)
    n.input("x", 1, 40)
    n.input("h", 1, 64)
    n.input("c", 1, 64)
    gates = n.op("Add", n.gemm("x", 40, 256), n.gemm("h", 64, 256))
    i, f, g, o = n.op("Split", gates, n.ints(64, 64, 64, 64), outputs=4, axis=1)
    c = n.op("Add", n.op("Mul", n.op("Sigmoid", f), "c"), n.op("Mul", n.op("Sigmoid", i), n.op("Tanh", g)))
    h = n.op("Mul", n.op("Sigmoid", o), n.op("Tanh", c))
    n.gemm(h, 64, 12)
    n.output("y", 1, 12)
    n.also(h, "h_out", 1, 64)
    n.also(c, "c_out", 1, 64)
    n.save(folder)
    return Stateful(folder, {"x": lambda r: series(r, 1, 40)[0]}, {"h": ("h_out", (1, 64)), "c": ("c_out", (1, 64))})


@graph("state_kv_cache")
def _(folder):
    """A decoder step: past keys and values are 0 in all calibration samples"""
    n = Net(25)
    n.input("x", 1, 4, WIDTH)
    n.input("past_key", 1, HEADS, 12, 16)
    n.input("past_value", 1, HEADS, 12, 16)
    y = n.norm("x", WIDTH)
    q, k, v = (n.heads(n.dense(y, WIDTH, WIDTH), HEADS, 16) for _ in range(3))
    keys, values = n.op("Concat", "past_key", k, axis=2), n.op("Concat", "past_value", v, axis=2)
    p = n.op("Softmax", n.op("Mul", n.op("MatMul", q, n.transpose(keys, 0, 1, 3, 2)), 0.25), axis=-1)
    a = n.reshape(n.transpose(n.op("MatMul", p, values), 0, 2, 1, 3), 0, 0, WIDTH)
    x = n.op("Add", "x", n.dense(a, WIDTH, WIDTH))
    n.op("Add", x, n.dense(n.gelu(n.dense(n.norm(x, WIDTH), WIDTH, 128)), 128, WIDTH))
    n.output("y", 1, 4, WIDTH)
    for name, value in (("present_key", keys), ("present_value", values)):
        last = n.op("Slice", value, n.ints(-12), n.ints(1 << 30), n.ints(2))
        n.also(last, name, 1, HEADS, 12, 16)
    n.save(folder)
    shape = (1, HEADS, 12, 16)
    return Stateful(
        folder,
        {"x": lambda r: series(r, 4, WIDTH)},
        {"past_key": ("present_key", shape), "past_value": ("present_value", shape)},
    )


# Types, shapes and operators ----------------------------------------------------------------------------------------


def small_cnn(n, x, middle=lambda x: x, width=32):
    """Conv, Conv, `middle`, Conv, pool, Gemm."""
    x = n.conv(x, 3, width, strides=[2, 2])
    x = middle(n.conv(x, width, width))
    x = n.conv(x, width, 48)
    n.gemm(n.op("Flatten", n.op("GlobalAveragePool", x)), 48, 20)
    n.output("scores", 1, 20)


def cnn(folder, middle=lambda n, x: x, opset=17, seed=26, **net):
    n = Net(seed, opset, **net)
    n.input("image", 1, 3, 32, 32)
    small_cnn(n, "image", lambda x: middle(n, x))
    n.save(folder)
    return lambda rng: {"image": image(rng)}


@graph("resize_axes_18")
def _(folder):
    return cnn(folder, lambda n, x: n.op("Resize", x, "", n.const([2, 2]), axes=[2, 3], mode="linear"), 18)


@graph("resize_keep_aspect_19")
def _(folder):
    policy = dict(keep_aspect_ratio_policy="not_larger", antialias=1)
    return cnn(
        folder, lambda n, x: n.op("Resize", x, "", "", n.ints(8, 12), axes=[-2, -1], mode="linear", **policy), 19
    )


@graph("domain_alias")
def _(folder):
    return cnn(folder, domain="ai.onnx")


@graph("output_without_shape")
def _(folder):
    draw = cnn(folder)
    model = onnx.load(folder / "model.onnx")
    model.graph.output[0].type.tensor_type.ClearField("shape")
    onnx.save(model, folder / "model.onnx")
    return draw


@graph("float16_cnn")
def _(folder):
    return halve(folder, cnn(folder, lambda n, x: n.op("Sigmoid", x)))


@graph("float16_transformer")
def _(folder):
    draw = encoder(folder, added_padding(-1e4))
    return halve(folder, draw)


def halve(folder, draw):
    """Turns all floats of a model, inputs and outputs too, into float16."""
    model = onnx.load(folder / "model.onnx")
    floats = TensorProto.FLOAT
    for value in [*model.graph.input, *model.graph.output]:
        if value.type.tensor_type.elem_type == floats:
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
    for constant in model.graph.initializer:
        if constant.data_type == floats:
            constant.CopyFrom(
                numpy_helper.from_array(numpy_helper.to_array(constant).astype(np.float16), constant.name)
            )
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == floats:
                attribute.i = TensorProto.FLOAT16
    onnx.save(model, folder / "model.onnx")
    half = lambda a: a.astype(np.float16) if a.dtype == np.float32 else a
    return lambda rng: {name: half(a) for name, a in draw(rng).items()}


def optimized(folder, draw, level):
    """Replaces a model by what onnxruntime makes of it at an optimization level."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
    options.optimized_model_filepath = str(folder / "model.onnx")
    options.log_severity_level = 3
    ort.InferenceSession(onnx.load(folder / "model.onnx").SerializeToString(), options)
    return draw


@graph("contrib_transformer_extended")
def _(folder):
    return optimized(folder, encoder(folder, added_padding(-1e4)), "ORT_ENABLE_EXTENDED")


@graph("contrib_cnn_extended")
def _(folder):
    middle = lambda n, x: n.op("HardSigmoid", n.op("Add", x, n.conv(x, 32, 32, 3, None)))
    return optimized(folder, cnn(folder, middle), "ORT_ENABLE_EXTENDED")


@graph("opset23_attention")
def _(folder):
    """Attention, RMSNormalization, RotaryEmbedding and Swish-like gates of opset 23"""
    n = Net(28, 23)
    n.input("x", 1, T, WIDTH)
    angles = np.arange(T)[:, None] * 10.0 ** -np.linspace(0, 3, 8)
    cos, sin = n.const(np.cos(angles)), n.const(np.sin(angles))
    places = n.const(np.arange(T)[None], np.int64)
    x = "x"
    for _ in range(2):
        y = n.op("RMSNormalization", x, n.gamma(WIDTH), axis=-1)
        q, k, v = (n.heads(n.dense(y, WIDTH, WIDTH, False), HEADS, 16) for _ in range(3))
        q, k = (n.op("RotaryEmbedding", a, cos, sin, places) for a in (q, k))
        a = n.reshape(n.transpose(n.op("Attention", q, k, v, is_causal=1), 0, 2, 1, 3), 0, 0, WIDTH)
        x = n.op("Add", x, n.dense(a, WIDTH, WIDTH, False))
        y = n.op("RMSNormalization", x, n.gamma(WIDTH), axis=-1)
        gate = n.dense(y, WIDTH, 160, False)
        y = n.op("Mul", n.op("Mul", gate, n.op("Sigmoid", gate)), n.dense(y, WIDTH, 160, False))
        x = n.op("Add", x, n.dense(y, 160, WIDTH, False))
    n.dense(n.op("RMSNormalization", x, n.gamma(WIDTH), axis=-1), WIDTH, 32, False)
    n.output("y", 1, T, 32)
    n.save(folder)
    return lambda r: {"x": series(r, T, WIDTH)}


@graph("opset21_groupnorm_gelu")
def _(folder):
    """GroupNormalization and Gelu as operators, between convolutions"""

    def middle(n, x):
        return n.op("Gelu", n.op("GroupNormalization", x, n.gamma(32), n.bias(32), num_groups=8))

    return cnn(folder, middle, 21)


@graph("opset22_cnn")
def _(folder):
    """HardSwish, Mish and pools at opset 22"""
    return cnn(
        folder, lambda n, x: n.op("Mish", n.op("HardSwish", n.op("LpPool", x, kernel_shape=[2, 2], strides=[2, 2]))), 22
    )


@graph("functions_of_the_model")
def _(folder):
    """Layers as functions of the model"""
    n = Net(29, 18)
    n.input("x", 1, 64)
    n.opsets.append(helper.make_opsetid("local", 1))
    x = "x"
    for _ in range(3):
        x = n.op("Layer", x, n.weight(64, 64), n.bias(64), domain="local")
    n.gemm(x, 64, 10)
    n.output("y", 1, 10)
    model = n.model()
    body = [helper.make_node("Gemm", ["x", "w", "b"], ["g"], transB=1), helper.make_node("Elu", ["g"], ["y"])]
    model.functions.append(
        helper.make_function("local", "Layer", ["x", "w", "b"], ["y"], body, [helper.make_opsetid("", 18)])
    )
    onnx.save(model, folder / "model.onnx")
    return lambda r: {"x": series(r, 1, 64)[0]}


@graph("constants_in_nodes")
def _(folder):
    """All weights in Constant nodes"""
    draw = cnn(folder)
    model = onnx.load(folder / "model.onnx")
    nodes = [helper.make_node("Constant", [], [c.name], value=c) for c in model.graph.initializer]
    del model.graph.initializer[:]
    nodes += list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, folder / "model.onnx")
    return draw


for name, attributes, opset in (
    (
        "ceil_include_pad",
        dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1, count_include_pad=1),
        17,
    ),
    ("ceil", dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1), 17),
    ("asymmetrical_include_pad", dict(kernel_shape=[3, 3], strides=[1, 1], pads=[0, 0, 2, 2], count_include_pad=1), 17),
    ("dilated_19", dict(kernel_shape=[3, 3], dilations=[2, 2], pads=[2, 2, 2, 2]), 19),
    ("same_lower", dict(kernel_shape=[2, 2], auto_pad="SAME_LOWER"), 17),
):

    @graph(f"averagepool_{name}")
    def _(folder, attributes=attributes, opset=opset):
        return cnn(folder, lambda n, x: n.op("AveragePool", x, **attributes), opset, seed=30)


@graph("maxpool_ceil_dilated")
def _(folder):
    return cnn(
        folder,
        lambda n, x: n.op(
            "MaxPool", n.op("Tanh", x), kernel_shape=[3, 3], strides=[2, 2], dilations=[2, 2], ceil_mode=1
        ),
    )


@graph("sums_beyond_int32")
def _(folder):
    """A Gemm over 70000 counts, all of one sign, behind a bias that is large for its scale"""
    n = Net(31)
    n.input("counts", 1, 70000)
    w = n.const(np.abs(n.rng.normal(size=(70000, 4))) * 0.01 + 0.02)
    x = n.op("Relu", n.op("Gemm", "counts", w, n.const([-900.0, -1000, -1100, -1200])))
    n.gemm(n.op("Mul", x, 0.01), 4, 6)
    n.output("y", 1, 6)
    n.save(folder)
    return lambda r: {"counts": r.poisson(0.5 + r.random(), size=(1, 70000)).astype(np.float32)}


@graph("bias_large_for_its_scale")
def _(folder):
    """Biases of 1e4 behind inputs of 1e-3: int32 at the scale of input times weight does not hold them"""
    n = Net(32)
    n.input("x", 1, 32)
    x = n.op("Gemm", "x", n.const(n.rng.normal(size=(32, 48)) * 1e-3), n.const(1e4 * n.rng.normal(size=48)))
    x = n.op("Add", n.op("Mul", x, 1e-4), n.gemm("x", 32, 48))
    n.gemm(n.op("Relu", x), 48, 10)
    n.output("y", 1, 10)
    n.save(folder)
    return lambda r: {"x": 1e-3 * series(r, 1, 32)[0]}


# Shared weights -----------------------------------------------------------------------------------------------------


@graph("shared_unrolled_rnn")
def _(folder):
    """A recurrent layer unrolled over 12 steps: one weight, 12 MatMuls"""
    n = Net(33)
    n.input("frames", 1, 12, 96)
    w, u, b = n.weight(96, 96), n.weight(96, 96), n.bias(96)
    steps = n.op("Split", "frames", n.ints(*[1] * 12), outputs=12, axis=1)
    h = n.op("Tanh", n.op("Add", n.op("MatMul", n.op("Squeeze", steps[0], n.ints(1)), w), b))
    for step in steps[1:]:
        x = n.op("MatMul", n.op("Squeeze", step, n.ints(1)), w)
        h = n.op("Tanh", n.op("Add", n.op("Add", x, n.op("MatMul", h, u)), b))
    n.gemm(h, 96, 10)
    n.output("y", 1, 10)
    n.save(folder)
    return lambda r: {"frames": series(r, 12, 96)}


@graph("shared_siamese")
def _(folder):
    """Two images through the same convolutions"""
    n = Net(34)
    n.input("left", 1, 3, 32, 32)
    n.input("right", 1, 3, 32, 32)
    layers = [(n.weight(o, i, 3, 3), n.bias(o)) for i, o in ((3, 32), (32, 64), (64, 64))]

    def tower(x):
        for w, b in layers:
            x = n.op("Relu", n.op("Conv", x, w, b, pads=[1] * 4, strides=[2, 2]))
        return n.op("Flatten", n.op("GlobalAveragePool", x))

    d = n.op("Abs", n.op("Sub", tower("left"), tower("right")))
    n.gemm(n.op("Relu", n.gemm(d, 64, 64)), 64, 4)
    n.output("y", 1, 4)
    n.save(folder)
    return lambda r: {"left": image(r), "right": image(r)}


@graph("shared_embedding_and_head")
def _(folder):
    """The table of words is the last layer's weight too"""
    n = Net(35)
    n.input("ids", 1, "length", dtype=TensorProto.INT64)
    table = n.const(n.rng.normal(size=(1000, WIDTH)) / 4)
    x = n.norm(n.op("Gather", table, "ids"), WIDTH)
    x = n.norm(n.block(x, WIDTH, HEADS), WIDTH)
    n.op("MatMul", x, n.transpose(table, 1, 0))
    n.output("logits", 1, "length", 1000)
    n.save(folder)
    return lambda r: {"ids": tokens(r, T, 1000)}


@graph("shared_albert_layers")
def _(folder):
    """One transformer layer applied six times"""
    n = Net(36)
    n.input("x", 1, T, WIDTH)
    g, b = n.gamma(WIDTH), n.bias(WIDTH)
    wq, wk, wv, wo = (n.weight(WIDTH, WIDTH) for _ in range(4))
    w1, w2 = n.weight(WIDTH, 4 * WIDTH, fan_in=WIDTH), n.weight(4 * WIDTH, WIDTH, fan_in=4 * WIDTH)
    x = "x"
    for _ in range(6):
        y = n.op("LayerNormalization", x, g, b)
        q, k, v = (n.heads(n.op("MatMul", y, w), HEADS, 16, w is wk) for w in (wq, wk, wv))
        p = n.op("Softmax", n.op("Mul", n.op("MatMul", q, k), 0.25))
        a = n.reshape(n.transpose(n.op("MatMul", p, v), 0, 2, 1, 3), 0, 0, WIDTH)
        x = n.op("Add", x, n.op("MatMul", a, wo))
        y = n.op("LayerNormalization", x, g, b)
        x = n.op("Add", x, n.op("MatMul", n.op("Relu", n.op("MatMul", y, w1)), w2))
    n.dense(n.op("LayerNormalization", x, g, b), WIDTH, 10)
    n.output("y", 1, T, 10)
    n.save(folder)
    return lambda r: {"x": series(r, T, WIDTH)}


# Operators written out ----------------------------------------------------------------------------------------------


def layer_norm(n, x, size, square="pow", root="sqrt"):
    """LayerNormalization over the last axis, as torch's legacy exporter (pow, sqrt) or others spell it."""
    centred = n.op("Sub", x, n.op("ReduceMean", x, axes=[-1]))
    squares = n.op("Pow", centred, 2.0) if square == "pow" else n.op("Mul", centred, centred)
    deviation = n.op("Sqrt", n.op("Add", n.op("ReduceMean", squares, axes=[-1]), 1e-6))
    if root == "sqrt":
        y = n.op("Div", centred, deviation)
    else:
        y = n.op("Mul", centred, n.op("Reciprocal", deviation))
    return n.op("Add", n.op("Mul", y, n.gamma(size)), n.bias(size))


def rms_norm(n, x, size):
    squares = n.op("ReduceMean", n.op("Pow", x, 2.0), axes=[-1])
    y = n.op("Mul", x, n.op("Reciprocal", n.op("Sqrt", n.op("Add", squares, 1e-6))))
    return n.op("Mul", n.gamma(size), y)


def group_norm(n, x, channels, groups=8):
    """GroupNormalization as torch's legacy exporter writes it: Reshape, InstanceNormalization, Reshape, Mul, Add."""
    y = n.op("InstanceNormalization", n.reshape(x, 0, groups, -1), n.const(np.ones(groups)), n.const(np.zeros(groups)))
    y = n.op("Reshape", y, n.op("Shape", x))
    shape = (channels, 1, 1)
    return n.op("Add", n.op("Mul", y, n.gamma(shape)), n.bias(*shape))


def gelu_tanh(n, x):
    cube = n.op("Mul", n.op("Pow", x, 3.0), 0.044715)
    inner = n.op("Mul", n.op("Add", x, cube), np.sqrt(2 / np.pi))
    return n.op("Mul", n.op("Mul", x, 0.5), n.op("Add", n.op("Tanh", inner), 1.0))


def channels_last(n, function):
    return lambda x: n.transpose(function(n.transpose(x, 0, 2, 3, 1)), 0, 3, 1, 2)


ACTIVATIONS = {
    "gelu_erf": lambda n, x: n.gelu(x),
    "gelu_erf_other": lambda n, x: n.op(
        "Mul", n.op("Mul", x, 0.5), n.op("Add", 1.0, n.op("Erf", n.op("Mul", x, np.sqrt(0.5))))
    ),
    "gelu_tanh": gelu_tanh,
    "gelu_quick": lambda n, x: n.op("Mul", x, n.op("Sigmoid", n.op("Mul", x, 1.702))),
    "swish": lambda n, x: n.op("Mul", x, n.op("Sigmoid", x)),
    "hardswish_clip": lambda n, x: n.op("Div", n.op("Mul", x, n.op("Clip", n.op("Add", x, 3.0), 0.0, 6.0)), 6.0),
    "hardswish_sigmoid": lambda n, x: n.op("Mul", x, n.op("HardSigmoid", x, alpha=1 / 6, beta=0.5)),
    "mish": lambda n, x: n.op("Mul", x, n.op("Tanh", n.op("Softplus", x))),
    "mish_log": lambda n, x: n.op("Mul", x, n.op("Tanh", n.op("Log", n.op("Add", n.op("Exp", x), 1.0)))),
    "softsign": lambda n, x: n.op("Div", x, n.op("Add", n.op("Abs", x), 1.0)),
    "relu_squared": lambda n, x: n.op("Pow", n.op("Relu", x), 2.0),
    "l2_normalize": lambda n, x: n.op("Div", x, n.op("Clip", n.op("ReduceL2", x, axes=[1]), 1e-12)),
    "squeeze_excite": lambda n, x: squeeze_excite(n, x),
    "group_norm": lambda n, x: group_norm(n, x, 32),
    "instance_norm": lambda n, x: n.op("InstanceNormalization", x, n.gamma(32), n.bias(32)),
    "layer_norm_last": lambda n, x: channels_last(n, lambda y: layer_norm(n, y, 32))(x),
    "layer_norm_reciprocal": lambda n, x: channels_last(n, lambda y: layer_norm(n, y, 32, "mul", "reciprocal"))(x),
    "rms_norm": lambda n, x: channels_last(n, lambda y: rms_norm(n, y, 32))(x),
    "batch_norm_alone": lambda n, x: n.op("Relu", batch_norm(n, n.op("MaxPool", x, kernel_shape=[2, 2]), 32)),
    "lrn": lambda n, x: n.op("LRN", x, size=5, alpha=0.01),
    "tanh_gate": lambda n, x: n.op(
        "Mul", n.op("Tanh", n.conv(x, 32, 32, 3, None)), n.op("Sigmoid", n.conv(x, 32, 32, 3, None))
    ),
}


def squeeze_excite(n, x):
    s = n.op("GlobalAveragePool", x)
    s = n.conv(n.conv(s, 32, 8, 1), 8, 32, 1, "HardSigmoid")
    return n.op("Mul", x, s)


def batch_norm(n, x, size):
    return n.op(
        "BatchNormalization", x, n.gamma(size), n.bias(size), n.bias(size), n.const(np.exp(n.rng.normal(size=size)))
    )


for name, function in ACTIVATIONS.items():

    @graph(f"written_{name}")
    def _(folder, function=function):
        """Conv, Conv without activation, the operator written out, Conv"""

        def middle(n, x):
            return function(n, n.conv(x, 32, 32, 3, None))

        return cnn(folder, middle)


@graph("written_llama_layer")
def _(folder):
    """RMSNorm, rotary embedding and SwiGLU in single operators"""
    n = Net(37)
    n.input("x", 1, T, WIDTH)
    angles = np.tile(np.arange(T)[:, None] * 10.0 ** -np.linspace(0, 3, 8), 2)[None, None]
    cos, sin = n.const(np.cos(angles)), n.const(np.sin(angles))
    ahead = n.const(np.triu(np.full((T, T), np.finfo(np.float32).min), 1)[None, None])

    def rotate(a):
        left, right = n.op("Split", a, n.ints(8, 8), outputs=2, axis=-1)
        turned = n.op("Concat", n.op("Neg", right), left, axis=-1)
        return n.op("Add", n.op("Mul", a, cos), n.op("Mul", turned, sin))

    x = "x"
    for _ in range(2):
        y = rms_norm(n, x, WIDTH)
        q, k, v = (n.heads(n.dense(y, WIDTH, WIDTH, False), HEADS, 16) for _ in range(3))
        s = n.op("Mul", n.op("MatMul", rotate(q), n.transpose(rotate(k), 0, 1, 3, 2)), 0.25)
        p = n.op("Softmax", n.op("Add", s, ahead))
        x = n.op(
            "Add",
            x,
            n.dense(n.reshape(n.transpose(n.op("MatMul", p, v), 0, 2, 1, 3), 0, 0, WIDTH), WIDTH, WIDTH, False),
        )
        y = rms_norm(n, x, WIDTH)
        gate = n.dense(y, WIDTH, 160, False)
        y = n.op("Mul", n.op("Mul", gate, n.op("Sigmoid", gate)), n.dense(y, WIDTH, 160, False))
        x = n.op("Add", x, n.dense(y, 160, WIDTH, False))
    n.dense(rms_norm(n, x, WIDTH), WIDTH, 32, False)
    n.output("y", 1, T, 32)
    n.save(folder)
    return lambda r: {"x": series(r, T, WIDTH)}


@graph("written_vit")
def _(folder):
    """Patches, a class token, LayerNorm and Gelu in single operators"""
    n = Net(38)
    n.input("image", 1, 3, 32, 32)
    x = n.transpose(n.reshape(n.conv("image", 3, WIDTH, 8, None, strides=[8, 8], pads=[0] * 4), 1, WIDTH, 16), 0, 2, 1)
    x = n.op(
        "Add",
        n.op("Concat", n.const(n.rng.normal(size=(1, 1, WIDTH))), x, axis=1),
        n.const(0.5 * n.rng.normal(size=(1, 17, WIDTH))),
    )
    for _ in range(3):
        x = n.block(x, WIDTH, HEADS, norm=lambda y: layer_norm(n, y, WIDTH), gelu=lambda y: gelu_tanh(n, y))
    n.gemm(n.op("Gather", layer_norm(n, x, WIDTH), n.const(0, np.int64), axis=1), WIDTH, 20)
    n.output("scores", 1, 20)
    n.save(folder)
    return lambda r: {"image": image(r)}


@graph("written_attention_einsum")
def _(folder):
    """Attention by Einsum, Softmax over the second but last axis"""
    n = Net(39)
    n.input("x", 1, T, WIDTH)
    q, k, v = (
        n.op("Einsum", "x", n.weight(WIDTH, HEADS, 16, fan_in=WIDTH), equation="btd,dhk->bthk") for _ in range(3)
    )
    s = n.op("Einsum", k, n.op("Mul", q, 0.25), equation="bshk,bthk->bhst")
    a = n.op("Einsum", n.op("Softmax", s, axis=2), v, equation="bhst,bshk->bthk")
    n.op("Einsum", a, n.weight(HEADS, 16, 32, fan_in=WIDTH), equation="bthk,hkd->btd")
    n.output("y", 1, T, 32)
    n.save(folder)
    return lambda r: {"x": series(r, T, WIDTH)}


@graph("written_linear_attention")
def _(folder):
    """elu + 1 features, keys times values first, divided by sums"""
    n = Net(40)
    n.input("x", 1, 48, WIDTH)
    feature = lambda a: n.op("Add", n.op("Elu", a), 1.0)
    q, k = (feature(n.heads(n.dense("x", WIDTH, WIDTH), HEADS, 16)) for _ in range(2))
    v = n.heads(n.dense("x", WIDTH, WIDTH), HEADS, 16)
    kv = n.op("MatMul", n.transpose(k, 0, 1, 3, 2), v)
    total = n.op("ReduceSum", k, n.ints(2), keepdims=1)
    norm = n.op("ReduceSum", n.op("Mul", q, total), n.ints(3), keepdims=1)
    a = n.op("Div", n.op("MatMul", q, kv), n.op("Add", norm, 1e-6))
    n.dense(n.reshape(n.transpose(a, 0, 2, 1, 3), 0, 0, WIDTH), WIDTH, 24)
    n.output("y", 1, 48, 24)
    n.save(folder)
    return lambda r: {"x": series(r, 48, WIDTH)}


# Recurrent layers, outputs that are NaN, taggers ---------------------------------------------------------------------


def recurrent(n, kind, x, size, hidden):
    """A bidirectional layer over [T,N,size]; its result is [T,N,2*hidden]."""
    gates = {"LSTM": 4, "GRU": 3}[kind] * hidden
    more = {"linear_before_reset": 1} if kind == "GRU" else {}
    y = n.op(
        kind,
        x,
        n.weight(2, gates, size, fan_in=size),
        n.weight(2, gates, hidden, fan_in=hidden),
        n.bias(2, 2 * gates),
        direction="bidirectional",
        hidden_size=hidden,
        **more,
    )
    length = 16
    return n.reshape(n.transpose(y, 0, 2, 1, 3), length, 1, 2 * hidden)


for kind in ("LSTM", "GRU"):

    @graph(f"recurrent_captcha_{kind.lower()}")
    def _(folder, kind=kind):
        """Convolutions over a line of text, two bidirectional recurrent layers, scores per column"""
        n = Net(41)
        n.input("line", 1, 1, 32, 64)
        x = n.conv("line", 1, 32, strides=[2, 2])
        x = n.conv(x, 32, 64, strides=[2, 2])
        x = n.conv(x, 64, 64, strides=[2, 1])
        x = n.op("ReduceMean", x, axes=[2], keepdims=0)  # [1,64,16]
        x = n.transpose(x, 2, 0, 1)
        x = recurrent(n, kind, x, 64, 96)
        x = recurrent(n, kind, x, 192, 96)
        n.dense(x, 192, 37)
        n.output("scores", 16, 1, 37)
        n.save(folder)
        return lambda r: {"line": image(r, 1, 32, 64)}


@graph("recurrent_last_state")
def _(folder):
    """Only Y_h of a GRU is read; Y is left out"""
    n = Net(42)
    n.input("frames", 1, 20, 32)
    x = n.transpose(n.op("Relu", n.dense("frames", 32, 48)), 1, 0, 2)
    w, u, b = n.weight(1, 192, 48, fan_in=48), n.weight(1, 192, 64, fan_in=64), n.bias(1, 384)
    n.nodes.append(helper.make_node("GRU", [x, w, u, b], ["", "last"], "gru", hidden_size=64))
    n.gemm(n.op("Squeeze", "last", n.ints(0)), 64, 10)
    n.output("y", 1, 10)
    n.save(folder)
    return lambda r: {"frames": series(r, 20, 32)}


@graph("nan_where_missing")
def _(folder):
    """NaN where the input says that there is no value; a second output has none"""
    n = Net(43)
    n.input("x", 1, 20, 32)
    n.input("known", 1, 20, dtype=TensorProto.BOOL)
    x = n.op("Relu", n.dense("x", 32, 64))
    y = n.dense(x, 64, 6)
    n.op("Where", n.op("Unsqueeze", "known", n.ints(2)), y, np.nan)
    n.output("shifts", 1, 20, 6)
    n.also(n.op("Sigmoid", n.dense(x, 64, 1)), "confidence", 1, 20, 1)
    n.save(folder)
    return lambda r: {"x": series(r, 20, 32), "known": r.random((1, 20)) > 0.2}


@graph("nan_zero_by_zero")
def _(folder):
    """A masked mean over no elements: 0/0"""
    n = Net(44)
    n.input("x", 1, 4, 12, 32)
    n.input("mask", 1, 4, 12)
    x = n.op("Relu", n.dense("x", 32, 64))
    m = n.op("Unsqueeze", "mask", n.ints(3))
    mean = n.op(
        "Div", n.op("ReduceSum", n.op("Mul", x, m), n.ints(2), keepdims=0), n.op("ReduceSum", m, n.ints(2), keepdims=0)
    )
    n.dense(mean, 64, 8)
    n.output("y", 1, 4, 8)
    n.save(folder)

    def draw(rng):
        mask = (np.arange(12) < rng.integers(0, 13, (1, 4, 1))).astype(np.float32)
        return {"x": series(rng, 48, 32).reshape(1, 4, 12, 32), "mask": mask}

    return draw


def tagger(folder, last, shape, rank=1, draw=None):
    n = Net(45)
    n.input("x", 1, 40, 64)
    x = n.conv("x", 40, 96, 5, rank=1)
    x = n.conv(x, 96, 96, 5, rank=1)
    last(n, n.conv(x, 96, 96, 5, rank=1))
    n.output("scores", *shape)
    n.save(folder)
    return lambda r: {"x": series(r, 64, 40).transpose(0, 2, 1)}


@graph("tagger_last_conv")
def _(folder):
    return tagger(folder, lambda n, x: n.conv(x, 96, 30, 3, None, rank=1), (1, 30, 64))


@graph("tagger_last_conv_transposed")
def _(folder):
    return tagger(folder, lambda n, x: n.transpose(n.conv(x, 96, 30, 3, None, rank=1), 0, 2, 1), (1, 64, 30))


@graph("tagger_last_convtranspose")
def _(folder):
    last = lambda n, x: n.op("ConvTranspose", x, n.weight(96, 30, 4), n.bias(30), strides=[2], pads=[1, 1])
    return tagger(folder, last, (1, 30, 128))


@graph("tagger_last_matmul")
def _(folder):
    return tagger(folder, lambda n, x: n.dense(n.transpose(x, 0, 2, 1), 96, 30), (1, 64, 30))


@graph("tagger_last_matmul_logsoftmax")
def _(folder):
    return tagger(
        folder, lambda n, x: n.op("LogSoftmax", n.dense(n.transpose(x, 0, 2, 1), 96, 30), axis=-1), (1, 64, 30)
    )


@graph("tagger_last_resize")
def _(folder):
    """Segmentation: a 1x1 Conv and a Resize behind it"""
    n = Net(46)
    n.input("image", 1, 3, 64, 64)
    x = n.conv(n.conv(n.conv("image", 3, 32, strides=[2, 2]), 32, 64, strides=[2, 2]), 64, 64)
    n.op(
        "Resize",
        n.conv(x, 64, 8, 1, None),
        "",
        n.const([1, 1, 4, 4]),
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )
    n.output("classes", 1, 8, 64, 64)
    n.save(folder)
    return lambda r: {"image": image(r, 3, 64, 64)}


# Front ends ---------------------------------------------------------------------------------------------------------


def stft_kernels(size=256):
    window = np.hanning(size)
    angles = 2 * np.pi * np.arange(size // 2 + 1)[:, None] * np.arange(size)[None] / size
    return (np.cos(angles) * window)[:, None], (np.sin(angles) * window)[:, None]


def audio(rng, samples=4096):
    return {"audio": chirp(rng, samples)}


def spectrum(n, hop=128):
    """|STFT|^2 by convolutions with constant sines: [1,129,31] of 4096 samples."""
    x = n.op("Unsqueeze", "audio", n.ints(1))
    parts = [n.op("Conv", x, n.const(k), strides=[hop], pads=[0, 0]) for k in stft_kernels()]
    return n.op("Add", *(n.op("Pow", p, 2.0) for p in parts))


def mel(n, power, bands=40):
    centres = np.linspace(0, 128, bands + 2)
    ramps = 1 - np.abs(np.arange(129)[None] - centres[1:-1, None]) / (128 / (bands + 1))
    return n.op("MatMul", n.const(np.maximum(ramps, 0)), power)


def classify(n, x, bands=40):
    """A small network over [1,bands,frames]."""
    x = n.conv(n.conv(x, bands, 64, rank=1), 64, 64, rank=1)
    n.gemm(n.op("ReduceMean", x, axes=[2], keepdims=0), 64, 12)
    n.output("scores", 1, 12)


def front_end(folder, make):
    n = Net(47)
    n.input("audio", 1, 4096)
    make(n)
    n.save(folder)
    return audio


@graph("front_power_spectrum")
def _(folder):
    return front_end(folder, lambda n: classify(n, n.op("Mul", n.op("Log", n.op("Add", spectrum(n), 1e-6)), 0.2), 129))


@graph("front_log_mel")
def _(folder):
    return front_end(
        folder, lambda n: classify(n, n.op("Mul", n.op("Log", n.op("Max", mel(n, spectrum(n)), 1e-8)), 0.2))
    )


@graph("front_decibels")
def _(folder):
    """10 log10, relative to the loudest, as torchaudio writes it"""

    def make(n):
        db = n.op("Mul", n.op("Log", n.op("Clip", mel(n, spectrum(n)), 1e-10)), 10 / np.log(10))
        db = n.op("Max", db, n.op("Sub", n.op("ReduceMax", db), 80.0))
        classify(n, n.op("Div", n.op("Add", db, 40.0), 20.0))

    return front_end(folder, make)


@graph("front_pcen")
def _(folder):
    """(E / (eps + M)^0.98 + 2)^0.5 - 2^0.5"""

    def make(n):
        e = mel(n, spectrum(n))
        m = n.op("Pow", n.op("Add", n.op("ReduceMean", e, axes=[2]), 1e-6), 0.98)
        classify(n, n.op("Sub", n.op("Pow", n.op("Add", n.op("Div", e, m), 2.0), 0.5), np.sqrt(2)))

    return front_end(folder, make)


@graph("front_constant_q")
def _(folder):
    """Long kernels of geometrical frequencies, magnitude, log, normalized"""

    def make(n):
        t = np.arange(512)
        f = 0.01 * 2 ** (np.arange(48) / 12)
        window = np.exp(-(((t[None] - 256) * f[:, None] / 4) ** 2)) * f[:, None]
        x = n.op("Unsqueeze", "audio", n.ints(1))
        parts = [
            n.op("Conv", x, n.const((w(2 * np.pi * f[:, None] * t) * window)[:, None]), strides=[128])
            for w in (np.cos, np.sin)
        ]
        size = n.op("Sqrt", n.op("Add", n.op("Mul", parts[0], parts[0]), n.op("Mul", parts[1], parts[1])))
        log = n.op("Log", n.op("Add", n.op("Pow", size, 2.0), 1e-10))
        low, high = n.op("ReduceMin", log), n.op("ReduceMax", log)
        classify(n, n.op("Div", n.op("Sub", log, low), n.op("Sub", high, low)), 48)

    return front_end(folder, make)


@graph("front_stft_operator")
def _(folder):
    """STFT of opset 17, log of its power"""

    def make(n):
        x = n.op("Unsqueeze", "audio", n.ints(2))
        s = n.op("STFT", x, n.const(128, np.int64), n.const(np.hanning(256)), n.const(256, np.int64))  # [1,31,129,2]
        power = n.transpose(n.op("ReduceSumSquare", s, axes=[3], keepdims=0), 0, 2, 1)
        classify(n, n.op("Mul", n.op("Log", n.op("Add", mel(n, power), 1e-6)), 0.2))

    return front_end(folder, make)


@graph("front_inverse_depth")
def _(folder):
    """Inverse depth and an exponential between convolutions"""

    def middle(n, x):
        depth = n.op("Add", n.op("Exp", n.op("Clip", n.conv(x, 32, 32, 3, None), -4.0, 4.0)), 0.1)
        return n.op("Concat", n.op("Reciprocal", depth), n.op("Sqrt", depth), axis=1)

    n = Net(48)
    n.input("image", 1, 3, 32, 32)
    x = middle(n, n.conv("image", 3, 32))
    n.conv(n.conv(x, 64, 32), 32, 1, 3, "Softplus")
    n.output("depth", 1, 1, 32, 32)
    n.save(folder)
    return lambda r: {"image": image(r)}


@graph("front_instance_scaled")
def _(folder):
    """Each window is divided by its own deviation and raised in the graph: (x - mean) / std"""
    n = Net(49)
    n.input("eeg", 1, 22, 256)
    mean = n.op("ReduceMean", "eeg", axes=[2])
    c = n.op("Sub", "eeg", mean)
    std = n.op("Sqrt", n.op("ReduceMean", n.op("Mul", c, c), axes=[2]))
    x = n.op("Unsqueeze", n.op("Div", c, n.op("Add", std, 1e-6)), n.ints(1))
    x = n.op("Conv", x, n.weight(16, 1, 1, 25), strides=[1, 1], pads=[0, 12, 0, 12])
    x = n.op("Elu", batch_norm(n, n.op("Conv", x, n.weight(32, 16, 22, 1)), 32))
    x = n.op("AveragePool", n.op("Mul", x, x), kernel_shape=[1, 32], strides=[1, 8])
    x = n.op("Log", n.op("Clip", x, 1e-6, 1e6))
    n.gemm(n.op("Flatten", x), 32 * 29, 4)
    n.output("scores", 1, 4)
    n.save(folder)
    return lambda r: {"eeg": 20 * series(r, 256, 22).transpose(0, 2, 1)}
