// com.microsoft: FusedConv, FusedGemm and FusedMatMul are the standard operators with an
// activation, transposed operands or a factor (onnxruntime/docs/ContribOperators.md).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/fused_activation.h"
#include "lib/exec/ops/matmul.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
#include "lib/exec/strided.h"

namespace intaglio {
namespace {

// The reference kernel of a standard operator whose attributes the node has.
std::unique_ptr<Kernel> standard_kernel(std::string_view op, const Node& node) {
  const auto& defs = default_registry().all();
  const auto def = std::find_if(defs.begin(), defs.end(), [&](const KernelDef& d) {
    return d.op == op && d.domain.empty() && d.impl == "ref";
  });
  return def->make(node);
}

// What the kernel makes of the first `count` inputs.
Tensor run_kernel(const Kernel& kernel, const KernelContext& c, std::size_t count) {
  std::vector<const Tensor*> inputs;
  for (std::size_t i = 0; i < count; ++i) inputs.push_back(c.optional(i));
  std::array<Tensor, 1> outputs;
  KernelContext inner(c.node(), inputs, outputs);
  kernel.run(inner);
  return to_row_major(outputs[0]);
}

Tensor activated(const Tensor& tensor, const FusedActivation& activation) {
  Tensor values = as_float(tensor);
  activation.apply(values.mutate<float>());
  return values;
}

// Inputs: those of Conv and a tensor that is added before the activation.
std::unique_ptr<Kernel> make_fused_conv(const Node& node) {
  const FusedActivation activation(node.attr_string("activation", ""),
                                   node.attr_floats("activation_params"));
  return make_kernel([activation, conv = standard_kernel("Conv", node)](KernelContext& c) {
    Tensor y = as_float(run_kernel(*conv, c, 3));
    if (const Tensor* added = c.optional(3)) {
      if (added->shape() != y.shape())
        throw Error(Code::model, fmt::format("a sum of shapes {} and {}", to_string(y.shape()),
                                             to_string(added->shape())));
      y = broadcast_map<float>(y, as_float(*added), std::plus<>());
    }
    set_float_output(c, 0, activated(y, activation), c.input(0).dtype());
  });
}

std::unique_ptr<Kernel> make_fused_gemm(const Node& node) {
  std::vector<float> parameters;
  for (const char* name : {"activation_alpha", "activation_beta", "activation_gamma"})
    if (node.has(name)) parameters.push_back(node.attr_float(name));
  const FusedActivation activation(node.attr_string("activation", ""), std::move(parameters));
  return make_kernel([activation, gemm = standard_kernel("Gemm", node)](KernelContext& c) {
    set_float_output(c, 0, activated(run_kernel(*gemm, c, 3), activation), c.input(0).dtype());
  });
}

// The last two axes swapped; a vector stays as it is.
Tensor transposed(const Tensor& x) {
  if (x.rank() < 2) return x;
  Shape shape = x.shape(), strides = strides_of(shape);
  std::swap(shape.end()[-1], shape.end()[-2]);
  std::swap(strides.end()[-1], strides.end()[-2]);
  Tensor result(x.dtype(), shape);
  copy_strided(x, 0, strides, result);
  return result;
}

std::unique_ptr<Kernel> make_fused_matmul(const Node& node) {
  if (node.attr_int("transBatchA", 0) != 0 || node.attr_int("transBatchB", 0) != 0)
    throw Error(Code::unsupported, "transposed batch axes");
  std::vector<float> parameters;
  for (const char* name : {"activation_alpha", "activation_beta", "activation_gamma"})
    if (node.has(name)) parameters.push_back(node.attr_float(name));
  const FusedActivation activation(node.attr_string("activation", ""), std::move(parameters));
  return make_kernel([activation, alpha = node.attr_float("alpha", 1.0f),
                      turn_a = node.attr_int("transA", 0) != 0,
                      turn_b = node.attr_int("transB", 0) != 0](KernelContext& c) {
    const Tensor left = as_float(c.input(0)), right = as_float(c.input(1));
    const Tensor a = turn_a ? transposed(left) : left, b = turn_b ? transposed(right) : right;
    const MatMulPlan plan = plan_matmul(a.shape(), b.shape());
    Tensor y(DType::f32, plan.output);
    matmul(plan, a.data<float>().data(), b.data<float>().data(), y.mutate<float>().data());
    for (float& value : y.mutate<float>()) value *= alpha;
    set_float_output(c, 0, activated(y, activation), c.input(0).dtype());
  });
}

void infer_fused_gemm(RuleContext& c) { rules::gemm(c, c.dtype(0), 0, 1); }

void infer_fused_matmul(RuleContext& c) {
  const auto turned = [&](std::size_t i, const char* attr) {
    std::optional<Dims> dims = c.dims(i);
    if (dims && dims->size() > 1 && c.node().attr_int(attr, 0) != 0)
      std::swap(dims->end()[-1], dims->end()[-2]);
    return dims;
  };
  c.set(0, c.dtype(0));
  if (c.node().attr_int("transBatchA", 0) == 0 && c.node().attr_int("transBatchB", 0) == 0)
    c.set(0, c.dtype(0), matmul_dims(turned(0, "transA"), turned(1, "transB")));
}

}  // namespace

void register_microsoft_fused(Registry& registry) {
  constexpr std::string_view domain = "com.microsoft";
  registry.add(
      {.op = "FusedConv", .domain = domain, .make = make_fused_conv, .infer = rules::convolution});
  registry.add(
      {.op = "FusedGemm", .domain = domain, .make = make_fused_gemm, .infer = infer_fused_gemm});
  for (const char* op : {"FusedMatMul", "FusedMatMulActivation", "TransposeMatMul"})
    registry.add(
        {.op = op, .domain = domain, .make = make_fused_matmul, .infer = infer_fused_matmul});
}

}  // namespace intaglio
