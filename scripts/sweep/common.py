"""What all builders of graphs share: a small writer of ONNX graphs, inputs with structure, and the list of builders.

A builder makes one float model and its samples. They are written as a folder NAME/ of `model.onnx`, `data/*.npz`
(to calibrate with), `eval/*.npz` (to measure on) and `about.json`; `measure.py` reads such folders.
"""

import json
import pathlib
import shutil

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CALIBRATION, EVALUATION = 16, 8  # samples
FEW, MORE = 4096, 64  # samples of fewer elements than that say little: so many to calibrate with
BUILDERS = {}  # name -> (exporter, function(folder) -> function(rng) -> dict of arrays)


def graph(name, exporter="helper"):
    """Registers a builder: a function that writes `folder/model.onnx` and returns what draws one sample."""

    def register(function):
        assert name not in BUILDERS, name
        BUILDERS[name] = (exporter, function)
        return function

    return register


def build(name, root):
    """Builds graph `name` below folder `root`, unless it is there already; returns its folder."""
    exporter, function = BUILDERS[name]
    folder = pathlib.Path(root) / name
    if (folder / "about.json").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    draw = function(folder)
    elements = sum(a.size for a in draw(np.random.default_rng(0)).values())
    calibration = MORE if elements < FEW else CALIBRATION
    for part, count, seed in (("data", calibration, 1), ("eval", EVALUATION, 2)):
        (folder / part).mkdir()
        for i in range(count):
            sample = draw(np.random.default_rng([seed, i]))
            np.savez(folder / part / f"s{i:02d}.npz", **sample)
    (folder / "about.json").write_text(json.dumps({"exporter": exporter, "about": function.__doc__ or ""}))
    return folder


# Weights and inputs -------------------------------------------------------------------------------------------------


def weights(rng, *shape, fan_in=None):
    """Weights as training leaves them: heavy tails, and outputs (axis 0) of different strength."""
    fan_in = fan_in or max(1, int(np.prod(shape[1:])))
    gain = np.exp(0.4 * rng.normal(size=(shape[0],) + (1,) * (len(shape) - 1)))
    return (rng.standard_t(6, size=shape) * gain / np.sqrt(1.5 * fan_in)).astype(np.float32)


