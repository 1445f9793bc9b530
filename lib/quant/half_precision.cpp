#include "lib/quant/half_precision.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace intaglio {

Range half_range(DType type) {
  assert(is_half(type));
  const float largest = type == DType::f16 ? 65504.0f : 0x1.FEp127f;
  return {-largest, largest};
}

Tensor to_half(const Tensor& tensor, DType type) {
  const Range range = half_range(type);
  Tensor kept(DType::f32, tensor.shape());
  std::ranges::transform(tensor.data<float>(), kept.mutate<float>().begin(), [&](float v) {
    return std::isfinite(v) ? std::clamp(v, range.lo, range.hi) : v;
  });
  return convert(kept, type);
}

HalfLoss half_loss(const Tensor& tensor, DType type) {
  const Range range = half_range(type);
  const auto rounded = convert(to_half(tensor, type), DType::f32);
  const auto before = tensor.data<float>(), after = rounded.data<float>();
  HalfLoss loss;
  for (std::size_t i = 0; i < before.size(); ++i) {
    loss.beyond += std::isfinite(before[i]) && std::abs(before[i]) > range.hi;
    loss.vanished += before[i] != 0 && after[i] == 0;
  }
  return loss;
}

}  // namespace intaglio
