#include "lib/rewrite/float_kept.h"

#include <vector>

#include "lib/graph/op_traits.h"
#include "lib/graph/readers.h"
#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/quant/plan.h"

namespace intaglio {
namespace {

// The names of results of nodes that the runtime computes on codes.
std::set<std::string> computed_on_codes(const Model& model) {
  Model probe = model.clone();
  for (Node* node : probe.graph().nodes())
    if (const Value* made = first_output(*node)) node->set_name(made->name());
  std::set<std::string> results;
  for (const IntegerDecision& decision : fuse_integers(probe).nodes)
    if (decision.integer()) results.insert(decision.node);
  return results;
}

Value* dequantized_input(const Node& node, std::size_t& index) {
  for (index = 0; index < node.inputs().size(); ++index) {
    Value* input = node.input(index);
    if (input != nullptr && input->producer() != nullptr &&
        input->producer()->is("DequantizeLinear"))
      return input;
  }
  return nullptr;
}

// Whether a QuantizeLinear follows, behind what the runtime folds into a product or moves the
// QuantizeLinear over.
bool leads_to_quantize(const Value* value) {
  const Node* reader = only_reader(value);
  if (reader == nullptr) return false;
  if (reader->is("QuantizeLinear")) return true;
  const OpTraits& traits = traits_of(*reader);
  const bool passes = traits.joins_product || (traits.pairs_move && !reader->is("Slice"));
  return passes && leads_to_quantize(reader->output(0));
}

// A product with float weights, which the runtime quantizes itself where a QuantizeLinear follows;
// of a MatMul once it has become a Gemm with the Add behind it.
bool has_float_weights(const Node& node) {
  const Value* weights = node.input(1);
  return traits_of(node).weights == WeightKind::product && weights != nullptr &&
         weights->is_constant() && weights->dtype() == DType::f32;
}

void read_through_max(Graph& graph, Node& node, std::size_t index, const std::string& hint) {
  Value& input = *node.input(index);
  Value& same = graph.add_value(hint, DType::f32, input.dims());
  graph.add_node("Max", hint + "_Max", {&input}, {&same});
  graph.set_input(node, index, &same);
}

// The runtime moves a QuantizeLinear over what only moves values, up to what makes them, even where
// that is a result of the graph, whose floats would be rounded: caches, from step to step.
std::size_t keep_outputs(Graph& graph) {
  std::size_t kept = 0;
  for (Value* output : graph.outputs()) {
    if (output->dtype() != DType::f32 || output->producer() == nullptr ||
        is_conversion(*output->producer()))
      continue;
    const std::vector<Use> uses(output->uses().begin(), output->uses().end());
    for (const Use& use : uses) {
      if (&use.node->graph() != &graph || use.index != 0 || !traits_of(*use.node).pairs_move ||
          !leads_to_quantize(use.node->output(0)))
        continue;
      read_through_max(graph, *use.node, 0, output->name() + "_moved");
      ++kept;
    }
  }
  return kept;
}

}  // namespace

std::size_t keep_float(Model& model, const std::set<const Node*>& quantized) {
  Graph& graph = model.graph();
  std::vector<Node*> open;
  for (Node* node : graph.nodes())
    if (!quantized.contains(node) && computes_on_codes(*node) && touches_codes(*node) &&
        first_output(*node) != nullptr)
      open.push_back(node);
  std::size_t kept = keep_outputs(graph);
  if (open.empty()) return kept;
  const std::set<std::string> fused = computed_on_codes(model);
  for (Node* node : open) {
    std::size_t index = 0;
    Value* input = dequantized_input(*node, index);
    // With dilations onnxruntime makes an operator of it that does not load.
    const bool taken = fused.contains(first_output(*node)->name()) ||
                       (node->is("AveragePool") && node->has("dilations")) ||
                       (has_float_weights(*node) && leads_to_quantize(node->output(0)));
    if (input == nullptr || !taken) continue;
    read_through_max(graph, *node, index, first_output(*node)->name() + "_float");
    ++kept;
  }
  return kept;
}

}  // namespace intaglio
