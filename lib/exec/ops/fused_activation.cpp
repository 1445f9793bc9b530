#include "lib/exec/ops/fused_activation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace intaglio {

FusedActivation::FusedActivation(std::string_view name, std::vector<float> parameters)
    : parameters_(std::move(parameters)) {
  constexpr std::array<std::pair<std::string_view, Kind>, 8> kinds{
      {{"", Kind::none},
       {"Relu", Kind::relu},
       {"LeakyRelu", Kind::leaky_relu},
       {"Sigmoid", Kind::sigmoid},
       {"Tanh", Kind::tanh},
       {"Clip", Kind::clip},
       {"HardSigmoid", Kind::hard_sigmoid},
       {"Gelu", Kind::gelu}}};
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const auto& entry) { return entry.first == name; });
  if (found == kinds.end())
    throw Error(Code::unsupported, fmt::format("the fused activation '{}' is not known", name));
  kind_ = found->second;
}

void FusedActivation::apply(std::span<float> values) const {
  const auto each = [&](auto f) {
    std::transform(values.begin(), values.end(), values.begin(), f);
  };
  const float alpha = parameter(0, kind_ == Kind::hard_sigmoid ? 0.2f : 0.01f);
  const float beta = parameter(1, 0.5f);
  const float low = parameter(0, std::numeric_limits<float>::lowest());
  const float high = parameter(1, std::numeric_limits<float>::max());
  switch (kind_) {
    case Kind::none:
      return;
    case Kind::relu:
      return each([](float x) { return x < 0 ? 0 : x; });
    case Kind::leaky_relu:
      return each([=](float x) { return x < 0 ? alpha * x : x; });
    case Kind::sigmoid:
      return each([](float x) { return 1 / (1 + std::exp(-x)); });
    case Kind::tanh:
      return each([](float x) { return std::tanh(x); });
    case Kind::clip:
      return each([=](float x) { return std::min(std::max(x, low), high); });
    case Kind::hard_sigmoid:
      return each([=](float x) { return std::min(std::max(alpha * x + beta, 0.0f), 1.0f); });
    case Kind::gelu:
      return each([](float x) { return 0.5f * x * (1 + std::erf(x * 0.70710678f)); });
  }
}

}  // namespace intaglio
