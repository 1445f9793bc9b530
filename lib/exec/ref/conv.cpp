// Conv (opset 1, 11, 22): see lib/exec/ops/convolution.h.
#include <memory>

#include "lib/exec/ops/convolution.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

Tensor run_conv(const Convolution& convolution, const WindowAttrs& attrs, const Tensor& x,
                const Tensor& bias) {
  const Window window = convolution.place(attrs, x.shape());
  const std::int64_t filters = convolution.outputs();
  if (bias.defined()) convolution.require_bias(bias.shape());
  Shape shape{x.dim(0), filters};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  Tensor y(DType::f32, shape);
  if (y.size() == 0) return y;
  const std::int64_t in = product(x.shape(), 1, x.shape().size()),
                     out = product(shape, 1, shape.size());
  const float* image = x.data<float>().data();
  float* to = y.mutate<float>().data();
  for (std::int64_t n = 0; n < x.dim(0); ++n)
    convolution.run(image + n * in, window, bias.defined() ? bias.data<float>().data() : nullptr,
                    to + n * out);
  return y;
}

std::unique_ptr<Kernel> make_conv(const Node& node) {
  const WindowAttrs attrs = read_window(node);
  const std::int64_t group = node.attr_int("group", 1);
  std::shared_ptr<const Convolution> packed;
  if (const Value* filters = node.input(1); filters != nullptr && filters->is_constant())
    packed = std::make_shared<Convolution>(as_float(filters->constant()), group);
  return make_kernel([attrs, group, packed](KernelContext& context) {
    const Tensor x = as_float(context.input(0));
    const Tensor bias = context.optional(2) != nullptr ? as_float(*context.optional(2)) : Tensor();
    Tensor y = packed ? run_conv(*packed, attrs, x, bias)
                      : run_conv(Convolution(as_float(context.input(1)), group), attrs, x, bias);
    set_float_output(context, 0, std::move(y), context.input(0).dtype());
  });
}

}  // namespace

void register_conv(Registry& registry) {
  registry.add({.op = "Conv", .since = 1, .make = make_conv, .infer = rules::convolution});
}

}  // namespace intaglio
