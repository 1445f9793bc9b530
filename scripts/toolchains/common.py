"""What the scripts of this folder share: models and images of ../shared, our program, and the comparison of what a toolchain did
with what `check` says."""

import argparse
import dataclasses
import fnmatch
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime as ort
from PIL import Image


@dataclasses.dataclass(frozen=True)
class Model:
    preset: str
    width: int
    height: int
    short_side: int  # images are made so large before they are cropped; 0: squeezed to the size; -1: letterbox
    images: str  # folder of assets; those to calibrate on are in "calib", or the same
    top1: bool = True


MODELS = {
    "mobilenet_v2_1.0_224_dither": Model("tf", 224, 224, 256, "eval"),
    "resnet8_cifar10_float": Model("raw", 32, 32, 32, "cifar10"),
    "tiny_darknet": Model("unit", 224, 224, 256, "eval"),
    "squeezenet1.1_fp32_from_fp16": Model("caffe", 224, 224, 256, "eval"),
    "yolox_nano": Model("detector", 416, 416, -1, "eval", top1=False),
    "ultraface_version-RFB-320": Model("ultraface", 320, 240, 0, "eval", top1=False),
}


def picture(path, model):
    """The image as a feed [1,3,height,width] of float, with PIL's bilinear filter."""
    image = Image.open(path).convert("RGB")
    if model.short_side == -1:
        scale = min(model.width / image.width, model.height / image.height)
        size = round(image.width * scale), round(image.height * scale)
        canvas = Image.new("RGB", (model.width, model.height), (114, 114, 114))
        canvas.paste(image.resize(size, Image.BILINEAR), (0, 0))
        image = canvas
    elif model.short_side == 0:
        image = image.resize((model.width, model.height), Image.BILINEAR)
    else:
        scale = model.short_side / min(image.size)
        if scale != 1:
            image = image.resize((round(image.width * scale), round(image.height * scale)), Image.BILINEAR)
        left, top = (image.width - model.width) // 2, (image.height - model.height) // 2
        image = image.crop((left, top, left + model.width, top + model.height))
    x = np.asarray(image, np.float32)
    if model.preset == "tf":
        x = x / 127.5 - 1
    elif model.preset == "ultraface":
        x = (x - 127) / 128
    elif model.preset == "unit":
        x = x / 255
    elif model.preset in ("caffe", "detector"):
        x = x[..., ::-1]
        if model.preset == "caffe":
            x = x - np.array([104, 117, 123], np.float32)
    return np.ascontiguousarray(x.transpose(2, 0, 1)[None])


