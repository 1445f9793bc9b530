#include <fmt/format.h>

#include <cstring>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

Shape joined_shape(const KernelContext& c, std::size_t axis) {
  Shape result = c.input(0).shape();
  for (std::size_t i = 1; i < c.input_count(); ++i) {
    Shape next = c.input(i).shape();
    if (next.size() != result.size())
      throw Error(Code::model, fmt::format("shapes {} and {} differ in rank", to_string(result),
                                           to_string(next)));
    result[axis] += next[axis];
    next[axis] = result[axis];
    if (next != result)
      throw Error(Code::model, fmt::format("input {} of shape {} does not continue shape {} along "
                                           "axis {}",
                                           i, to_string(c.input(i).shape()),
                                           to_string(c.input(0).shape()), axis));
    if (c.input(i).dtype() != c.input(0).dtype())
      throw Error(Code::model, fmt::format("input {} differs in type from the first", i));
  }
  return result;
}

// Channels-last when all inputs are.
Layout common_layout(const KernelContext& c) {
  for (std::size_t i = 0; i < c.input_count(); ++i)
    if (c.input(i).layout() == Layout::row_major) return Layout::row_major;
  return Layout::channels_last;
}

// An axis among those that are stored: the channels of a channels-last tensor come last.
std::int64_t stored_axis(std::int64_t axis, const Tensor& tensor) {
  if (tensor.layout() == Layout::row_major || axis == 0) return axis;
  return axis == 1 ? tensor.rank() - 1 : axis - 1;
}

void join(const KernelContext& c, std::int64_t axis, Tensor& result) {
  const auto width = static_cast<std::int64_t>(element_width(c.input(0)));
  const std::int64_t at = stored_axis(axis, result);
  const AxisView to(storage_shape(result), at);
  const std::int64_t pitch = to.length * to.inner * width;
  std::byte* out = result.raw_mutate();
  for (std::size_t i = 0; i < c.input_count(); ++i) {
    const Tensor in = result.layout() == Layout::row_major ? to_row_major(c.input(i)) : c.input(i);
    const AxisView from(storage_shape(in), at);
    const std::int64_t bytes = from.length * from.inner * width;
    for (std::int64_t o = 0; bytes > 0 && o < from.outer; ++o)
      std::memcpy(out + o * pitch, in.raw() + o * bytes, static_cast<std::size_t>(bytes));
    out += bytes;
  }
}

// Before opset 4 the axis was 1 by default.
std::unique_ptr<Kernel> make_concat(const Node& node) {
  const std::int64_t given = node.opset() < 4 ? node.attr_int("axis", 1) : node.attr_int("axis");
  return make_kernel(
      [given](KernelContext& c) {
        const std::int64_t axis = normalized_axis(given, c.input(0).rank());
        Tensor& result =
            c.output(0, c.input(0).dtype(), joined_shape(c, static_cast<std::size_t>(axis)));
        result.set_layout(common_layout(c));
        join(c, axis, result);
      },
      Layouts::any);
}

void infer_concat(RuleContext& c) {
  c.set(0, c.dtype(0));
  std::optional<Dims> joined;
  Dim along = dim_of(0);
  for (std::size_t i = 0; i < c.input_count(); ++i) {
    const auto& own = c.dims(i);
    if (own && !joined) joined = own;
    if (own && own->size() != joined->size())
      throw Error(Code::model, fmt::format("inputs of {} and {} axes cannot be joined",
                                           joined->size(), own->size()));
    if (!own) {
      along = {};
      continue;
    }
    along = sum(along, (*own)[axis_of(c.node().attr_int("axis", 1), *own)]);
    for (std::size_t a = 0; a < own->size(); ++a) (*joined)[a] = either((*joined)[a], (*own)[a]);
  }
  if (!joined) return;
  (*joined)[axis_of(c.node().attr_int("axis", 1), *joined)] = along;
  c.set(0, c.dtype(0), joined);
  Numbers elements;
  for (std::size_t i = 0; i < c.input_count(); ++i) {
    const auto part = c.numbers(i);
    if (!part || joined->size() != 1) return;
    elements.insert(elements.end(), part->begin(), part->end());
  }
  c.set_numbers(0, std::move(elements));
}

}  // namespace

void register_concat(Registry& registry) {
  registry.add({.op = "Concat", .make = make_concat, .infer = infer_concat});
}

}  // namespace intaglio
