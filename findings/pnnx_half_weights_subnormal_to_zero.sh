#!/usr/bin/env bash
# pnnx 20261020 stores weights in float16 and makes 0 of all that are smaller than 2^-14 (6.1e-5).
# A good guess: float16 has subnormals down to 6e-8, numpy.float16 and torch.half keep them, and the conversion is said to round.
# A layer whose weights are all small loses them all, and the converter is silent. With fp16=0 they survive.
# Output: float16: of weights 1e-04 6e-05 3e-05 1e-05 1e-06 the network has 1.0e-04 0 0 0 0, numpy 1.0e-04 6.0e-05 3.0e-05 1.0e-05 1.0e-06
#         fp16=0: all as they were
# Exits 1 when the behaviour is another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work"
pip=("$work/bin/pip" install --quiet --disable-pip-version-check)
"${pip[@]}" onnx==1.23.2 numpy==2.4.6
"${pip[@]}" --no-deps pnnx==20261020 # its program is static; torch is for its Python modules
cd "$work"
pnnx=$(echo "$work"/lib/python3*/site-packages/pnnx/pnnx)
bin/python - "$pnnx" <<'END'
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WEIGHTS = np.array([1e-4, 6e-5, 3e-5, 1e-5, 1e-6], np.float32)
graph = helper.make_graph([helper.make_node("Conv", ["x", "w"], ["y"])], "g",
                          [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 5, 4, 4])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 4, 4])],
                          [numpy_helper.from_array(WEIGHTS.reshape(1, 5, 1, 1), "w")])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "m.onnx")


def converted(*options):
    subprocess.run([sys.argv[1], "m.onnx", "inputshape=[1,5,4,4]", *options], check=True, capture_output=True)
    data = open("m.ncnn.bin", "rb").read()
    half = int.from_bytes(data[:4], "little") == 0x01306B47
    return half, np.frombuffer(data[4:], np.float16 if half else np.float32)[:5].astype(np.float32)


half, kept = converted()
whole, exact = converted("fp16=0")
as_text = lambda values: " ".join("0" if v == 0 else f"{v:.1e}" for v in values)
print(f"float16: of weights {' '.join(f'{w:.0e}' for w in WEIGHTS)} the network has {as_text(kept)}, "
      f"numpy {as_text(WEIGHTS.astype(np.float16).astype(np.float32))}")
print("fp16=0:", "all as they were" if not whole and (exact == WEIGHTS).all() else as_text(exact))
raise SystemExit(0 if half and kept[0] > 0 and not kept[1:].any() and (exact == WEIGHTS).all() else 1)
END
