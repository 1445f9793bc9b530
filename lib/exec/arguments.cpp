#include "lib/exec/arguments.h"

#include <fmt/format.h>

#include <algorithm>

namespace intaglio {

IntsArgument::IntsArgument(const Node& node, std::string_view attr, std::size_t input)
    : input_(input) {
  if (!node.has(attr)) return;
  try {
    attr_ = node.attr_ints(attr);
  } catch (const Error&) {  // "k" of TopK is a single int
    attr_ = {node.attr_int(attr)};
  }
}

std::optional<std::vector<std::int64_t>> IntsArgument::get(const KernelContext& context) const {
  if (const Tensor* tensor = context.optional(input_))
    return convert(*tensor, DType::s64).to_vector<std::int64_t>();
  return attr_;
}

std::vector<std::int64_t> normalized_axes(std::span<const std::int64_t> axes, std::int64_t rank) {
  std::vector<std::int64_t> result;
  for (const std::int64_t axis : axes) {
    const std::int64_t normal = normalized_axis(axis, rank);
    if (std::find(result.begin(), result.end(), normal) != result.end())
      throw Error(Code::model, fmt::format("axis {} is named twice in {}", axis, to_string(axes)));
    result.push_back(normal);
  }
  return result;
}

std::int64_t checked_index(std::int64_t index, std::int64_t length) {
  if (index < -length || index >= length)
    throw Error(Code::model, fmt::format("index {} is out of range for length {}", index, length));
  return index < 0 ? index + length : index;
}

AxisView::AxisView(std::span<const std::int64_t> shape, std::int64_t axis)
    : outer(product(shape, 0, static_cast<std::size_t>(axis))),
      length(shape[static_cast<std::size_t>(axis)]),
      inner(product(shape, static_cast<std::size_t>(axis) + 1, shape.size())) {
  if (outer == 0 || inner == 0) outer = inner = 0;  // the other one may be astronomical
}

std::size_t element_width(const Tensor& tensor) {
  const std::size_t bits = bits_of(tensor.dtype());
  if (bits < 8)
    throw Error(Code::unsupported,
                fmt::format("elements of type {} cannot be moved", name_of(tensor.dtype())));
  return bits / 8;
}

}  // namespace intaglio
