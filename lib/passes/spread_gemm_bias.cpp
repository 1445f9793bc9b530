// spread_gemm_bias
//   Before: Gemm (A, B, C) with constant B, of N columns, where C is no constant of shape [N]
//   After:  a constant C that every row shares ([], [1], [1,1], [1,N]): Gemm (A, B, C of [N]).
//           Another C, one that varies from row to row ([M,1], [M,N]) or is computed:
//           Gemm (A, B) -> Add (beta * C), with a Mul by beta where C is computed.
//   Why:    integer products add one int32 to each column; with any other C they run in float.
//   Kept:   a Gemm that computes its B or has no type to go by; what already has a bias of [N].

#include <algorithm>

#include "lib/passes/list.h"

namespace intaglio {
namespace {

bool is_f32(const Value* value) { return value != nullptr && value->dtype() == DType::f32; }

// N; -1: B is no constant matrix of floats.
std::int64_t columns_of(const Node& gemm) {
  const Value* b = gemm.input(1);
  if (!is_f32(b) || !b->is_constant() || b->constant().rank() != 2) return -1;
  return b->constant().dim(gemm.attr_int("transB", 0) != 0 ? 0 : 1);
}

// Every row of the product gets the same values.
bool shared_by_rows(const Value& c, std::int64_t columns) {
  if (!c.is_constant()) return false;
  const Tensor& tensor = c.constant();
  const std::int64_t last = tensor.rank() == 0 ? 1 : tensor.shape().back();
  return tensor.rank() <= 2 && tensor.size() == last && (last == 1 || last == columns);
}

void spread(Node& gemm, std::int64_t columns) {
  const Value& c = *gemm.input(2);
  const std::vector<float> given = c.constant().to_vector<float>();
  Tensor bias(DType::f32, {columns});
  const auto values = bias.mutate<float>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = given[given.size() == 1 ? 0 : i];
  Graph& graph = gemm.graph();
  graph.set_input(gemm, 2, &graph.add_constant(c.name() + "_spread", std::move(bias)));
}

// beta * C: what is added to the product.
Value& addend(Node& gemm) {
  Graph& graph = gemm.graph();
  Value& c = *gemm.input(2);
  const float beta = gemm.attr_float("beta", 1);
  if (beta == 1) return c;
  const std::string name = c.name() + "_scaled";
  if (c.is_constant()) {
    Tensor scaled = c.constant();
    for (float& v : scaled.mutate<float>()) v *= beta;
    return graph.add_constant(name, std::move(scaled));
  }
  Value& result = graph.add_value(name, DType::f32, c.dims());
  graph.add_node("Mul", name + "_Mul", {&c, &graph.add_constant("beta", Tensor::scalar(beta))},
                 {&result});
  return result;
}

void split(Node& gemm) {
  Graph& graph = gemm.graph();
  Value &y = *gemm.output(0), &added = addend(gemm);
  Value& product = graph.add_value(y.name() + "_product", DType::f32, y.dims());
  graph.set_output(gemm, 0, product);
  graph.trim_inputs(gemm, 2);
  gemm.erase_attr("beta");
  graph.add_node("Add", gemm.name().empty() ? y.name() + "_Add" : gemm.name() + "_Add",
                 {&product, &added}, {&y});
}

bool rewrite(Node& gemm) {
  const std::int64_t columns = columns_of(gemm);
  const Value* c = gemm.input(2);
  if (columns < 1 || !is_f32(c) || !is_f32(gemm.output(0))) return false;
  if (c->is_constant() && c->constant().shape() == Shape{columns}) return false;
  if (shared_by_rows(*c, columns))
    spread(gemm, columns);
  else
    split(gemm);
  return true;
}

}  // namespace

int spread_gemm_bias(Model& model, const PrepareOptions&) {
  int rewrites = 0;
  for (Graph* graph : all_graphs(model))
    for (Node* node : graph->nodes())
      if (node->is("Gemm")) rewrites += rewrite(*node);
  return rewrites;
}

}  // namespace intaglio
