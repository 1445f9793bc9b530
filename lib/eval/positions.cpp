#include "lib/eval/positions.h"

#include <algorithm>

#include "lib/eval/metrics.h"
#include "lib/exec/arguments.h"

namespace intaglio {
namespace {

constexpr std::size_t image_rank = 4;

// Those behind the first, the batch, that are longer than 1. A vector is a sample by itself.
std::vector<std::size_t> long_axes(const Shape& shape) {
  std::vector<std::size_t> axes;
  for (std::size_t a = shape.size() > 1 ? 1 : 0; a < shape.size(); ++a)
    if (shape[a] != 1) axes.push_back(a);
  return axes;
}

}  // namespace

bool holds_scores(const Shape& shape) { return long_axes(shape).size() == 1; }

std::size_t class_axis(const Shape& shape) {
  if (const auto axes = long_axes(shape); axes.size() == 1) return axes.front();
  if (shape.size() >= image_rank) return 1;
  return shape.empty() ? 0 : shape.size() - 1;
}

std::vector<std::vector<std::size_t>> best_by_position(const Tensor& scores, std::size_t k) {
  const std::vector<float> values = scores.to_vector<float>();
  std::vector<std::vector<std::size_t>> best;
  if (values.empty()) return best;
  const Shape shape = scores.rank() == 0 ? Shape{1} : scores.shape();
  const AxisView view(shape, static_cast<std::int64_t>(class_axis(shape)));
  std::vector<float> line(static_cast<std::size_t>(view.length));
  for (std::int64_t o = 0; o < view.outer; ++o)
    for (std::int64_t i = 0; i < view.inner; ++i) {
      for (std::int64_t c = 0; c < view.length; ++c)
        line[static_cast<std::size_t>(c)] =
            values[static_cast<std::size_t>((o * view.length + c) * view.inner + i)];
      best.push_back(top_k(line, k));
    }
  return best;
}

}  // namespace intaglio
