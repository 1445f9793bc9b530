#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
#include "lib/exec/strided.h"

namespace intaglio {
namespace {

// By logical axis, in elements.
Shape stored_strides(const Tensor& x) {
  Shape strides = strides_of(storage_shape(x));
  if (x.layout() == Layout::channels_last)
    std::rotate(strides.begin() + 1, strides.end() - 1, strides.end());
  return strides;
}

// Between NCHW and NHWC only the names of the axes change when the elements lie as they should.
std::optional<Tensor> relaid(const Tensor& x, std::span<const std::int64_t> perm) {
  if (x.rank() < 3) return std::nullopt;
  std::vector<std::int64_t> to_last(perm.size()), to_first(perm.size());
  std::iota(to_last.begin(), to_last.end(), 0);
  to_first = to_last;
  std::rotate(to_last.begin() + 1, to_last.begin() + 2, to_last.end());
  std::rotate(to_first.begin() + 1, to_first.end() - 1, to_first.end());
  const bool last = x.layout() == Layout::channels_last;
  if (last && std::ranges::equal(perm, to_last)) return as_stored(x);
  if (!last && std::ranges::equal(perm, to_first)) return from_stored(x);
  return std::nullopt;
}

// Without perm the axes are reversed.
std::unique_ptr<Kernel> make_transpose(const Node& node) {
  return make_kernel(
      [given = node.attr_ints("perm")](KernelContext& c) {
        const Tensor& x = c.input(0);
        std::vector<std::int64_t> perm = given;
        if (perm.empty()) {
          perm.resize(x.shape().size());
          std::iota(perm.rbegin(), perm.rend(), 0);
        }
        if (perm.size() != x.shape().size())
          throw Error(Code::model, fmt::format("perm {} does not fit shape {}", to_string(perm),
                                               to_string(x.shape())));
        perm = normalized_axes(perm, x.rank());
        if (const auto view = relaid(x, perm)) return c.set_output(0, *view);
        const Shape strides = stored_strides(x);
        Shape shape, steps;
        for (const std::int64_t axis : perm) {
          shape.push_back(x.dim(static_cast<std::size_t>(axis)));
          steps.push_back(strides[static_cast<std::size_t>(axis)]);
        }
        copy_strided(x, 0, steps, c.output(0, x.dtype(), std::move(shape)));
      },
      Layouts::any);
}

void infer_transpose(RuleContext& c) {
  c.set(0, c.dtype(0));
  if (!c.dims(0)) return;
  const Dims& x = *c.dims(0);
  Dims dims(x.rbegin(), x.rend());
  const auto order = c.node().attr_ints("perm");
  for (std::size_t i = 0; i < order.size(); ++i) dims.at(i) = x[axis_of(order[i], x)];
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_transpose(Registry& registry) {
  registry.add({.op = "Transpose", .make = make_transpose, .infer = infer_transpose});
}

}  // namespace intaglio
