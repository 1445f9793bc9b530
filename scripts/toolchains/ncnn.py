"""Networks of `--format ncnn` in ncnn.

    ncnn --intaglio PROGRAM --shared DIR [--images N] [--only PATTERN]

Each model is converted with pnnx and quantized: as the network in int8, and, by its plan, as a Q/DQ model of target ncnn. ncnn runs the
first, onnxruntime the second.

    network  what pnnx converted: the model as it is, or, where refinement changed more than weights of layers, --float-output
    layers   layers with weights that computed in integers, by what they made: codes, or floats on the lattice of sums of products
    check    of them, nodes that `check --target ncnn` on the Q/DQ model says the same of
    top-1    images with the same class as onnxruntime's on the Q/DQ model
    sure     the same of images about which onnxruntime agrees with itself without optimizations, and how many those are
    SQNR     of the outputs, and in brackets that of onnxruntime to itself
    float    images with the same class as the float model's
"""

import argparse
import fnmatch
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["OMP_NUM_THREADS"] = "1"
# This file has the name of the package.
sys.path = [p for p in sys.path if pathlib.Path(p).resolve() != pathlib.Path(__file__).resolve().parent]
import ncnn  # noqa: E402

sys.path.append(str(pathlib.Path(__file__).resolve().parent))
import numpy as np  # noqa: E402
import common_ranges as common  # noqa: E402

TOP1, AGREED = 98.0, 98.0  # promised, in percent
INTEGER_LAYERS = ("Convolution", "ConvolutionDepthWise", "InnerProduct")


def convert(arguments, model, size, folder):
    """The .ncnn.param of a model; None: pnnx cannot."""
    folder.mkdir()
    (folder / "net.onnx").write_bytes(model.read_bytes())
    code, _ = common.try_run([arguments.pnnx, "net.onnx", f"inputshape=[1,3,{size},{size}]"], cwd=folder)
    param = folder / "net.ncnn.param"
    return param if code == 0 and param.exists() else None


def net_of(param):
    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.lightmode = False  # blobs stay, to be looked at
    for option in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage", "vulkan_compute", "packing_layout"):
        setattr(net.opt, f"use_{option}", False)
    if net.load_param(str(param)) or net.load_model(str(param.with_suffix(".bin"))):
        raise SystemExit(f"{param}: ncnn does not load it")
    return net


def extract(net, x, blobs):
    extractor = net.create_extractor()
    extractor.input("in0", ncnn.Mat(np.ascontiguousarray(x[0])))
    found = []
    for blob in blobs:
        code, mat = extractor.extract(blob)
        if code != 0:
            raise SystemExit(f"ncnn does not make blob {blob}")
        found.append(np.array(mat))
    return found


def read_param(param):
    """type, name, blobs that it makes, values by key."""
    for line in param.read_text().splitlines()[2:]:
        words = line.split()
        inputs, outputs = int(words[2]), int(words[3])
        keys = dict(w.split("=", 1) for w in words[4 + inputs + outputs:])
        yield words[0], words[1], words[4 + inputs:4 + inputs + outputs], keys


