// DynamicQuantizeLinear (opset 11): the scale and zero point of the data itself, as the operator
// defines them (in float, 0 inside the range), and the data quantized with them.
#include "lib/exec/quantization.h"
#include "lib/exec/registry.h"

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

}  // namespace

void register_dynamic_quantize_linear(Registry& registry) {
  registry.add({.op = "DynamicQuantizeLinear", .since = 11, .make = make_dynamic_quantize_linear});
}

}  // namespace intaglio
