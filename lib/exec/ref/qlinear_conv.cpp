// QLinearConv and ConvInteger (opset 10): convolution of 8-bit codes, exact in 32 bits.
// QLinearConv:
//   y = saturate(round((sum of (x - x_zero) * (w - w_zero) + B) * x_scale * w_scale / y_scale)
//                + y_zero)
// with w_scale and w_zero for all filters or by filter. Padding is x_zero.
#include <memory>

#include "lib/exec/ops/codes/arithmetic.h"
#include "lib/exec/ops/codes/quantization.h"
#include "lib/exec/ops/convolution.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

using Filters = std::shared_ptr<const Convolution>;

Filters pack(const Tensor& codes, const Tensor* zero, std::int64_t group) {
  return std::make_shared<Convolution>(centred(codes, zero, 0), group);
}

// Packed ahead when codes and zero points are constant; otherwise null.
Filters pack_constant(const Node& node, std::size_t codes, std::size_t zero, std::int64_t group) {
  const Value *w = node.input(codes), *z = node.input(zero);
  if (w == nullptr || !w->is_constant() || (z != nullptr && !z->is_constant())) return nullptr;
  return pack(w->constant(), z != nullptr ? &z->constant() : nullptr, group);
}

// bias: s32, one per filter, or not defined.
Tensor convolve(const Convolution& filters, const WindowAttrs& attrs, const Tensor& x,
                const Tensor* bias) {
  const Window window = filters.place(attrs, x.shape());
  const std::int64_t outputs = filters.outputs(), pixels = element_count(window.output);
  if (bias != nullptr) filters.require_bias(bias->shape());
  Shape shape{x.dim(0), outputs};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  Tensor sums(DType::s32, shape);
  if (sums.size() == 0) return sums;
  const std::int64_t in = product(x.shape(), 1, x.shape().size());
  std::int32_t* out = sums.mutate<std::int32_t>().data();
  for (std::int64_t n = 0; n < x.dim(0); ++n, out += outputs * pixels) {
    filters.run(x.data<float>().data() + n * in, window, out);
    for (std::int64_t m = 0; bias != nullptr && m < outputs; ++m) {
      const std::int32_t b = bias->data<std::int32_t>()[static_cast<std::size_t>(m)];
      for (std::int64_t i = m * pixels; i < (m + 1) * pixels; ++i) out[i] = wrapping_add(out[i], b);
    }
  }
  return sums;
}

std::unique_ptr<Kernel> make_conv_integer(const Node& node) {
  const std::int64_t group = node.attr_int("group", 1);
  return make_kernel([attrs = read_window(node), group,
                      packed = pack_constant(node, 1, 3, group)](KernelContext& c) {
    const Tensor x = centred(c.input(0), c.optional(2), 0);
    const Filters filters = packed ? packed : pack(c.input(1), c.optional(3), group);
    c.set_output(0, convolve(*filters, attrs, x, nullptr));
  });
}

std::unique_ptr<Kernel> make_qlinear_conv(const Node& node) {
  const std::int64_t group = node.attr_int("group", 1);
  return make_kernel([attrs = read_window(node), group,
                      packed = pack_constant(node, 3, 5, group)](KernelContext& c) {
    require_codes(c.input(0).dtype());
    const Tensor x = centred(c.input(0), c.input(2).item<std::int32_t>());
    const Filters filters = packed ? packed : pack(c.input(3), &c.input(5), group);
    const Tensor sums = convolve(*filters, attrs, x, c.optional(8));
    Tensor multiplier = as_float(c.input(4));
    const float x_scale = as_float(c.input(1)).item<float>(),
                y_scale = as_float(c.input(6)).item<float>();
    for (float& v : multiplier.mutate<float>()) v = x_scale * v / y_scale;
    const ScaleMap map(sums.shape(), multiplier.shape(), 1, 0);
    const Tensor y_zero = Tensor::scalar(c.input(7).item<std::int32_t>());
    c.set_output(0, requantize(sums, multiplier, y_zero, map, c.input(7).dtype()));
  });
}

void infer_conv_integer(RuleContext& c) { rules::convolve(c, DType::s32, 0, 1); }
void infer_qlinear_conv(RuleContext& c) { rules::convolve(c, c.dtype(7), 0, 3); }

}  // namespace

void register_qlinear_conv(Registry& registry) {
  registry.add(
      {.op = "ConvInteger", .since = 10, .make = make_conv_integer, .infer = infer_conv_integer});
  registry.add(
      {.op = "QLinearConv", .since = 10, .make = make_qlinear_conv, .infer = infer_qlinear_conv});
}

}  // namespace intaglio
