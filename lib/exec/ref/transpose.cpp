#include <fmt/format.h>

#include <numeric>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"
#include "lib/exec/strided.h"

namespace intaglio {
namespace {

// Without perm the axes are reversed.
std::unique_ptr<Kernel> make_transpose(const Node& node) {
  return make_kernel([given = node.attr_ints("perm")](KernelContext& c) {
    const Tensor& x = c.input(0);
    std::vector<std::int64_t> perm = given;
    if (perm.empty()) {
      perm.resize(x.shape().size());
      std::iota(perm.rbegin(), perm.rend(), 0);
    }
    if (perm.size() != x.shape().size())
      throw Error(Code::model, fmt::format("perm {} does not fit shape {}", to_string(perm),
                                           to_string(x.shape())));
    const Shape strides = strides_of(x.shape());
    Shape shape, steps;
    for (const std::int64_t axis : normalized_axes(perm, x.rank())) {
      shape.push_back(x.dim(static_cast<std::size_t>(axis)));
      steps.push_back(strides[static_cast<std::size_t>(axis)]);
    }
    copy_strided(x, 0, steps, c.output(0, x.dtype(), std::move(shape)));
  });
}

}  // namespace

void register_transpose(Registry& registry) {
  registry.add({.op = "Transpose", .make = make_transpose});
}

}  // namespace intaglio
