#include "lib/exec/ops/elementwise.h"

namespace intaglio {

LegacyBroadcast::LegacyBroadcast(const Node& node) {
  if (node.opset() < 7 && node.attr_int("broadcast", 0) != 0 && node.has("axis"))
    axis_ = node.attr_int("axis");
}

Tensor LegacyBroadcast::align(const Tensor& a, const Tensor& b) const {
  if (!axis_) return b;
  const std::int64_t axis = normalized_axis(*axis_, a.rank());
  if (axis + b.rank() > a.rank())
    throw Error(Code::model, fmt::format("shape {} does not fit into {} from axis {} on",
                                         to_string(b.shape()), to_string(a.shape()), axis));
  Shape shape = b.shape();
  shape.resize(static_cast<std::size_t>(a.rank() - axis), 1);
  return b.reshaped(std::move(shape));
}

}  // namespace intaglio
