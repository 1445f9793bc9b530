"""Sweeps the integer kernels of onnxruntime's CPU provider against plain arithmetic.

Every kernel runs on codes and scales inside the bounds of docs/kernels.md and just beyond them. Inside, a code may
differ by one from the exact result, computed in double from the operator's definition; beyond, the fault that the
page describes must still be there. Times are ratios of two kernels in one run. One line per bound; exit code 8 when
one of them no longer holds.
"""
import itertools
import sys
import time

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

from models import (DEFAULT, F32, OFF, S8, U8, between_pairs, codes, floats, kernel, levels_differ, node, off_by,
                    params, quantized, real, rng, run, session, weighted, zeros_of)

FLOAT_MAX = float(np.finfo(F32).max)
rows, changed = [], 0


# The table.

def row(name, condition, seen, holds):
    global changed
    changed += not holds
    rows.append((name, condition, seen, "holds" if holds else "CHANGED"))


def right(name, condition, errors, most=1.01):
    errors = list(errors)
    row(name, condition, f"{len(errors)} cases, at most {max(errors):.3g} off", max(errors) <= most)


def wrong(name, condition, error, least=1.01):
    row(name, condition, f"{error:.3g} off", not error < least)  # a NaN is wrong, too


def refused(name, condition, words, call):
    try:
        call()
        row(name, condition, "runs", False)
    except Exception as error:  # onnxruntime raises a class of its own for each of its codes
        row(name, condition, words if words in str(error) else str(error)[:60], words in str(error))


# The kernels.

def linear():
    def quantize(x, scale, zero):
        return kernel("QuantizeLinear", [("a", x), ("s", F32(scale)), ("z", zero)], zero.dtype, domain="")
    errors = []
    for dtype, scale in itertools.product((U8, S8, np.uint16, np.int16), (1e-44, 1e-38, 1e-30, 1 / 3, 1, 1e30, 1e36)):
        for zero in np.asarray([np.iinfo(dtype).min, np.iinfo(dtype).min + 1, np.iinfo(dtype).max], dtype):
            ties = ((np.arange(-300, 300) + 0.5) * float(F32(scale))).astype(F32)
            x = np.concatenate([ties, np.array([np.inf, -np.inf, FLOAT_MAX, -FLOAT_MAX], F32)])
            with np.errstate(all="ignore"):
                ratio = np.clip((x / F32(scale)).astype(np.float64), -1e6, 1e6)
            errors.append(off_by(quantize(x, scale, zero), quantized(ratio, 1, zero, dtype)))
    right("QuantizeLinear", "scales 1e-44..1e36, ties, infinities", errors, 0)
    right("QuantizeLinear", "NaN becomes the lowest code", [
        off_by(quantize(np.full(n, np.nan, F32), 1, d(5)), np.iinfo(d).min)
        for n in (1, 16, 17) for d in (U8, S8)], 0)
    errors = []
    for dtype, scale in itertools.product((U8, S8), (1e-45, 1e-38, 1, 1e36)):
        for zero in zeros_of(dtype):
            q = np.arange(256).astype(U8).view(dtype)
            y = kernel("DequantizeLinear", [("a", q), *params("", scale, zero, dtype)], F32, domain="")
            errors.append(float(np.max(np.abs(y - real(q, scale, zero))) / float(F32(scale))))
    right("DequantizeLinear", "scales 1e-45..1e36", errors, 1e-4)


