#include <algorithm>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// values = [off, on]; an index outside [-depth, depth) leaves its whole column off.
std::unique_ptr<Kernel> make_onehot(const Node& node) {
  return make_kernel([given = node.attr_int("axis", -1)](KernelContext& c) {
    const Tensor& values = c.input(2);
    if (values.size() != 2) throw Error(Code::model, "values must hold [off, on]");
    const auto indices = convert(c.input(0), DType::s64).to_vector<std::int64_t>();
    const auto depth = convert(c.input(1), DType::s64).item<std::int64_t>();
    Shape shape = c.input(0).shape();
    const std::int64_t axis = normalized_axis(given, c.input(0).rank() + 1);
    shape.insert(shape.begin() + axis, depth);
    Tensor& result = c.output(0, values.dtype(), std::move(shape));
    const AxisView view(result.shape(), axis);
    visit_width(values, [&](auto zero) {
      using T = decltype(zero);
      const T* pair = reinterpret_cast<const T*>(values.raw());
      T* out = reinterpret_cast<T*>(result.raw_mutate());
      std::fill_n(out, result.size(), pair[0]);
      if (result.size() == 0) return;
      for (std::size_t i = 0; i < indices.size(); ++i) {
        const std::int64_t index = indices[i] < 0 ? indices[i] + depth : indices[i];
        const auto column = static_cast<std::int64_t>(i);
        if (index >= 0 && index < depth)
          out[(column / view.inner * depth + index) * view.inner + column % view.inner] = pair[1];
      }
    });
  });
}

void infer_onehot(RuleContext& c) {
  c.set(0, c.dtype(2));
  if (!c.dims(0)) return;
  Dims dims = *c.dims(0);
  dims.emplace_back();
  const std::size_t axis = axis_of(c.node().attr_int("axis", -1), dims);
  dims.pop_back();
  const Tensor& depth = c.input(1).constant;
  const bool known = depth.defined() && depth.size() == 1;
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis),
              known ? dim_of(convert(depth, DType::s64).item<std::int64_t>()) : Dim{});
  c.set(0, c.dtype(2), dims);
}

}  // namespace

void register_onehot(Registry& registry) {
  registry.add({.op = "OneHot", .since = 9, .make = make_onehot, .infer = infer_onehot});
}

}  // namespace intaglio
