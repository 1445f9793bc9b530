#!/usr/bin/env bash
# pnnx 20261020 converts a Q/DQ model, ends with 0, and writes a network that ncnn 1.0.20261020 cannot load.
# A good guess: a converter refuses operators that its runtime lacks, or says so by its exit code. pnnx keeps them as layers of the
# same names, of which ncnn has none, and the weights come back as floats; an operator on codes (QLinearConv) likewise.
# Output: Q/DQ: pnnx ends with 0, layers DequantizeLinear QuantizeLinear that ncnn lacks; load_param -1
#         QLinearConv: pnnx ends with 0, layers DequantizeLinear QLinearConv QuantizeLinear that ncnn lacks; load_param -1
#         float: pnnx ends with 0, layers none that ncnn lacks; load_param 0
# Exits 1 when the behaviour is another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work"
pip=("$work/bin/pip" install --quiet --disable-pip-version-check)
"${pip[@]}" onnx==1.23.2 numpy==2.4.6
"${pip[@]}" --no-deps pnnx==20261020 ncnn==1.0.20261020
cd "$work"
pnnx=$(echo "$work"/lib/python3*/site-packages/pnnx/pnnx)
bin/python - "$pnnx" 2>/dev/null <<'END'
import pathlib
import subprocess
import sys

import ncnn
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CONSTANTS = {"s": np.float32(0.1), "z": np.int8(0), "wq": np.arange(-8, 8, dtype=np.int8).reshape(2, 8, 1, 1),
             "w": np.arange(-8, 8, dtype=np.float32).reshape(2, 8, 1, 1)}
node = helper.make_node
QUANTIZE, DEQUANTIZE = node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "s", "z"], ["d"])
CASES = {
    "Q/DQ": [QUANTIZE, DEQUANTIZE, node("DequantizeLinear", ["wq", "s", "z"], ["dw"]), node("Conv", ["d", "dw"], ["y"])],
    "QLinearConv": [QUANTIZE, node("QLinearConv", ["q", "s", "z", "wq", "s", "z", "s", "z"], ["c"]),
                    node("DequantizeLinear", ["c", "s", "z"], ["y"])],
    "float": [node("Conv", ["x", "w"], ["y"])],
}
seen = {}
for name, nodes in CASES.items():
    read = {i for n in nodes for i in n.input}
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8, 4, 4])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2, 4, 4])],
                              [numpy_helper.from_array(np.asarray(v), k) for k, v in CONSTANTS.items() if k in read])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, "m.onnx")
    code = subprocess.run([sys.argv[1], "m.onnx", "inputshape=[1,8,4,4]"], capture_output=True).returncode
    layers = {line.split()[0] for line in pathlib.Path("m.ncnn.param").read_text().splitlines()[2:]}
    unknown = sorted(layer for layer in layers if "Linear" in layer)
    loaded = ncnn.Net().load_param("m.ncnn.param")
    seen[name] = (code, bool(unknown), loaded)
    print(f"{name}: pnnx ends with {code}, layers {' '.join(unknown) or 'none'} that ncnn lacks; load_param {loaded}")
raise SystemExit(0 if seen == {"Q/DQ": (0, True, -1), "QLinearConv": (0, True, -1), "float": (0, False, 0)} else 1)
END
