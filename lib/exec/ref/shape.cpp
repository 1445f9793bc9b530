// Shape and Size: what is known about a tensor, as a tensor.
#include <algorithm>
#include <limits>

#include "lib/exec/registry.h"

namespace intaglio {
namespace {

// start and end (opset 15) are clamped to the rank, never out of range.
std::unique_ptr<Kernel> make_shape(const Node& node) {
  const std::int64_t start = node.attr_int("start", 0);
  const std::int64_t end = node.attr_int("end", std::numeric_limits<std::int64_t>::max());
  return make_kernel([start, end](KernelContext& c) {
    const Shape& shape = c.input(0).shape();
    const auto rank = static_cast<std::int64_t>(shape.size());
    const auto place = [rank](std::int64_t i) {
      return std::clamp<std::int64_t>(i < 0 ? i + rank : i, 0, rank);
    };
    const std::int64_t first = place(start), last = std::max(first, place(end));
    c.set_output(0, Tensor::vector(Shape(shape.begin() + first, shape.begin() + last)));
  });
}

std::unique_ptr<Kernel> make_size(const Node&) {
  return make_kernel([](KernelContext& c) { c.set_output(0, Tensor::scalar(c.input(0).size())); });
}

}  // namespace

void register_shape(Registry& registry) {
  registry.add({.op = "Shape", .make = make_shape});
  registry.add({.op = "Size", .make = make_size});
}

}  // namespace intaglio
