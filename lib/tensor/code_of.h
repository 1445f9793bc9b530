// The code of a value, once: what QuantizeLinear of ONNX makes of it.
//   q = clamp(round_half_to_even(x / scale) + zero_point)
// In float where it stands for the runtime's own arithmetic (weights, inputs): then both agree to
// the last bit. In double where the program chooses a code by itself and nobody computes it again.
// The kernels have a twin of it that goes by sixteen (lib/exec/ops/codes/quantization_loops.h).
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>

namespace intaglio {

// Not clamped: it may lie beyond the codes of the type.
template <std::floating_point T>
T unclamped_code(T x, T scale, T zero_point) {
  return std::nearbyint(x / scale) + zero_point;
}

// A whole number between lo and hi, the lowest and the highest code.
template <std::floating_point T>
T code_of(T x, T scale, T zero_point, T lo, T hi) {
  return std::clamp(unclamped_code(x, scale, zero_point), lo, hi);
}

}  // namespace intaglio
