"""Q/DQ models of target `onnxruntime` in onnxruntime's CPU kernels.

    check      nodes that run as `check` says, by the graph that the session runs (its QDQ transformer names what it
               fuses after the operator)
    top-1      images with the same class as the float model
    time       of one image on one thread, to that of the float model (least of 60, in alternation)
"""

import common
import onnx
import onnxruntime as ort

CHECK = 98.0
ON_CODES = ("QLinear", "QGemm", "MatMulInteger", "ConvInteger", "MatMulNBits")
FLOAT_RESULTS = ("MatMulIntegerToFloat", "MatMulNBits")


def ran(path, folder):
    """By name of a node: whether an operator on codes stands in its place. What is computed with another node has none."""
    written = folder / "optimized.onnx"
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(written)
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    model = onnx.load(written)
    codes = {v.name for v in model.graph.initializer if v.data_type in (onnx.TensorProto.UINT8, onnx.TensorProto.INT8)}
    found = {}
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear":
            codes.add(node.output[0])
        elif node.op_type != "DequantizeLinear":
            integer = node.op_type.startswith(ON_CODES) or node.input[0] in codes  # what moves codes
            float_result = node.op_type in FLOAT_RESULTS or (node.op_type == "QGemm" and len(node.input) < 9)
            if integer and not float_result:
                codes.update(node.output)
            found[node.name] = integer
    return found


def measure(arguments, name, folder):
    path = folder / f"{name}.onnx"
    common.quantize(arguments, name, path, "--target", "onnxruntime")
    session = common.session_of(path)
    plain = common.session_of(arguments.shared / "assets" / "models" / f"{name}.onnx")
    likeness, feeds = common.Likeness(), common.feeds_of(arguments, name)
    for x in feeds:
        feed = {session.get_inputs()[0].name: x}
        likeness.add(plain.run(None, feed), session.run(None, feed))
    said, fits = common.verdicts(arguments, path, "onnxruntime")
    agreement = common.Agreement(said, ran(path, folder))
    agreement.tell(said)
    float_time, our_time = common.least_times([lambda s=s: s.run(None, {s.get_inputs()[0].name: feeds[0]}) for s in (plain, session)])
    return {"model": name, "check": agreement.text(), "top-1 %": f"{likeness.top1:.1f}", "SQNR dB": f"{likeness.sqnr:.1f}",
            "time": f"{our_time / float_time:.2f}", "kept": fits and agreement.percent >= CHECK}


common.main(measure, ["model", "check", "top-1 %", "SQNR dB", "time"], common.arguments_of(__doc__))
