// NonZero and Compress: results whose shape depends on the data.
#include <fmt/format.h>

#include <cstring>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// One column per non-zero element, in row-major order, holding its coordinates.
void nonzero(KernelContext& c) {
  const Tensor& x = c.input(0);
  const std::vector<bool> found = convert(x, DType::boolean).to_vector<bool>();
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found[i]) places.push_back(static_cast<std::int64_t>(i));
  const auto count = static_cast<std::int64_t>(places.size());
  Tensor& result = c.output(0, DType::s64, {x.rank(), count});
  std::int64_t* out = result.mutate<std::int64_t>().data();
  const Shape strides = strides_of(x.shape());
  for (std::size_t d = 0; d < strides.size(); ++d)
    for (const std::int64_t place : places) *out++ = place / strides[d] % x.dim(d);
}

// Keeps the slices along an axis (of the flattened tensor without one) whose condition is true.
std::unique_ptr<Kernel> make_compress(const Node& node) {
  const auto axis_attr = node.has("axis") ? std::optional(node.attr_int("axis")) : std::nullopt;
  return make_kernel([axis_attr](KernelContext& c) {
    const Tensor x = axis_attr ? c.input(0) : c.input(0).reshaped({c.input(0).size()});
    const std::int64_t axis = axis_attr ? normalized_axis(*axis_attr, x.rank()) : 0;
    const AxisView view(x.shape(), axis);
    const auto condition = c.input(1).data<bool>();
    if (static_cast<std::int64_t>(condition.size()) > view.length)
      throw Error(Code::model,
                  fmt::format("{} conditions for {} slices", condition.size(), view.length));
    std::vector<std::int64_t> kept;
    for (std::size_t i = 0; i < condition.size(); ++i)
      if (condition[i]) kept.push_back(static_cast<std::int64_t>(i));
    Shape shape = x.shape();
    shape[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(kept.size());
    Tensor& result = c.output(0, x.dtype(), std::move(shape));
    if (result.size() == 0) return;
    const std::size_t block = static_cast<std::size_t>(view.inner) * element_width(x);
    std::byte* out = result.raw_mutate();
    for (std::int64_t o = 0; o < view.outer; ++o)
      for (const std::int64_t i : kept) {
        std::memcpy(out, x.raw() + static_cast<std::size_t>(o * view.length + i) * block, block);
        out += block;
      }
  });
}

std::unique_ptr<Kernel> make_nonzero(const Node&) { return make_kernel(nonzero); }

void infer_nonzero(RuleContext& c) {
  const bool known = c.dims(0) && !c.dims(0)->empty();
  c.set(0, DType::s64, Dims{known ? dim_of(std::ssize(*c.dims(0))) : Dim{}, Dim{}});
}

}  // namespace

void register_nonzero(Registry& registry) {
  registry.add({.op = "NonZero", .since = 9, .make = make_nonzero, .infer = infer_nonzero});
  registry.add({.op = "Compress", .since = 9, .make = make_compress, .infer = rules::some});
}

}  // namespace intaglio
