#include "lib/passes/widen_halves.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace intaglio {
namespace {

bool holds_halves(const Value* value) { return value != nullptr && is_half(value->dtype()); }

bool computes_in_float(const Node& node) {
  for (const char* op : {"Cast", "CastLike", "QuantizeLinear", "DequantizeLinear"})
    if (node.is(op)) return false;
  return node.nested_graphs().empty() && std::ranges::any_of(node.inputs(), holds_halves);
}

bool is_cast_to_float(const Node& node) {
  return node.is("Cast") && node.output(0) != nullptr && node.output(0)->dtype() == DType::f32;
}

class Widener {
 public:
  Widener(Graph& graph, bool round) : graph_(graph), round_(round) {}

  void run() {
    for (Node* node : graph_.nodes()) {
      if (!round_ && is_cast_to_float(*node) && wide_.contains(node->input(0)))
        graph_.set_input(*node, 0, wide_.at(node->input(0)));
      if (!computes_in_float(*node)) continue;
      for (std::size_t i = 0; i < node->inputs().size(); ++i)
        if (holds_halves(node->input(i))) graph_.set_input(*node, i, &wide(*node->input(i)));
      for (std::size_t i = 0; i < node->outputs().size(); ++i)
        if (holds_halves(node->output(i))) narrow(*node, i);
    }
    for (Node* cast : narrowed_) drop_unread(*cast);
  }

 private:
  Value& wide(Value& x) {
    Value*& made = wide_[&x];
    if (made != nullptr) return *made;
    const Node* cast = x.producer();
    if (!round_ && cast != nullptr && cast->is("Cast") && cast->input(0)->dtype() == DType::f32)
      return *(made = cast->input(0));
    const std::string name = x.name() + "_wide";
    if (x.is_constant())
      return *(made = &graph_.add_constant(name, convert(x.constant(), DType::f32)));
    made = &graph_.add_value(name, DType::f32, x.dims());
    graph_.add_node("Cast", name + "_Cast", {&x}, {made})
        .set_attr("to", static_cast<std::int64_t>(DType::f32));
    return *made;
  }

  void narrow(Node& node, std::size_t i) {
    Value& y = *node.output(i);
    Value& unrounded = graph_.add_value(y.name() + "_unrounded", DType::f32, y.dims());
    graph_.set_output(node, i, unrounded);
    Node& cast = graph_.add_node("Cast", y.name() + "_Cast", {&unrounded}, {&y});
    cast.set_attr("to", static_cast<std::int64_t>(y.dtype()));
    narrowed_.push_back(&cast);
    if (!round_) wide_[&y] = &unrounded;
  }

  void drop_unread(Node& cast) {
    Value& y = *cast.output(0);
    if (!y.uses().empty() || y.is_output()) return;
    graph_.erase(cast);
    graph_.erase(y);
  }

  Graph& graph_;
  bool round_;
  std::vector<Node*> narrowed_;
  std::unordered_map<const Value*, Value*> wide_;
};

}  // namespace

bool has_halves(const Graph& graph) {
  const auto values = graph.values();
  return std::ranges::any_of(values, [](const Value* v) { return holds_halves(v); });
}

void widen_halves(Graph& graph, bool round) {
  Widener(graph, round).run();
  graph.verify();
}

}  // namespace intaglio