def scales_of(param):
    """Bias and one step of the sums by layer, of layers that hold int8. Layers with other data are not known here."""
    data, at, found = param.with_suffix(".bin").read_bytes(), 0, {}

    def take(count):
        nonlocal at
        at += 4 * count
        return np.frombuffer(data[at - 4 * count:at], np.float32)

    for kind, name, _, keys in read_param(param):
        if kind not in INTEGER_LAYERS:
            continue
        product = kind == "InnerProduct"
        outputs, count = int(keys["0"]), int(keys["2" if product else "6"])
        term, biased = int(keys.get("8", 0)), int(keys.get("1" if product else "5", 0))
        tag = int.from_bytes(data[at:at + 4], "little")
        at += 4 + {0x000D4B38: (count + 3) // 4 * 4, 0x01306B47: (2 * count + 3) // 4 * 4, 0: 4 * count}[tag]
        bias = take(outputs) if biased else np.zeros(outputs, np.float32)
        if term:
            weights = take(int(keys["7"]) if term in (1, 101) else outputs)
            step = 1 / (weights * take(1)[0])
            found[name] = (bias, np.repeat(step, outputs // len(step)), term > 100)
            if term > 100:
                take(1)
    return found


def on_lattice(y, bias, step, keys):
    """Whether values are bias + step * integer, where no activation bent them."""
    y = y.reshape(len(bias), -1).astype(np.float64)
    kind, free = keys.get("9", "0"), np.ones(y.shape, bool)
    if kind == "1":
        free = y > 0
    elif kind == "3":
        _, low, high = keys["-23310"].split(",")
        free = (y > float(low)) & (y < float(high))
    elif kind != "0":
        return None  # it cannot be undone here
    sums = (y - bias[:, None]) / step[:, None]
    off = np.abs(sums - np.rint(sums))[free]
    return off.size == 0 or float(off.mean()) < 0.05  # of floats: a quarter


def layers_in_integers(param, x):
    """By layer with int8 weights: whether it made codes or sums of products; None: that cannot be seen."""
    net, scales = net_of(param), scales_of(param)
    layers = [(name, tops[0], keys) for _, name, tops, keys in read_param(param) if name in scales]
    blobs = extract(net, x, [top for _, top, _ in layers])
    return {name: codes or on_lattice(blob, bias, step, keys)
            for (name, _, keys), blob, (bias, step, codes) in zip(layers, blobs, [scales[n] for n, _, _ in layers])}


def checked(arguments, pairs):
    """Verdicts of check by the names of nodes."""
    text = subprocess.run([arguments.intaglio, "check", pairs, "--target", "ncnn", "--all", "--json"], capture_output=True,
                          text=True).stdout
    return {node["name"]: node["verdict"] for node in json.loads(text)["nodes"]}


def measure(arguments, name, folder):
    size = common.MODELS[name][1]
    pairs, floats, plan = folder / "pairs.onnx", folder / "float.onnx", folder / "plan.json"
    int8, report = folder / "int8.ncnn.param", folder / "report.json"
    network = ["--format", "ncnn", "--report", report, "--save-plan", plan, "--ncnn-param"]
    row, code = {"network": "as it is"}, None
    given = convert(arguments, common.source_of(arguments, name), size, folder / "given")
    if given is not None:
        code, said = common.try_run(common.quantize_command(arguments, name, int8, *network, given))
        if code not in (0, 5):
            raise SystemExit(said)
    if code != 0:
        row["network"] = "--float-output"
        common.run(common.quantize_command(arguments, name, pairs, "--target", "ncnn", "--float-output", floats))
        given = convert(arguments, floats, size, folder / "float")
        common.run(common.quantize_command(arguments, name, int8, *network, given))
    common.run([arguments.intaglio, "quantize", common.source_of(arguments, name), "--plan", plan, "--target", "ncnn", "-o", pairs])
    xs = common.pictures(arguments, name)
    floating = common.answers(common.source_of(arguments, name), xs)
    net = net_of(int8)
    ys = [extract(net, x, ["out0"])[0].reshape(-1).astype(np.float64) for x in xs]
    row |= common.agreement(pairs, xs, ys)
    row["float"] = common.same_top1(floating, ys), common.same_top1(floating, common.answers(pairs, xs))
    layers = json.loads(report.read_text())["output"]["ncnn"]["layers"]
    ran, verdicts = layers_in_integers(int8, xs[0]), checked(arguments, pairs)
    seen = [(layer["node"], ran.get(layer["name"], False)) for layer in layers]
    row["layers"] = f"{sum(r is True for _, r in seen)}/{len(seen)}"
    if any(r is None for _, r in seen):
        row["layers"] += f" ({sum(r is None for _, r in seen)} not to be seen)"
    known = [(o, r) for o, r in seen if r is not None]
    agreed = [o for o, r in known if (verdicts.get(o) == "integer") == r]
    row["check"] = f"{len(agreed)}/{len(known)}"
    row["kept"] = row["sure"] >= TOP1 and 100 * len(agreed) >= AGREED * len(known)
    return row


def main():
    parser = argparse.ArgumentParser()
    common.add_arguments(parser)
    parser.add_argument("--pnnx", default="pnnx")
    arguments = parser.parse_args()
    kept = True
    print(f"ncnn {ncnn.__version__}, {arguments.images} images\n"
          "| model | network | layers in integers | check | top-1 % | sure % | of | SQNR dB | float model's: ncnn, onnxruntime % | |\n"
          "|---|---|---|---|---|---|---|---|---|---|")
    for name in (n for n in common.MODELS if fnmatch.fnmatch(n, arguments.only)):
        with tempfile.TemporaryDirectory() as made:
            row = measure(arguments, name, pathlib.Path(made))
        kept = kept and row["kept"]
        print(f"| {name} | {row['network']} | {row['layers']} | {row['check']} | {common.agreement_text(row)} | "
              f"{row['float'][0]:.0f}, {row['float'][1]:.0f} | {'' if row['kept'] else 'below'} |", flush=True)
    return 0 if kept else 8


if __name__ == "__main__":
    sys.exit(main())
