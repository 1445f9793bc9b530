"""Small models for onnxruntime, and exact results to hold them against."""

import numpy as np
import onnxruntime as ort
from onnx import helper, numpy_helper

U8, S8, F32 = np.uint8, np.int8, np.float32
DEFAULT, OFF = ort.GraphOptimizationLevel.ORT_ENABLE_ALL, ort.GraphOptimizationLevel.ORT_DISABLE_ALL
node = helper.make_node
rng = np.random.default_rng(1)


def type_of(dtype):
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def session(nodes, feeds, constants, result=F32, level=DEFAULT):
    """A model of these nodes that gives y, loaded for one thread; raises what onnxruntime raises."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(n, type_of(v.dtype), v.shape) for n, v in feeds.items()],
        [helper.make_tensor_value_info("y", type_of(result), None)],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()],
    )
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    options = ort.SessionOptions()
    options.graph_optimization_level, options.intra_op_num_threads, options.log_severity_level = level, 1, 4
    model = helper.make_model(graph, opset_imports=imports, ir_version=10).SerializeToString()
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(nodes, feeds, constants, result=F32, level=DEFAULT):
    """The value y of a model of these nodes."""
    feeds = {name: np.asarray(value) for name, value in feeds.items()}
    return session(nodes, feeds, constants, result, level).run(None, feeds)[0]


def kernel(op, inputs, result, domain="com.microsoft", **attributes):
    """One node on its own. Inputs go by position; those named a, b and c are fed, the others are constants."""
    given = {name: value for name, value in inputs if value is not None}
    fed = {name: value for name, value in given.items() if name in ("a", "b", "c")}
    names = [name if value is not None else "" for name, value in inputs]
    constants = {name: value for name, value in given.items() if name not in fed}
    return run([node(op, names, ["y"], domain=domain, **attributes)], fed, constants, result)


def params(name, scale, zero, dtype):
    return [(name + "s", np.asarray(scale, F32)), (name + "z", np.asarray(zero, dtype))]


def pair(value, result, scale, zero):
    codes_of_it = result + "_codes"
    return [
        node("QuantizeLinear", [value, scale, zero], [codes_of_it]),
        node("DequantizeLinear", [codes_of_it, scale, zero], [result]),
    ]


def between_pairs(op, x, to, others=None, start=(0.02, 128), dtype=U8, level=DEFAULT, **attributes):
    """Pairs before and behind a node that takes one float input and constants; start and to: scale, zero point."""
    constants = {**dict(params("x", *start, dtype) + params("r", *to, dtype)), **(others or {})}
    nodes = pair("x", "d", "xs", "xz") + [node(op, ["d", *(others or {})], ["r"], **attributes)]
    return run(nodes + pair("r", "y", "rs", "rz"), {"x": x}, constants, level=level)


def weighted(op, x, weights, scale, bias=None, bias_scale=None, axis=0, to=0.05, channels=0, level=DEFAULT):
    """A Conv, Gemm or MatMul between pairs, as quantizers write it: weights are int8 codes, or floats where scale is
    None; bias floats or, with bias_scale, codes; to the scale of the result. With channels the scale of the data is
    written once for each of them."""
    constants = {**dict(params("x", 1 / 64, 128, U8) + params("r", to, 128, U8)), "w": weights}
    nodes, names = pair("x", "d", "xs", "xz"), ["d", "w"]
    if channels:
        constants.update(params("v", np.full(channels, 1 / 64), np.full(channels, 128), U8))
        nodes[1] = node("DequantizeLinear", ["d_codes", "vs", "vz"], ["d"], axis=1)
    if scale is not None:
        constants.update(params("w", scale, np.zeros(np.shape(scale)), S8))
        nodes.append(node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=axis))
        names[1] = "wd"
    if bias is not None:
        constants["b"] = bias
        names.append("b")
    if bias_scale is not None:
        constants["bs"] = F32(bias_scale)
        nodes.append(node("DequantizeLinear", ["b", "bs"], ["bd"]))
        names[2] = "bd"
    return run(nodes + [node(op, names, ["r"])] + pair("r", "y", "rs", "rz"), {"x": x}, constants, level=level)


def codes(shape, dtype):
    return rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max + 1, shape).astype(dtype)


def floats(*shape):
    return rng.standard_normal(shape).astype(F32)


def real(q, scale, zero=0):
    return (q.astype(np.float64) - np.asarray(zero).astype(np.float64)) * float(F32(scale))


def quantized(values, scale, zero, dtype):
    with np.errstate(all="ignore"):
        q = np.rint(np.asarray(values, np.float64) / float(F32(scale))) + float(zero)
    return np.clip(q, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(np.int64)


def off_by(got, exact):
    return int(np.max(np.abs(got.astype(np.int64) - exact)))


def levels_differ(call, scale):
    """By how many codes the default level leaves level 0."""
    with np.errstate(all="ignore"):
        return float(np.max(np.abs(call(DEFAULT).astype(np.float64) - call(OFF)) / float(F32(scale))))


def zeros_of(dtype):
    return [np.iinfo(dtype).min + i for i in (0, 1, 127, 128, 255)]
