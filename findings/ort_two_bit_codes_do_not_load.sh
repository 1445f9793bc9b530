#!/usr/bin/env bash
# Reshape between Q/DQ pairs of 2 bits (opset 25) in onnxruntime 1.31.1 on CPU: the model runs without optimizations
# and does not load at the default level.
# A good guess: what runs at level 0 loads with optimizations, at worst without a fusion. The pairs are dropped and
# Reshape is left with 2-bit codes, for which there is no kernel. Of 22 operators tried this way 20 fail (not Transpose and
# Pad); with 4 bits only MaxPool, ReduceMax and ReduceMin do.
# Output: level 0: runs; default level: Could not find an implementation or kernel
# Exits 1 when the behaviour is another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work"
"$work/bin/pip" install --quiet --disable-pip-version-check onnxruntime==1.31.1 onnx==1.23.2 numpy==2.4.6
"$work/bin/python" - <<'END'

import numpy as np, onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper


def run(nodes, x, constants, result, optimized=True):
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", kind, x.shape)],
                              [helper.make_tensor_value_info("y", result, None)],
                              [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)], ir_version=10)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    if not optimized:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


import ml_dtypes

x = np.random.default_rng(0).standard_normal((2, 6)).astype(np.float32)
nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]), helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
         helper.make_node("Reshape", ["d", "shape"], ["r"]),
         helper.make_node("QuantizeLinear", ["r", "s", "z"], ["p"]), helper.make_node("DequantizeLinear", ["p", "s", "z"], ["y"])]
constants = {"s": np.float32(1), "z": np.asarray(1, ml_dtypes.uint2), "shape": np.array([3, 4])}
y = run(nodes, x, constants, TensorProto.FLOAT, False)
try:
    run(nodes, x, constants, TensorProto.FLOAT)
    seen = "runs"
except Exception as error:
    seen = "Could not find an implementation or kernel" if "kernel" in str(error) else str(error)
print("level 0:", "runs" if y.shape == (3, 4) else y.shape, "; default level:", seen)
raise SystemExit(0 if seen.startswith("Could not find") else 1)
END
