#!/usr/bin/env bash
# OpenVINO 2026.4.1: com.microsoft.QLinearAdd of u8 loads, and its sums wrap round where they should saturate.
# A good guess: an operator that is converted keeps the saturation that its definition states, as QLinearConcat and QLinearSigmoid
# do there, or is refused, as QGemm is. onnxruntime 1.31.1 saturates.
# Output: 200 + 200 of scale 1: onnxruntime 255, OpenVINO 144
# Exits 1 when the behaviour is another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work"
"$work/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6
"$work/bin/python" - <<'END'
import numpy as np
import onnxruntime as ort
import openvino as ov
from onnx import TensorProto, helper, numpy_helper

constants = [numpy_helper.from_array(np.float32(1), "s"), numpy_helper.from_array(np.uint8(0), "z")]
node = helper.make_node("QLinearAdd", ["a", "s", "z", "b", "s", "z", "s", "z"], ["y"], domain="com.microsoft")
info = [helper.make_tensor_value_info(n, TensorProto.UINT8, (1, 4)) for n in "aby"]
graph = helper.make_graph([node], "g", info[:2], info[2:], constants)
opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
data = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
a = np.full((1, 4), 200, np.uint8)
truth = ort.InferenceSession(data, providers=["CPUExecutionProvider"]).run(None, {"a": a, "b": a})[0][0, 0]
core = ov.Core()
got = core.compile_model(core.read_model(data), "CPU")([a, a])[0].reshape(-1)[0]
print(f"200 + 200 of scale 1: onnxruntime {int(truth)}, OpenVINO {int(got)}")
raise SystemExit(0 if (int(truth), int(got)) == (255, 144) else 1)
END
