#include "lib/rewrite/from_qdq.h"

#include <fmt/format.h>

#include "lib/exec/infer.h"
#include "lib/exec/registry.h"
#include "lib/rewrite/expand.h"
#include "lib/rewrite/malformed.h"
#include "lib/rewrite/qoperator.h"

namespace intaglio {
namespace {

bool quantizes_constant(const Node& node) {
  if (!node.is("QuantizeLinear") || node.output(0) == nullptr || node.output(0)->is_output())
    return false;
  for (const Value* input : node.inputs())
    if (input != nullptr && !input->is_constant()) return false;
  return node.input(0) != nullptr && node.input(1) != nullptr;
}

Tensor result_of(const Node& node) {
  std::vector<const Tensor*> inputs;
  for (const Value* input : node.inputs()) inputs.push_back(input ? &input->constant() : nullptr);
  std::vector<Tensor> outputs(1);
  KernelContext context(node, inputs, outputs);
  default_registry().select(node).make(node)->run(context);
  return to_row_major(outputs.front());
}

void require_sound(const Graph& graph) {
  for (const Node* node : graph.nodes()) {
    if (!node->is("QuantizeLinear") && !node->is("DequantizeLinear")) continue;
    if (const Malformed broken = malformed(*node); !broken.reason.empty())
      throw Error(Code::model, broken.reason,
                  fmt::format("The export is broken: {}.", broken.remedy));
  }
}

}  // namespace

int store_quantized_constants(Model& model) {
  Graph& graph = model.graph();
  int count = 0;
  for (Node* node : graph.nodes()) {
    if (!quantizes_constant(*node)) continue;
    Value &codes = *node->output(0), &real = *node->input(0);
    Tensor tensor;
    try {
      tensor = result_of(*node);
    } catch (const Error& e) {
      throw e.within(node->label());
    }
    graph.erase(*node);
    codes.set_constant(std::move(tensor));
    if (real.uses().empty() && !real.is_output()) graph.erase(real);
    ++count;
  }
  return count;
}

ConversionResult convert_quantized(Model& model, OutputForm form, bool microsoft_operators) {
  ConversionResult result;
  infer_types(model);
  require_sound(model.graph());
  result.stored = store_quantized_constants(model);
  result.expanded = expand_integer_operators(model);
  infer_types(model);
  if (form == OutputForm::qoperator)
    result.decisions = qdq_to_qoperator(model, microsoft_operators);
  model.graph().verify();
  return result;
}

}  // namespace intaglio
