#include "lib/exec/ops/nbits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/base/simd.h"

namespace intaglio {

NBits read_nbits(const Node& node) {
  const NBits b{node.attr_int("N"), node.attr_int("K"), node.attr_int("bits", 4),
                node.attr_int("block_size"), node.attr_int("accuracy_level", 0) == 4};
  constexpr std::int64_t most = std::int64_t{1} << 31;
  if (b.n < 1 || b.k < 1 || b.block < 8 || b.block % 8 != 0 ||
      std::max({b.n, b.k, b.block}) > most || (b.bits != 2 && b.bits != 4 && b.bits != 8))
    throw Error(Code::unsupported, fmt::format("{} bits in blocks of {}", b.bits, b.block));
  return b;
}

namespace {

INTAGLIO_CLONES float largest_magnitude(const float* x, std::size_t count) {
  constexpr std::size_t lanes = 16;
  float most[lanes] = {};
  const std::size_t whole = count / lanes * lanes;
  for (std::size_t i = 0; i < whole; i += lanes)
    for (std::size_t j = 0; j < lanes; ++j)
      most[j] = std::abs(x[i + j]) > most[j] ? std::abs(x[i + j]) : most[j];
  for (std::size_t i = whole; i < count; ++i) most[0] = std::max(most[0], std::abs(x[i]));
  return *std::max_element(most, most + lanes);
}

INTAGLIO_CLONES void round_to_steps(const float* x, std::size_t count, float inverse, float step,
                                    float* y) {
  for (std::size_t i = 0; i < count; ++i) y[i] = std::nearbyint(x[i] * inverse) * step;
}

}  // namespace

Tensor rounded_by_block(const Tensor& a, const NBits& b) {
  Tensor result(DType::f32, a.shape());
  const auto from = a.data<float>();
  const auto to = result.mutate<float>();
  const auto width = static_cast<std::size_t>(b.k), step = static_cast<std::size_t>(b.block);
  for (std::size_t row = 0; row + width <= from.size(); row += width)
    for (std::size_t at = row; at < row + width; at += step) {
      const std::size_t count = std::min(step, row + width - at);
      const float most = largest_magnitude(from.data() + at, count);
      round_to_steps(from.data() + at, count, most > 0 ? 127 / most : 0, most / 127,
                     to.data() + at);
    }
  return result;
}

}  // namespace intaglio
