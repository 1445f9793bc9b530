// DynamicQuantizeLinear (opset 11): the scale and zero point of the data itself, as the operator
// defines them (in float, 0 inside the range), and the data quantized with them.
#include "lib/exec/ops/codes/quantization.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_dynamic_quantize_linear(const Node&) {
  return make_kernel([](KernelContext& context) {
    const DynamicCodes q = quantize_dynamically(context.input(0));
    context.set_output(0, q.codes);
    if (context.output_count() > 1) context.set_output(1, Tensor::scalar(q.scale));
    if (context.output_count() > 2)
      context.set_output(2, convert(Tensor::scalar(q.zero_point), DType::u8));
  });
}

void infer_dynamic_quantize_linear(RuleContext& c) {
  c.set(0, DType::u8, c.dims(0));
  c.set(1, DType::f32, Dims{});
  c.set(2, DType::u8, Dims{});
}

}  // namespace

void register_dynamic_quantize_linear(Registry& registry) {
  registry.add({.op = "DynamicQuantizeLinear",
                .since = 11,
                .make = make_dynamic_quantize_linear,
                .infer = infer_dynamic_quantize_linear});
}

}  // namespace intaglio
