// com.microsoft DynamicQuantizeLSTM: an LSTM whose weights are 8-bit codes
// (onnxruntime/docs/ContribOperators.md). As ONNX Runtime computes it, W multiplies the codes of
// all of X, R those of all states of a step; each is quantized like DynamicQuantizeLinear just
// before.
//
//   inputs   0 X, 3 B, 4 sequence_lens, 5 initial_h, 6 initial_c, 7 P as in LSTM
//            1 W (directions, width, 4 * hidden), 2 R (directions, hidden, 4 * hidden): u8 or s8
//            8 and 9: scale and zero point of W, 10 and 11: of R;
//            (directions) or (directions, 4 * hidden)
#include <fmt/format.h>

#include "lib/exec/ops/codes/arithmetic.h"
#include "lib/exec/ops/codes/integer_product.h"
#include "lib/exec/ops/codes/quantization.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/lstm_cell.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// The values of one direction.
Tensor slice_of(const Tensor& tensor, std::int64_t direction, Shape shape) {
  const auto values = tensor.to_vector<float>();
  const auto count = static_cast<std::ptrdiff_t>(element_count(shape));
  return Tensor::of<float>(std::move(shape),
                           std::vector<float>(values.begin() + direction * count,
                                              values.begin() + (direction + 1) * count));
}

struct Weights {
  PackedRight codes;  // zero points subtracted
  Tensor scale;       // one, or one per column
};

Weights read_weights(const KernelContext& c, std::size_t input, std::int64_t direction,
                     std::int64_t directions, std::int64_t width, std::int64_t columns) {
  const Tensor &codes = c.input(input), &scale = c.input(input == 1 ? 8 : 10),
               &zero = c.input(input == 1 ? 9 : 11);
  const bool bytes = codes.dtype() == DType::u8 || codes.dtype() == DType::s8;
  if (!bytes || codes.shape() != Shape{directions, width, columns})
    throw Error(Code::model, fmt::format("weights {} {} are no 8-bit codes of shape {}",
                                         name_of(codes.dtype()), to_string(codes.shape()),
                                         to_string(Shape{directions, width, columns})));
  const bool by_column = scale.shape() == Shape{directions, columns};
  if ((!by_column && scale.shape() != Shape{directions}) || zero.size() != scale.size())
    throw Error(Code::model, fmt::format("scale {} and zero point {} do not fit weights {}",
                                         to_string(scale.shape()), to_string(zero.shape()),
                                         to_string(codes.shape())));
  const Shape per_direction = {by_column ? columns : 1};
  Tensor centred = slice_of(codes, direction, {width, columns});
  const auto zeros = slice_of(zero, direction, per_direction).to_vector<float>();
  const auto values = centred.mutate<float>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] -= zeros[i % zeros.size()];
  return {PackedRight({values.data(), width, columns, columns, 1}),
          slice_of(scale, direction, per_direction)};
}

// Quantizes the rows by their own range and multiplies exactly.
Tensor multiply(const float* rows, std::int64_t count, const Weights& w) {
  const Tensor x = Tensor::of<float>(
      {count, w.codes.depth()}, std::span(rows, static_cast<std::size_t>(count * w.codes.depth())));
  const DynamicCodes q = quantize_dynamically(x);
  const Tensor codes = centred(q.codes, q.zero_point);
  std::vector<std::int32_t> sums(static_cast<std::size_t>(count * w.codes.columns()));
  multiply_exact(
      PackedLeft({codes.data<float>().data(), count, w.codes.depth(), w.codes.depth(), 1}), w.codes,
      sums.data());
  Tensor result(DType::f32, {count, w.codes.columns()});
  const auto y = result.mutate<float>();
  const auto scale = w.scale.data<float>();
  for (std::size_t i = 0; i < y.size(); ++i)
    y[i] = static_cast<float>(sums[i]) * (q.scale * scale[i % scale.size()]);
  return result;
}

std::unique_ptr<Kernel> make_dynamic_quantize_lstm(const Node& node) {
  return make_kernel([recurrence = Recurrence(node, 4, {"Sigmoid", "Tanh", "Tanh"}),
                      cell = lstm_cell(node)](KernelContext& c) {
    recurrence.run(
        c, cell, [&](std::size_t input, std::int64_t d, std::int64_t width) -> RowProduct {
          auto weights = std::make_shared<const Weights>(
              read_weights(c, input, d, recurrence.directions(), width, 4 * recurrence.hidden()));
          return [weights](const float* rows, std::int64_t count) {
            return multiply(rows, count, *weights);
          };
        });
  });
}

Refusal refuse_dynamic_quantize_lstm(const Node& node) {
  if (node.attr_int("hidden_size", 0) > 0) return std::nullopt;
  return "it has no hidden_size";
}

}  // namespace

void register_dynamic_quantize_lstm(Registry& registry) {
  registry.add({.op = "DynamicQuantizeLSTM",
                .domain = "com.microsoft",
                .refuse = refuse_dynamic_quantize_lstm,
                .make = make_dynamic_quantize_lstm,
                .infer = rules::recurrent});
}

}  // namespace intaglio
