#include "lib/eval/token_mask.h"

#include <algorithm>

#include "lib/graph/token_feeds.h"

namespace intaglio {

std::optional<std::size_t> mask_input(const Graph& graph) {
  constexpr std::size_t rank = 2;
  std::optional<std::size_t> found;
  std::size_t alike = 0;
  const std::vector<Value*> feeds = graph.feeds();
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    if (!feeds[i]->dims() || feeds[i]->dims()->size() != rank) continue;
    ++alike;
    if (!is_named_mask(feeds[i]->name())) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return alike > 1 ? found : std::nullopt;
}

TokenMask::TokenMask(const Tensor& mask) : shape_(mask.shape()) {
  const std::vector<double> values = mask.to_vector<double>();
  const bool flags = std::ranges::all_of(values, [](double v) { return v == 0 || v == 1; });
  const auto zeros = static_cast<std::size_t>(std::ranges::count(values, 0.0));
  if (!flags || zeros == 0 || zeros == values.size()) return;
  masked_ = zeros;
  for (const double v : values) real_.push_back(v != 0);
}

bool TokenMask::applies_to(const Shape& output) const {
  return masked_ > 0 && output.size() > shape_.size() &&
         std::equal(shape_.begin(), shape_.end(), output.begin());
}

std::vector<float> TokenMask::real_part(std::span<const float> output) const {
  const std::size_t each = output.size() / real_.size();
  std::vector<float> part;
  for (std::size_t token = 0; token < real_.size(); ++token)
    if (real_[token])
      part.insert(part.end(), output.begin() + static_cast<std::ptrdiff_t>(token * each),
                  output.begin() + static_cast<std::ptrdiff_t>((token + 1) * each));
  return part;
}

}  // namespace intaglio
