// Other shapes and orders of axes: most of it moves nothing.
#include <algorithm>
#include <utility>

#include "lib/tflite/op_table.h"

namespace intaglio::tflite {
namespace {

void emit_reshape(Site& site, int from, const Shape& shape, int to) {
  fb::ReshapeOptionsT options;
  options.new_shape.assign(shape.begin(), shape.end());
  site.emit(fb::Op::RESHAPE, {from, site.emitter().ints(shape)}, {to}, std::move(options));
}

// Whether products with constant weights, and nothing else, read the rows.
bool feeds_products(const Value& value) {
  if (value.is_output() || value.uses().empty()) return false;
  return std::ranges::all_of(value.uses(), [](const Use& use) {
    const Node& node = *use.node;
    if (node.is("QuantizeLinear") || node.is("DequantizeLinear"))
      return use.index == 0 && node.output(0) != nullptr && feeds_products(*node.output(0));
    const Value* weights = node.input(1);
    if (!(node.is("Gemm") || node.is("MatMul")) || use.index != 0 || weights == nullptr)
      return false;
    const Node* maker = weights->producer();
    return weights->rank() == 2 &&
           (weights->is_constant() ||
            (maker != nullptr && maker->is("DequantizeLinear") && maker->input(0)->is_constant()));
  });
}

// Column c of rows that were flattened as stored is column result[c] of ONNX.
std::vector<std::size_t> columns_of(const Shape& shape, const Perm& perm) {
  Shape inner = shape;
  inner.front() = 1;
  std::vector<std::int64_t> places(static_cast<std::size_t>(element_count(inner)));
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<std::int64_t>(i);
  const Tensor moved = permuted(Tensor::of<std::int64_t>(inner, places), perm);
  const auto data = moved.data<std::int64_t>();
  return {data.begin(), data.end()};
}

// The order of axes to transpose to in front of a Reshape, and that of its result: what makes an
// image with its channels last, if something does, else that of ONNX.
std::pair<Perm, Perm> transposed_for(const Shape& from, const Perm& stored, const Shape& to) {
  const Perm near = reshapable(from, stored, to);
  const Perm last = channels_last(to.size());
  if (to.size() == 4 && reshaped(from, near, to) == last) return {near, last};
  return {in_order(from.size()), in_order(to.size())};
}

bool flattens(const Shape& from, const Shape& to) {
  return to.size() == 2 && from.size() > 2 && to[0] == from[0];
}

}  // namespace

void lower_reshape(Site& site) {
  const Shape from = site.in_shape(0), to = site.out_shape(0);
  const Stored x = site.emitter().stored(site.in_end(0));
  if (from == to) return site.pass(0, x);
  const Node& node = site.node();
  if (const auto perm = reshaped(from, x.perm, to)) {
    const int out = site.moved(0, *perm);
    return emit_reshape(site, x.tensor, permuted(to, *perm), out);
  }
  const Perm plain = in_order(to.size());
  if (x.perm.front() == 0 && flattens(from, to) && feeds_products(*node.output(0))) {
    const int out = site.moved(0, plain);
    emit_reshape(site, x.tensor, to, out);
    const Value& value = *site.out_value(0);
    Stored rows = site.emitter().stored({&value, {}});
    rows.columns = columns_of(from, x.perm);
    return site.emitter().store(value, rows);
  }
  const auto [order, result] = transposed_for(from, x.perm, to);
  const int in = site.in(0, order);
  emit_reshape(site, in, permuted(to, result), site.moved(0, result));
}

// Nothing moves: the same tensor has its axes in another order.
void lower_transpose(Site& site) {
  const Stored x = site.emitter().stored(site.in_end(0));
  const auto given = site.node().attr_ints("perm");
  const std::size_t rank = x.perm.size();
  Stored result = x;
  for (std::size_t i = 0; i < rank; ++i) {
    if (given.empty())
      result.perm[i] = rank - 1 - x.perm[i];
    else
      result.perm[i] = static_cast<std::size_t>(
          std::ranges::find(given, static_cast<std::int64_t>(x.perm[i])) - given.begin());
  }
  site.pass(0, result);
}

void lower_identity(Site& site) { site.pass(0, site.emitter().stored(site.in_end(0))); }

}  // namespace intaglio::tflite
