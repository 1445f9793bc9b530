// QuantizeLinear (opset 10, 13, 19, 21): see lib/exec/ops/codes/quantization.h.
#include "lib/exec/ops/codes/quantization.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_quantize_linear(const Node& node) {
  const auto asked = static_cast<DType>(node.attr_int("output_dtype", 0));
  return make_kernel(
      [axis = node.attr_int("axis", 1), block = node.attr_int("block_size", 0),
       asked](KernelContext& context) {
        const Tensor scale = as_float(context.input(1));
        // One scale for all goes by memory, whatever the layout.
        const bool stored = context.input(0).layout() != Layout::row_major && scale.size() == 1;
        const Tensor given = stored ? as_stored(context.input(0)) : to_row_major(context.input(0));
        const Tensor x = convert(given, DType::f32);  // int32 is allowed as well
        const Tensor* zero = context.optional(2);
        DType type = asked == DType::undefined ? DType::u8 : asked;
        Tensor zero_point;
        if (zero != nullptr) {
          type = zero->dtype();
          if (zero->size() != scale.size())
            throw Error(Code::model, "zero point " + to_string(zero->shape()) + " and scale " +
                                         to_string(scale.shape()) + " differ");
          zero_point = convert(*zero, DType::s32);
        }
        const ScaleMap map(x.shape(), scale.shape(), axis, block);
        Tensor y = quantize(x, scale, zero_point, map, type);
        context.set_output(0, stored ? from_stored(y) : std::move(y));
      },
      Layouts::any);
}

// The attribute is about 8-bit floats alone, but which type it will be may be known only when it
// runs.
Refusal refuse_quantize_linear(const Node& node) {
  if (node.attr_int("saturate", 1) != 0) return std::nullopt;
  return "8-bit floats that do not saturate (saturate = 0)";
}

void infer_quantize_linear(RuleContext& c) {
  const auto wanted = static_cast<DType>(c.node().attr_int("output_dtype", 0));
  rules::shaped(c, c.has(2) ? c.dtype(2) : wanted != DType::undefined ? wanted : DType::u8);
}

}  // namespace

void register_quantize_linear(Registry& registry) {
  registry.add({.op = "QuantizeLinear",
                .since = 10,
                .refuse = refuse_quantize_linear,
                .make = make_quantize_linear,
                .infer = infer_quantize_linear});
}

}  // namespace intaglio
