// MatMul (opset 1, 9, 13): see lib/exec/ops/matmul.h. A constant right operand is packed once.
#include "lib/exec/ops/matmul.h"
#include "lib/exec/ops/elementwise.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

template <typename T>
Tensor multiply(const Tensor& a, const Tensor& b) {
  const MatMulPlan plan = plan_matmul(a.shape(), b.shape());
  Tensor y(dtype_of<T>(), plan.output);
  matmul_plain<T>(plan, a.data<T>().data(), b.data<T>().data(), y.mutate<T>().data());
  return y;
}

std::shared_ptr<const PackedRight> pack_constant(const Value* value) {
  if (value == nullptr || !value->is_constant() || value->constant().rank() != 2 ||
      !is_float(value->constant().dtype()) || value->constant().dtype() == DType::f64)
    return nullptr;
  const Tensor b = as_float(value->constant());
  return std::make_shared<PackedRight>(
      MatrixRef{b.data<float>().data(), b.dim(0), b.dim(1), b.dim(1), 1});
}

std::unique_ptr<Kernel> make_matmul(const Node& node) {
  return make_kernel([packed = pack_constant(node.input(1))](KernelContext& context) {
    const Tensor &a = context.input(0), &b = context.input(1);
    switch (a.dtype()) {
      case DType::f64:
        return context.set_output(0, multiply<double>(a, b));
      case DType::s32:
        return context.set_output(0, multiply<std::int32_t>(a, b));
      case DType::u32:
        return context.set_output(0, multiply<std::uint32_t>(a, b));
      case DType::s64:
        return context.set_output(0, multiply<std::int64_t>(a, b));
      case DType::u64:
        return context.set_output(0, multiply<std::uint64_t>(a, b));
      case DType::f32:
      case DType::f16:
      case DType::bf16:
        break;
      default:
        refuse_type(a.dtype());
    }
    const MatMulPlan plan = plan_matmul(a.shape(), b.shape());
    Tensor y(DType::f32, plan.output);
    const Tensor left = as_float(a), right = packed ? Tensor() : as_float(b);
    matmul(plan, left.data<float>().data(), packed ? nullptr : right.data<float>().data(),
           y.mutate<float>().data(), packed.get());
    set_float_output(context, 0, std::move(y), a.dtype());
  });
}

void infer_matmul(RuleContext& c) {
  c.set(0, c.dtype(0));
  c.set(0, c.dtype(0), matmul_dims(c.dims(0), c.dims(1)));
}

}  // namespace

void register_matmul(Registry& registry) {
  registry.add({.op = "MatMul", .make = make_matmul, .infer = infer_matmul});
}

}  // namespace intaglio
