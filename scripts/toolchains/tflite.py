"""TFLite files of `--format tflite` in LiteRT and Vela.

    tflite --intaglio PROGRAM --shared DIR [--images N] [--only PATTERN] [--no-vela] [--no-operators]

Two tables. Models: each is quantized twice from the same images, as a TFLite file and as the Q/DQ model of target tflite-like,
which holds the same numbers; LiteRT runs the first, onnxruntime the second. Operators: one of each between pairs, made here.

    scales     tensors of codes whose scale and zero point are those of the Q/DQ model
    top-1      images with the same class as onnxruntime's in integers: LiteRT as it comes (XNNPACK), and its own kernels
    clear      the same of images whose best class leads the next one by more than one code
    in a step  outputs that differ by one code at most
    NPU        operators that Vela leaves to an Ethos-U55
"""

import argparse
import fnmatch
import os
import pathlib
import re
import subprocess
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import onnx
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from onnx import TensorProto, helper, numpy_helper

from common import Model, picture, session_of

# name: (model, share of the operators on the NPU that is promised)
MODELS = {
    "mobilenet_v2_1.0_224_dither": (Model("tf", 224, 224, 256, "eval"), 100),
    "mobilenet_v1_0.25_224_autopad": (Model("tf", 224, 224, 256, "eval"), 100),
    "mobilenet_v1_0.5_224_bn": (Model("tf", 224, 224, 256, "eval"), 100),
    "resnet8_cifar10_float": (Model("raw", 32, 32, 32, "cifar10"), 100),
    "resnet_large_cifar10_float": (Model("raw", 32, 32, 32, "cifar10"), 0),
    "tiny_darknet": (Model("unit", 224, 224, 256, "eval"), 0),
    "squeezenet1.1_fp32_from_fp16": (Model("caffe", 224, 224, 256, "eval"), 0),
}
TOP1, IN_A_STEP = 99.0, 99.0  # promised, in percent