def binary():
    """QLinearAdd and QLinearMul: float arithmetic, converted to int32 without a bound."""
    def case(op, dtype, zeros, scales, a=None, b=None):
        a, b = (codes(67, dtype) if q is None else q for q in (a, b))
        x, z = real(a, scales[0], zeros[0]), real(b, scales[1], zeros[1])
        (sa, sb, sy), (za, zb, zy) = scales, zeros
        given = [("a", a), *params("a", sa, za, dtype), ("b", b), *params("b", sb, zb, dtype)]
        given += params("y", sy, zy, dtype)
        return off_by(kernel(op, given, dtype), quantized(x + z if op == "QLinearAdd" else x * z, sy, zy, dtype))

    for dtype in (U8, S8):
        name, triples = dtype.__name__, list(itertools.product(zeros_of(dtype), repeat=3))
        low, top = np.iinfo(dtype).min, np.iinfo(dtype).max
        errors = []
        for r, other, k in itertools.product((1e-6, 1e-3, 1, 1e3, 2**15), (1e-6, 1, 2**15), (1e-30, 1, 1e30)):
            for z in rng.permutation(triples)[:6]:
                a = np.where(rng.random(67) < 0.5, codes(67, dtype), dtype(z[0])).astype(dtype)
                errors.append(case("QLinearAdd", dtype, z, (r * k, other * k, k), a))
        right("QLinearAdd", f"{name}, larger operand scale / y_scale <= 2^15", errors)
        still = np.full(67, top, dtype)
        wrong("QLinearAdd", f"{name}, the same 2^20..2^22", max(
            case("QLinearAdd", dtype, (top, z, z), (r, 1, 1), still)
            for z in zeros_of(dtype) for r in (1.1 * 2**20, 1.3 * 2**22)))
        wrong("QLinearAdd", f"{name}, the same 1e37 (a mask of -3.4e38)",
              case("QLinearAdd", dtype, (top, top, top - 9), (1.3e36, 0.1, 0.1), still))
        right("QLinearMul", f"{name}, 255^2 * a_scale * b_scale / y_scale < 2^31", [
            case("QLinearMul", dtype, z, (1e-3, 1e3 * r, 1))
            for r in (1e-6, 1e-3, 1, 1e3, 33000) for z in rng.permutation(triples)[:20]])
        still = np.full(67, low, dtype)
        wrong("QLinearMul", f"{name}, the same 2^31 * 1.001",
              case("QLinearMul", dtype, (top, top, low), (1, 2**31 * 1.001 / 255**2, 1), still, still))


def tables():
    """Functions of one code: 256 values computed in float."""
    def unary(op, f, dtype, zeros, scales, **attributes):
        q = np.arange(256).astype(U8).view(dtype)
        given = [("a", q), *params("a", scales[0], zeros[0], dtype), *params("y", scales[1], zeros[1], dtype)]
        exact = quantized(f(real(q, scales[0], zeros[0])), scales[1], zeros[1], dtype)
        return off_by(kernel(op, given, dtype, **attributes), exact)

    def joined(op, dtype, zeros, scales):
        q, p = codes(300, dtype), codes(300, dtype)
        given = [("a", q), *params("a", scales[0], zeros[0], dtype)]
        given += [("b", p), *params("b", scales[1], zeros[1], dtype)]
        to = params("y", scales[1], zeros[1], dtype)
        x = quantized(real(q, scales[0], zeros[0]), scales[1], zeros[1], dtype)
        if op == "QLinearConcat":
            return off_by(kernel(op, to + given, dtype, axis=0), np.concatenate([x, p]))
        choice = np.arange(300) % 3 == 0
        return off_by(kernel(op, [("c", choice), *given, *to], dtype), np.where(choice, x, p))

    def sigmoid(x):
        return np.exp(-np.logaddexp(0, -x))

    def leaky(x):
        return np.where(x >= 0, x, x * float(F32(0.1)))
    zeros = [(d, z) for d in (U8, S8) for z in itertools.product(zeros_of(d), repeat=2)]
    scales = list(itertools.product((1e-30, 1e-3, 0.1, 1, 1e3, 1e30), (1e-7, 1 / 256, 1)))
    op = "QLinearSigmoid"
    right(op, "y_scale >= 1e-7", [unary(op, sigmoid, *z, s) for z in zeros for s in scales])
    wrong(op, "y_scale 1e-9", unary(op, sigmoid, U8, (255, 0), (0.1, 1e-9)))
    scales = [(x, x * r) for x in (1e-38, 1e-30, 1, 1e30, 1.3e36) for r in (1e-6, 1, 1e6)]
    cases = [(*z, s) for z in zeros[::3] for s in scales if 1e-44 < s[1] < FLOAT_MAX]
    op = "QLinearLeakyRelu"
    right(op, "255 * x_scale <= 3.4e38", [unary(op, leaky, *c, alpha=0.1) for c in cases])
    wrong(op, "the same beyond", unary(op, leaky, U8, (0, 128), (3e38, 3e38), alpha=0.1))
    for op in ("QLinearConcat", "QLinearWhere"):
        right(op, "255 * x_scale <= 3.4e38", [joined(op, *c) for c in cases])


