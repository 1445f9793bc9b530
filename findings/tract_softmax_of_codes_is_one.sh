#!/usr/bin/env bash
# tract 0.23.9: a Softmax between Q/DQ pairs gives the largest code, near 1, for every class, without a word; the same Softmax on floats is right.
# A good guess: pairs round the result to the nearest 1/256, as everywhere else in tract, where other operators between pairs are
# right, and as onnxruntime 1.31.1 does.
# Output: onnxruntime 0.0898 0.2461 0.6641; tract 0.9961 0.9961 0.9961; tract without pairs 0.0900 0.2447 0.6652
# Exits 1 when the behaviour is another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work"
"$work/bin/pip" install --quiet --disable-pip-version-check tract==0.23.9 onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6
"$work/bin/python" - "$work" <<'END'
import sys

import numpy as np
import onnx
import onnxruntime as ort
import tract
from onnx import TensorProto, helper, numpy_helper


def model(pairs):
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["xq"]), helper.make_node("DequantizeLinear", ["xq", "s", "z"], ["xd"]),
             helper.make_node("Softmax", ["xd"], ["p"]), helper.make_node("QuantizeLinear", ["p", "t", "u"], ["pq"]),
             helper.make_node("DequantizeLinear", ["pq", "t", "u"], ["y"])]
    if not pairs:
        nodes = [helper.make_node("Softmax", ["x"], ["y"])]
    constants = [numpy_helper.from_array(v, k) for k, v in
                 dict(s=np.float32(0.05), z=np.uint8(100), t=np.float32(1 / 256), u=np.uint8(0)).items()] if pairs else []
    info = [helper.make_tensor_value_info(n, TensorProto.FLOAT, (1, 3)) for n in "xy"]
    return helper.make_model(helper.make_graph(nodes, "g", info[:1], info[1:], constants),
                             opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


x = np.array([[0, 1, 2]], np.float32)
truth = ort.InferenceSession(model(True).SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
got = {}
for pairs in (True, False):
    path = f"{sys.argv[1]}/m.onnx"
    onnx.save(model(pairs), path)
    got[pairs] = tract.onnx().load(path).into_model().into_runnable().run([x])[0].to_numpy()
text = lambda v: " ".join(f"{p:.4f}" for p in v.reshape(-1))
print(f"onnxruntime {text(truth)}; tract {text(got[True])}; tract without pairs {text(got[False])}")
raise SystemExit(0 if len(set(got[True].reshape(-1))) == 1 and np.abs(got[False] - truth).max() < 0.005 else 1)
END
