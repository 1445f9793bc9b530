// Relu, Clip, LeakyRelu, HardSwish, Sigmoid, Tanh, Gelu and Erf of f32 values, in either layout.
#include <algorithm>

#include "lib/exec/fused_reference.h"
#include "lib/exec/registry.h"

namespace intaglio {
namespace {

constexpr std::int64_t block = 4096;  // values that stay in the first-level cache

class Activation final : public Kernel {
 public:
  Activation(const Node& node, PostOps ops)
      : own_(*activation_of(node)), ops_(std::move(ops)), reference_(node, ops_) {}

  bool takes_any_layout() const override { return true; }

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.dtype() != DType::f32) return reference_.run(context);
    Tensor y(DType::f32, x.shape());
    y.set_layout(x.layout());
    const float* from = x.data<float>().data();
    float* to = y.mutate<float>().data();
    for (std::int64_t i = 0; i < x.size(); i += block) {
      const std::int64_t count = std::min(block, x.size() - i);
      std::copy_n(from + i, count, to + i);
      apply({&own_, 1}, to + i, count, nullptr);
      apply(ops_, to + i, count, nullptr);
    }
    context.set_output(0, std::move(y));
  }

 private:
  PostOp own_;
  PostOps ops_;
  FusedReference reference_;
};

Refusal refuse(const Node& node) {
  const Value* x = node.input(0);
  if (x != nullptr && x->dtype() != DType::undefined && x->dtype() != DType::f32)
    return "input is not f32";
  if (!activation_of(node)) return "parameters are not constant";
  return std::nullopt;
}

std::unique_ptr<Kernel> make(const Node& node) {
  return std::make_unique<Activation>(node, PostOps{});
}

}  // namespace

void register_vector_activation(Registry& registry) {
  for (const char* op :
       {"Relu", "Clip", "LeakyRelu", "HardSwish", "Sigmoid", "Tanh", "Gelu", "Erf"})
    registry.add({.op = op, .impl = "vector", .priority = 10, .refuse = refuse, .make = make});
}

}  // namespace intaglio
