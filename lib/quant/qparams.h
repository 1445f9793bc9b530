// From a range to a scale and a zero point: the only place in the code that computes them. Guards
// and targets enlarge a scale afterwards.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lib/quant/scheme.h"

namespace intaglio {

// An interval of real values, lo <= hi, both finite.
struct Range {
  float lo = 0, hi = 0;
  bool operator==(const Range&) const = default;
};
Range join(const Range& a, const Range& b);  // the smallest range that holds both

// What a quantizer of any bit width rounds to: scale * (code - zero_point) for the codes of
// `levels`.
struct Grid {
  Levels levels;
  bool symmetric = false;
  std::optional<std::int32_t> avoided = {};  // no zero point is this one (Scheme::off_centre)
};
Grid grid_of(const Scheme& scheme);

struct Affine {
  double scale = 1;
  std::int32_t zero_point = 0;
};

// real = scale * (code - zero_point). One entry, or one per channel along `axis`; none for float16
// and bfloat16.
struct QParams {
  DType type = DType::u8;
  std::optional<int> axis;
  std::vector<float> scale;
  std::vector<std::int32_t> zero_point;

  bool operator==(const QParams&) const = default;
};

// The scale and zero point that cover a range, in double arithmetic:
//   lo' = min(lo, 0), hi' = max(hi, 0)                  zero is always exactly representable
//   hi' = max(hi', lo' + min_range)                     targets may ask for a smallest range
//   symmetric: a = max(-lo', hi'), lo' = -a, hi' = a
//   scale = (hi' - lo') / (code_hi - code_lo)
//   zero_point = code_lo - lo'/scale, or (code_lo + code_hi)/2 when symmetric, rounded half to even
// A zero point that is to be avoided becomes the one below it, and the scale what still covers lo'.
// A dead tensor (range [0, 0], or so small that the scale would be subnormal in float) gets scale 1
// and zero point 0, or the one below where that is to be avoided: zero stays zero, and no runtime has to divide by a subnormal. The formulas are
// those of onnxruntime's compute_scale_zp (quant_utils.py, 1.31), so that both agree to the last
// bit on what a range means. Throws Code::data when a bound is not finite or lo > hi.
Affine choose_affine(const Range& range, const Grid& grid, double min_range = 0);

// ONNX Q/DQ parameters of ranges, one or one per channel of scheme.axis: choose_affine(), the scale
// in float.
QParams choose_qparams(std::span<const Range> ranges, const Scheme& scheme, double min_range = 0);

// What targets ask for afterwards, when guards may have raised the scale (lib/quant/target_rules.h):
// the least power of two that is not smaller, and a larger scale for parameters of one range, with
// the zero point that keeps its lower end, in float.
float next_power_of_two(float scale);
void enlarge_scale(QParams& params, const Scheme& scheme, const Range& range, float scale);

// Whether values beyond the bounds saturate to the codes of the bounds, so that codes do the work
// of a Clip to [lo, hi].
bool saturates_at(const QParams& params, const Scheme& scheme, double lo, double hi);

// The real values that the outermost codes of channel c stand for; the range of float16 or
// bfloat16.
Range representable(const QParams& params, const Scheme& scheme, std::size_t channel = 0);

}  // namespace intaglio
