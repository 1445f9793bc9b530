#include "lib/rewrite/float16.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/exec/infer.h"
#include "lib/graph/float16_operands.h"
#include "lib/quant/draft_float16.h"
#include "lib/quant/half_precision.h"

namespace intaglio {
namespace {

// A graph output that has a pair is made by DequantizeLinear.
Node* node_of(const Graph& graph, const NodePlan& plan) {
  const Value* value = graph.find(plan.output);
  Node* node = value != nullptr ? value->producer() : nullptr;
  if (node != nullptr && node->is("DequantizeLinear") && plan.op != node->op())
    if (const Node* quantize = node->input(0)->producer();
        quantize != nullptr && quantize->is("QuantizeLinear"))
      node = quantize->input(0)->producer();
  return node != nullptr && node->op() == plan.op ? node : nullptr;
}

class Float16Writer {
 public:
  explicit Float16Writer(Graph& graph) : graph_(graph) {}

  void run(Plan& plan) {
    std::vector<std::pair<Node*, Float16Operands>> marked;
    for (NodePlan& entry : plan.nodes) {
      if (!computes_in_float16(entry)) continue;
      Node* node = node_of(graph_, entry);
      Float16Operands places = node != nullptr ? float16_operands(*node) : Float16Operands();
      if (std::ranges::find(places.inputs, true) != places.inputs.end())
        marked.emplace_back(node, std::move(places));
      else
        entry.precision.reset();
    }
    for (auto& [node, places] : marked)
      for (std::size_t i = 0; i < places.outputs.size(); ++i)
        if (places.outputs[i]) make_half(*node, i);
    for (auto& [node, places] : marked)
      for (std::size_t i = 0; i < places.inputs.size(); ++i)
        if (places.inputs[i]) read_half(*node, i);
    for (const auto& [y, half] : made_)
      if (!y->uses().empty() || y->is_output())
        cast(*half, *y, DType::f32);
      else
        graph_.erase(*y);
  }

 private:
  void make_half(Node& node, std::size_t i) {
    Value& y = *node.output(i);
    Value& half = graph_.add_value(y.name() + "_float16", DType::f16, y.dims());
    graph_.set_output(node, i, half);
    halves_[&y] = &half;
    made_.emplace_back(&y, &half);
  }

  void read_half(Node& node, std::size_t i) {
    Value& x = *node.input(i);
    graph_.set_input(node, i, &half_of(x));
    if (x.uses().empty() && x.is_constant() && !x.is_output() && !x.is_input()) {
      halves_.erase(&x);
      graph_.erase(x);
    }
  }

  // The same value in float16, made once.
  Value& half_of(Value& x) {
    Value*& half = halves_[&x];
    if (half != nullptr) return *half;
    const std::string name = x.name() + "_float16";
    if (x.is_constant())
      return *(half = &graph_.add_constant(name, to_half(x.constant(), DType::f16)));
    const Node* made = x.producer();
    if (made != nullptr && made->is("Cast") && made->input(0)->dtype() == DType::f16)
      return *(half = made->input(0));  // what was widened
    half = &graph_.add_value(name, DType::f16, x.dims());
    cast(x, *half, DType::f16);
    return *half;
  }

  void cast(Value& from, Value& to, DType type) {
    graph_.add_node("Cast", to.name() + "_Cast", {&from}, {&to})
        .set_attr("to", static_cast<std::int64_t>(type));
  }

  Graph& graph_;
  std::unordered_map<const Value*, Value*> halves_;
  std::vector<std::pair<Value*, Value*>> made_;  // by marked nodes, in their order
};

// Casts that only marked nodes read through.
void drop_unread_casts(Graph& graph) {
  for (Node* node : graph.nodes()) {
    Value* y = node->output(0);
    if (!node->is("Cast") || y == nullptr || !y->uses().empty() || y->is_output()) continue;
    graph.erase(*node);
    graph.erase(*y);
  }
}

}  // namespace

void write_float16(Model& model, Plan& plan) {
  if (std::ranges::none_of(plan.nodes, computes_in_float16)) return;
  infer_types(model);
  Float16Writer(model.graph()).run(plan);
  drop_unread_casts(model.graph());
  model.graph().verify();
}

}  // namespace intaglio
