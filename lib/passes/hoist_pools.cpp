// hoist_pools
//   Before: y = MaxPool(f(x)) where f never falls and works on single values
//           (OpTraits::pools_first); the pool alone reads f(x)
//   After:  y = f(MaxPool(x))
//   Why:    where a target runs f by itself, in integers or not, it has a quarter of the values
//           left to do, and the pair between x and f need not hold what no maximum is made of.
//   Kept:   operators that are not in PrepareOptions::lone_activations; pools that give indices.

#include <algorithm>

#include "lib/graph/op_traits.h"
#include "lib/passes/list.h"

namespace intaglio {
namespace {

bool never_falls(const Node& node) {
  return traits_of(node).pools_first && node.attr_float("alpha", 0) >= 0;
}

// The activation that the pool alone reads, or null.
Node* activation_before(const Node& pool, const PrepareOptions& options) {
  const Value* x = pool.input(0);
  if (x == nullptr || x->is_output() || x->uses().size() != 1 || pool.output(0) == nullptr ||
      pool.output(1) != nullptr)
    return nullptr;
  Node* node = x->producer();
  return node != nullptr && &node->graph() == &pool.graph() && never_falls(*node) &&
                 options.lone_activations.contains(node->op())
             ? node
             : nullptr;
}

bool exchange(Node& pool, const PrepareOptions& options) {
  Node* activation = activation_before(pool, options);
  if (activation == nullptr) return false;
  Graph& graph = pool.graph();
  Value& x = *activation->input(0);
  Value& unpooled = *activation->output(0);
  Value& y = *pool.output(0);
  Value& pooled = graph.add_value(x.name() + "_pooled", y.dtype(), y.dims());
  graph.set_input(pool, 0, &x);
  graph.set_output(pool, 0, pooled);
  graph.set_input(*activation, 0, &pooled);
  graph.set_output(*activation, 0, y);
  graph.erase(unpooled);
  return true;
}

}  // namespace

int hoist_pools(Model& model, const PrepareOptions& options) {
  if (options.lone_activations.empty()) return 0;
  std::vector<Node*> pools = model.graph().nodes();
  std::erase_if(pools, [](const Node* node) { return !node->is("MaxPool"); });
  return static_cast<int>(
      std::ranges::count_if(pools, [&](Node* pool) { return exchange(*pool, options); }));
}

}  // namespace intaglio
