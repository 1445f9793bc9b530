#include "lib/exec/ops/layer_norm.h"

#include <cmath>
#include <span>
#include <vector>

#include "lib/base/simd.h"
#include "lib/exec/ops/moments.h"
#include "lib/tensor/broadcast.h"

namespace intaglio {
namespace {

// The values of a parameter of shape broadcastable to `shape`, one per element of it.
std::vector<float> spread(const Tensor& parameter, std::span<const std::int64_t> shape) {
  const Shape whole(shape.begin(), shape.end());
  if (parameter.shape() == whole) return parameter.to_vector<float>();
  if (broadcast_shapes(parameter.shape(), whole) != whole)
    throw Error(Code::model, "parameter of shape " + to_string(parameter.shape()) +
                                 " does not broadcast to " + to_string(whole));
  const Shape strides = broadcast_strides(parameter.shape(), whole), own = strides_of(whole);
  std::vector<float> result(static_cast<std::size_t>(element_count(whole)));
  for (std::size_t i = 0; i < result.size(); ++i) {
    std::int64_t rest = static_cast<std::int64_t>(i), at = 0;
    for (std::size_t a = 0; a < whole.size(); ++a) {
      at += rest / own[a] * strides[a];
      rest %= own[a];
    }
    result[i] = parameter.data<float>()[static_cast<std::size_t>(at)];
  }
  return result;
}

// The mean, and the mean square about it, or about zero. Sums have 32 lanes, joined in order.
INTAGLIO_CLONES Moments moments_for(const float* row, std::size_t count, bool centered) {
  constexpr std::size_t lanes = 32;
  Moments m;
  if (count == 0) return m;
  const auto over = static_cast<double>(count);
  double sums[lanes] = {}, squares[lanes] = {};
  const std::size_t whole = count / lanes * lanes;
  if (centered) {
    for (std::size_t i = 0; i < whole; i += lanes)
      for (std::size_t j = 0; j < lanes; ++j) sums[j] += static_cast<double>(row[i + j]);
    for (std::size_t i = whole; i < count; ++i) sums[0] += static_cast<double>(row[i]);
    for (const double sum : sums) m.mean += sum;
    m.mean /= over;
  }
  const auto square = [&](std::size_t i) {
    const double apart = static_cast<double>(row[i]) - m.mean;
    return apart * apart;
  };
  for (std::size_t i = 0; i < whole; i += lanes)
    for (std::size_t j = 0; j < lanes; ++j) squares[j] += square(i + j);
  for (std::size_t i = whole; i < count; ++i) squares[0] += square(i);
  for (const double sum : squares) m.variance += sum;
  m.variance /= over;
  return m;
}

INTAGLIO_CLONES void normalize_row(const float* x, std::size_t count, double mean, double inverse,
                                   const float* factors, const float* shifts, float* y) {
  for (std::size_t i = 0; i < count; ++i)
    y[i] =
        static_cast<float>((static_cast<double>(x[i]) - mean) * inverse) * factors[i] + shifts[i];
}

}  // namespace

LayerNormResult normalize_layers(const Tensor& x, std::int64_t axis, const Tensor& scale,
                                 const Tensor& bias, const LayerNorm& options) {
  const auto shape = std::span(x.shape()).subspan(static_cast<std::size_t>(axis));
  const std::vector<float> factors = spread(scale, shape);
  std::vector<float> shifts(factors.size(), 0.0f);
  if (bias.defined()) shifts = spread(bias, shape);
  Shape reduced = x.shape();
  std::fill(reduced.begin() + axis, reduced.end(), 1);
  LayerNormResult r{Tensor(DType::f32, x.shape()), Tensor(DType::f32, reduced),
                    Tensor(DType::f32, reduced)};
  const auto in = x.data<float>();
  const auto out = r.y.mutate<float>();
  const auto means = r.means.mutate<float>(), inverses = r.inverses.mutate<float>();
  for (std::size_t row = 0; row < means.size(); ++row) {
    const std::size_t first = row * factors.size();
    const auto [mean, variance] = moments_for(in.data() + first, factors.size(), options.centered);
    const double inverse = 1 / std::sqrt(variance + options.epsilon);
    means[row] = static_cast<float>(mean);
    inverses[row] = static_cast<float>(inverse);
    normalize_row(in.data() + first, factors.size(), mean, inverse, factors.data(), shifts.data(),
                  out.data() + first);
  }
  return r;
}

}  // namespace intaglio