def matmul(op, ta, tb, k, scales=(0.1, 0.1, 1), per_column=True):
    a, b = codes((3, k), ta), codes((k, 37), tb)
    za, zb, zy = codes((), ta), codes((37,) if per_column else (), tb), codes((), ta)
    sb = (np.full(37, scales[1]) * (1 + np.arange(37) / 37) if per_column else np.asarray(scales[1])).astype(F32)
    total = (a.astype(np.int64) - int(za)) @ (b.astype(np.int64) - zb.astype(np.int64))
    left, (s, z) = params("a", scales[0], za, ta), params("w", sb, zb, tb)
    if op == "MatMulInteger":
        return off_by(kernel(op, [("a", a), ("w", b), left[1], z], np.int32, domain=""), total)
    if op == "MatMulIntegerToFloat":
        y = kernel(op, [("a", a), ("w", b), left[0], s, left[1], z], F32)
        return float(np.max(np.abs(y / float(F32(scales[0])) / sb - total)) / np.max(np.abs(total)))
    exact = quantized(total * float(F32(scales[0])) * sb.astype(np.float64), scales[2], zy, ta)
    given, to = [("a", a), *left, ("w", b), s, z], params("y", scales[2], zy, ta)
    if op == "QGemm":
        return off_by(kernel(op, [*given, ("bias", None), *to], ta), exact)
    return off_by(kernel(op, given + to, ta, domain=""), exact)


