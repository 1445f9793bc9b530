"""Models of target sophgo in tpu-mlir.

    sophgo --intaglio PROGRAM --shared DIR [--images N] [--only PATTERN]

Each model is quantized once: as a Q/DQ model of target sophgo, with its float model and its calibration table. tpu-mlir compiles the
last two for a BM1684X and simulates it; onnxruntime runs the first.

    integer  operators that tpu-mlir computes in integers, of all that it has
    check    of the nodes that are an operator there, those that `check --target sophgo` says the same of
    scales   results of s8 whose scale is that of the Q/DQ model: where values cannot be negative the tool takes u8 of the range,
             and some LeakyRelus get the scale of their input
    top-1    images with the same class as onnxruntime's on the Q/DQ model
    sure     the same of images about which onnxruntime agrees with itself without optimizations, and how many those are
    SQNR     of the outputs, and in brackets that of onnxruntime to itself
    float    images with the same class as the float model's: tpu-mlir, onnxruntime
"""

import argparse
import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx

import common_ranges as common

CHIP = "bm1684x"
TOP1, AGREED, SCALES = 96.0, 98.0, 90.0  # promised, in percent


def compile_model(arguments, name, floats, table, folder):
    size = common.MODELS[name][1]
    common.run([arguments.tpu / "python", arguments.tpu / "model_transform", "--model_name", "m", "--model_def", floats,
                "--input_shapes", f"[[1,3,{size},{size}]]", "--mlir", "m.mlir"], cwd=folder)
    common.run([arguments.tpu / "python", arguments.tpu / "model_deploy", "--mlir", "m.mlir", "--quantize", "INT8", "--chip", CHIP,
                "--calibration_table", table, "--model", "m.bmodel"], cwd=folder)
    return folder / "m.bmodel", folder / f"m_{CHIP}_int8_sym_tpu.mlir"


def simulate(arguments, model, xs, folder):
    np.savez(folder / "x.npz", x=np.concatenate(xs))
    script = pathlib.Path(__file__).resolve().parent / "sophgo_simulator.py"
    common.run([arguments.tpu / "python", script, model, folder / "x.npz", folder / "y.npy"], cwd=folder)
    return [y.astype(np.float64) for y in np.load(folder / "y.npy")]


def operators(mlir):
    """Type of the result by name of the operator, TENSOR_OPERATOR, as the compiler has decided."""
    text = mlir.read_text()
    names = dict(re.findall(r'^(#loc\d+) = loc\("([^"]*)"\)', text, re.M))
    found = {}
    for op, result, loc in re.findall(r'"(tpu\.\w+)"\(.*-> (.*?) loc\((#loc\d+)\)$', text, re.M):
        found[names.get(loc, loc)] = (op, result)
    return found


def scale_of(result):
    """Type and scale of a quantized result; None: it has floats."""
    found = re.search(r"!quant\.uniform<([iu]8):f32, ([-+.\de]+)", result)
    return (found.group(1), float(found.group(2))) if found else None


def checked(arguments, pairs):
    text = subprocess.run([arguments.intaglio, "check", pairs, "--target", "sophgo", "--all", "--json"], capture_output=True,
                          text=True).stdout
    return {node["name"]: node["verdict"] for node in json.loads(text)["nodes"]}


def scales_of_pairs(pairs):
    model = onnx.load(pairs)
    constants = {i.name: onnx.numpy_helper.to_array(i) for i in model.graph.initializer}
    return {n.output[0].removesuffix("_quantized"): float(constants[n.input[1]]) for n in model.graph.node
            if n.op_type == "QuantizeLinear" and constants[n.input[1]].size == 1}


def measure(arguments, name, folder):
    pairs, floats, table = folder / "pairs.onnx", folder / "float.onnx", folder / "table"
    common.run(common.quantize_command(arguments, name, pairs, "--target", "sophgo", "--float-output", floats, "--ranges", table,
                                       "--ranges-format", "sophgo"))
    bmodel, mlir = compile_model(arguments, name, floats, table, folder)
    xs = common.pictures(arguments, name)
    floating = common.answers(common.source_of(arguments, name), xs)
    ys = simulate(arguments, bmodel, xs, folder)
    row = common.agreement(pairs, xs, ys)
    row["float"] = common.same_top1(floating, ys), common.same_top1(floating, common.answers(pairs, xs))
    made, verdicts, scales = operators(mlir), checked(arguments, pairs), scales_of_pairs(pairs)
    agreed, nodes, other, same, signed, integers = 0, 0, [], 0, 0, 0
    for node in onnx.load(floats).graph.node:
        there = made.get(f"{node.output[0]}_{node.op_type}")
        if there is None:
            continue  # part of another operator
        scale = scale_of(there[1])
        nodes += 1
        integers += scale is not None
        verdict = verdicts.get(node.name or node.output[0])
        if (verdict == "integer") == (scale is not None):
            agreed += 1
        else:
            other.append(f"{node.name or node.output[0]} ({node.op_type}): {there[1]}, check says {verdict}")
        if scale is not None and scale[0] == "i8" and node.output[0] in scales:
            ours = scales[node.output[0]]
            signed += 1
            if abs(scale[1] / ours - 1) < 1e-4:
                same += 1
            else:
                other.append(f"{node.name or node.output[0]} ({node.op_type}): scale {scale[1]:.6g} there, {ours:.6g} here")
    row["integer"], row["check"], row["scales"] = f"{integers}/{nodes}", f"{agreed}/{nodes}", f"{same}/{signed}"
    row["other"] = other
    row["kept"] = row["sure"] >= TOP1 and 100 * agreed >= AGREED * nodes and 100 * same >= SCALES * signed
    return row


def main():
    parser = argparse.ArgumentParser()
    common.add_arguments(parser)
    parser.add_argument("--tpu", type=pathlib.Path, required=True, help="the folder of the programs of tpu-mlir")
    arguments = parser.parse_args()
    arguments.intaglio, arguments.shared = pathlib.Path(arguments.intaglio).resolve(), arguments.shared.resolve()
    kept = True
    print(f"tpu-mlir 1.30.2, simulator of {CHIP}, {arguments.images} images\n"
          "| model | integer | check | scales | top-1 % | sure % | of | SQNR dB | float model's: tpu-mlir, onnxruntime % | |\n"
          "|---|---|---|---|---|---|---|---|---|---|")
    for name in (n for n in common.MODELS if fnmatch.fnmatch(n, arguments.only)):
        with tempfile.TemporaryDirectory() as made:
            row = measure(arguments, name, pathlib.Path(made))
        kept = kept and row["kept"]
        print(f"| {name} | {row['integer']} | {row['check']} | {row['scales']} | {common.agreement_text(row)} | "
              f"{row['float'][0]:.0f}, {row['float'][1]:.0f} | {'' if row['kept'] else 'below'} |", flush=True)
        for line in row["other"]:
            print(f"  {line}", file=sys.stderr)
    return 0 if kept else 8


if __name__ == "__main__":
    sys.exit(main())
