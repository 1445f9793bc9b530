// CausalConvWithState (opset 27): a convolution per channel over the values so far; the last k - 1
// of them are the state for the next call. Activation: none, or x * sigmoid(x).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/exec/ops/precision.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// past and x, [batch, channels, length], one behind the other.
Tensor with_past(const Tensor& x, const Tensor* past, std::int64_t length) {
  const Shape shape = {x.dim(0), x.dim(1), length};
  if (past != nullptr && past->shape() != shape)
    throw Error(Code::model, "a past_state of shape " + to_string(past->shape()));
  Tensor result(DType::f32, {x.dim(0), x.dim(1), length + x.dim(2)});
  if (result.size() == 0) return result;
  const Tensor before = past != nullptr ? as_float(*past) : Tensor();
  float* out = result.mutate<float>().data();
  for (std::int64_t row = 0; row < x.dim(0) * x.dim(1); ++row) {
    out = before.defined() ? std::copy_n(before.data<float>().data() + row * length, length, out)
                           : std::fill_n(out, length, 0.0f);
    out = std::copy_n(x.data<float>().data() + row * x.dim(2), x.dim(2), out);
  }
  return result;
}

// The last `length` values of every row.
Tensor tail(const Tensor& x, std::int64_t length) {
  Tensor result(DType::f32, {x.dim(0), x.dim(1), length});
  if (result.size() == 0) return result;
  float* out = result.mutate<float>().data();
  for (std::int64_t row = 0; row < x.dim(0) * x.dim(1); ++row)
    out = std::copy_n(x.data<float>().data() + (row + 1) * x.dim(2) - length, length, out);
  return result;
}

Tensor convolve(const Tensor& x, const Tensor& weights, const Tensor& bias, bool silu) {
  const std::int64_t k = weights.dim(2), channels = x.dim(1), length = x.dim(2) - k + 1;
  Tensor y(DType::f32, {x.dim(0), channels, length});
  if (y.size() == 0) return y;
  float* out = y.mutate<float>().data();
  for (std::int64_t row = 0; row < x.dim(0) * channels; ++row)
    for (std::int64_t t = 0; t < length; ++t) {
      const std::int64_t c = row % channels;
      float sum = bias.defined() ? bias.data<float>()[static_cast<std::size_t>(c)] : 0.0f;
      for (std::int64_t i = 0; i < k; ++i)
        sum += weights.data<float>()[static_cast<std::size_t>(c * k + i)] *
               x.data<float>()[static_cast<std::size_t>(row * x.dim(2) + t + i)];
      *out++ = silu ? sum / (1 + std::exp(-sum)) : sum;
    }
  return y;
}

// Inputs: input, weight, bias, past_state.
std::unique_ptr<Kernel> make_causal_conv(const Node& node) {
  const std::string activation = node.attr_string("activation", "none");
  if (activation != "none" && activation != "silu" && activation != "swish")
    throw Error(Code::model, fmt::format("activation '{}' is not defined", activation));
  return make_kernel([silu = activation != "none"](KernelContext& c) {
    const Tensor x = as_float(c.input(0)), weights = as_float(c.input(1));
    const Tensor bias = c.optional(2) != nullptr ? as_float(*c.optional(2)) : Tensor();
    if (x.rank() != 3 || weights.rank() != 3 || weights.dim(2) < 1 ||
        weights.shape() != Shape{x.dim(1), 1, weights.dim(2)} ||
        (bias.defined() && bias.shape() != Shape{x.dim(1)}))
      throw Error(Code::model, fmt::format("weights of shape {} for shape {}",
                                           to_string(weights.shape()), to_string(x.shape())));
    const std::int64_t kept = weights.dim(2) - 1;
    const Tensor all = with_past(x, c.optional(3), kept);
    set_float_output(c, 0, convolve(all, weights, bias, silu), c.input(0).dtype());
    if (c.output_count() > 1) set_float_output(c, 1, tail(all, kept), c.input(0).dtype());
  });
}

void infer_causal_conv(RuleContext& c) {
  rules::like(c);
  c.set(1, c.dtype(0), Dims(3));
  const bool known = c.dims(0) && c.dims(0)->size() == 3 && c.dims(1) && c.dims(1)->size() == 3;
  if (!known) return;
  Dims state = *c.dims(0);
  state[2] = c.dims(1)->at(2).known() ? dim_of(c.dims(1)->at(2).value - 1) : Dim{};
  c.set(1, c.dtype(0), state);
}

}  // namespace

void register_causal_conv_with_state(Registry& registry) {
  registry.add({.op = "CausalConvWithState",
                .since = 27,
                .make = make_causal_conv,
                .infer = infer_causal_conv});
}

}  // namespace intaglio
