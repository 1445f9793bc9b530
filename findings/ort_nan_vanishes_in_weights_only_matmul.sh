#!/usr/bin/env bash
# DequantizeLinear - MatMul (int4 weights in blocks) in onnxruntime 1.31.1 on CPU with AVX-512: at the default level a
# NaN among the activations does not reach the result; infinities do.
# A good guess: NaN propagates through a MatMul, so a check of the outputs finds it. The pair becomes MatMulNBits, whose
# activations are quantized to 8 bits by default; a NaN loses each comparison for the largest value and becomes a code.
# Output: level 0: nan; default level: finite, with an infinity instead: nan or inf
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
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    if not optimized:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


import ml_dtypes

rng = np.random.default_rng(0)
w = rng.integers(-8, 8, (256, 8)).astype(ml_dtypes.int4)
nodes = [helper.make_node("DequantizeLinear", ["w", "s"], ["d"], axis=0, block_size=32),
         helper.make_node("MatMul", ["x", "d"], ["y"])]
constants = {"w": w, "s": np.full((8, 8), 0.1, np.float32)}
x = rng.standard_normal((1, 256)).astype(np.float32)
x[0, 3] = np.nan
plain, fused = (run(nodes, x, constants, TensorProto.FLOAT, optimized) for optimized in (False, True))
x[0, 3] = np.inf
infinite = run(nodes, x, constants, TensorProto.FLOAT)
print("level 0:", "nan" if np.isnan(plain).all() else plain, "; default level:", "finite" if np.isfinite(fused).all() else fused,
      ", with an infinity instead:", "finite" if np.isfinite(infinite).any() else "nan or inf")
raise SystemExit(0 if np.isnan(plain).all() and np.isfinite(fused).all() and not np.isfinite(infinite).any() else 1)
END
