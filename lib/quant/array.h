// Quantizing whole arrays that are known before the run: weights, constant operands, biases.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/quant/qparams.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// Whether the parameters suit a tensor of this shape: one scale and zero point, or as many as there
// are channels along their axis; none for float16 and bfloat16.
bool fits(const QParams& params, const Shape& shape);

// min and max of a float tensor: one Range, or one per index of `axis`. An empty tensor gives [0,
// 0]. Throws Code::model naming the first NaN or infinity: such a weight cannot be quantized.
std::vector<Range> ranges_of(const Tensor& tensor, std::optional<int> axis);

// The elements of a float tensor at index `channel` of the axis, in memory order; all of them
// without an axis.
std::vector<float> channel_values(const Tensor& tensor, std::optional<int> axis,
                                  std::size_t channel);

// q = clamp(round_half_to_even(x / scale) + zero_point) to the codes of the scheme. The division is
// a float division, as in ONNX QuantizeLinear. Result: the same shape, type scheme.type. float16
// and bfloat16 have neither scale nor zero point: to_half() (lib/quant/half_precision.h).
Tensor quantize(const Tensor& tensor, const QParams& params, const Scheme& scheme);

// How many elements quantize() had to clamp: their rounded code lies outside the codes of the
// scheme.
std::uint64_t count_clipped(const Tensor& tensor, const QParams& params, const Scheme& scheme);

// (q - zero_point) * scale, in float; float16 and bfloat16 as they are.
Tensor dequantize(const Tensor& codes, const QParams& params);

// 10 log10(sum x^2 / sum (x - y)^2), in dB; infinity when equal. Sums in double.
double sqnr_db(const Tensor& x, const Tensor& y);

// --- The bias rule ---

// A bias is added to the int32 accumulator of its node, so its scale is not free: scale_i = s_x *
// s_w_i, zero point 0. When s_w is tiny (a channel that is all but dead), the bias would not fit.
// The guard raises s_w just so far that |bias code| <= 2^29, which also leaves the accumulator room
// for the products:
//   s_w_i >= |b_i| / (s_x * 2^29)
// Returns how many scales were raised. bias may be empty; its size is the number of output
// channels, a multiple of weights.scale.size() (grouped ConvTranspose shares scales between
// groups), or any size when weights are per-tensor.
int guard_bias_overflow(const Tensor& bias, float input_scale, QParams& weights);

// Channels whose weights are all 0 say nothing about their scale, and the steps of their biases
// hang on it: it becomes the one with which the bias has 2^24 steps. bias: as many elements as
// scales, or any number for one scale; others are left alone.
void refine_dead_channels(const Tensor& weights, const Tensor& bias, float input_scale,
                          QParams& params);

// The int32 bias and its scales (one per bias element, or one in all when the weights are
// per-tensor). Codes are chosen in double: the file holds them, nobody computes them again. Where a
// runtime makes them itself of a float bias, it divides in float, and so does its model here
// (lib/passes/qdq/conv_matmul.cpp); the two differ by a code where a quotient ends near a half.
struct QuantizedBias {
  Tensor codes;  // int32, shape [bias.size()]
  QParams params;
};
QuantizedBias quantize_bias(const Tensor& bias, float input_scale, const QParams& weights);

}  // namespace intaglio
