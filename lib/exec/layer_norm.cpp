#include "lib/exec/layer_norm.h"

#include <cmath>
#include <span>
#include <vector>

#include "lib/exec/moments.h"
#include "lib/tensor/broadcast.h"

namespace intaglio {
namespace {

// The values of a parameter of shape broadcastable to `shape`, one per element of it.
std::vector<float> spread(const Tensor& parameter, std::span<const std::int64_t> shape) {
  const Shape whole(shape.begin(), shape.end());
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

// The mean square about the mean, or about zero.
Moments moments_for(std::span<const float> row, const LayerNorm& options) {
  if (options.centered) return moments_of(row);
  Moments m;
  for (const float v : row) m.variance += static_cast<double>(v) * static_cast<double>(v);
  if (!row.empty()) m.variance /= static_cast<double>(row.size());
  return m;
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
    const auto [mean, variance] = moments_for(in.subspan(first, factors.size()), options);
    const double inverse = 1 / std::sqrt(variance + options.epsilon);
    means[row] = static_cast<float>(mean);
    inverses[row] = static_cast<float>(inverse);
    for (std::size_t i = 0; i < factors.size(); ++i)
      out[first + i] =
          static_cast<float>((static_cast<double>(in[first + i]) - mean) * inverse) * factors[i] +
          shifts[i];
  }
  return r;
}

}  // namespace intaglio
