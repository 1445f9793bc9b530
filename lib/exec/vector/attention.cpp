// Attention of opset 23, and Attention, MultiHeadAttention and GroupQueryAttention of
// com.microsoft, in strips (attend.h). The projections of com.microsoft.Attention are packed once
// when they are constant.
#include "lib/exec/ops/attention_kernels.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/registry.h"
#include "lib/exec/vector/attend.h"
#include "lib/exec/vector/product.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_standard(const Node& node) {
  return standard_attention(node, attend_in_strips);
}
std::unique_ptr<Kernel> make_multi_head(const Node& node) {
  return multi_head_attention(node, attend_in_strips);
}
std::unique_ptr<Kernel> make_group_query(const Node& node) {
  return group_query_attention(node, attend_in_strips);
}

// The projection of com.microsoft.Attention: weights of two axes, and a bias for each column.
Refusal refuse_projection(const Node& node) {
  const Value *w = node.input(1), *b = node.input(2);
  if (!constant_f32(w) || w->constant().rank() != 2)
    return "the weights are no constant f32 matrix";
  if (w->constant().size() == 0) return "the weights are empty";
  if (b != nullptr && (!constant_f32(b) || b->constant().size() != w->constant().dim(1)))
    return "the bias is not one constant f32 value per column";
  return std::nullopt;
}

std::unique_ptr<Kernel> make_microsoft(const Node& node) {
  const Tensor& w = node.input(1)->constant();
  const auto bias =
      node.input(2) != nullptr ? node.input(2)->constant().data<float>() : std::span<const float>{};
  const auto packed = std::make_shared<const Product>(
      MatrixRef{w.data<float>().data(), w.dim(0), w.dim(1), w.dim(1), 1}, bias, PostOps{});
  return microsoft_attention(
      node, attend_in_strips, [packed](const Tensor& x, const Tensor&, const Tensor*) {
        const Shape shape = product_shape(x.shape(), packed->depth(), packed->columns());
        Tensor y(DType::f32, shape);
        const std::int64_t start = 0;
        packed->run({x.data<float>().data(), packed->depth(), {&start, 1}, packed->depth()},
                    product(shape, 0, shape.size() - 1), {}, y.mutate<float>().data(),
                    packed->columns());
        return y;
      });
}

}  // namespace

void register_vector_attention(Registry& registry) {
  constexpr std::string_view microsoft = "com.microsoft";
  registry.add(
      {.op = "Attention", .impl = "vector", .since = 23, .priority = 10, .make = make_standard});
  registry.add({.op = "Attention",
                .impl = "vector",
                .priority = 10,
                .domain = microsoft,
                .refuse = refuse_projection,
                .make = make_microsoft});
  registry.add({.op = "MultiHeadAttention",
                .impl = "vector",
                .priority = 10,
                .domain = microsoft,
                .make = make_multi_head});
  registry.add({.op = "GroupQueryAttention",
                .impl = "vector",
                .priority = 10,
                .domain = microsoft,
                .refuse = refuse_group_query_attention,
                .make = make_group_query});
}

}  // namespace intaglio
