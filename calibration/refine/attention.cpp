#include "calibration/refine/attention.h"

#include <algorithm>
#include <vector>

namespace intaglio {
namespace {

using Axes = std::optional<ChannelAxes>;

Axes weighed(const Node& product, ChannelAxes from, int rank) {
  const bool fits = from.axis == rank - 1 && from.heads != rank - 2 &&
                    product.input(0)->rank() == rank && product.input(1)->rank() == rank;
  return fits ? Axes(from) : std::nullopt;
}

Axes transposed(const Node& node, ChannelAxes from, int rank) {
  if (from.axis < 0) return std::nullopt;
  std::vector<std::int64_t> order = node.attr_ints("perm");
  if (order.empty())
    for (int i = rank; i > 0; --i) order.push_back(i - 1);
  const auto place = [&](int axis) {
    return static_cast<int>(std::ranges::find(order, axis) - order.begin());
  };
  return ChannelAxes{place(from.axis), from.heads >= 0 ? place(from.heads) : -1};
}

// Channels are the place of a value in its row, the last axes taken together, before and after.
Axes reshaped(const Node& node, ChannelAxes from, std::size_t channels) {
  const int before = node.input(0)->rank(), after = node.output(0)->rank();
  const auto& dims = *node.output(0)->dims();
  const auto length = [&](int i) {
    const Dim& dim = dims[static_cast<std::size_t>(i)];
    return dim.known() ? static_cast<std::size_t>(dim.value) : 0;
  };
  const bool last = from.axis == -1 || from.axis == before - 1;
  if (!last || (from.heads >= 0 && from.heads != before - 2)) return std::nullopt;
  if (length(after - 1) == channels) return ChannelAxes{after - 1, -1};
  if (after < 2 || length(after - 1) * length(after - 2) != channels) return std::nullopt;
  return ChannelAxes{after - 1, after - 2};
}

}  // namespace

Axes through_attention(const Node& node, ChannelAxes from, std::size_t channels) {
  if (node.output(0) == nullptr) return std::nullopt;
  const int rank = node.output(0)->rank();
  if (rank < 1) return std::nullopt;
  if (node.is("MatMul")) return weighed(node, from, rank);
  if (node.is("Transpose")) return transposed(node, from, rank);
  if (node.is("Reshape")) return reshaped(node, from, channels);
  return std::nullopt;
}

}  // namespace intaglio
