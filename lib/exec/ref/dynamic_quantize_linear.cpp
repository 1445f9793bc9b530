// DynamicQuantizeLinear (opset 11): the scale and zero point of the data itself, as the operator
// defines them (in float, 0 inside the range), and the data quantized with them.
#include <algorithm>
#include <cmath>

#include "lib/exec/quantization.h"
#include "lib/exec/registry.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_dynamic_quantize_linear(const Node&) {
  return make_kernel([](KernelContext& context) {
    const Tensor& x = context.input(0);
    float lo = 0, hi = 0;
    for (const float v : x.data<float>()) {
      lo = v < lo ? v : lo;
      hi = v > hi ? v : hi;
    }
    const float scale = hi > lo ? (hi - lo) / 255.0f : 1.0f;  // all zeros: any scale will do
    const float zero = std::nearbyint(std::clamp(-lo / scale, 0.0f, 255.0f));
    const Tensor scales = Tensor::scalar(scale);
    const Tensor zeros = Tensor::scalar(static_cast<std::int32_t>(zero));
    context.set_output(0, quantize(x, scales, zeros, ScaleMap(x.shape(), {}, 0, 0), DType::u8));
    if (context.output_count() > 1) context.set_output(1, scales);
    if (context.output_count() > 2) context.set_output(2, convert(zeros, DType::u8));
  });
}

}  // namespace

void register_dynamic_quantize_linear(Registry& registry) {
  registry.add({.op = "DynamicQuantizeLinear", .since = 11, .make = make_dynamic_quantize_linear});
}

}  // namespace intaglio
