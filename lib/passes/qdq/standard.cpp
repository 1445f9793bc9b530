// fuse_qdq: products without operators of com.microsoft. The standard has no product of codes
// with a float result or a bias, but the sums themselves:
//
//   Before: DequantizeLinear -> Gemm(x, w, b)
//   After:  MatMulInteger -> Add(b in units of the sums) -> Cast -> Mul(x_scale * w_scale)
//
// which is exact up to the last two steps. A product that is rounded to codes before its bias is
// added would lose accuracy, so only one without bias becomes QLinearMatMul.
#include <algorithm>

#include "lib/passes/qdq/cluster.h"

namespace intaglio {
namespace {

// The codes of a Gemm's second matrix as MatMul takes them.
CodesRef as_right_matrix(const Node& node, CodesRef b) {
  if (!node.is("Gemm") || node.attr_int("transB", 0) == 0) return b;
  const Tensor& from = b.codes->constant();
  const std::int64_t rows = from.dim(0), columns = from.dim(1);
  Tensor to(from.dtype(), {columns, rows});
  std::byte* out = to.raw_mutate();
  for (std::int64_t i = 0; i < columns; ++i)
    for (std::int64_t j = 0; j < rows; ++j) out[i * rows + j] = from.raw()[j * columns + i];
  b.codes = &node.graph().add_constant(b.codes->name() + "_transposed", to);
  return b;
}

// One zero point for all columns where they are alike: runtimes have faster code for that.
Value* joint_zero(Value* zero) {
  const auto all = zero->constant().to_vector<std::int32_t>();
  if (all.size() == 1 || std::ranges::adjacent_find(all, std::ranges::not_equal_to()) != all.end())
    return zero;
  return &zero->graph().add_constant(
      zero->name() + "_joint", convert(Tensor::scalar(all.front()), zero->constant().dtype()));
}

Value& product_of_scales(Graph& graph, const CodesRef& a, const CodesRef& b) {
  Tensor scale = b.scale->constant();
  const float factor = a.scale->constant().item<float>();
  for (float& v : scale.mutate<float>()) v *= factor;
  return graph.add_constant(b.scale->name() + "_product", scale);
}

}  // namespace

void exchange_for_matmul_integer(Node& node, const CodesRef& a, const CodesRef& b, Value* bias) {
  Graph& graph = node.graph();
  const CodesRef right = as_right_matrix(node, b);
  Value& y = *node.output(0);
  const std::string hint = y.name();
  erase_attributes(node);
  Value* sums = &graph.add_value(hint + "_sums", DType::s32, y.dims());
  exchange(node, "MatMulInteger", {}, {a.codes, right.codes, a.zero, joint_zero(right.zero)},
           nullptr);
  graph.set_output(node, 0, *sums);
  if (bias != nullptr) {
    Value& biased = graph.add_value(hint + "_biased", DType::s32, y.dims());
    graph.add_node("Add", hint + "_Add", {sums, bias}, {&biased});
    sums = &biased;
  }
  Value& real = graph.add_value(hint + "_real", DType::f32, y.dims());
  graph.add_node("Cast", hint + "_Cast", {sums}, {&real})
      .set_attr("to", static_cast<std::int64_t>(DType::f32));
  graph.add_node("Mul", hint + "_Mul", {&real, &product_of_scales(graph, a, right)}, {&y});
}

ClusterRefusal fuse_standard_gemm(Node& node, const IntegerOptions& options) {
  const CodesRef a = *dequantized(node.input(0)), b = *dequantized(node.input(1));
  if (node.attr_int("transA", 0) != 0) return "MatMulInteger has no transA";
  if (node.attr_int("transB", 0) != 0 && (!b.codes->is_constant() || b.codes->rank() != 2))
    return "MatMulInteger has no transB";
  const auto tail = tail_of(node, options);
  const Tail* end = std::get_if<Tail>(&tail);
  if (node.input(2) != nullptr || end == nullptr || end->codes.type != a.type) {
    const IntegerBias bias = integer_bias(node, a, b);
    if (!bias.refusal.empty()) return FloatReason(Why::bias, bias.refusal);
    exchange_for_matmul_integer(node, a, b, bias.value);
    return std::nullopt;
  }
  const CodesRef right = as_right_matrix(node, b);
  erase_attributes(node);
  std::vector<Value*> inputs;
  append(inputs, a);
  append(inputs, right);
  inputs.insert(inputs.end(), {end->codes.scale, end->codes.zero});
  exchange(node, "QLinearMatMul", {}, inputs, end);
  return std::nullopt;
}

}  // namespace intaglio
