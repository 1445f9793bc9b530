#include "lib/exec/vector/conv_node.h"

#include <fmt/format.h>

#include <algorithm>

namespace intaglio {

Refusal refuse_constant_conv(const Node& node, std::size_t filters_axis) {
  const Value *x = node.input(0), *w = node.input(1), *b = node.input(2);
  if (x != nullptr && x->dtype() != DType::undefined && x->dtype() != DType::f32)
    return "input is not f32";
  if (!constant_f32(w)) return "filters are not constant f32";
  const Shape& shape = w->constant().shape();
  if (shape.size() < 3 || w->constant().size() == 0)
    return "filters without a spatial axis, or none";
  if (b != nullptr && (!constant_f32(b) || b->constant().shape() != Shape{shape[filters_axis]}))
    return "bias is not constant f32 of one value per filter";
  return std::nullopt;
}

bool is_pointwise(const WindowAttrs& attrs, const Shape& filters) {
  const auto all = [](const Shape& list, std::int64_t v) {
    return std::ranges::all_of(list, [v](std::int64_t x) { return x == v; });
  };
  return std::ranges::all_of(filters.begin() + 2, filters.end(), [](auto k) { return k == 1; }) &&
         all(attrs.strides, 1) && all(attrs.pads, 0);
}

std::span<const float> bias_of(const Node& node) {
  return node.input(2) != nullptr ? node.input(2)->constant().data<float>()
                                  : std::span<const float>{};
}

// [M, C, kernel...] with the channels last is a matrix of (kernel..., C) columns and M rows.
Product filter_product(const Node& node, const PostOps& ops) {
  const Tensor filters = as_stored(to_channels_last(node.input(1)->constant()));
  const std::int64_t depth = product(filters.shape(), 1, filters.shape().size());
  return Product({filters.data<float>().data(), depth, filters.dim(0), 1, depth}, bias_of(node),
                 ops);
}

std::vector<Tensor> channels_last_addends(const KernelContext& context, const PostOps& ops,
                                          const Shape& shape) {
  std::vector<Tensor> addends;
  for (const PostOp& op : ops) {
    if (op.kind != PostOp::Kind::add) continue;
    const Tensor& given = context.input(op.input);
    if (given.shape() != shape || given.dtype() != DType::f32)
      throw Error(Code::model, fmt::format("cannot add shape {} to a result of shape {}",
                                           to_string(given.shape()), to_string(shape)));
    addends.push_back(to_channels_last(given));
  }
  return addends;
}

std::vector<const float*> addends_of(const std::vector<Tensor>& addends, std::int64_t n,
                                     std::int64_t size) {
  std::vector<const float*> rows;
  for (const Tensor& addend : addends) rows.push_back(addend.data<float>().data() + n * size);
  return rows;
}

}  // namespace intaglio
