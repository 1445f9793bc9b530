#include <fmt/format.h>

#include <cstring>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"

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

// Before opset 4 the axis was 1 by default.
std::unique_ptr<Kernel> make_concat(const Node& node) {
  const std::int64_t given = node.opset() < 4 ? node.attr_int("axis", 1) : node.attr_int("axis");
  return make_kernel([given](KernelContext& c) {
    const std::int64_t axis = normalized_axis(given, c.input(0).rank());
    const auto width = static_cast<std::int64_t>(element_width(c.input(0)));
    Tensor& result =
        c.output(0, c.input(0).dtype(), joined_shape(c, static_cast<std::size_t>(axis)));
    const AxisView to(result.shape(), axis);
    const std::int64_t pitch = to.length * to.inner * width;
    std::byte* out = result.raw_mutate();
    for (std::size_t i = 0; i < c.input_count(); ++i) {
      const AxisView from(c.input(i).shape(), axis);
      const std::int64_t bytes = from.length * from.inner * width;
      for (std::int64_t o = 0; bytes > 0 && o < from.outer; ++o)
        std::memcpy(out + o * pitch, c.input(i).raw() + o * bytes, static_cast<std::size_t>(bytes));
      out += bytes;
    }
  });
}

}  // namespace

void register_concat(Registry& registry) { registry.add({.op = "Concat", .make = make_concat}); }

}  // namespace intaglio
