#include "calibration/ranges/weight_range.h"

#include <algorithm>
#include <limits>

#include "lib/base/nearest.h"
#include "lib/base/simd.h"
#include "lib/quant/array.h"

namespace intaglio {
namespace {

constexpr int steps = 64;

struct Errors {
  double clipped, all;  // squared errors of the values beyond the outermost points, and of all
};

// Sixteen lanes of running sums, added up in order: the same on every processor.
INTAGLIO_CLONES
void add_errors(const float* x, std::size_t n, float inverse, float lowest, float highest,
                Vector16& clipped, Vector16& all) {
  // Adding and subtracting 1.5 * 2^23 rounds to the nearest whole number, ties to even.
  const Vector16 magic = Vector16{} + 12582912.0f;
  for (std::size_t i = 0; i < n; i += vector_width) {
    const Vector16 scaled = *reinterpret_cast<const Vector16*>(x + i) * inverse;
    const Vector16 bounded = scaled < lowest    ? Vector16{} + lowest
                             : scaled > highest ? Vector16{} + highest
                                                : scaled;
    const Vector16 beyond = scaled - bounded;
    const Vector16 off = scaled - ((bounded + magic) - magic);
    clipped += beyond * beyond;
    all += off * off;
  }
}

double sum_of(const Vector16& lanes) {
  double sum = 0;
  for (int i = 0; i < vector_width; ++i) sum += static_cast<double>(lanes[i]);
  return sum;
}

Errors errors_of(std::span<const float> padded, const Affine& affine, const Levels& levels) {
  constexpr std::size_t block = 4096;  // few enough for float sums
  Errors errors{};
  for (std::size_t at = 0; at < padded.size(); at += block) {
    Vector16 clipped{}, all{};
    add_errors(padded.data() + at, std::min(block, padded.size() - at),
               static_cast<float>(1 / affine.scale),
               static_cast<float>(levels.lo - affine.zero_point),
               static_cast<float>(levels.hi - affine.zero_point), clipped, all);
    errors.clipped += sum_of(clipped);
    errors.all += sum_of(all);
  }
  errors.clipped *= affine.scale * affine.scale;
  errors.all *= affine.scale * affine.scale;
  return errors;
}

Range extremes(std::span<const float> values) {
  Range range{0, 0};
  for (const float v : values) range.lo = std::min(range.lo, v), range.hi = std::max(range.hi, v);
  return range;
}

Range method_range(std::span<const float> values, const Grid& grid, const Method& method) {
  Statistics s;
  if (method.traits.needs_histogram) s.histogram.emplace();
  s.add_sample(values);
  return s.finite() > 0 ? method.selector(s, grid, {}).range : Range{0, 0};
}

}  // namespace

WeightMethod parse_weight_method(std::string_view text) {
  if (text == best_weight_method) return {};
  try {
    return {std::string(text), parse_method(text)};
  } catch (const Error& e) {
    throw Error(e.code(), e.what(), std::string(e.remedy()) + " For weights also: best.");
  }
}

Range least_squares_range(std::span<const float> values, const Grid& grid) {
  std::vector<float> padded(values.begin(), values.end());
  padded.resize((padded.size() + vector_width - 1) / vector_width * vector_width,
                0.0f);  // zero is exact
  const Range whole = extremes(values);
  Range best = whole;
  double least = std::numeric_limits<double>::infinity();
  for (int i = steps; i > 0; --i) {
    const float part = static_cast<float>(i) / steps;
    const Range range{whole.lo * part, whole.hi * part};
    const Errors errors = errors_of(padded, choose_affine(range, grid), grid.levels);
    if (errors.all < least) least = errors.all, best = range;
    if (errors.clipped >= least) break;  // and more so for every narrower range
  }
  return best;
}

std::vector<Range> weight_ranges(const Tensor& weight, const Scheme& scheme,
                                 const WeightMethod& method) {
  std::vector<Range> ranges = ranges_of(weight, scheme.axis);  // refuses NaN and infinity
  if (method.method && method.method->traits.keeps_extremes) return ranges;
  const Grid grid = grid_of(scheme);
  for (std::size_t c = 0; c < ranges.size(); ++c) {
    const std::vector<float> values = channel_values(weight, scheme.axis, c);
    if (values.empty() || ranges[c] == Range{0, 0}) continue;
    ranges[c] = method.method ? method_range(values, grid, *method.method)
                              : least_squares_range(values, grid);
  }
  return ranges;
}

}  // namespace intaglio
