"""Networks of `--format ncnn` in ncnn.

Each model is converted with pnnx and quantized: as the network in int8, and, by its plan, as a Q/DQ model of target ncnn.

    network  what pnnx converted: the model as it is, or, where refinement changed more than weights of layers, --float-output
    integer  layers with weights that computed in integers, by what they made: codes, or floats on the lattice of sums of products;
             behind an activation that bends them otherwise than a Relu or Clip that cannot be seen
    check    of these, nodes that `check --target ncnn` says the same of
    top-1    images with the same class as onnxruntime's on the Q/DQ model
    sure     the same of images about which onnxruntime agrees with itself without optimizations, and how many those are
    SQNR     of the outputs, and in brackets that of onnxruntime to itself
"""

import json
import pathlib
import subprocess
import sysconfig

import common
import ncnn
import numpy as np

TOP1, CHECK = 98.0, 98.0
PNNX = pathlib.Path(sysconfig.get_paths()["purelib"]) / "pnnx" / "pnnx"
INTEGER_LAYERS = ("Convolution", "ConvolutionDepthWise", "InnerProduct")


def convert(model, shape, folder):
    """The .ncnn.param of a model; None: pnnx cannot."""
    folder.mkdir()
    (folder / "net.onnx").write_bytes(model.read_bytes())
    subprocess.run([PNNX, "net.onnx", f"inputshape=[{','.join(map(str, shape))}]"], cwd=folder, capture_output=True)
    param = folder / "net.ncnn.param"
    return param if param.exists() else None  # it ends with 0 either way


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


def measure(arguments, name, folder):
    folder = folder / name
    folder.mkdir()
    model, source = common.MODELS[name], arguments.shared / "assets" / "models" / f"{name}.onnx"
    pairs, floats, plan = folder / "pairs.onnx", folder / "float.onnx", folder / "plan.json"
    int8, report = folder / "int8.ncnn.param", folder / "report.json"
    shape = (1, 3, model.height, model.width)
    network = ["--format", "ncnn", "--report", report, "--save-plan", plan, "--ncnn-param"]
    given, kind = convert(source, shape, folder / "given"), "as it is"
    if given is None or common.quantize(arguments, name, int8, *network, given, accept=(0, 5)) is None:
        kind = "--float-output"
        common.quantize(arguments, name, pairs, "--target", "ncnn", "--float-output", floats)
        given = convert(floats, shape, folder / "float")
        common.quantize(arguments, name, int8, *network, given)
    common.run_ours(arguments, "quantize", source, "--plan", plan, "--target", "ncnn", "-o", pairs)
    common.name_nodes(pairs)
    feeds = common.feeds_of(arguments, name)
    if ncnn.Net().load_param(str(given)) != 0:  # the float network
        return {"model": name, "network": "ncnn does not load what pnnx made", "kept": True}
    net = net_of(int8)
    ys = [extract(net, x, ["out0"])[0].reshape(-1) for x in feeds]
    nearness = common.Nearness(pairs, feeds, ys)
    layers = json.loads(report.read_text())["output"]["ncnn"]["layers"]
    found = layers_in_integers(int8, feeds[0])
    ran = {layer["node"]: found.get(layer["name"], False) for layer in layers}
    seen = {node: integer for node, integer in ran.items() if integer is not None}
    said, _ = common.verdicts(arguments, pairs, "ncnn")
    agreement = common.Agreement(said, seen)
    agreement.tell(said)
    integers = f"{agreement.integer}/{len(ran)}" + (f", {len(ran) - len(seen)} not to be seen" if len(seen) < len(ran) else "")
    kept = agreement.percent >= CHECK and (not model.top1 or nearness.sure.top1 >= TOP1)
    return {"model": name, "network": kind, "integer": integers, "check": agreement.text(), **nearness.row(), "kept": kept}


common.main(measure, ["model", "network", "integer", "check", *common.Nearness.HEAD], common.arguments_of(__doc__))
