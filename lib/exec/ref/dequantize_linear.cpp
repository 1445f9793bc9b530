// DequantizeLinear (opset 10, 13, 19, 21): see lib/exec/ops/codes/quantization.h. The result has the type of
// the scale.
#include "lib/exec/ops/codes/quantization.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_dequantize_linear(const Node& node) {
  return make_kernel(
      [axis = node.attr_int("axis", 1),
       block = node.attr_int("block_size", 0)](KernelContext& context) {
        const Tensor scale = as_float(context.input(1));
        // One scale for all goes by memory, whatever the layout.
        const bool stored = context.input(0).layout() != Layout::row_major && scale.size() == 1;
        const Tensor codes = stored ? as_stored(context.input(0)) : to_row_major(context.input(0));
        if (codes.dtype() != DType::s32 && !is_small_float(codes.dtype()))
          code_range(codes.dtype());
        Tensor zero_point;
        if (const Tensor* zero = context.optional(2)) {
          if (zero->size() != scale.size())
            throw Error(Code::model, "zero point " + to_string(zero->shape()) + " and scale " +
                                         to_string(scale.shape()) + " differ");
          zero_point = convert(*zero, DType::s32);
        }
        const ScaleMap map(codes.shape(), scale.shape(), axis, block);
        Tensor x = dequantize(codes, scale, zero_point, map);
        set_float_output(context, 0, stored ? from_stored(x) : std::move(x),
                         context.input(1).dtype());
      },
      Layouts::any);
}

void infer_dequantize_linear(RuleContext& c) {
  const auto wanted = static_cast<DType>(c.node().attr_int("output_dtype", 0));
  const DType scale = c.dtype(1) != DType::undefined ? c.dtype(1) : DType::f32;
  rules::shaped(c, wanted != DType::undefined ? wanted : scale);
}

}  // namespace

void register_dequantize_linear(Registry& registry) {
  registry.add({.op = "DequantizeLinear",
                .since = 10,
                .make = make_dequantize_linear,
                .infer = infer_dequantize_linear});
}

}  // namespace intaglio
