#include "lib/rewrite/ncnn_table.h"

#include <fmt/format.h>

namespace intaglio {
namespace {

bool is_layer(const NodePlan& node) {
  return node.quantized && (node.op == "Conv" || node.op == "Gemm") && !node.constants.empty();
}

std::string layer_name(const NodePlan& node) { return node.name.empty() ? node.output : node.name; }

}  // namespace

std::string ncnn_table(const Plan& plan, const Graph& prepared) {
  std::string weights, inputs;
  for (const NodePlan& node : plan.nodes) {
    if (!is_layer(node)) continue;
    weights += layer_name(node) + "_param_0";
    for (const float scale : node.constants.front().params.scale)
      weights += fmt::format(" {}", 1 / scale);
    weights += '\n';
    const Node& in_graph = *prepared.find(node.output)->producer();
    const ActivationPlan* input = plan.find(in_graph.input(0)->name());
    if (input != nullptr)
      inputs += fmt::format("{} {}\n", layer_name(node), 1 / input->params.scale.front());
  }
  return weights + inputs;
}

}  // namespace intaglio