def conv(op, ta, tb, channels, filters, group, size, scales=(0.01, 0.001, 0.05), per_channel=True):
    x, w = codes((2, channels, 9, 11), ta), codes((filters, channels // group, size, size), tb)
    per_channel &= op == "QLinearConv"
    zx, zw, zy = codes((), ta), codes((filters,) if per_channel else (), tb), codes((), ta)
    sw = (scales[1] * (1 + np.arange(filters) / filters)).astype(F32) if per_channel else F32(scales[1])
    padded = np.pad(x.astype(np.int64) - int(zx), ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (2, 3))
    centred = w.astype(np.int64) - np.broadcast_to(zw.astype(np.int64), (filters,)).reshape(-1, 1, 1, 1)
    parts = zip(np.split(windows, group, 1), np.split(centred, group, 0))
    total = np.concatenate([np.einsum("nchwij,ocij->nohw", p, c) for p, c in parts], 1)
    left, (s, z) = params("a", scales[0], zx, ta), params("w", sw, zw, tb)
    options = dict(domain="", pads=[1] * 4, group=group)
    if op == "ConvInteger":
        return off_by(kernel(op, [("a", x), ("w", w), left[1], z], np.int32, **options), total)
    bias = rng.integers(-5000, 5000, filters).astype(np.int32)
    scale = float(F32(scales[0])) * np.broadcast_to(sw, (filters,)).astype(np.float64).reshape(-1, 1, 1)
    exact = quantized((total + bias.reshape(-1, 1, 1)) * scale, scales[2], zy, ta)
    given = [("a", x), *left, ("w", w), s, z, *params("y", scales[2], zy, ta), ("bias", bias)]
    return off_by(kernel(op, given, ta, **options), exact)


def products():
    """Sums in int32, then one float factor x_scale * w_scale / y_scale."""
    types = [(U8, U8), (U8, S8), (S8, S8)]
    factors = [(p, p, p * p / r) for p in (1e-20, 1e-6, 1e-3, 1, 1e6, 1e18) for r in (1e-6, 1e-4, 1e-2, 1, 1e6)
               if 1e-44 < p * p / r < FLOAT_MAX]
    wide = "x_scale * w_scale 1e-40..1e36, ratios 1e-6..1e6"
    for op in ("QLinearMatMul", "QGemm"):
        right(op, wide, [matmul(op, *t, 97, s, c) for t in types for s in factors for c in (True, False)])
        wrong(op, "x_scale * w_scale 1e-45", max(
            matmul(op, U8, S8, 97, (10**-22.5, 10**-22.5, y), False) for y in (1e-43, 1e-42, 1e-41)))
    right("QLinearConv", wide, [conv("QLinearConv", *t, 8, 8, 1, 3, s) for t in types for s in factors])
    for op in ("MatMulInteger", "MatMulIntegerToFloat"):
        allowed = types + ([(S8, U8)] if op == "MatMulInteger" else [])
        right(op, "zero points per column, K 1..4099", [
            matmul(op, *t, k) for t in allowed for k in (1, 2, 3, 15, 16, 17, 63, 64, 65, 4099)], 1e-6)
    shapes = [(1, 1, 1), (3, 16, 1), (16, 16, 16), (33, 66, 33), (8, 16, 4), (12, 9, 3), (65, 7, 1)]
    for op in ("QLinearConv", "ConvInteger"):
        right(op, "full, grouped, depthwise, per channel", [
            conv(op, *t, *s, k, per_channel=c) for t in types for s in shapes for k in (1, 3) for c in (True, False)])
    given = [("a", codes((1, 2, 5, 5), U8)), ("w", codes((2, 2, 3, 3), S8)), ("z", U8(1)), ("wz", codes(2, S8))]
    refused("ConvInteger", "zero points per channel", "FAIL",
            lambda: kernel("ConvInteger", given, np.int32, domain=""))
    for a, w, y in itertools.product((U8, S8), repeat=3):
        if a == y and (a, w) != (S8, U8):
            continue
        given = [("a", codes((3, 8), a)), *params("a", 1, 0, a), ("w", codes((8, 4), w)), *params("w", 1, 0, w)]
        for op, more, domain in (("QLinearMatMul", [], ""), ("QGemm", [("bias", None)], "com.microsoft")):
            refused(op, f"{a.__name__} x {w.__name__} -> {y.__name__}", "NOT_IMPLEMENTED",
                    lambda: kernel(op, given + more + params("y", 1, 0, y), y, domain=domain))
    refused("MatMulIntegerToFloat", "int8 x uint8", "NOT_IMPLEMENTED",
            lambda: matmul("MatMulIntegerToFloat", S8, U8, 8))

    def one_sign(k):
        x, w = np.full((2, k), 127 / 64, F32), np.full((k, 3), 127, S8)
        return levels_differ(lambda level: weighted("MatMul", x, w, 1.0, to=2.0**19, level=level), 2.0**19)
    right("MatMul, Q/DQ", "|sum of products + bias| < 2^31", [one_sign(1000), one_sign(2**31 // 127**2)])
    wrong("MatMul, Q/DQ", "the same >= 2^31", one_sign(2**31 // 127**2 + 8))


def pools():
    def case(op, dtype, zeros, scales, shape, q=None, **attributes):
        q = codes((1, 3) + shape, dtype) if q is None else q
        x = real(q, scales[0], zeros[0])
        window = attributes.get("kernel_shape", shape)
        exact = np.lib.stride_tricks.sliding_window_view(x, window, (2, 3)).mean((-2, -1))
        given = [("a", q), *params("a", scales[0], zeros[0], dtype), *params("y", scales[1], zeros[1], dtype)]
        return off_by(kernel(op, given, dtype, **attributes), quantized(exact, scales[1], zeros[1], dtype))
    everywhere, windows, area = "QLinearGlobalAveragePool", "QLinearAveragePool", "x_scale / (y_scale * area)"
    cases = [(d, z, (x, x * r), s) for d in (U8, S8) for z in itertools.product(zeros_of(d)[::2], repeat=2)
             for x in (1e-30, 1, 1e30) for r in (1 / 16, 1, 1e3) for s in ((3, 5), (7, 7), (50, 31))]
    right(everywhere, f"{area} in [2^-32, 256)", [case(everywhere, *c) for c in cases])
    right(windows, "x_scale / y_scale 1e-3..2^15", [
        case(windows, d, z, (s[0], s[0] / r), shape, kernel_shape=[2, 3])
        for d, z, s, shape in cases[::7] for r in (1e-3, 1, 1e3, 2**15)])
    wrong(windows, "255 * x_scale / y_scale >= 2^31",
          case(windows, U8, (0, 0), (1e7, 1), (4, 4), np.full((1, 3, 4, 4), 255, U8), kernel_shape=[2, 2]))
    for scales, shape in (((1, 1e-3), (1, 1)), ((1e-8, 1), (7, 7))):
        refused(everywhere, f"{area} = {scales[0] / scales[1] / np.prod(shape):.2g}", "out of computation range",
                lambda: case(everywhere, U8, (0, 0), scales, shape))
    refused(windows, "a window of the whole image: the same limits", "out of computation range",
            lambda: case(windows, U8, (0, 0), (1e-8, 1), (7, 7), kernel_shape=[7, 7]))
    full = np.full((1, 1, 2904, 2904), 255, U8)
    wrong(everywhere, "sum of codes >= 2^31 (2904 x 2904 of 255)",
          case(everywhere, U8, (0, 0), (1, 1), full.shape[2:], full))
    refused(everywhere, "area >= 2^24", "too large",
            lambda: case(everywhere, U8, (0, 0), (1, 1), (4096, 4096), np.zeros((1, 1, 4096, 4096), U8)))
    image = rng.uniform(-2.5, 2.5, (1, 4, 8, 7)).astype(F32)

    def pool(attributes):
        return levels_differ(lambda level: between_pairs(
            "AveragePool", image, (0.02, 128), level=level, **attributes), 0.02)
    right("AveragePool, Q/DQ", "strides, pads, ceil_mode or count_include_pad", [
        pool(dict(kernel_shape=k, strides=[s] * 2, pads=p, ceil_mode=c, count_include_pad=i))
        for k in ([2, 2], [3, 2], [3, 3]) for s in (1, 2, 3) for p in ([0] * 4, [1] * 4, [0, 0, 1, 1])
        for c, i in ((0, 0), (0, 1), (1, 0))])
    wrong("AveragePool, Q/DQ", "ceil_mode and count_include_pad, window beyond",
          pool(dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, count_include_pad=1)))
    refused("AveragePool, Q/DQ", "the attribute dilations, even [1, 1]", "Unrecognized attribute",
            lambda: pool(dict(kernel_shape=[2, 2], dilations=[1, 1])))


def softmax():
    """QLinearSoftmax: T exponentials that add up to at most FLT_MAX * e^-5, times floor(1 / y_scale)."""
    def case(dtype, length, x_scale, y_scale):
        q, zero = codes((9, length), dtype), np.iinfo(dtype).min
        q[0] = q[0, 0]
        x = real(q, x_scale)
        p = np.exp(x - x.max(-1, keepdims=True))
        given = [("a", q), *params("a", x_scale, 0, dtype), *params("y", y_scale, zero, dtype)]
        exact = quantized(p / p.sum(-1, keepdims=True), y_scale, zero, dtype)
        return off_by(kernel("QLinearSoftmax", given, dtype, opset=13), exact)
    bound = np.exp(-5)
    right("QLinearSoftmax", "y_scale >= e^-5 / T, T to 2^17", [
        case(d, t, x, bound * k / t) for d in (U8, S8) for t in (1, 2, 3, 17, 64, 1500, 2**17)
        for x in (1e-40, 1e-3, 0.1, 10, 1e30) for k in (1.001, 2)])
    for length in (2, 64, 1500, 2**17):
        error = case(U8, length, 0.1, 0.99 * bound / length)
        wrong("QLinearSoftmax", f"y_scale = 0.99 * e^-5 / T, T = {length}", error)
    wrong("QLinearSoftmax", "y_scale = 1/256, T = 1: 0 instead of 1", case(U8, 1, 0.1, 1 / 256))
    wrong("Softmax, Q/DQ", "y_scale = 1/255, T = 1: 0 instead of 1", levels_differ(
        lambda level: between_pairs("Softmax", np.zeros((2, 1), F32), (1 / 255, 0), level=level), 1 / 255))


def dynamic():
    def quantized_on_the_way(amplitude, w_scale):
        x, w = (rng.uniform(-1, 1, (3, 64)) * amplitude).astype(F32), codes((64, 8), S8)
        exact = x.astype(np.float64) @ real(w, w_scale)
        y = kernel("DynamicQuantizeMatMul", [("a", x), ("w", w), *params("w", w_scale, 0, S8)], F32)
        return float(np.max(np.abs(y - exact)) / np.max(np.abs(exact)))
    right("DynamicQuantizeMatMul", "range 1e-38..1e36, relative", [quantized_on_the_way(a, w) for a, w in (
        (1e-38, 1), (1e-30, 1e-3), (1, 1e-30), (1, 1e-3), (1e10, 1), (1e30, 1e-3), (1e36, 1e-3))], 0.03)
    values = np.array([1, 2, np.inf], F32)
    infinite = run([node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"])], {"x": values}, {}, U8)
    row("DynamicQuantizeLinear", "one infinity among the values", "every code is 0", not infinite.any())

    def weights_only(x, bits, level=DEFAULT):
        w = np.random.default_rng(2).integers(-8, 8, (256, 16))
        kind = helper.tensor_dtype_to_np_dtype(TensorProto.INT4 if bits == 4 else TensorProto.INT8)
        blocks = node("DequantizeLinear", ["w", "s"], ["d"], axis=0, block_size=32)
        constants = {"w": w.astype(kind), "s": np.full((8, 16), 0.1, F32)}
        return run([blocks, node("MatMul", ["x", "d"], ["y"])], {"x": x}, constants, level=level)

    def relative(x, bits):
        exact = weights_only(x, bits, OFF).astype(np.float64)
        return float(np.sqrt(np.mean((weights_only(x, bits) - exact) ** 2) / np.mean(exact**2)))
    name, normal = "MatMulNBits (DQ, MatMul)", floats(4, 256)
    right(name, "activations 1e-36..1e36, relative", [
        relative(normal * F32(k), b) for b in (4, 8) for k in (1e-36, 1e-3, 1, 1e3, 1e36)], 0.012)
    wrong(name, "activations in 8 bits: no float result", relative(normal, 4), 1e-3)
    wrong(name, "activations of 1e-38 count as 0", relative(normal * F32(1e-38), 8), 0.9)
    normal[1, 3] = np.nan
    row(name, "a NaN among the activations", "finite result", bool(np.isfinite(weights_only(normal, 4)).all()))


def movers():
    """Operators that carry codes."""
    def ints(*values):
        return np.array(values)
    image = rng.uniform(-2.5, 2.5, (1, 8, 6, 6)).astype(F32)
    cases = [("MaxPool", {}, dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, ceil_mode=1)), ("Relu", {}, {}),
             ("Transpose", {}, dict(perm=[0, 2, 3, 1])), ("Reshape", {"p": ints(1, 8, 36)}, {}), ("Flatten", {}, {}),
             ("Slice", {"p": ints(1), "q": ints(5), "a": ints(2)}, {}), ("Gather", {"i": ints(0, 2)}, dict(axis=1)),
             ("Expand", {"p": ints(2, 8, 6, 6)}, {}), ("Tile", {"p": ints(1, 2, 1, 1)}, {}),
             ("ReduceMax", {"a": ints(2, 3)}, {}), ("ReduceMin", {"a": ints(2, 3)}, {}),
             ("Pad", {"p": ints(0, 0, 1, 1, 0, 0, 1, 1)}, {}), ("DepthToSpace", {}, dict(blocksize=2))]
    twice = np.array([1, 1, 2, 2], F32)
    resize = {"roi": np.zeros(0, F32), "by": twice}
    cases += [("Resize", resize, dict(mode=mode)) for mode in ("nearest", "linear", "cubic")]
    right("movers, Q/DQ", "uint8 and int8, all zero points", [levels_differ(lambda level: between_pairs(
        op, image, (0.02, z), others, (0.02, z), d, level, **attributes), 0.02)
        for op, others, attributes in cases for d in (U8, S8) for z in zeros_of(d)])
    four_bits, pool = helper.tensor_dtype_to_np_dtype(TensorProto.INT4), dict(kernel_shape=[2, 2])
    refused("MaxPool, Q/DQ", "codes of 4 bits", "INVALID_GRAPH",
            lambda: between_pairs("MaxPool", image, (0.02, 0), start=(0.02, 0), dtype=four_bits, **pool))
    refused("Sigmoid, Q/DQ", "activations per channel", "must be a scalar or 1D tensor of size 1",
            lambda: between_pairs("Sigmoid", image, (0.02, 0), start=(np.full(8, 0.02), np.full(8, 128))))
    for dtype in (U8, S8):
        q = codes((1, 2, 5, 5), dtype)

        def resized(x, antialias):
            linear_resize = node("Resize", ["x", "", "by"], ["y"], mode="linear", antialias=antialias)
            return run([linear_resize], {"x": x}, {"by": twice}, x.dtype).astype(np.float64)
        exact, name = resized(q.astype(F32), 0), dtype.__name__
        cut = bool((resized(q, 0) == np.trunc(exact)).all())
        row("Resize on codes", f"{name}, linear", "fractions are cut off", cut)
        error = float(np.max(np.abs(resized(q, 1) - exact)))
        row("Resize on codes", f"{name}, linear, antialias", f"{error:.3g} off", (error <= 1) == (dtype == U8))


def fusions():
    """What Convs, Gemms and MatMuls between pairs become at the default level, against level 0."""
    def differ(*arguments, **options):
        return levels_differ(lambda level: weighted(*arguments, level=level, **options), 0.05)
    rising, bias = np.linspace(1, 2, 16), floats(16) + F32(1)
    for op, x, shape, axis, scale in (("Conv", floats(1, 16, 9, 9), (16, 16, 3, 3), 0, 1e-3),
                                      ("Gemm", floats(5, 16), (16, 16), 1, 1e-2)):
        name, w, outlier = f"{op}, Q/DQ", codes(shape, S8), floats(*shape) * F32(0.05)
        outlier.flat[0] = 50
        wrong(name, "float weights between pairs: int8 per tensor", differ(op, x, outlier, None))
        right(name, "the same, the scale of the data once per channel", [differ(op, x, outlier, None, channels=16)])
        right(name, "float bias, |bias| / (x_scale * w_scale) < 2^31",
              [differ(op, x, w, scale * rising, bias, axis=axis)])
        wrong(name, "float bias, beyond (a weight scale of 1e-10)",
              differ(op, x, w, np.where(np.arange(16) == 3, 1e-10, scale), np.full(16, 3, F32), axis=axis))
        wrong(name, "scales along as many input channels as filters", differ(op, x, w, scale * rising, axis=1 - axis))
    wrong("Gemm, Q/DQ", "int32 bias of another scale than x_scale * w_scale", differ(
        "Gemm", x, w, 1e-2, rng.integers(-9000, 9000, 16).astype(np.int32), bias_scale=2e-2 / 64, axis=1))
    refused("MatMul, Q/DQ", "scales along the rows of the weights", "FAIL",
            lambda: weighted("MatMul", floats(5, 40), codes((40, 16), S8), np.full(40, 1e-3)))
    refused("MatMul, Q/DQ", "weights of rank 3, scales per column", "FAIL",
            lambda: weighted("MatMul", floats(3, 5, 40), codes((3, 40, 16), S8), np.full(16, 1e-3), axis=2))


def depthwise():
    """Time on codes over time on floats of six convolutions with one channel in and out per group; one thread."""
    def least(op, x, constants, groups):
        names = ["x", *"abcde", "y"]
        layers = [node(op, [before, *constants], [after], group=groups) for before, after in zip(names, names[1:])]
        model = session(layers, {"x": x}, constants, x.dtype)
        times = []
        for _ in range(300):
            start = time.perf_counter()
            model.run(None, {"x": x})
            times.append(time.perf_counter() - start)
        return min(times)

    for groups, slower in ((1, True), (4, True), (8, True), (12, True), (64, False)):
        x, w = floats(1, groups, 64, 64), floats(groups, 1, 3, 3)
        on_codes = dict([*params("x", 0.02, 128, U8), ("w", codes(w.shape, S8)), *params("w", 0.01, 0, S8),
                         *params("y", 0.1, 128, U8)])
        ratio = least("QLinearConv", codes(x.shape, U8), on_codes, groups) / least("Conv", x, {"w": w}, groups)
        row("QLinearConv", f"depthwise, {groups} channels: time over that of Conv", f"{ratio:.2f}",
            (ratio > 3) == slower)


def main():
    for part in (linear, binary, tables, products, pools, softmax, dynamic, movers, fusions, depthwise):
        part()
    widths = [max(len(r[i]) for r in rows) for i in range(3)]
    print(f"onnxruntime {ort.__version__} against exact arithmetic (off: in codes where nothing else is said)")
    for r in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(r, widths)), r[3]]))
    print(f"{len(rows)} bounds, {changed} changed")
    return 8 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