def image(rng, channels=3, height=32, width=32):
    """Blobs and gradients with a little noise, in -2.1..2.6 as normalized photographs are."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    out = np.zeros((channels, height, width))
    for _ in range(6):
        cy, cx, size = rng.random(), rng.random(), 0.05 + 0.2 * rng.random()
        out += rng.normal(size=(channels, 1, 1)) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / size**2)
    out += rng.normal(size=(channels, 1, 1)) * x + rng.normal(size=(channels, 1, 1)) * y
    return np.clip(out + 0.05 * rng.normal(size=out.shape), -2.1, 2.6)[None].astype(np.float32)


def series(rng, length, channels):
    """Slow random walks that return to 0, each channel of its own size: [1, length, channels]."""
    out = np.zeros((length, channels))
    state = rng.normal(size=channels)
    for t in range(length):
        state = 0.9 * state + 0.44 * rng.normal(size=channels)
        out[t] = state
    return (out * np.exp(0.5 * np.sin(np.arange(channels))))[None].astype(np.float32)


def chirp(rng, samples, rate=16000):
    """Sound like speech: a gliding voice with harmonics, syllables and pauses: [1, samples] in -1..1."""
    t = np.arange(samples) / rate
    pitch = 110 + 120 * rng.random() + 30 * np.sin(2 * np.pi * (1 + 3 * rng.random()) * t + 6 * rng.random())
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = sum(np.sin(k * phase) / k**1.2 for k in range(1, 12))
    syllables = np.clip(np.sin(2 * np.pi * (2 + 3 * rng.random()) * t + 6 * rng.random()), 0, 1)
    loudness = 10 ** (-1.5 * rng.random())
    return ((voice * syllables * 0.2 + 0.003 * rng.normal(size=samples)) * loudness)[None].astype(np.float32)


def tokens(rng, length, vocabulary):
    """Token ids with the frequencies of words: few are frequent."""
    return np.minimum(rng.zipf(1.3, size=(1, length)), vocabulary - 1).astype(np.int64)


def padding(rng, length, least=4):
    """1 for the places of a sentence, 0 for the padding behind it: int64 [1, length]."""
    return (np.arange(length)[None] < rng.integers(least, length + 1)).astype(np.int64)


# Graphs -------------------------------------------------------------------------------------------------------------


class Net:
    """Writes an ONNX graph node by node; values go by their names."""

    def __init__(self, seed=0, opset=17, domain=""):
        self.rng = np.random.default_rng(seed)
        self.opsets = [helper.make_opsetid(domain, opset)]
        self.domain, self.ir = domain, 8 if opset < 21 else 10
        self.nodes, self.constants, self.inputs, self.outputs = [], [], [], []

    def input(self, name, *shape, dtype=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def const(self, value, dtype=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def ints(self, *values):
        return self.const(values, np.int64)

    def op(self, kind, *inputs, outputs=1, domain=None, **attributes):
        """Adds a node; numbers among the inputs become scalars of float. Returns its output, or the list of several."""
        index = len(self.nodes)
        inputs = [i if isinstance(i, str) else self.const(i) for i in inputs]
        names = [f"v{index}_{kind}" + (f"_{i}" if i else "") for i in range(outputs)]
        domain = self.domain if domain is None else domain
        self.nodes.append(helper.make_node(kind, inputs, names, f"n{index}_{kind}", domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def weight(self, *shape, fan_in=None):
        return self.const(weights(self.rng, *shape, fan_in=fan_in))

    def bias(self, *shape):
        return self.const(0.2 * self.rng.normal(size=shape))

    def conv(self, x, cin, cout, kernel=3, activation="Relu", group=1, rank=2, bias=True, **attributes):
        w = self.weight(cout, cin // group, *[kernel] * rank)
        attributes.setdefault("pads", [kernel // 2] * 2 * rank)
        y = self.op("Conv", x, w, *([self.bias(cout)] if bias else []), group=group, **attributes)
        return self.op(activation, y) if activation else y

    def dense(self, x, cin, cout, bias=True):
        w = weights(self.rng, cout, cin).T
        y = self.op("MatMul", x, self.const(w))
        return self.op("Add", y, self.bias(cout)) if bias else y

    def gemm(self, x, cin, cout):
        return self.op("Gemm", x, self.weight(cout, cin), self.bias(cout), transB=1)

    def gamma(self, size, spread=0.3):
        return self.const(np.exp(spread * self.rng.normal(size=size)))

    def norm(self, x, size):
        return self.op("LayerNormalization", x, self.gamma(size), self.bias(size), axis=-1)

    def reshape(self, x, *shape):
        return self.op("Reshape", x, self.ints(*shape))

    def transpose(self, x, *perm):
        return self.op("Transpose", x, perm=perm)

    def heads(self, x, heads, size, keys=False):
        """[N,T,heads*size] to [N,heads,T,size], or to [N,heads,size,T] as keys."""
        return self.transpose(self.reshape(x, 0, 0, heads, size), 0, 2, *((3, 1) if keys else (1, 3)))

    def attention(
        self, x, width, heads, mask=lambda scores: scores, softmax=lambda net, s: net.op("Softmax", s, axis=-1)
    ):
        """Self attention; `mask` makes what the Softmax reads of the scores."""
        size = width // heads
        q = self.heads(self.dense(x, width, width), heads, size)
        k = self.heads(self.dense(x, width, width), heads, size, keys=True)
        v = self.heads(self.dense(x, width, width), heads, size)
        scores = mask(self.op("Mul", self.op("MatMul", q, k), 1.5 / np.sqrt(size)))
        joined = self.transpose(self.op("MatMul", softmax(self, scores), v), 0, 2, 1, 3)
        return self.dense(self.reshape(joined, 0, 0, width), width, width)

    def block(self, x, width, heads, mask=lambda scores: scores, gelu=None, norm=None):
        """A layer of a transformer, normalization first."""
        norm = norm or (lambda y: self.norm(y, width))
        gelu = gelu or (lambda y: self.gelu(y))
        x = self.op("Add", x, self.attention(norm(x), width, heads, mask))
        return self.op("Add", x, self.dense(gelu(self.dense(norm(x), width, 4 * width)), 4 * width, width))

    def gelu(self, x):
        erf = self.op("Erf", self.op("Div", x, np.sqrt(2)))
        return self.op("Mul", self.op("Mul", x, self.op("Add", erf, 1.0)), 0.5)

    def embed(self, ids, vocabulary, width):
        return self.op("Gather", self.const(self.rng.normal(size=(vocabulary, width))), ids)

    def output(self, name, *shape, dtype=TensorProto.FLOAT):
        """Names the result of the last node and makes it an output of the graph. `shape` None: no shape at all."""
        node = self.nodes[-1]
        node.output[0] = name
        self._declare(name, shape, dtype)

    def also(self, value, name, *shape, dtype=TensorProto.FLOAT):
        """Makes `value` an output of the graph under `name`."""
        self.nodes.append(helper.make_node("Identity", [value], [name], f"out_{name}", domain=self.domain))
        self._declare(name, shape, dtype)

    def _declare(self, name, shape, dtype):
        shape = None if shape == (None,) else shape
        self.outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def model(self):
        g = helper.make_graph(self.nodes, "graph", self.inputs, self.outputs, self.constants)
        return helper.make_model(g, opset_imports=self.opsets, ir_version=self.ir, producer_name="sweep")

    def save(self, folder):
        onnx.save(self.model(), pathlib.Path(folder) / "model.onnx")
