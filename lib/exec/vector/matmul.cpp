// MatMul of two f32 values that are both computed: the right matrices are packed on the way.
#include "lib/exec/ops/matmul.h"

#include "lib/exec/fused_reference.h"
#include "lib/exec/registry.h"
#include "lib/exec/vector/product.h"

namespace intaglio {
namespace {

class MatMul final : public Kernel {
 public:
  explicit MatMul(const Node& node) : reference_(node, {}) {}

  void run(KernelContext& context) const override {
    const Tensor &a = context.input(0), &b = context.input(1);
    if (a.dtype() != DType::f32 || b.dtype() != DType::f32) return reference_.run(context);
    const MatMulPlan plan = plan_matmul(a.shape(), b.shape());
    if (plan.m < rows_that_pay || plan.k == 0 || plan.n == 0) return reference_.run(context);
    Tensor& y = context.output(0, DType::f32, plan.output);
    float* out = y.mutate<float>().data();
    const std::int64_t start = 0;
    for (const auto& [at_a, at_b] : plan.products) {
      const Product right({b.data<float>().data() + at_b, plan.k, plan.n, plan.n, 1}, {}, {});
      right.run({a.data<float>().data() + at_a, plan.k, {&start, 1}, plan.k}, plan.m, {}, out,
                plan.n);
      out += plan.m * plan.n;
    }
  }

 private:
  static constexpr std::int64_t rows_that_pay = 4;  // for packing
  FusedReference reference_;
};

Refusal refuse(const Node& node) {
  for (const std::size_t i : {0, 1}) {
    const Value* x = node.input(i);
    if (x != nullptr && x->dtype() != DType::undefined && x->dtype() != DType::f32)
      return "an operand is not f32";
  }
  return std::nullopt;
}

std::unique_ptr<Kernel> make(const Node& node) { return std::make_unique<MatMul>(node); }

}  // namespace

void register_vector_matmul(Registry& registry) {
  registry.add({.op = "MatMul", .impl = "vector", .priority = 5, .refuse = refuse, .make = make});
}

}  // namespace intaglio
