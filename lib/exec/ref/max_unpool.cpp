// MaxUnpool (opset 9, 11): puts values back where MaxPool found them; zeros elsewhere.
#include <fmt/format.h>

#include <algorithm>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/gather_axes.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
#include "lib/exec/window.h"

namespace intaglio {
namespace {

// The shape whose elements the indices count: what MaxPool had before it, as far as one can tell.
Shape unpooled_shape(const Shape& x, const WindowAttrs& attrs) {
  if (x.size() < 3 || attrs.kernel.size() != x.size() - 2)
    throw Error(Code::model, fmt::format("kernel_shape {} does not fit shape {}",
                                         to_string(attrs.kernel), to_string(x)));
  const std::size_t axes = attrs.kernel.size();
  const Shape kernel = window_list(attrs.kernel, axes, 1, 1, "kernel_shape");
  const Shape strides = window_list(attrs.strides, axes, 1, 1, "strides");
  const Shape pads = window_list(attrs.pads, 2 * axes, 0, 0, "pads");
  Shape shape = x;
  for (std::size_t a = 0; a < axes; ++a)
    shape[2 + a] = (x[2 + a] - 1) * strides[a] - pads[a] - pads[axes + a] + kernel[a];
  return shape;
}

template <typename T>
Tensor unpool(const Tensor& x, const Tensor& indices, const Shape& shape) {
  Tensor result(x.dtype(), shape);
  auto* out = reinterpret_cast<T*>(result.raw_mutate());
  std::fill_n(out, result.size(), T{});
  const auto* in = reinterpret_cast<const T*>(x.raw());
  const auto places = indices.data<std::int64_t>();
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] < 0 || places[i] >= result.size())
      throw Error(Code::model, fmt::format("index {} is out of range for shape {}", places[i],
                                           to_string(shape)));
    out[places[i]] = in[i];
  }
  return result;
}

// The start of a larger tensor, zeros behind it along every axis.
Tensor enlarged(const Tensor& x, const Shape& shape) {
  if (shape.size() != x.shape().size())
    throw Error(Code::model, "output_shape " + to_string(shape) + " has another rank");
  AxisIndices grid;
  for (std::size_t a = 0; a < shape.size(); ++a) {
    if (shape[a] < x.dim(a))
      throw Error(Code::model, fmt::format("output_shape {} is less than {}", to_string(shape),
                                           to_string(x.shape())));
    grid.emplace_back(static_cast<std::size_t>(shape[a]), -1);
    for (std::int64_t i = 0; i < x.dim(a); ++i) grid[a][static_cast<std::size_t>(i)] = i;
  }
  return gather_axes(x, grid, convert(Tensor::vector<float>({0}), x.dtype()));
}

std::unique_ptr<Kernel> make_max_unpool(const Node& node) {
  return make_kernel([attrs = read_window(node)](KernelContext& c) {
    const Tensor& x = c.input(0);
    if (c.input(1).shape() != x.shape())
      throw Error(Code::model, "indices of shape " + to_string(c.input(1).shape()));
    const Shape shape = unpooled_shape(x.shape(), attrs);
    Tensor result =
        visit_width(x, [&](auto zero) { return unpool<decltype(zero)>(x, c.input(1), shape); });
    if (const Tensor* wanted = c.optional(2)) {
      const Shape larger = wanted->to_vector<std::int64_t>();
      const Tensor probe(x.dtype(), larger);  // fails for absurd lengths
      result = enlarged(result, larger);
    }
    c.set_output(0, std::move(result));
  });
}

void infer_max_unpool(RuleContext& c) {
  c.set(0, c.dtype(0));
  if (c.has(2)) {
    const auto wanted = c.numbers(2);
    if (wanted || c.dims(0))
      c.set(0, c.dtype(0), wanted ? dims_of(*wanted) : Dims(c.dims(0)->size()));
    return;
  }
  if (!c.dims(0)) return;
  Dims dims = *c.dims(0);
  Shape x;
  for (const Dim& d : dims) x.push_back(d.value);
  const Shape shape = unpooled_shape(x, read_window(c.node()));
  for (std::size_t i = 2; i < dims.size(); ++i)
    dims[i] = dims[i].known() ? dim_of(shape[i]) : Dim{};
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_max_unpool(Registry& registry) {
  registry.add({.op = "MaxUnpool", .since = 9, .make = make_max_unpool, .infer = infer_max_unpool});
}

}  // namespace intaglio
