"""Q/DQ models of target `openvino` in OpenVINO's CPU plugin.

    check      nodes that run as `check --target openvino` says, by the execution graph
    top-1      images with the same class as onnxruntime's on the same file
    SQNR       of all outputs to onnxruntime's, in dB
    time       of one image on one thread, to that of the float model (least of 60, in alternation)
"""

import re

import common
import openvino as ov

CONFIG = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
TOP1, CHECK, TIME = 98.0, 98.0, {"yolox_nano": 0.78}


def compile_model(core, path, shape):
    model = core.read_model(str(path))
    if model.inputs[0].get_partial_shape().is_dynamic:
        model.reshape({model.inputs[0].get_any_name(): list(shape)})
    return core.compile_model(model, "CPU", CONFIG)


def ran(compiled):
    """By name of an ONNX node: whether it ran on 8-bit codes."""
    found = {}
    for node in compiled.get_runtime_model().get_ordered_ops():
        info = node.get_rt_info()
        text = lambda key: info[key].astype(str) if key in info else ""
        if text("layerType") in ("Const", "Input", "Output", "Parameter", "Result", "Reorder"):
            continue
        integer = text("runtimePrecision").lower() in ("u8", "i8") or "_I8" in text("primitiveType")
        for name in re.split(r",", text("originalLayersNames")):
            found[name] = found.get(name, False) or integer
    return found


def measure(arguments, name, folder):
    path = folder / f"{name}.onnx"
    common.quantize(arguments, name, path, "--target", "openvino")
    core, feeds = ov.Core(), common.feeds_of(arguments, name)
    compiled = compile_model(core, path, feeds[0].shape)
    request = compiled.create_infer_request()
    truth = common.session_of(path)
    likeness = common.Likeness()
    for x in feeds:
        result = request.infer({0: x})
        likeness.add(truth.run(None, {truth.get_inputs()[0].name: x}), [result[o] for o in compiled.outputs])
    said, fits = common.verdicts(arguments, path, "openvino")
    agreement = common.Agreement(said, ran(compiled))
    agreement.tell(said)
    plain = compile_model(core, arguments.shared / "assets" / "models" / f"{name}.onnx", feeds[0].shape)
    plain_request = plain.create_infer_request()
    float_time, our_time = common.least_times([lambda: plain_request.infer({0: feeds[0]}), lambda: request.infer({0: feeds[0]})])
    top1 = not common.MODELS[name].top1 or likeness.top1 >= TOP1
    return {"model": name, "check": agreement.text(), "top-1 %": f"{likeness.top1:.1f}", "SQNR dB": f"{likeness.sqnr:.1f}",
            "ms, float": f"{1e3 * float_time:.2f}", "ms, ours": f"{1e3 * our_time:.2f}", "time": f"{our_time / float_time:.2f}",
            "kept": fits and top1 and agreement.percent >= CHECK and our_time <= TIME.get(name, 1.0) * float_time}


common.main(measure, ["model", "check", "top-1 %", "SQNR dB", "ms, float", "ms, ours", "time"], common.arguments_of(__doc__))
