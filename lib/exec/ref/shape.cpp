// Shape and Size: what is known about a tensor, as a tensor.
#include <algorithm>
#include <limits>

#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

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

void infer_shape(RuleContext& c) {
  c.set(0, DType::s64, Dims(1));
  if (!c.dims(0)) return;
  const auto rank = std::ssize(*c.dims(0));
  const auto place = [&](const char* attr, std::int64_t fallback) {
    const std::int64_t at = c.node().attr_int(attr, fallback);
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  Numbers lengths;
  for (std::int64_t i = place("start", 0); i < place("end", rank); ++i)
    lengths.push_back(number_of((*c.dims(0))[static_cast<std::size_t>(i)]));
  c.set(0, DType::s64, Dims{dim_of(std::ssize(lengths))});
  c.set_numbers(0, std::move(lengths));
}

void infer_size(RuleContext& c) {
  c.set(0, DType::s64, Dims{});
  if (c.dims(0)) c.set_numbers(0, {number_of(product(*c.dims(0), 0, c.dims(0)->size()))});
}

}  // namespace

void register_shape(Registry& registry) {
  registry.add({.op = "Shape", .make = make_shape, .infer = infer_shape});
  registry.add({.op = "Size", .make = make_size, .infer = infer_size});
}

}  // namespace intaglio
