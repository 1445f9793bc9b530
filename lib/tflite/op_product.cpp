// Gemm and MatMul: FULLY_CONNECTED with constant weights [O,I], else BATCH_MATMUL.
#include <fmt/format.h>

#include "lib/tflite/op_table.h"
#include "lib/tflite/product.h"

namespace intaglio::tflite {
namespace {

// The rows of ONNX data, or rows whose columns lie in another order: then the weights follow.
int rows_in(Site& site, Weights& weights, std::size_t columns_axis) {
  const Stored stored = site.emitter().stored(site.in_end(0));
  if (stored.columns.empty()) return site.in(0, in_order(site.in_shape(0).size()));
  const bool columns_last = columns_axis == 1;
  const Tensor turned = columns_last ? weights.tensor : permuted(weights.tensor, {1, 0});
  Tensor result(turned.dtype(), turned.shape());
  const std::size_t bytes = bits_of(turned.dtype()) / 8;
  const auto width = static_cast<std::size_t>(turned.dim(1));
  for (std::size_t row = 0; row < static_cast<std::size_t>(turned.dim(0)); ++row)
    for (std::size_t c = 0; c < width; ++c)
      std::copy_n(turned.raw() + (row * width + stored.columns[c]) * bytes, bytes,
                  result.raw_mutate() + (row * width + c) * bytes);
  weights.tensor = columns_last ? result : permuted(result, {1, 0});
  return stored.tensor;
}

void emit_rows(Site& site, int rows, int weights, int bias, bool keep_dims) {
  fb::FullyConnectedOptionsT options;
  options.activation = site.activation();
  options.keep_num_dims = keep_dims;
  const int out = site.out(0, in_order(site.out_shape(0).size()));
  site.emit(fb::Op::FULLY_CONNECTED, {rows, weights, bias}, {out}, std::move(options));
}

void lower_product_of_data(Site& site) {
  const std::size_t rank = site.out_shape(0).size();
  if (site.in_shape(0).size() < 2 || site.in_shape(1).size() < 2)
    site.refuse("a product with a vector that is computed",
                "Export the model with matrices, by an Unsqueeze in front.");
  const int a = site.in(0, in_order(rank)), b = site.in(1, in_order(rank));
  site.emit(fb::Op::BATCH_MATMUL, {a, b}, {site.out(0, in_order(rank))}, fb::BatchMatMulOptionsT());
}

}  // namespace

void lower_gemm(Site& site) {
  const Node& node = site.node();
  if (node.attr_int("transA", 0) != 0 || node.attr_float("alpha", 1) != 1 ||
      node.attr_float("beta", 1) != 1)
    site.refuse("a Gemm with transA, alpha or beta", "Export the model with MatMul and Add.");
  const std::size_t inputs_axis = node.attr_int("transB", 0) != 0 ? 1 : 0;
  Weights weights = weights_of(site);
  const int rows = rows_in(site, weights, inputs_axis);
  const int bias = add_bias(site, 2, weights.tensor.dim(1 - inputs_axis), weights);
  const int stored = add_weights(site, weights, inputs_axis == 1 ? Perm{0, 1} : Perm{1, 0});
  emit_rows(site, rows, stored, bias, false);
}

void lower_matmul(Site& site) {
  if (!site.constant(1) || site.constant(0) || site.in_shape(1).size() != 2 ||
      site.in_shape(0).size() < 2)
    return lower_product_of_data(site);
  Weights weights = weights_of(site);
  const int rows = rows_in(site, weights, 0);
  const int bias = add_bias(site, 2, weights.tensor.dim(1), weights);
  const int stored = add_weights(site, weights, {1, 0});
  emit_rows(site, rows, stored, bias, site.in_shape(0).size() > 2);
}

}  // namespace intaglio::tflite
