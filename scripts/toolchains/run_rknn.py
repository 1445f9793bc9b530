"""Q/DQ models of target `rknn` in the simulator of rknn-toolkit2 (rk3588, optimization_level=2).

    check      nodes that run as `check --target rknn` says, by the compiler's table of layers
    top-1      images with the same class as onnxruntime's on the same file
    SQNR       of all outputs, to onnxruntime's without optimizations, in dB
    plain      SQNR of a file with zero points as they come: one that is all zero makes the compiler round anew
"""

import contextlib
import os
import pathlib
import re
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")

import common
import numpy as np
import onnxruntime as ort
from rknn.api import RKNN

TOP1, CHECK = 97.0, 98.0
PLAIN_TARGET = '"zero_points": "never_zero",'


@contextlib.contextmanager
def captured():
    """What C code prints goes to a file, whose path this gives."""
    with tempfile.NamedTemporaryFile("w+", suffix=".log") as log:
        saved = os.dup(1), os.dup(2)
        sys.stdout.flush()
        os.dup2(log.fileno(), 1), os.dup2(log.fileno(), 2)
        try:
            yield log
        finally:
            os.dup2(saved[0], 1), os.dup2(saved[1], 2)
            os.close(saved[0]), os.close(saved[1])


def build(path):
    """The runtime in the simulator, and the compiler's log."""
    with captured() as log:
        rknn = RKNN(verbose=True)
        rknn.config(target_platform="rk3588", optimization_level=2)
        ok = rknn.load_onnx(model=str(path)) == 0 and rknn.build(do_quantization=False) == 0 and rknn.init_runtime() == 0
        log.seek(0)
        text = log.read()
    if not ok:
        raise SystemExit(f"{path}: does not build:\n{text[-2000:]}")
    return rknn, text


def ran(text):
    """By name of an ONNX node: whether its layer holds int8."""
    found = {}
    layer = re.compile(r"\] (\d+) +(\w+) +(INT8|INT16|FLOAT16|FLOAT|INT32|INT64|BOOL) +(?:NPU|CPU|GPU) .* ([\w#]+):(\S+) *$", re.M)
    for _, kind, dtype, _, name in layer.findall(text):
        if kind not in ("InputOperator", "OutputOperator", "exDataConvert"):
            found[re.sub(r"#\d+$", "", name)] = dtype == "INT8"
    return found


def compare(rknn, path, feeds):
    truth = common.session_of(path, ort.GraphOptimizationLevel.ORT_DISABLE_ALL)
    likeness = common.Likeness()
    for x in feeds:
        expected = truth.run(None, {truth.get_inputs()[0].name: x})
        with captured():
            got = rknn.inference([x], data_format=["nchw"])
        likeness.add(expected, got)
    return likeness


def measure(arguments, name, folder):
    os.chdir(folder)  # the toolkit leaves files where it runs
    path, plain = folder / f"{name}.onnx", folder / f"{name}.plain.onnx"
    target = folder / "plain.json"
    text = open(os.path.join(arguments.configs, "rknn.json")).read()
    assert PLAIN_TARGET in text
    target.write_text(text.replace(PLAIN_TARGET, ""))
    common.quantize(arguments, name, path, "--target", "rknn")
    common.quantize(arguments, name, plain, "--target", target)
    feeds = common.feeds_of(arguments, name)
    rknn, log = build(path)
    likeness = compare(rknn, path, feeds)
    rknn.release()
    other, _ = build(plain)
    unshifted = compare(other, plain, feeds[:10])
    other.release()
    said, fits = common.verdicts(arguments, path, "rknn")
    agreement = common.Agreement(said, ran(log))
    agreement.tell(said)
    top1 = not common.MODELS[name].top1 or likeness.top1 >= TOP1
    return {"model": name, "check": agreement.text(), "top-1 %": f"{likeness.top1:.1f}", "SQNR dB": f"{likeness.sqnr:.1f}",
            "plain dB": f"{unshifted.sqnr:.1f}", "kept": fits and top1 and agreement.percent >= CHECK}


arguments = common.arguments_of(__doc__, configs="configs")
for path in ("intaglio", "shared", "configs"):
    setattr(arguments, path, pathlib.Path(getattr(arguments, path)).resolve())
common.main(measure, ["model", "check", "top-1 %", "SQNR dB", "plain dB"], arguments)
