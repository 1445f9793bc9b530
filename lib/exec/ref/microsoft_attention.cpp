// com.microsoft: Attention and MultiHeadAttention, see lib/exec/ops/attention_kernels.h.
#include "lib/exec/ops/attention_kernels.h"
#include "lib/exec/ops/elementwise.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/matmul.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

Tensor project(const Tensor& x, const Tensor& weights, const Tensor* bias) {
  const MatMulPlan plan = plan_matmul(x.shape(), weights.shape());
  Tensor y(DType::f32, plan.output);
  matmul(plan, x.data<float>().data(), weights.data<float>().data(), y.mutate<float>().data());
  return bias != nullptr ? broadcast_map<float>(y, as_float(*bias), std::plus<>()) : y;
}

std::unique_ptr<Kernel> make_attention(const Node& node) {
  return microsoft_attention(node, attend, project);
}
std::unique_ptr<Kernel> make_multi_head_attention(const Node& node) {
  return multi_head_attention(node, attend);
}

Dim at(const std::optional<Dims>& dims, std::size_t axis) {
  return dims && axis < dims->size() ? (*dims)[axis] : Dim{};
}

void infer_attention(RuleContext& c) {
  const Node& node = c.node();
  const auto sizes = node.attr_ints("qkv_hidden_sizes");
  const std::int64_t heads = node.attr_int("num_heads");
  const Dim wide = sizes.size() == 3 ? dim_of(sizes[2]) : divided(at(c.dims(1), 1), 3);
  const Dim batch = at(c.dims(0), 0), length = at(c.dims(0), 1);
  c.set(0, c.dtype(0), Dims{batch, length, wide});
  const Dim keys = c.has(4) ? sum(at(c.dims(4), 3), length) : length;
  c.set(1, c.dtype(0), Dims{dim_of(2), batch, dim_of(heads), keys, divided(wide, heads)});
}

// Keys and values: packed with or without the queries, with or without heads of their own.
void infer_multi_head_attention(RuleContext& c) {
  const std::int64_t heads = c.node().attr_int("num_heads");
  const auto rank = [&](std::size_t i) { return c.dims(i) ? c.dims(i)->size() : 0; };
  const Dim batch = at(c.dims(0), 0), length = at(c.dims(0), 1);
  const std::size_t packed = rank(0) == 5 ? 0 : rank(1) == 5 ? 1 : 2;
  const bool flat = packed == 2 && rank(2) == 3;
  const Dim v_depth =
      flat ? divided(at(c.dims(2), 2), heads) : at(c.dims(packed), packed == 2 ? 3 : 4);
  const Dim k_depth = packed < 2     ? v_depth
                      : rank(1) == 3 ? divided(at(c.dims(1), 2), heads)
                                     : at(c.dims(1), 3);
  const Dim own = packed == 0 ? length : at(c.dims(1), packed == 2 && rank(1) == 4 ? 2 : 1);
  const Dim keys = c.has(6) ? sum(at(c.dims(6), 2), own) : own;
  c.set(0, c.dtype(0), Dims{batch, length, times(v_depth, heads)});
  c.set(1, c.dtype(0), Dims{batch, dim_of(heads), keys, k_depth});
  c.set(2, c.dtype(0), Dims{batch, dim_of(heads), keys, v_depth});
}

}  // namespace

void register_microsoft_attention(Registry& registry) {
  constexpr std::string_view domain = "com.microsoft";
  registry.add(
      {.op = "Attention", .domain = domain, .make = make_attention, .infer = infer_attention});
  registry.add({.op = "MultiHeadAttention",
                .domain = domain,
                .make = make_multi_head_attention,
                .infer = infer_multi_head_attention});
}

}  // namespace intaglio
