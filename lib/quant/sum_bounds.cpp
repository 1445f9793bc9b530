#include "lib/quant/sum_bounds.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/quant/array.h"

namespace intaglio {
namespace {

constexpr double limit = 2147483648.0 * 63 / 64;
constexpr double largest_bias = 1 << 29;  // after the guard (array.h)

// Where the products of output `o` lie: first(o) + k * step, k < depth.
struct Order {
  std::int64_t outputs = 0, depth = 0, step = 1, columns = 0;  // columns: 0 when outputs are rows
  std::int64_t first(std::int64_t o) const {
    return columns == 0 ? o * depth : o / columns * depth * columns + o % columns;
  }
  std::int64_t channel(std::int64_t o) const { return columns == 0 ? o : o % columns; }
};

Order order_of(const Node& node, const Tensor& w) {
  const bool rows = node.is("Conv") || (node.is("Gemm") && node.attr_int("transB", 0) != 0);
  if (w.size() == 0 || w.rank() < 2) return {};
  if (rows) return {w.dim(0), w.size() / w.dim(0), 1, 0};
  if (!node.is("Gemm") && !node.is("MatMul")) return {};
  const auto rank = static_cast<std::size_t>(w.rank());
  const std::int64_t depth = w.dim(rank - 2), columns = w.dim(rank - 1);
  return {w.size() / depth, depth, columns, columns};
}

class Sums {
 public:
  Sums(const Order& order, const Tensor& weights, const Scheme& scheme, const DataReach& data,
       const SumBias& bias)
      : order_(order), weights_(weights), scheme_(scheme), data_(data), bias_(bias) {}

  // The largest sum by scale, as a part of the limit.
  std::vector<double> reached(const QParams& params) const {
    const auto codes = quantize(weights_, params, scheme_).to_vector<std::int32_t>();
    std::vector<double> worst(params.scale.size(), 0);
    for (std::int64_t o = 0; o < order_.outputs; ++o) {
      const auto c = static_cast<std::size_t>(params.scale.size() == 1 ? 0 : order_.channel(o));
      double positive = 0, negative = 0;
      for (std::int64_t k = 0; k < order_.depth; ++k) {
        const auto at = static_cast<std::size_t>(order_.first(o) + k * order_.step);
        const double w = codes[at] - params.zero_point[c];
        (w > 0 ? positive : negative) += std::abs(w);
      }
      const auto below = static_cast<double>(data_.below), above = static_cast<double>(data_.above);
      const double sum =
          std::max(positive * above + negative * below, positive * below + negative * above);
      worst[c] = std::max(worst[c], (sum + std::abs(bias_of(o, params.scale[c]))) / limit);
    }
    return worst;
  }

 private:
  double bias_of(std::int64_t o, float scale) const {
    if (bias_.values == nullptr) return 0;
    const auto values = bias_.values->data<float>();
    const auto at = static_cast<std::size_t>(order_.channel(o)) % values.size();
    return static_cast<double>(values[at]) / (static_cast<double>(bias_.input_scale) * scale);
  }

  const Order& order_;
  const Tensor& weights_;
  const Scheme& scheme_;
  const DataReach data_;
  const SumBias bias_;
};

}  // namespace

DataReach reach_of(const QParams& data) {
  const std::int64_t lowest = data.type == DType::s8 ? -128 : 0, zero = data.zero_point.front();
  return {zero - lowest, lowest + 255 - zero};
}

RaisedSums avoid_overflow(const Node& node, const Tensor& weights, const Scheme& scheme,
                          const DataReach& data, const SumBias& bias, QParams& params) {
  RaisedSums result;
  const bool bytes = params.type == DType::s8 || params.type == DType::u8;
  const Order order = order_of(node, weights);
  const double most = 255.0 * static_cast<double>(std::max(data.below, data.above));
  if (!bytes || static_cast<double>(order.depth) * most + largest_bias < limit) return result;
  result.products = order.depth;
  const Sums sums(order, weights, scheme, data, bias);
  const std::vector<float> before = params.scale;
  for (bool over = true; over;) {
    over = false;
    const std::vector<double> worst = sums.reached(params);
    for (std::size_t i = 0; i < worst.size(); ++i) {
      if (worst[i] <= 1) continue;
      params.scale[i] *= static_cast<float>(std::max(worst[i], 1.001));
      over = true;
    }
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    result.scales += params.scale[i] != before[i];
    result.factor = std::max(result.factor, static_cast<double>(params.scale[i]) / before[i]);
  }
  return result;
}

}  // namespace intaglio
