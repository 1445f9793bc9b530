#!/usr/bin/env python3
"""Make the demo of Intaglio: a small image data set and a classifier for it.

Run it from anywhere; everything is written next to this file:

    /usr/bin/python3 make_demo.py            # the whole demo
    /usr/bin/python3 make_demo.py --sheet sheet.png   # only a sheet of samples, to look at

It needs Python 3.9 or newer with PyTorch, ONNX, NumPy and Pillow.  On Debian 12:

    apt-get install python3-torch python3-onnx python3-numpy python3-pil

and takes about six minutes on two otherwise idle CPU cores (it uses no more than two).

Nothing is downloaded: every image is drawn by this script and the network is
trained on such images, so images and model are under the project's licence
(Apache-2.0).

All random numbers are seeded.  The drawings do not depend on the number of
cores; the trained weights repeat exactly with the same library versions on the
same kind of CPU, and may differ in their last digits, hence slightly in
accuracy, elsewhere.
"""

import argparse
import colorsys
import csv
import io
import json
import math
import multiprocessing
import shutil
import time
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw
from torch import nn

HERE = Path(__file__).resolve().parent

CLASSES = ["disc", "ring", "triangle", "square", "hexagon",
           "star", "cross", "crescent", "heart", "arrow"]

SIZE = 48        # side of an image, in pixels
SUPER = 3        # drawn this many times larger, then scaled down: smooth edges
JPEG_QUALITY = 85

# An image is a function of (split, index) alone, so no training image can turn
# up in the calibration or evaluation set.
TRAIN, CALIB, EVAL = 1, 2, 3
COUNT = {TRAIN: 20000, CALIB: 100, EVAL: 1000}

THREADS = 2
EPOCHS = 20
BATCH = 100
SEED = 20


# ---------------------------------------------------------------- the drawings

def regular(n, radius=1.0, phase=0.0):
    """Corners of a regular polygon with n sides."""
    a = phase + 2 * math.pi * np.arange(n) / n
    return radius * np.stack([np.cos(a), np.sin(a)], 1)


def outline(name):
    """The shape inside the unit circle: polygons to add, then polygons to cut."""
    if name == "disc":
        return [regular(60)], []
    if name == "ring":
        return [regular(60)], [regular(60, 0.55)]
    if name == "triangle":
        return [regular(3)], []
    if name == "square":
        return [regular(4)], []
    if name == "hexagon":
        return [regular(6)], []
    if name == "star":
        points = regular(10)
        points[1::2] *= 0.42
        return [points], []
    if name == "cross":
        w = 0.3
        return [np.array([[-1, -w], [1, -w], [1, w], [-1, w]]),
                np.array([[-w, -1], [w, -1], [w, 1], [-w, 1]])], []
    if name == "crescent":
        return [regular(60)], [regular(60, 0.8) + [0.5, 0]]
    if name == "heart":
        t = 2 * math.pi * np.arange(60) / 60
        x = 16 * np.sin(t) ** 3
        y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
        return [np.stack([x, y - 2], 1) / 17], []
    if name == "arrow":
        return [np.array([[1, 0], [0.1, 0.75], [0.1, 0.28], [-1, 0.28],
                          [-1, -0.28], [0.1, -0.28], [0.1, -0.75]])], []
    raise ValueError(name)


def shape_mask(rng, name):
    """The shape turned, squeezed and placed at random; 1 inside, 0 outside."""
    side = SIZE * SUPER
    angle = rng.uniform(0, 2 * math.pi)
    turn = np.array([[math.cos(angle), -math.sin(angle)],
                     [math.sin(angle), math.cos(angle)]])
    tilt = rng.uniform(0, math.pi)
    axis = np.array([math.cos(tilt), math.sin(tilt)])
    squeeze = np.eye(2) - rng.uniform(0, 0.25) * np.outer(axis, axis)
    radius = rng.uniform(0.18, 0.40) * side
    centre = side / 2 + rng.uniform(-1, 1, 2) * (0.5 * side - 0.9 * radius)

    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)
    added, cut = outline(name)
    for polygons, value in ((added, 255), (cut, 0)):
        for polygon in polygons:
            corners = polygon @ (squeeze @ turn).T * radius + centre
            draw.polygon([tuple(c) for c in corners], fill=value)
    return np.asarray(image, np.float32)[..., None] / 255