def arguments_of(description, **more):
    """The options of every script; more: those of one, name to its default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--intaglio", default="build/release/intaglio", help="our program")
    parser.add_argument("--shared", type=pathlib.Path, default=pathlib.Path("../shared"), help="where assets/ is")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--only", default="*", help="models of that name")
    for name, default in more.items():
        kind = {"action": "store_true"} if default is False else {"default": default}
        parser.add_argument("--" + name.replace("_", "-"), **kind)
    return parser.parse_args()


def models_of(arguments):
    return [name for name in MODELS if fnmatch.fnmatch(name, arguments.only)]


def run_ours(arguments, *words, accept=(0,)):
    command = [str(word) for word in (arguments.intaglio, *words)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode not in accept:
        raise SystemExit(f"{' '.join(command)}\n{run.stderr}")
    return run.stdout if run.returncode in (0, 8) else None


def quantize(arguments, name, output, *options, accept=(0,)):
    """What it said; None where it ended with another code of `accept` than 0."""
    model = MODELS[name]
    images = "cifar10" if model.images == "cifar10" else "calib"
    how = ["--preprocess", model.preset]
    if model.preset == "ultraface":
        how = ["--preprocess", "raw", "--mean", "127", "--std", "128", "--resize", "320x240"]
    if name == "resnet8_cifar10_float":
        how += ["--resize", "none"]
    said = run_ours(arguments, "quantize", arguments.shared / "assets" / "models" / f"{name}.onnx", "--data",
                    arguments.shared / "assets" / images, "--limit", 100, *how, "--eval-limit", 0, "-o", output, *options, accept=accept)
    if said is not None and str(output).endswith(".onnx"):
        name_nodes(output)
    return said


def name_nodes(path):
    """Nodes without a name get that of their first output, by which `check` calls them."""
    model = onnx.load(path)
    for node in model.graph.node:
        node.name = node.name or next(o for o in node.output if o)
    onnx.save(model, path)


def feeds_of(arguments, name):
    model = MODELS[name]
    folder = arguments.shared / "assets" / model.images
    return [picture(path, model) for path in sorted(folder.glob("*.jp*g"))[: arguments.images]]


def verdicts(arguments, path, target):
    """By name of a node: "integer", "float" or "misfit"; and whether the model as a whole fits."""
    found = json.loads(run_ours(arguments, "check", path, "--target", target, "--all", "--json", accept=(0, 8)))
    return {node["name"]: node["verdict"] for node in found["nodes"]}, found["fits"]


def least_times(runs, rounds=60):
    """Seconds of each of the calls, in alternation, so that all see the same load."""
    least = [np.inf] * len(runs)
    for _ in range(rounds):
        for i, run in enumerate(runs):
            begin = time.perf_counter()
            run()
            least[i] = min(least[i], time.perf_counter() - begin)
    return least


def session_of(model, level=None):
    """model: a path, or the bytes of a model."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if level is not None:
        options.graph_optimization_level = level
    return ort.InferenceSession(model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"])


class Likeness:
    """How near the outputs of a toolchain are to onnxruntime's on the same quantized model."""

    def __init__(self):
        self.samples = self.same = 0
        self.signal = self.noise = 0.0

    def add(self, truth, got):
        truth = [np.asarray(t, np.float64).reshape(-1) for t in truth]
        got = [np.asarray(g, np.float64).reshape(-1) for g in got]
        self.samples += 1
        self.same += int(truth[0].argmax() == got[0].argmax())
        for t, g in zip(truth, got):
            self.signal += float((t * t).sum())
            self.noise += float(((t - g) ** 2).sum())

    @property
    def top1(self):
        return 100 * self.same / max(1, self.samples)

    @property
    def sqnr(self):
        return 10 * np.log10(self.signal / self.noise) if self.noise > 0 else float("inf")


class Nearness:
    """How near classes and outputs are to onnxruntime's on the Q/DQ model, beside how near it is to itself: with its integer kernels
    and without optimizations, a last bit rounds otherwise in one layer, which is codes further on."""

    HEAD = ["top-1 %", "sure %", "of", "SQNR dB"]

    def __init__(self, pairs, feeds, ys):
        truth = [answers(pairs, feeds, level) for level in (None, ort.GraphOptimizationLevel.ORT_DISABLE_ALL)]
        self.all, self.sure, self.itself = Likeness(), Likeness(), Likeness()
        for integers, floats, y in zip(*truth, ys):
            self.all.add([integers], [y])
            self.itself.add([integers], [floats])
            if integers.argmax() == floats.argmax():
                self.sure.add([integers], [y])

    def row(self):
        return dict(zip(self.HEAD, (f"{self.all.top1:.0f}", f"{self.sure.top1:.1f}", self.sure.samples,
                                    f"{self.all.sqnr:.1f} ({self.itself.sqnr:.1f})")))


def answers(path, feeds, level=None):
    """The first output of a model for each feed of its first input."""
    session = session_of(path, level)
    return [session.run(None, {session.get_inputs()[0].name: x})[0].reshape(-1) for x in feeds]


class Agreement:
    """Nodes that the toolchain runs as `check` says. ran: by name, whether it ran in integers; others are not known."""

    def __init__(self, said, ran):
        ran = {re.sub(r"_token_\d+$", "", name): integer for name, integer in ran.items()}  # onnxruntime's transformers add it
        known = {name: verdict == "integer" for name, verdict in said.items() if name in ran}
        self.known, self.all = len(known), len(said)
        self.wrong = sorted(name for name, integer in known.items() if integer != ran[name])
        self.integer = sum(ran[name] for name in known)
        self.ran = ran

    @property
    def percent(self):
        return 100 * (self.known - len(self.wrong)) / max(1, self.known)

    def text(self):
        return f"{self.known - len(self.wrong)}/{self.known} ({self.percent:.1f} %)"

    def tell(self, said, file=sys.stderr):
        for name in self.wrong:
            print(f"    {name}: check says {said[name]}, it ran in {'integers' if self.ran[name] else 'float'}", file=file)


def table(head, rows):
    """Prints rows as they come; returns all of them."""
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head), flush=True)
    done = []
    for row in rows:
        print("| " + " | ".join(str(row.get(column, "")) for column in head) + " |", flush=True)
        done.append(row)
    return done


def main(measure, head, arguments, promised=98.0):
    """measure(arguments, name, folder) gives a row with `kept`. Ends with 8 where a promise is not kept."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as made:
        rows = table([*head, ""], ({**row, "": "" if row["kept"] else "below"} for row in
                                   (measure(arguments, name, pathlib.Path(made)) for name in models_of(arguments))))
    sys.exit(0 if rows and all(row["kept"] for row in rows) else 8)