def interpreter_of(path, resolver=OpResolverType.AUTO):
    interpreter = Interpreter(str(path), num_threads=1, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    return interpreter


def in_integers(model):
    """The same values with activations of u8, 128 higher: onnxruntime computes all of these in integers on x86-64, but some Conv
    and Add of s8 in float."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    del model.graph.value_info[:]
    constants = {i.name: i for i in model.graph.initializer}
    moved = {}
    for node in model.graph.node:
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear") or node.input[0] in constants:
            continue
        zero = node.input[2]
        if zero not in moved:
            moved[zero] = f"{zero}_u8"
            value = numpy_helper.to_array(constants[zero]).astype(np.int16) + 128
            model.graph.initializer.append(numpy_helper.from_array(value.astype(np.uint8), moved[zero]))
        node.input[2] = moved[zero]
    return model


def channels_last(x):
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if x.ndim == 4 else x


def run_litert(interpreter, feeds):
    for detail in interpreter.get_input_details():
        x = feeds[detail["name"]]
        interpreter.set_tensor(detail["index"], x if list(detail["shape"]) == list(x.shape) else channels_last(x))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def parameters_of(model):
    """Scale and zero point of every value of codes, by its name."""
    constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    found = {}
    for node in model.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear") and constants[node.input[1]].size == 1:
            codes = node.output[0] if node.op_type == "QuantizeLinear" else node.input[0]
            zero = int(constants[node.input[2]].item()) if len(node.input) > 2 else 0
            found[codes] = (np.float32(constants[node.input[1]].item()), zero)
    return found


def output_step(model):
    """One code of the output; of results that leave in float, a 255th of what they span is no help: None."""
    makers = {o: n for n in model.graph.node for o in n.output}
    maker = makers[model.graph.output[0].name]
    constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    return float(constants[maker.input[1]].item()) if maker.op_type == "DequantizeLinear" else None


def quantize(arguments, name, output, *options):
    model, _ = MODELS[name]
    images = "cifar10" if model.images == "cifar10" else "calib"
    command = [arguments.intaglio, "quantize", f"{arguments.shared}/assets/models/{name}.onnx", "--data",
               f"{arguments.shared}/assets/{images}", "--limit", "100", "--preprocess", model.preset, "--eval-limit", "0", "-o", output,
               *options]
    run = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{run.stderr}")
    return run.stdout


def npu_share(arguments, path, folder):
    run = subprocess.run([arguments.vela, str(path), "--accelerator-config", "ethos-u55-128", "--output-dir", str(folder)],
                         capture_output=True, text=True)
    found = re.search(r"NPU operators = \d+ \(([\d.]+)%\)", run.stdout)
    return float(found.group(1)) if found else 0.0


def measure(arguments, name, folder):
    shown, promised = MODELS[name]
    file, pairs = folder / f"{name}.tflite", folder / f"{name}.onnx"
    said = quantize(arguments, name, file, "--format", "tflite")
    quantize(arguments, name, pairs, "--target", "tflite-like")
    row = {"operators": re.search(r"TFLite: (.*)", said).group(1)}
    model = onnx.load(pairs)
    expected = parameters_of(model)
    runners = [interpreter_of(file), interpreter_of(file, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)]
    details = [d for d in runners[1].get_tensor_details() if d["name"] in expected and d["dtype"] == np.int8]
    same = [expected[d["name"]] == (np.float32(d["quantization"][0]), d["quantization"][1]) for d in details]
    row["scales"] = f"{sum(same)}/{len(same)}"
    session, step = session_of(in_integers(model).SerializeToString()), output_step(model)
    feed = session.get_inputs()[0].name
    paths = sorted((arguments.shared / "assets" / shown.images).glob("*.jp*g"))[: arguments.images]
    agree, clear, close, count, leading = [0, 0], [0, 0], [0, 0], 0, 0
    for path in paths:
        x = picture(path, shown)
        truth = session.run(None, {feed: x})[0].reshape(-1)
        count += truth.size
        best = np.sort(truth)[-2:]
        leads = bool(best[1] - best[0] > 1.5 * step)
        leading += leads
        for i, runner in enumerate(runners):
            y = run_litert(runner, {feed: x}).reshape(-1)
            same_class = int(y.argmax() == truth.argmax())
            agree[i] += same_class
            clear[i] += same_class * leads
            close[i] += int((np.abs(y - truth) < 1.5 * step).sum())
    row["top-1"] = [100 * a / len(paths) for a in agree]
    row["clear"] = [100 * c / max(1, leading) for c in clear]
    row["in a step"] = [100 * c / count for c in close]
    row["images"] = len(paths)
    row["kept"] = row["top-1"][0] >= TOP1 and row["in a step"][0] >= IN_A_STEP and all(same)
    if not arguments.no_vela:
        codes = folder / f"{name}.s8.tflite"
        quantize(arguments, name, codes, "--format", "tflite", "--io", "s8")
        row["NPU"] = npu_share(arguments, codes, folder / "vela")
        row["kept"] = row["kept"] and row["NPU"] >= promised
    return row


# Operators ------------------------------------------------------------------------------------------------------------

S = (1, 16, 14, 14)
FIXED = (1 / 256, -128)


def constant(values, dtype=np.int64):
    return np.array(values, dtype)


# name: (operator, shapes of the inputs, scale and zero point of the result, constants behind the inputs, attributes)
OPERATORS = {
    "Add": ("Add", [S, S], (0.0731, 5), [], {}),
    "Add, one row of channels": ("Add", [S, (1, 16, 1, 1)], (0.0731, 5), [], {}),
    "Sub": ("Sub", [S, S], (0.0731, 5), [], {}),
    "Mul": ("Mul", [S, S], (0.0531, -5), [], {}),
    "AveragePool": ("AveragePool", [S], None, [], dict(kernel_shape=[3, 3], strides=[2, 2])),
    "AveragePool, pads": ("AveragePool", [S], None, [], dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1])),
    "AveragePool, pads counted": ("AveragePool", [S], None, [],
                                  dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)),
    "Clip": ("Clip", [S], None, [np.float32(-1.1), np.float32(1.7)], {}),
    "Concat": ("Concat", [S, S], None, [], dict(axis=1)),
    "DepthToSpace, DCR": ("DepthToSpace", [S], None, [], dict(blocksize=2)),
    "DepthToSpace, CRD": ("DepthToSpace", [S], None, [], dict(blocksize=2, mode="CRD")),
    "Elu": ("Elu", [S], (0.0173, -60), [], {}),
    "Expand": ("Expand", [(1, 16, 1, 1)], None, [constant(S)], {}),
    "Flatten": ("Flatten", [S], None, [], {}),
    "Gather": ("Gather", [S], None, [constant([3, 1])], dict(axis=1)),
    "GlobalAveragePool": ("GlobalAveragePool", [S], (0.0041, 2), [], {}),
    "HardSwish": ("HardSwish", [S], (0.0213, -110), [], {}),
    "LeakyRelu": ("LeakyRelu", [S], (0.0173, -60), [], dict(alpha=0.1)),
    "MatMul of data": ("MatMul", [(1, 12, 24), (1, 24, 8)], (0.0931, 3), [], {}),
    "MaxPool": ("MaxPool", [S], None, [], dict(kernel_shape=[3, 3], strides=[2, 2])),
    "MaxPool, pads": ("MaxPool", [S], None, [], dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])),
    "Pad": ("Pad", [S], None, [constant([0, 0, 1, 2, 0, 0, 2, 0])], {}),
    "Pad, reflect": ("Pad", [S], None, [constant([0, 0, 1, 2, 0, 0, 2, 0])], dict(mode="reflect")),
    "PRelu": ("PRelu", [S, (16, 1, 1)], (0.0173, -40), [], {}),
    "ReduceMean": ("ReduceMean", [S], (0.0141, 2), [], dict(axes=[1], keepdims=0)),
    "Relu": ("Relu", [S], (0.0121, -110), [], {}),
    "Reshape": ("Reshape", [S], None, [constant([1, 4, 4, 14, 14])], {}),
    "Resize, linear": ("Resize", [S], None, [np.zeros(0, np.float32), constant([1, 1, 2, 2], np.float32)], dict(mode="linear")),
    "Resize, nearest": ("Resize", [S], None, [np.zeros(0, np.float32), constant([1, 1, 2, 2], np.float32)],
                        dict(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")),
    "Sigmoid": ("Sigmoid", [S], FIXED, [], {}),
    "Slice": ("Slice", [S], None, [constant([4, 1]), constant([12, 13]), constant([1, 2]), constant([1, 3])], {}),
    "Slice, backwards": ("Slice", [S], None, [constant([-1]), constant([-99]), constant([2]), constant([-1])], {}),
    "Softmax": ("Softmax", [(1, 100)], FIXED, [], {}),
    "Softmax, channels": ("Softmax", [S], FIXED, [], dict(axis=1)),
    "SpaceToDepth": ("SpaceToDepth", [S], None, [], dict(blocksize=2)),
    "Split": ("Split", [S], None, [constant([6, 10])], dict(axis=1)),
    "Tanh": ("Tanh", [S], (1 / 128, 0), [], {}),
    "Tile": ("Tile", [S], None, [constant([1, 2, 1, 1])], {}),
    "Transpose": ("Transpose", [S], None, [], dict(perm=[0, 2, 3, 1])),
    "BatchNormalization (float)": ("BatchNormalization", [S], (0.0431, -12),
                                   [np.linspace(0.5, 2, 16, dtype=np.float32), np.linspace(-1, 1, 16, dtype=np.float32),
                                    np.linspace(1, -1, 16, dtype=np.float32), np.linspace(0.1, 2, 16, dtype=np.float32)], {}),
    "Exp (float)": ("Exp", [S], (0.0431, -128), [], {}),
    "HardSigmoid (float)": ("HardSigmoid", [S], FIXED, [], {}),
}
SCALE, ZERO = 0.0313, 3  # of all inputs
for label, attributes, shape in [
    ("Conv", dict(pads=[1, 1, 1, 1]), (24, 16, 3, 3)),
    ("Conv, stride 2", dict(pads=[1, 1, 1, 1], strides=[2, 2]), (24, 16, 3, 3)),
    ("Conv, dilations", dict(pads=[2, 2, 2, 2], dilations=[2, 2]), (24, 16, 3, 3)),
    ("Conv, groups", dict(pads=[1, 1, 1, 1], group=4), (24, 4, 3, 3)),
    ("Conv, depthwise", dict(pads=[1, 1, 1, 1], group=16), (16, 1, 3, 3)),
    ("Conv, depthwise, two of each", dict(pads=[1, 1, 1, 1], group=16), (32, 1, 3, 3)),
    ("ConvTranspose", dict(strides=[2, 2]), (16, 24, 2, 2)),
    ("ConvTranspose, pads", dict(strides=[2, 2], pads=[1, 1, 1, 1]), (16, 24, 4, 4)),
    ("ConvTranspose, output_padding", dict(strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]), (16, 24, 3, 3)),
]:
    OPERATORS[label] = (label.split(",")[0], [S], (0.0931, -7), shape, attributes)
OPERATORS["Conv of rows"] = ("Conv", [(1, 16, 40)], (0.0931, -7), (24, 16, 3), dict(pads=[1, 1], strides=[2]))
OPERATORS["Gemm"] = ("Gemm", [(4, 16)], (0.0531, -7), (24, 16), dict(transB=1))
OPERATORS["MatMul"] = ("MatMul", [(1, 5, 16)], (0.0531, -7), (16, 24), {})


def one_operator(name, rng):
    op, shapes, result, extra, attributes = OPERATORS[name]
    result = result or (SCALE, ZERO)
    nodes, constants, inputs = [], {}, []

    def pair(value, scale, zero, name):
        constants[f"{name}_s"], constants[f"{name}_z"] = np.float32(scale), np.int8(zero)
        nodes.append(helper.make_node("QuantizeLinear", [value, f"{name}_s", f"{name}_z"], [f"{name}_q"]))
        nodes.append(helper.make_node("DequantizeLinear", [f"{name}_q", f"{name}_s", f"{name}_z"], [name]))

    for i, shape in enumerate(shapes):
        inputs.append(helper.make_tensor_value_info(f"x{i}", TensorProto.FLOAT, shape))
        pair(f"x{i}", SCALE, ZERO, f"d{i}")
    read = [f"d{i}" for i in range(len(shapes))]
    if isinstance(extra, tuple):  # weights: codes per channel, with a bias for those that have one
        axis = {"ConvTranspose": 1, "MatMul": 1}.get(op, 0)
        tensor_wide = op in ("Gemm", "MatMul")
        scales = np.float32(0.004) if tensor_wide else rng.uniform(0.002, 0.006, extra[axis]).astype(np.float32)
        constants |= {"w_q": rng.integers(-127, 128, extra).astype(np.int8), "w_s": scales,
                      "w_z": np.zeros(scales.shape, np.int8)}
        nodes.append(helper.make_node("DequantizeLinear", ["w_q", "w_s", "w_z"], ["w"], axis=axis))
        read.append("w")
        if op != "MatMul":
            constants |= {"b_q": rng.integers(-3000, 3000, extra[axis]).astype(np.int32), "b_s": np.float32(SCALE) * scales,
                          "b_z": np.zeros(scales.shape, np.int32)}
            nodes.append(helper.make_node("DequantizeLinear", ["b_q", "b_s", "b_z"], ["b"], axis=0))
            read.append("b")
    else:
        for i, value in enumerate(extra):
            constants[f"c{i}"] = value
            read.append(f"c{i}" if value.size else "")
    outputs = ["r", "unread"] if op == "Split" else ["r"]
    nodes.append(helper.make_node(op, read, outputs, **attributes))
    for made in outputs:
        constants |= {"y_s": np.float32(result[0]), "y_z": np.int8(result[1])}
        nodes.append(helper.make_node("QuantizeLinear", [made, "y_s", "y_z"], [f"{made}_q"]))
        nodes.append(helper.make_node("DequantizeLinear", [f"{made}_q", "y_s", "y_z"], ["y" if made == "r" else "z"]))
    leave = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in (["y", "z"] if op == "Split" else ["y"])]
    graph = helper.make_graph(nodes, "g", inputs, leave, [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    feeds = {f"x{i}": ((rng.integers(-128, 128, s) - ZERO) * np.float32(SCALE)).astype(np.float32) for i, s in enumerate(shapes)}
    return model, feeds, result[0]


def measure_operator(arguments, name, folder):
    model, feeds, step = one_operator(name, np.random.default_rng(0))
    onnx.save(model, folder / "one.onnx")
    run = subprocess.run([arguments.intaglio, "quantize", folder / "one.onnx", "--from-qdq", "--format", "tflite", "-o",
                          folder / "one.tflite"], capture_output=True, text=True)
    if run.returncode != 0:
        return {"kept": False, "text": run.stderr.strip().splitlines()[0]}
    truth = session_of(in_integers(model).SerializeToString()).run(["y"], feeds)[0]
    texts, kept = [], True
    for resolver in (OpResolverType.AUTO, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES):
        interpreter = interpreter_of(folder / "one.tflite", resolver)
        run_litert(interpreter, feeds)
        detail = next(d for d in interpreter.get_output_details() if d["name"] == "y")
        y = interpreter.get_tensor(detail["index"])
        if y.shape != truth.shape:
            y = np.moveaxis(y, -1, 1)
        off = np.rint(np.abs(y - truth) / step)
        kept = kept and off.max() <= 1
        texts.append(f"{100 * (off > 0).mean():.2f} % ({off.max():.0f})")
    return {"kept": kept, "text": " | ".join(texts)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--intaglio", default="build/release/intaglio")
    parser.add_argument("--shared", type=pathlib.Path, default=pathlib.Path("../shared"))
    parser.add_argument("--vela", default="vela")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--only", default="*", help="models of that name")
    parser.add_argument("--no-vela", action="store_true")
    parser.add_argument("--no-operators", action="store_true")
    arguments = parser.parse_args()
    kept = True
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        print("| model | file | scales | top-1, XNNPACK / kernels % | clear % | in a step % | NPU % | |\n"
              "|---|---|---|---|---|---|---|---|")
        for name in (n for n in MODELS if fnmatch.fnmatch(n, arguments.only)):
            row = measure(arguments, name, folder)
            kept = kept and row["kept"]
            figures = [" / ".join(f"{v:.2f}" for v in row[key]) for key in ("top-1", "clear", "in a step")]
            print(f"| {name} ({row['images']} images) | {row['operators']} | {row['scales']} | {' | '.join(figures)} | "
                  f"{row.get('NPU', '-')} | {'' if row['kept'] else 'below'} |", flush=True)
        if not arguments.no_operators:
            print("\n| operator | codes that differ (most), XNNPACK | kernels | |\n|---|---|---|---|")
            for name in OPERATORS:
                row = measure_operator(arguments, name, folder)
                kept = kept and row["kept"]
                print(f"| {name} | {row['text']} | {'' if row['kept'] else 'below'} |", flush=True)
    return 0 if kept else 8


if __name__ == "__main__":
    sys.exit(main())