def cloud(rng, cells):
    """Smooth noise between 0 and 1 with about `cells` blobs across."""
    noise = Image.fromarray(rng.random((cells, cells), np.float32))
    side = SIZE * SUPER
    return np.asarray(noise.resize((side, side), Image.BICUBIC)).clip(0, 1)


def pattern(rng):
    """A texture between 0 and 1 to mix two colours with."""
    side = SIZE * SUPER
    kind = rng.choice(["plain", "cloud", "slope", "stripes", "checks", "dots"])
    angle = rng.uniform(0, math.pi)
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    u = x * math.cos(angle) + y * math.sin(angle)
    v = y * math.cos(angle) - x * math.sin(angle)
    f = 2 * math.pi * rng.uniform(4, 9)
    if kind == "plain":
        mix = np.zeros_like(u)
    elif kind == "cloud":
        mix = cloud(rng, int(rng.integers(4, 10)))
    elif kind == "slope":
        mix = (u - u.min()) / (u.max() - u.min())
    elif kind == "stripes":
        mix = np.sin(f * u) > 0
    elif kind == "checks":
        mix = np.sin(f * u) * np.sin(f * v) > 0
    else:
        mix = np.sin(f * u) + np.sin(f * v) > 0.8
    return mix[..., None].astype(np.float32)


def colour(rng):
    h, s, v = rng.random(), rng.uniform(0.15, 1), rng.uniform(0.2, 1)
    return 255 * np.array(colorsys.hsv_to_rgb(h, s, v), np.float32)


def colour_pairs(rng):
    """Two colours each for ground and shape; the two pairs stay apart."""
    ground, shape = colour(rng), colour(rng)
    while np.abs(ground - shape).mean() < 40:
        shape = colour(rng)
    # The second colour of a pair is near the first, so that a texture is not
    # mistaken for an edge of the shape.
    near = [c + rng.uniform(-1, 1, 3) * 45 for c in (ground, shape)]
    return (ground, near[0]), (shape, near[1])


def clutter(rng, picture, count, width):
    """Strokes and specks of random colour over the picture."""
    side = SIZE * SUPER
    image = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(count):
        fill = tuple(int(c) for c in colour(rng))
        x, y = rng.uniform(0, side, 2)
        if rng.random() < 0.6:
            a, length = rng.uniform(0, 2 * math.pi), rng.uniform(0.2, 0.7) * side
            draw.line([x, y, x + length * math.cos(a), y + length * math.sin(a)],
                      fill=fill, width=int(rng.uniform(0.5, 1) * width))
        else:
            r = rng.uniform(0.5, 1.2) * width
            draw.ellipse([x - r, y - r, x + r, y + r], fill=fill)
    return np.asarray(image, np.float32)


