#include "lib/rewrite/float_model.h"

#include <fmt/format.h>

#include "lib/quant/array.h"
#include "lib/rewrite/constants.h"
#include "lib/rewrite/qdq.h"
#include "lib/rewrite/weights.h"

namespace intaglio {
namespace {

// The node reads the floats in place of its constant, under the same name where nobody else reads it.
void replace_floats(Node& node, std::size_t input, Tensor floats) {
  Value& old = *node.input(input);
  if (old.uses().size() == 1 && !old.is_output()) return old.set_constant(std::move(floats));
  Graph& graph = node.graph();
  graph.set_input(node, input, &graph.add_constant(name_stem(old.name()) + "_on_grid", floats));
}

}  // namespace

void write_float_model(Model& model, const Plan& plan) {
  for (const NodePlan& entry : plan.nodes) {
    if (!entry.quantized) continue;
    if (entry.has_groups())
      throw Error(
          Code::unsupported,
          fmt::format("{} '{}': weights in groups have no float model", entry.op, entry.output),
          "Use `format` weights without `group`, or a form with codes of activations.");
    Node& node = planned_node(model.graph(), entry);
    // The bias first: its scale follows from the weights as they are planned.
    const std::optional<QuantizedBias> bias = planned_bias(node, entry, plan);
    for (const ConstantPlan& constant : entry.constants)
      replace_floats(node, constant.input,
                     dequantize(planned_codes(node, constant), constant.params));
    if (bias) replace_floats(node, entry.bias->input, dequantize(bias->codes, bias->params));
  }
  model.graph().verify();
}

}  // namespace intaglio
