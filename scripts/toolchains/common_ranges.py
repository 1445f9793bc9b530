"""What the scripts of toolchains that read float models share: models with their images, the program, onnxruntime beside it."""

import pathlib
import subprocess

import numpy as np
import onnxruntime as ort
from PIL import Image

# name: (preset, crop, short side, folder of images to measure on)
MODELS = {
    "mobilenet_v2_1.0_224_dither": ("tf", 224, 256, "eval"),
    "mobilenet_v1_0.25_224_autopad": ("tf", 224, 256, "eval"),
    "resnet8_cifar10_float": ("raw", 32, 32, "cifar10"),
    "tiny_darknet": ("unit", 224, 256, "eval"),
    "squeezenet1.1_fp32_from_fp16": ("caffe", 224, 256, "eval"),
}


def picture(path, preset, crop, side):
    image = Image.open(path).convert("RGB")
    width, height = image.size
    if min(width, height) != side:
        scale = side / min(width, height)
        image = image.resize((round(width * scale), round(height * scale)), Image.BILINEAR)
        width, height = image.size
    left, top = (width - crop) // 2, (height - crop) // 2
    x = np.asarray(image.crop((left, top, left + crop, top + crop)), np.float32)
    if preset == "tf":
        x = x / 127.5 - 1
    elif preset == "unit":
        x = x / 255
    elif preset == "caffe":
        x = x[..., ::-1] - np.array([104, 117, 123], np.float32)
    return np.ascontiguousarray(x.transpose(2, 0, 1)[None])


def pictures(arguments, name):
    preset, crop, side, folder = MODELS[name]
    paths = sorted((arguments.shared / "assets" / folder).glob("*.jp*g"))[: arguments.images]
    return [picture(p, preset, crop, side) for p in paths]


def source_of(arguments, name):
    return arguments.shared / "assets" / "models" / f"{name}.onnx"


def run(command, **more):
    """Standard output of a command that must succeed."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def try_run(command, **more):
    """Exit code of a command, and what it said on standard error."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    return done.returncode, done.stderr


def quantize_command(arguments, name, output, *options):
    preset, _, _, folder = MODELS[name]
    images = "cifar10" if folder == "cifar10" else "calib"
    return [arguments.intaglio, "quantize", source_of(arguments, name), "--data", arguments.shared / "assets" / images, "--limit",
            "100", "--preprocess", preset, "--eval-limit", "0", "-o", output, *options]


def session_of(path, optimized=True):
    options = ort.SessionOptions()
    if not optimized:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def answers(path, xs, optimized=True):
    session = session_of(path, optimized)
    feed = session.get_inputs()[0].name
    return [session.run(None, {feed: x})[0].reshape(-1).astype(np.float64) for x in xs]


def sqnr(truth, y):
    """In dB, of all samples together."""
    signal = sum((t**2).sum() for t in truth)
    noise = sum(((t - v) ** 2).sum() for t, v in zip(truth, y))
    return 10 * np.log10(signal / max(noise, 1e-30))


def same_top1(a, b):
    return 100 * sum(int(x.argmax() == y.argmax()) for x, y in zip(a, b)) / len(a)


def agreement(pairs, xs, ys):
    """With onnxruntime on the Q/DQ model: top-1 of all images; of those whose class onnxruntime finds with its integer kernels and
    in float alike, for a last bit that rounds otherwise in one layer is codes further on; how many those are; SQNR."""
    integers, floats = answers(pairs, xs), answers(pairs, xs, optimized=False)
    sure = [i for i in range(len(xs)) if integers[i].argmax() == floats[i].argmax()]
    return {"top-1": same_top1(integers, ys), "sure": same_top1([integers[i] for i in sure], [ys[i] for i in sure]),
            "itself": 100 * len(sure) / len(xs), "SQNR": sqnr(integers, ys), "SQNR itself": sqnr(integers, floats)}


def agreement_text(row):
    return f"{row['top-1']:.0f} | {row['sure']:.1f} | {row['itself']:.0f} | {row['SQNR']:.1f} ({row['SQNR itself']:.1f})"


def add_arguments(parser, images=100):
    parser.add_argument("--intaglio", default="build/release/intaglio")
    parser.add_argument("--shared", type=pathlib.Path, default=pathlib.Path("../shared"))
    parser.add_argument("--images", type=int, default=images)
    parser.add_argument("--only", default="*", help="models of that name")
