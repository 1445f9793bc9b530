// com.microsoft: MatMulNBits with constant weights, which stay packed (code_product.h).
#include "lib/exec/addends.h"
#include "lib/exec/fused_reference.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/registry.h"
#include "lib/exec/vector/code_product.h"

namespace intaglio {
namespace {

Tensor constant_or_none(const Node& node, std::size_t i) {
  return node.input(i) != nullptr ? node.input(i)->constant() : Tensor();
}

std::vector<float> bias_of(const Node& node) {
  return node.input(5) != nullptr ? as_float(node.input(5)->constant()).to_vector<float>()
                                  : std::vector<float>{};
}

class MatMulNBits final : public Kernel {
 public:
  MatMulNBits(const Node& node, const PostOps& ops)
      : shape_(read_nbits(node)),
        product_(shape_, node.input(1)->constant(), as_float(node.input(2)->constant()),
                 constant_or_none(node, 3), bias_of(node), ops),
        reference_(node, ops) {}

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.dtype() != DType::f32 || x.rank() < 2) return reference_.run(context);
    const Shape shape = product_shape(x.shape(), shape_.k, shape_.n);
    const Tensor data = shape_.on_codes ? rounded_by_block(x, shape_) : x;
    const auto addends = addends_of(context, product_.ops(), shape);
    Tensor& y = context.output(0, DType::f32, shape);
    product_.run(data.data<float>().data(), product(shape, 0, shape.size() - 1), addends,
                 y.mutate<float>().data(), shape_.n);
  }

 private:
  NBits shape_;
  CodeProduct product_;
  FusedReference reference_;
};

Refusal refuse(const Node& node) {
  const Value* x = node.input(0);
  if (x != nullptr && x->dtype() != DType::undefined && x->dtype() != DType::f32)
    return "input is not f32";
  for (const std::size_t i : {1, 2, 3, 5})
    if (node.input(i) != nullptr && !node.input(i)->is_constant())
      return "weights, scales, zero points or bias are computed";
  if (node.input(1) == nullptr || node.input(2) == nullptr) return "weights or scales are missing";
  if (node.input(4) != nullptr) return "groups by index (g_idx)";
  if (node.input(3) != nullptr && node.input(3)->dtype() != DType::u8)
    return "zero points are not packed";
  if (node.input(5) != nullptr && node.input(5)->constant().size() != node.attr_int("N"))
    return "the bias is not one value per column";
  return std::nullopt;
}

std::unique_ptr<Kernel> make(const Node& node) {
  return std::make_unique<MatMulNBits>(node, PostOps{});
}
std::unique_ptr<Kernel> make_fused(const Node& node, const PostOps& ops) {
  return std::make_unique<MatMulNBits>(node, ops);
}

}  // namespace

void register_vector_matmul_nbits(Registry& registry) {
  registry.add({.op = "MatMulNBits",
                .impl = "product",
                .priority = 10,
                .domain = "com.microsoft",
                .refuse = refuse,
                .make = make,
                .make_fused = make_fused});
}

}  // namespace intaglio
