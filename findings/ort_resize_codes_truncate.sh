#!/usr/bin/env bash
# Resize (linear) of uint8 or int8 in onnxruntime 1.31.1 on CPU: fractions are cut off, not rounded; with antialias = 1
# the same operator rounds uint8, once per axis.
# A good guess: a resized byte image is the rounded float result, as in image libraries, and antialias, which does
# nothing to an image that grows, changes nothing. In fact every upscaled byte image becomes 0.47 codes darker (int8 codes move towards 0).
# Output: uint8: mean error -0.47 codes, all results are trunc(exact): True; with antialias: mean error +0.25
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


q = np.random.default_rng(0).integers(0, 256, (1, 3, 64, 64)).astype(np.uint8)
by = {"by": np.array([1, 1, 2, 2], np.float32)}


def resized(x, antialias):
    node = helper.make_node("Resize", ["x", "", "by"], ["y"], mode="linear", antialias=antialias)
    return run([node], x, by, helper.np_dtype_to_tensor_dtype(x.dtype)).astype(np.float64)


exact = resized(q.astype(np.float32), 0)
plain, smooth = resized(q, 0), resized(q, 1)
cut = bool((plain == np.trunc(exact)).all())
print(f"uint8: mean error {np.mean(plain - exact):.2f} codes, all results are trunc(exact): {cut}; "
      f"with antialias: mean error {np.mean(smooth - exact):+.2f}")
raise SystemExit(0 if cut and np.mean(plain - exact) < -0.3 and abs(np.mean(smooth - exact)) < 0.3 else 1)
END
