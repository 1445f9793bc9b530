// Gemm, and MatMul with a matrix on the right, when that is constant: rows times packed weights.
#include "lib/exec/addends.h"
#include "lib/exec/fused_reference.h"
#include "lib/exec/registry.h"
#include "lib/exec/vector/product.h"

namespace intaglio {
namespace {

MatrixRef weights(const Node& node) {
  const Tensor& b = node.input(1)->constant();
  const float* data = b.data<float>().data();
  if (node.is("Gemm") && node.attr_int("transB", 0) != 0)
    return {data, b.dim(1), b.dim(0), 1, b.dim(1)};
  return {data, b.dim(0), b.dim(1), b.dim(1), 1};
}

std::span<const float> bias_of(const Node& node) {
  return node.is("Gemm") && node.input(2) != nullptr ? node.input(2)->constant().data<float>()
                                                     : std::span<const float>{};
}

class Dense final : public Kernel {
 public:
  Dense(const Node& node, const PostOps& ops)
      : matrix_(node.is("Gemm")),
        product_(weights(node), bias_of(node), ops),
        reference_(node, ops) {}

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.dtype() != DType::f32 || x.rank() < 2) return reference_.run(context);
    const Shape shape =
        product_shape(x.shape(), product_.depth(), product_.columns(), matrix_ ? 2 : 0);
    const auto addends = addends_of(context, product_.ops(), shape);
    Tensor& y = context.output(0, DType::f32, shape);
    const std::int64_t start = 0, rows = product(shape, 0, shape.size() - 1);
    product_.run({x.data<float>().data(), product_.depth(), {&start, 1}, product_.depth()}, rows,
                 addends, y.mutate<float>().data(), product_.columns());
  }

 private:
  bool matrix_;
  Product product_;
  FusedReference reference_;
};

Refusal refuse(const Node& node) {
  const Value *x = node.input(0), *b = node.input(1), *c = node.input(2);
  if (x != nullptr && x->dtype() != DType::undefined && x->dtype() != DType::f32)
    return "input is not f32";
  if (!constant_f32(b)) return "the right operand is not constant f32";
  const Shape& shape = b->constant().shape();
  if (shape.size() != 2 || shape[0] == 0 || shape[1] == 0) return "the right operand is no matrix";
  if (!node.is("Gemm")) return std::nullopt;
  if (node.attr_int("transA", 0) != 0) return "the left operand is transposed";
  if (node.attr_float("alpha", 1) != 1 || node.attr_float("beta", 1) != 1) return "scaled";
  const std::int64_t columns = shape[node.attr_int("transB", 0) != 0 ? 0 : 1];
  if (c != nullptr && (!constant_f32(c) || c->constant().rank() == 0 ||
                       c->constant().size() != columns || c->constant().shape().back() != columns))
    return "C is not one constant f32 value per column";
  return std::nullopt;
}

std::unique_ptr<Kernel> make(const Node& node) { return std::make_unique<Dense>(node, PostOps{}); }
std::unique_ptr<Kernel> make_fused(const Node& node, const PostOps& ops) {
  return std::make_unique<Dense>(node, ops);
}

}  // namespace

void register_vector_dense(Registry& registry) {
  for (const char* op : {"Gemm", "MatMul"})
    registry.add({.op = op,
                  .impl = "product",
                  .priority = 10,
                  .refuse = refuse,
                  .make = make,
                  .make_fused = make_fused});
}

}  // namespace intaglio
