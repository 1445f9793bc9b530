#include "lib/rewrite/shared_constants.h"

#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/graph/readers.h"

namespace intaglio {
namespace {

constexpr std::size_t smallest = 64;  // bytes; below, a name costs as much

using Kind = std::pair<DType, Shape>;

bool may_be_shared(const Value& value) {
  return value.is_constant() && !value.is_input() && !value.is_output() && !value.uses().empty() &&
         value.constant().bytes() >= smallest;
}

std::string_view bytes_of(const Value& value) {
  const Tensor& tensor = value.constant();
  return {reinterpret_cast<const char*>(tensor.raw()), tensor.bytes()};
}

// The product that alone reads what alone dequantizes the constant, whose data and result are
// floats: onnxruntime makes a MatMulNBits of these, but only of codes and scales that nothing else
// reads.
bool belongs_to_product(const Value& value) {
  const Node* dequantize = only_reader(&value);
  if (dequantize == nullptr || !dequantize->is("DequantizeLinear")) return false;
  const Node* product = only_reader(dequantize->output(0));
  if (product == nullptr || dequantize->input(2) == &value || dequantize->input(0)->rank() != 2)
    return false;
  const Value* x = product->input(0);
  const bool takes =
      product->is("MatMul") || (product->is("Gemm") && product->attr_int("transB", 0) == 0);
  return takes && product->input(1) == dequantize->output(0) &&
         (x->producer() == nullptr || !x->producer()->is("DequantizeLinear"));
}

// Rows 0 to the end, by a Slice that runtimes compute when they load the model. No two have the
// same end, so that none takes them for one node.
void read_all_rows_of(Value& kept, Value& copy, std::int64_t nth) {
  Graph& graph = kept.graph();
  const auto one = [](std::int64_t v) { return Tensor::vector(std::vector{v}); };
  const std::int64_t end = kept.constant().dim(0) + nth;
  Value& rows = graph.add_value(copy.name() + "_rows", copy.dtype(), copy.dims());
  graph.replace_uses(copy, rows);
  graph.add_node("Slice", rows.name() + "_Slice",
                 {&kept, &graph.add_constant(rows.name() + "_start", one(0)),
                  &graph.add_constant(rows.name() + "_end", one(end))},
                 {&rows});
}

// Of one kind.
int share(const std::vector<Value*>& alike, Engine engine) {
  if (alike.size() < 2) return 0;
  int gone = 0;
  std::unordered_map<std::string_view, Value*> first;
  for (Value* value : alike) {
    Value& kept = *first.try_emplace(bytes_of(*value), value).first->second;
    if (&kept == value) continue;
    if (engine != Engine::pairs && belongs_to_product(*value)) {
      if (value->constant().rank() != 2) continue;  // scales are small
      read_all_rows_of(kept, *value, gone + 1);
    }
    value->graph().replace_uses(*value, kept);
    value->graph().erase(*value);
    ++gone;
  }
  return gone;
}

bool same_dims(const Value& a, const Value& b) {
  return a.dims() && b.dims() && to_string(*a.dims()) == to_string(*b.dims());
}

}  // namespace

void drop_whole_slices(Graph& graph) {
  for (Node* node : graph.nodes()) {
    Value *x = node->input(0), *y = node->output(0);
    if (!node->is("Slice") || x == nullptr || y == nullptr || node->input(4) != nullptr ||
        !x->is_constant() || y->is_output() || !same_dims(*x, *y))
      continue;
    graph.replace_uses(*y, *x);
    graph.erase(*node);
    graph.erase(*y);
  }
}

int share_equal_constants(Graph& graph, Engine engine) {
  std::map<Kind, std::vector<Value*>> kinds;
  for (Value* value : graph.values())
    if (may_be_shared(*value))
      kinds[{value->constant().dtype(), value->constant().shape()}].push_back(value);
  int gone = 0;
  for (const auto& [kind, alike] : kinds) gone += share(alike, engine);
  return gone;
}

}  // namespace intaglio
