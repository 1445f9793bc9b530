"""Models of target `sophgo` in tpu-mlir 1.30.2, in its simulator of a BM1684X.

Each model is quantized once: as a Q/DQ model, with its float model and its calibration table. tpu-mlir compiles the last two.

    integer  operators that tpu-mlir computes in integers, of all that a node of the model is
    check    of these, those that `check --target sophgo` says the same of
    scales   results of s8 whose scale is that of the Q/DQ model: where values cannot be negative the tool takes u8 of the range,
             and some LeakyRelus get the scale of their input
    top-1    images with the same class as onnxruntime's on the Q/DQ model
    sure     the same of images about which onnxruntime agrees with itself without optimizations, and how many those are
    SQNR     of the outputs, and in brackets that of onnxruntime to itself
"""

import pathlib
import re
import subprocess
import sys
import sysconfig

import common
import numpy as np
import onnx

CHIP = "bm1684x"
TOP1, CHECK, SCALES = 96.0, 98.0, 90.0
# The wheel brings base libraries of another Linux, with which programs of this one do not load.
FOREIGN = ("libc.so.6", "libm.so.6", "libpthread.so.0", "libstdc++.so.6", "libgcc_s.so.1", "libz.so.1")


def set_foreign_libraries_aside():
    bundled = pathlib.Path(sysconfig.get_paths()["purelib"]) / "tpu_mlir" / "lib" / "third_party"
    aside = bundled.parent / "aside"
    aside.mkdir(exist_ok=True)
    for name in FOREIGN:
        if (bundled / name).exists():
            (bundled / name).rename(aside / name)


def run_theirs(*words, cwd, may_fail=False):
    """Whether it succeeded."""
    run = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, cwd=cwd)
    if run.returncode != 0 and not may_fail:
        raise SystemExit(f"{' '.join(map(str, words))}\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return run.returncode == 0


def compile_model(floats, table, shape, folder):
    programs = pathlib.Path(sys.executable).parent
    run_theirs(programs / "model_transform", "--model_name", "m", "--model_def", floats, "--input_shapes", f"[{list(shape)}]",
               "--mlir", "m.mlir", cwd=folder)
    if not run_theirs(programs / "model_deploy", "--mlir", "m.mlir", "--quantize", "INT8", "--chip", CHIP, "--calibration_table",
                      table, "--model", "m.bmodel", cwd=folder, may_fail=True):
        return None
    return folder / "m.bmodel", folder / f"m_{CHIP}_int8_sym_tpu.mlir"


def simulate(model, feeds, folder):
    np.savez(folder / "x.npz", x=np.concatenate(feeds))
    script = pathlib.Path(__file__).resolve().parent / "simulate_sophgo.py"
    run_theirs(script, model, folder / "x.npz", folder / "y.npy", cwd=folder)
    return list(np.load(folder / "y.npy"))


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


def scales_of_pairs(pairs):
    model = onnx.load(pairs)
    constants = {i.name: onnx.numpy_helper.to_array(i) for i in model.graph.initializer}
    return {n.output[0].removesuffix("_quantized"): float(constants[n.input[1]]) for n in model.graph.node
            if n.op_type == "QuantizeLinear" and constants[n.input[1]].size == 1}


def compare_scales(floats, made, ours):
    """How many results of s8 there are, and which have another scale here."""
    count, other = 0, []
    for node in onnx.load(floats).graph.node:
        _, result = made.get(f"{node.output[0]}_{node.op_type}", ("", ""))
        scale = scale_of(result)
        if scale is None or scale[0] != "i8" or node.output[0] not in ours:
            continue
        count += 1
        if abs(scale[1] / ours[node.output[0]] - 1) > 1e-4:
            other.append(f"{node.output[0]} ({node.op_type}): scale {scale[1]:.6g} there, {ours[node.output[0]]:.6g} here")
    return count, other


def measure(arguments, name, folder):
    folder = folder / name
    folder.mkdir()
    model = common.MODELS[name]
    pairs, floats, table = folder / "pairs.onnx", folder / "float.onnx", folder / "table"
    common.quantize(arguments, name, pairs, "--target", "sophgo", "--float-output", floats, "--ranges", table, "--ranges-format",
                    "sophgo")
    common.name_nodes(floats)
    compiled = compile_model(floats, table, (1, 3, model.height, model.width), folder)
    if compiled is None:  # some value has no range: see docs/float-toolchains.md
        return {"model": name, "integer": "tpu-mlir does not compile it", "kept": True}
    bmodel, mlir = compiled
    feeds = common.feeds_of(arguments, name)
    nearness = common.Nearness(pairs, feeds, simulate(bmodel, feeds, folder))
    made = operators(mlir)
    ran = {node.name: scale_of(made[f"{node.output[0]}_{node.op_type}"][1]) is not None
           for node in onnx.load(floats).graph.node if f"{node.output[0]}_{node.op_type}" in made}
    said, _ = common.verdicts(arguments, pairs, "sophgo")
    agreement = common.Agreement(said, ran)
    agreement.tell(said)
    count, other = compare_scales(floats, made, scales_of_pairs(pairs))
    for line in other:
        print(f"    {line}", file=sys.stderr)
    kept = agreement.percent >= CHECK and 100 * (count - len(other)) >= SCALES * count
    return {"model": name, "integer": f"{sum(ran.values())}/{len(ran)}", "check": agreement.text(),
            "scales": f"{count - len(other)}/{count}", **nearness.row(),
            "kept": kept and (not model.top1 or nearness.sure.top1 >= TOP1)}


set_foreign_libraries_aside()
options = common.arguments_of(__doc__)
options.intaglio, options.shared = pathlib.Path(options.intaglio).resolve(), options.shared.resolve()
common.main(measure, ["model", "integer", "check", "scales", *common.Nearness.HEAD], options)
