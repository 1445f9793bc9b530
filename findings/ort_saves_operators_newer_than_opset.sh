#!/usr/bin/env bash
# A model that onnxruntime 1.31.1 saves after its optimizations (optimized_model_filepath, extended level) holds
# LayerNormalization in the domain of ONNX, where it is since opset 17, while the model goes on importing opset 13.
# A good guess: the saved file is valid ONNX, under a raised opset or with the operator in com.microsoft.
# onnxruntime loads it; the checker of onnx 1.23.2 refuses it, and so does every reader that goes by the opset.
# Output: saved: opset 13 with LayerNormalization; onnxruntime loads it, the checker: No Op registered for LayerNormalization
# with domain_version of 13
# Exits 1 when the behaviour is another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work"
"$work/bin/pip" install --quiet --disable-pip-version-check onnxruntime==1.31.1 onnx==1.23.2 numpy==2.4.6
cd "$work"
bin/python - <<'END'
import sys

import numpy as np, onnx, onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

nodes = [helper.make_node("ReduceMean", ["x"], ["mean"], axes=[-1]),
         helper.make_node("Sub", ["x", "mean"], ["centred"]),
         helper.make_node("Pow", ["centred", "two"], ["square"]),
         helper.make_node("ReduceMean", ["square"], ["variance"], axes=[-1]),
         helper.make_node("Add", ["variance", "epsilon"], ["shifted"]),
         helper.make_node("Sqrt", ["shifted"], ["deviation"]),
         helper.make_node("Div", ["centred", "deviation"], ["normal"]),
         helper.make_node("Mul", ["normal", "gamma"], ["scaled"]),
         helper.make_node("Add", ["scaled", "beta"], ["y"])]
constants = {"two": np.float32(2), "epsilon": np.float32(1e-5), "gamma": np.ones(8, np.float32),
             "beta": np.zeros(8, np.float32)}
value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 8])
graph = helper.make_graph(nodes, "g", [value("x")], [value("y")],
                          [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
onnx.checker.check_model(model, full_check=True)

options = ort.SessionOptions()
options.log_severity_level = 4
options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
options.optimized_model_filepath = "saved.onnx"
ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

saved = onnx.load("saved.onnx")
opset = next(i.version for i in saved.opset_import if i.domain in ("", "ai.onnx"))
newer = [n.op_type for n in saved.graph.node if n.op_type == "LayerNormalization" and n.domain in ("", "ai.onnx")]
ort.InferenceSession("saved.onnx", providers=["CPUExecutionProvider"])
try:
    onnx.checker.check_model(saved)
    refused = ""
except onnx.checker.ValidationError as error:
    refused = str(error).splitlines()[0]
print(f"saved: opset {opset} with {', '.join(newer) or 'nothing newer'}; onnxruntime loads it, the checker: {refused}")
sys.exit(0 if opset == 13 and newer and "LayerNormalization" in refused else 1)
END
