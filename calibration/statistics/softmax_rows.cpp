#include "calibration/statistics/softmax_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace intaglio {
namespace {

constexpr float masked = -1000;  // of the largest value of a row: it is masked as a whole

}  // namespace

std::optional<std::int64_t> softmax_axis(const Value& value) {
  std::optional<std::int64_t> found;
  if (value.is_output() || value.uses().empty()) return std::nullopt;
  for (const Use& use : value.uses()) {
    if (!use.node->is("Softmax") || use.node->opset() < 13) return std::nullopt;
    std::int64_t axis = use.node->attr_int("axis", -1);
    if (axis < 0) axis += value.rank();
    if (value.rank() < 0 || axis < 0 || axis >= value.rank() || (found && *found != axis))
      return std::nullopt;
    found = axis;
  }
  return found;
}

std::vector<float> seen_by_softmax(const Tensor& tensor, std::int64_t axis) {
  const auto at = static_cast<std::size_t>(axis);
  const auto length = static_cast<std::size_t>(tensor.shape().at(at));
  const auto inner =
      static_cast<std::size_t>(product(tensor.shape(), at + 1, tensor.shape().size()));
  const auto in = tensor.data<float>();
  std::vector<float> seen;
  seen.reserve(in.size());
  for (std::size_t block = 0; block < in.size(); block += length * inner)
    for (std::size_t i = block; i < block + inner; ++i) {
      float largest = -std::numeric_limits<float>::infinity();
      bool odd = false;
      for (std::size_t k = 0; k < length; ++k) {
        largest = std::max(largest, in[i + k * inner]);
        odd |= std::isnan(in[i + k * inner]);
      }
      if (odd || !(largest > masked)) continue;
      for (std::size_t k = 0; k < length; ++k)
        seen.push_back(std::max(in[i + k * inner], largest - softmax_reach));
    }
  return seen;
}

}  // namespace intaglio
