// drop_identities
//   Before: y = f(x) where f provably changes nothing: Identity; Dropout whose mask is not used (it
//           only acts in training); Cast to the type that x has; Transpose that keeps the order;
//           Reshape, Flatten to the shape that x has; Pad by nothing; Sum, Max, Min, Mean, Concat
//           of one value.
//   After:  what read y reads x. When y is a graph output, the producer of x makes y instead.
//   Kept:   where y is a graph output and x is a graph input, a constant, another graph output, or
//           a value of an outer graph: then the node is what gives y its name.

#include <algorithm>

#include "lib/passes/list.h"

namespace intaglio {
namespace {

bool keeps_order(const Node& node) {
  const auto order = node.attr_ints("perm");
  if (order.empty()) return node.input(0)->rank() >= 0 && node.input(0)->rank() <= 1;
  for (std::size_t i = 0; i < order.size(); ++i)
    if (order[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

// Each length of the target is the one that x has; one of them may be -1 (whatever remains).
bool keeps_shape(const Node& node) {
  const Value* target = node.input(1);
  const auto& dims = node.input(0)->dims();
  if (target == nullptr || !target->is_constant() || !dims) return false;
  const auto lengths = target->constant().to_vector<std::int64_t>();
  if (lengths.size() != dims->size()) return false;
  const bool zero_copies = node.attr_int("allowzero", 0) == 0;
  int inferred = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const bool same = (lengths[i] == 0 && zero_copies) ||
                      (lengths[i] > 0 && (*dims)[i].known() && lengths[i] == (*dims)[i].value);
    if (!same && lengths[i] != -1) return false;
    inferred += lengths[i] == -1;
  }
  return inferred <= 1;
}

bool pads_nothing(const Node& node) {
  const Value* pads = node.input(1);
  if (pads == nullptr || !pads->is_constant()) return false;
  const auto amounts = pads->constant().to_vector<std::int64_t>();
  return std::all_of(amounts.begin(), amounts.end(), [](auto amount) { return amount == 0; });
}

bool drops_nothing(const Node& node) {
  const Value* mask = node.output(1);
  const Value* training = node.input(2);
  return (mask == nullptr || (mask->uses().empty() && !mask->is_output())) &&
         (training == nullptr || (training->is_constant() && !training->constant().item<bool>()));
}

bool has_lone_operand(const Node& node) {
  return (node.is("Sum") || node.is("Max") || node.is("Min") || node.is("Mean") ||
          node.is("Concat")) &&
         node.inputs().size() == 1;
}

bool changes_nothing(const Node& node, const PrepareOptions& options) {
  if (node.input(0) == nullptr || node.output(0) == nullptr) return false;
  const Value& x = *node.input(0);
  if (node.is("Identity")) return true;
  if (node.is("Dropout")) return drops_nothing(node);
  if (node.is("Cast"))
    return node.opset() >= 6 && x.dtype() != DType::undefined &&
           x.dtype() == static_cast<DType>(node.attr_int("to"));
  if (node.is("Transpose")) return keeps_order(node);
  if (node.is("Reshape")) return keeps_shape(node);
  if (node.is("Flatten")) return x.rank() == 2 && node.attr_int("axis", 1) == 1;
  if (node.is("Pad")) return pads_nothing(node);
  return options.drop_lone_operands && has_lone_operand(node);
}

bool may_merge(const Value& x, const Value& y) {
  return x.producer() != nullptr && &x.graph() == &y.graph() && !x.is_output();
}

// Windows without gaps: onnxruntime's AveragePool on codes does not know the attribute at all.
int drop_dilations(Node& pool) {
  const auto dilations = pool.attr_ints("dilations");
  const bool ones = !dilations.empty() &&
                    std::all_of(dilations.begin(), dilations.end(), [](auto d) { return d == 1; });
  if (!pool.is("AveragePool") || !ones) return 0;
  pool.erase_attr("dilations");
  return 1;
}

int drop(Graph& graph, const PrepareOptions& options) {
  int rewrites = 0;
  for (Node* node : graph.nodes()) {
    rewrites += drop_dilations(*node);
    if (!changes_nothing(*node, options)) continue;
    Value &x = *node->input(0), &y = *node->output(0);
    if (y.is_output() && !may_merge(x, y)) continue;
    if (x.dtype() == y.dtype() && !x.dims()) x.set_type(y.dtype(), y.dims());
    graph.erase(*node);
    if (y.is_output()) {
      graph.merge_into_output(x, y);
    } else {
      graph.replace_uses(y, x);
      graph.erase(y);
    }
    ++rewrites;
  }
  return rewrites;
}

}  // namespace

int drop_identities(Model& model, const PrepareOptions& options) {
  int rewrites = 0;
  for (Graph* graph : all_graphs(model)) rewrites += drop(*graph, options);
  return rewrites;
}

}  // namespace intaglio