def draw_image(split, index):
    """The JPEG bytes of one image; its class is index modulo the number of classes."""
    rng = np.random.default_rng([split, index])
    (ground, ground2), (shape, shape2) = colour_pairs(rng)
    mix = pattern(rng)
    picture = ground * (1 - mix) + ground2 * mix
    picture = clutter(rng, picture, int(rng.integers(3, 9)), 3 * SUPER)

    mask = shape_mask(rng, CLASSES[index % len(CLASSES)])
    mix = pattern(rng)
    body = shape * (1 - mix) + shape2 * mix
    body *= 0.75 + 0.5 * cloud(rng, 3)[..., None]      # uneven light
    picture = picture * (1 - mask) + body * mask
    picture = clutter(rng, picture, int(rng.integers(0, 5)), 2.5 * SUPER)

    picture = picture.clip(0, 255).reshape(SIZE, SUPER, SIZE, SUPER, 3).mean((1, 3))
    picture += rng.normal(0, rng.uniform(2, 25), picture.shape)
    image = Image.fromarray(picture.round().clip(0, 255).astype(np.uint8))
    data = io.BytesIO()
    # Full colour resolution: decoders disagree about how to smooth halved chroma.
    image.save(data, "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=True)
    return data.getvalue()


def decode(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def draw_pixels(job):
    return decode(draw_image(*job))


def training_set():
    jobs = [(TRAIN, i) for i in range(COUNT[TRAIN])]
    with multiprocessing.Pool(THREADS) as pool:
        pixels = np.stack(pool.map(draw_pixels, jobs, chunksize=250))
    return pixels, np.arange(COUNT[TRAIN]) % len(CLASSES)


def write_split(split, folder):
    """Store the images of a split and their labels; give back what was stored."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    pixels, labels = [], []
    with open(folder / "labels.csv", "w", newline="") as f:
        rows = csv.writer(f, lineterminator="\n")
        rows.writerow(["file", "index"])
        for i in range(COUNT[split]):
            data = draw_image(split, i)
            file = f"{i:04d}.jpg"
            (folder / file).write_bytes(data)
            rows.writerow([file, i % len(CLASSES)])
            pixels.append(decode(data))
            labels.append(i % len(CLASSES))
    return np.stack(pixels), np.array(labels)


def contact_sheet(path, columns=20, rows=10):
    """A sheet of training images, one class per row."""
    sheet = Image.new("RGB", (columns * SIZE * 2, rows * SIZE * 2))
    for r in range(rows):
        for c in range(columns):
            pixels = draw_pixels((TRAIN, c * len(CLASSES) + r))
            tile = Image.fromarray(pixels).resize((SIZE * 2, SIZE * 2))
            sheet.paste(tile, (c * SIZE * 2, r * SIZE * 2))
    sheet.save(path)


# ----------------------------------------------------------------- the network

class ConvBn(nn.Module):
    """Convolution, batch norm and, unless linear, ReLU6.

    With `uneven`, every 16th channel leaves the batch norm 18 to 26 times smaller
    than it would.  This gain is fixed during training; write_onnx() merges it into
    the batch norm.  README.md, "Uneven channels", gives the reason.
    """

    def __init__(self, c_in, c_out, kernel, stride=1, groups=1, linear=False,
                 uneven=False):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2,
                              groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(c_out)
        self.linear = linear
        gain = torch.ones(c_out)
        if uneven:
            gain[::16] = 1 / torch.linspace(18, 26, len(gain[::16]))
        self.register_buffer("gain", gain)

    def forward(self, x):
        x = self.bn(self.conv(x)) * self.gain[:, None, None]
        return x if self.linear else x.clamp(0, 6)


class Block(nn.Module):
    """Inverted residual: widen 1x1, depthwise 3x3, narrow 1x1 without ReLU6."""

    def __init__(self, c_in, c_out, stride, widen):
        super().__init__()
        c = c_in * widen
        self.expand = ConvBn(c_in, c, 1, uneven=True) if widen > 1 else None
        self.dw = ConvBn(c, c, 3, stride, groups=c)
        self.project = ConvBn(c, c_out, 1, linear=True)
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x):
        y = self.expand(x) if self.expand else x
        y = self.project(self.dw(y))
        return x + y if self.residual else y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = ConvBn(3, 16, 3, stride=2, uneven=True)
        self.blocks = nn.ModuleList([
            Block(16, 16, stride=1, widen=1),
            Block(16, 24, stride=2, widen=4),
            Block(24, 24, stride=1, widen=4),
            Block(24, 40, stride=2, widen=4),
            Block(40, 40, stride=1, widen=4),
        ])
        self.head = ConvBn(40, 128, 1)
        self.classifier = nn.Linear(128, len(CLASSES))

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.classifier(self.head(x).mean((2, 3)))


def to_input(pixels):
    """The recipe of preprocess.json: NHWC bytes to NCHW floats within -1..1."""
    x = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
    return (x.float() - 127.5) / 127.5


def logits_of(net, pixels):
    net.eval()
    with torch.no_grad():
        return torch.cat([net(to_input(p)) for p in np.array_split(pixels, 10)])


def accuracy(net, pixels, labels):
    return (logits_of(net, pixels).argmax(1).numpy() == labels).mean()


def train(net, pixels, labels):
    net.to(memory_format=torch.channels_last)      # several times faster depthwise
    steps = EPOCHS * (len(pixels) // BATCH)
    optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 4e-3, total_steps=steps, pct_start=0.15)
    loss_of = nn.CrossEntropyLoss()
    rng = np.random.default_rng(SEED)
    for epoch in range(EPOCHS):
        net.train()
        total, start = 0.0, time.time()
        for pick in rng.permutation(len(pixels)).reshape(-1, BATCH):
            # No class changes by a mirroring or a quarter turn.
            x = np.rot90(pixels[pick], rng.integers(4), (1, 2))
            if rng.random() < 0.5:
                x = x[:, :, ::-1]
            x = to_input(x).contiguous(memory_format=torch.channels_last)
            loss = loss_of(net(x), torch.from_numpy(labels[pick]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1:2d}/{EPOCHS}  loss {total * BATCH / len(pixels):.3f}"
              f"  {time.time() - start:.0f} s", flush=True)


# -------------------------------------------------------------------- the ONNX

class Graph:
    """Writes the ONNX graph by hand: PyTorch's exporter would fold the batch
    norms into the convolutions, and folding them is Intaglio's work."""

    def __init__(self):
        self.nodes, self.weights = [], []
        self.constant("relu6.min", np.float32(0))
        self.constant("relu6.max", np.float32(6))

    def constant(self, name, value):
        self.weights.append(numpy_helper.from_array(np.array(value), name))
        return name

    def node(self, op, name, inputs, output=None, **attributes):
        output = output or name + "/out"
        self.nodes.append(helper.make_node(op, inputs, [output], name, **attributes))
        return output

    def conv_bn(self, name, module, x):
        key = name.strip("/").replace("/", ".")
        conv, bn = module.conv, module.bn
        weight = self.constant(key + ".conv.weight", conv.weight.detach().numpy())
        pad = conv.padding[0]
        x = self.node("Conv", name + "/conv", [x, weight],
                      kernel_shape=conv.kernel_size, strides=conv.stride,
                      pads=[pad] * 4, dilations=[1, 1], group=conv.groups)
        values = {"weight": bn.weight * module.gain, "bias": bn.bias * module.gain,
                  "running_mean": bn.running_mean, "running_var": bn.running_var}
        parts = [self.constant(f"{key}.bn.{part}", value.detach().numpy())
                 for part, value in values.items()]
        x = self.node("BatchNormalization", name + "/bn", [x] + parts, epsilon=bn.eps)
        if not module.linear:
            x = self.node("Clip", name + "/relu6", [x, "relu6.min", "relu6.max"])
        return x


def write_onnx(net, path):
    g = Graph()
    x = g.conv_bn("/stem", net.stem, "image")
    for i, block in enumerate(net.blocks, 1):
        name = f"/block{i}"
        y = g.conv_bn(name + "/expand", block.expand, x) if block.expand else x
        y = g.conv_bn(name + "/dw", block.dw, y)
        y = g.conv_bn(name + "/project", block.project, y)
        x = g.node("Add", name + "/add", [x, y]) if block.residual else y
    x = g.conv_bn("/head", net.head, x)
    x = g.node("GlobalAveragePool", "/pool", [x])
    x = g.node("Flatten", "/flatten", [x], axis=1)
    weight = g.constant("classifier.weight", net.classifier.weight.detach().numpy())
    bias = g.constant("classifier.bias", net.classifier.bias.detach().numpy())
    g.node("Gemm", "/classifier", [x, weight, bias], "logits", transB=1)

    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        g.nodes, "intaglio-demo",
        [tensor("image", TensorProto.FLOAT, ["N", 3, SIZE, SIZE])],
        [tensor("logits", TensorProto.FLOAT, ["N", len(CLASSES)])],
        g.weights)
    model = helper.make_model(graph, producer_name="make_demo.py",
                              opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 7
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


# ------------------------------------------------------------------------ main

def write_small_files():
    with open(HERE / "classes.tsv", "w") as f:
        f.write("index\tid\tname\n")
        for i, name in enumerate(CLASSES):
            f.write(f"{i}\tshape{i:02d}\t{name}\n")
    recipe = {"channels": "RGB", "resize": SIZE, "crop": SIZE,
              "mean": [127.5] * 3, "std": [127.5] * 3, "scale": 1.0}
    lines = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in recipe.items()]
    (HERE / "preprocess.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sheet", metavar="PNG", help="only write a sheet of samples")
    args = parser.parse_args()
    if args.sheet:
        return contact_sheet(args.sheet)

    start = time.time()
    torch.set_num_threads(THREADS)
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)

    write_small_files()
    write_split(CALIB, HERE / "calib")
    eval_pixels, eval_labels = write_split(EVAL, HERE / "eval")
    pixels, labels = training_set()
    print(f"images drawn, {time.time() - start:.0f} s", flush=True)

    net = Net()
    train(net, pixels, labels)
    print(f"top-1: {accuracy(net, pixels[:4000], labels[:4000]):.1%} in training, "
          f"{accuracy(net, eval_pixels, eval_labels):.1%} on eval")
    write_onnx(net, HERE / "demo.onnx")
    print(f"done, {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
