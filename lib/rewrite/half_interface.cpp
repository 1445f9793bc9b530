#include "lib/rewrite/half_interface.h"

#include <algorithm>
#include <vector>

#include "lib/quant/half_precision.h"

namespace intaglio {
namespace {

bool casts_to(const Node& node, DType type) {
  return node.is("Cast") && node.attr_int("to") == static_cast<std::int64_t>(type) &&
         node.output(0) != nullptr;
}

void add_cast(Graph& graph, const std::string& hint, Value& from, Value& to) {
  graph.add_node("Cast", hint + "_Cast", {&from}, {&to})
      .set_attr("to", static_cast<std::int64_t>(to.dtype()));
}

// What reads the widened input in the same half precision reads the input itself.
void join_readers(Graph& graph, Value& input, Value& wide) {
  const std::vector<Use> uses = wide.uses();
  for (const Use& use : uses) {
    Node& cast = *use.node;
    if (&cast.graph() != &graph || !casts_to(cast, input.dtype()) || cast.output(0)->is_output())
      continue;
    Value& half = *cast.output(0);
    graph.erase(cast);
    graph.replace_uses(half, input);
    graph.erase(half);
  }
}

void restore_input(Graph& graph, Value& input, DType type) {
  Value& wide = graph.add_value(input.name() + "_float", DType::f32, input.dims());
  graph.replace_uses(input, wide);
  input.set_type(type, input.dims());
  join_readers(graph, input, wide);
  if (wide.uses().empty())
    graph.erase(wide);
  else
    add_cast(graph, wide.name(), input, wide);
}

// The half that a Cast has just widened into the value, if nothing else reads it there.
Value* half_behind(const Value& wide, DType type) {
  const Node* maker = wide.producer();
  if (!casts_to(*maker, DType::f32) || !wide.uses().empty()) return nullptr;
  Value* half = maker->input(0);
  return half != nullptr && half->dtype() == type && half->producer() != nullptr &&
                 !half->is_output()
             ? half
             : nullptr;
}

void restore_output(Graph& graph, Value& output, DType type) {
  Node& maker = *output.producer();
  if (Value* half = half_behind(output, type)) {
    graph.erase(maker);
    output.set_type(type, output.dims());
    return graph.merge_into_output(*half, output);
  }
  Value& wide = graph.add_value(output.name() + "_float", DType::f32, output.dims());
  const auto outputs = maker.outputs();
  const auto at = std::ranges::find(outputs, &output) - outputs.begin();
  graph.set_output(maker, static_cast<std::size_t>(at), wide);
  graph.replace_uses(output, wide);
  output.set_type(type, output.dims());
  add_cast(graph, output.name(), wide, output);
}

}  // namespace

HalfInterface half_interface(const Graph& graph) {
  HalfInterface halves;
  for (const Value* input : graph.feeds())
    if (is_half(input->dtype())) halves[input->name()] = input->dtype();
  for (const Value* output : graph.outputs())
    if (is_half(output->dtype())) halves[output->name()] = output->dtype();
  return halves;
}

void restore_half_interface(Graph& graph, const HalfInterface& interface) {
  for (const auto& [name, type] : interface) {
    Value* value = graph.find(name);
    if (value == nullptr || value->dtype() != DType::f32) continue;
    if (value->is_constant())
      value->set_constant(convert(value->constant(), type));
    else if (value->is_input())
      restore_input(graph, *value, type);
    else if (value->producer() != nullptr)
      restore_output(graph, *value, type);
  }
  graph.verify();
}

}  // namespace intaglio
