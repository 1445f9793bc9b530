#include "lib/quant/saturation.h"

#include <algorithm>

#include "lib/quant/array.h"

namespace intaglio {
namespace {

// The codes as channels x depth: element (c, k) at c * channel_step + start(k).
struct SumOrder {
  std::int64_t channels = 0, channel_step = 0;
  std::vector<std::int64_t> depth;  // offsets in the order in which they are summed
};

SumOrder conv_layout(const Tensor& w) {
  const Shape& shape = w.shape();
  SumOrder layout{shape[0], product(shape, 1, shape.size()), {}};
  const std::int64_t taps = product(shape, 2, shape.size());
  if (shape[1] == 1) return {};  // depthwise
  for (std::int64_t t = 0; t < taps; ++t)
    for (std::int64_t c = 0; c < shape[1]; ++c) layout.depth.push_back(c * taps + t);
  return layout;
}

SumOrder matrix_layout(const Tensor& w, bool transposed) {
  const std::int64_t rows = w.dim(0), columns = w.dim(1);
  SumOrder layout{transposed ? rows : columns, transposed ? columns : 1, {}};
  for (std::int64_t k = 0; k < (transposed ? columns : rows); ++k)
    layout.depth.push_back(transposed ? k : k * columns);
  return layout;
}

SumOrder layout_of(const Node& node, const Tensor& w) {
  if (node.op().ends_with("Conv") || node.op() == "ConvInteger")
    return w.rank() >= 3 ? conv_layout(w) : SumOrder{};
  const bool matrix = node.op().find("MatMul") != std::string::npos || node.op().ends_with("Gemm");
  if (!matrix || w.rank() != 2) return {};
  const bool gemm = node.op().ends_with("Gemm");
  return matrix_layout(w, gemm && node.attr_int("transB", 0) != 0);
}

}  // namespace

std::int64_t Saturation::channels_over() const {
  return std::count_if(worst.begin(), worst.end(), [](int w) { return w > saturation_bound; });
}

Saturation saturation_of(const Node& node, const Tensor& codes) {
  Saturation result;
  if (codes.dtype() != DType::s8) return result;
  const SumOrder layout = layout_of(node, codes);
  const std::int8_t* data = codes.data<std::int8_t>().data();
  for (std::int64_t c = 0; c < layout.channels; ++c) {
    int worst = 0;
    const auto at = [&](std::size_t k) {
      return k < layout.depth.size() ? int{data[c * layout.channel_step + layout.depth[k]]} : 0;
    };
    for (std::size_t k = 0; k < layout.depth.size(); k += 2) {
      const int a = at(k), b = at(k + 1);
      const int sum = std::max(std::max(a, 0) + std::max(b, 0), std::max(-a, 0) + std::max(-b, 0));
      result.over += sum > saturation_bound;
      worst = std::max(worst, sum);
      ++result.pairs;
    }
    result.worst.push_back(worst);
  }
  return result;
}

int avoid_saturation(const Node& node, const Tensor& weights, const Scheme& scheme,
                     QParams& params) {
  std::vector<bool> raised(params.scale.size(), false);
  for (bool over = true; over;) {
    over = false;
    const Saturation found = saturation_of(node, quantize(weights, params, scheme));
    std::vector<int> worst(params.scale.size(), 0);  // by scale
    for (std::size_t c = 0; c < found.worst.size(); ++c) {
      int& w = worst[params.scale.size() == 1 ? 0 : c];
      w = std::max(w, found.worst[c]);
    }
    for (std::size_t i = 0; i < worst.size(); ++i) {
      if (worst[i] <= saturation_bound) continue;
      params.scale[i] *= static_cast<float>(worst[i]) / saturation_bound;
      raised[i] = over = true;
    }
  }
  return static_cast<int>(std::count(raised.begin(), raised.end(), true));
}

}  // namespace intaglio
