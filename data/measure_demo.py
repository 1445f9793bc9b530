#!/usr/bin/env python3
"""Measure the demo with ONNX Runtime: FP32 and its own plain INT8.

An independent yardstick, apart from Intaglio: top-1 on eval/ of demo.onnx and of
the models ONNX Runtime's quantizer makes of it by min-max calibration on calib/.

    pip install onnxruntime==1.31.1 onnx==1.23.2 sympy numpy pillow
    python3 measure_demo.py            # or: measure_demo.py other.onnx
"""

import csv
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort
from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod,
                                      QuantFormat, QuantType, quantize_static)
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

HERE = Path(__file__).resolve().parent
BATCH = 50


def load(folder):
    """Inputs and labels of a folder, by the recipe of preprocess.json."""
    recipe = json.loads((HERE / "preprocess.json").read_text())
    mean, std = np.float32(recipe["mean"]), np.float32(recipe["std"])
    with open(folder / "labels.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    images = [np.asarray(Image.open(folder / r["file"]).convert("RGB"), np.float32)
              for r in rows]
    x = (np.stack(images) * np.float32(recipe["scale"]) - mean) / std
    x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    return x, np.array([int(r["index"]) for r in rows])


def batches(x):
    return (x[i:i + BATCH] for i in range(0, len(x), BATCH))


class Reader(CalibrationDataReader):
    def __init__(self, x):
        self.feeds = ({"image": b} for b in batches(x))

    def get_next(self):
        return next(self.feeds, None)


def logits_of(model, x):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    session = ort.InferenceSession(str(model), options, ["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"image": b})[0] for b in batches(x)])


def main():
    model = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "demo.onnx"
    calib, _ = load(HERE / "calib")
    x, labels = load(HERE / "eval")
    fp32 = logits_of(model, x).argmax(1)
    print(f"{'model':<18}{'top-1':>8}{'agrees with FP32':>19}")
    print(f"{'FP32':<18}{(fp32 == labels).mean():>8.1%}{1:>19.1%}")
    with tempfile.TemporaryDirectory() as scratch:
        folded, out = Path(scratch) / "folded.onnx", Path(scratch) / "int8.onnx"
        quant_pre_process(model, folded)           # folds the batch norms
        for per_channel in (True, False):
            quantize_static(folded, out, Reader(calib), quant_format=QuantFormat.QDQ,
                            per_channel=per_channel, activation_type=QuantType.QUInt8,
                            weight_type=QuantType.QInt8,
                            calibrate_method=CalibrationMethod.MinMax)
            top = logits_of(out, x).argmax(1)
            name = "INT8 per-channel" if per_channel else "INT8 per-tensor"
            print(f"{name:<18}{(top == labels).mean():>8.1%}{(top == fp32).mean():>19.1%}")


if __name__ == "__main__":
    main()
