#include "lib/ncnn/write.h"

#include <algorithm>

#include "lib/ncnn/match.h"
#include "lib/quant/array.h"

namespace intaglio {
namespace {

// The codes of a node's weights, which lie on their grid.
std::vector<std::int8_t> codes_of(const Node& node, const Plan& plan) {
  const auto entry = std::ranges::find(plan.nodes, first_output(node)->name(), &NodePlan::output);
  const ConstantPlan& constant = entry->constants.front();
  const Tensor codes = quantize(node.input(1)->constant(), constant.params, constant.scheme);
  const auto from = codes.data<std::int8_t>();
  std::vector<std::int8_t> ordered;
  for (const std::size_t i : ncnn_order(node)) ordered.push_back(from[i]);
  return ordered;
}

// The bias of the layer: that of the node, on top of what the layer adds by itself.
std::optional<std::vector<float>> bias_of(const NcnnDecision::Layer& decided,
                                          const std::vector<NcnnArray>& arrays) {
  std::optional<std::vector<float>> bias = ncnn_bias(*decided.node);
  if (!decided.own_bias) return bias;
  std::vector<float> own = ncnn_floats(arrays.back());
  for (std::size_t i = 0; bias && i < own.size(); ++i) own[i] += (*bias)[i];
  return own;
}

// Writes one layer with weights that a node has.
void write_layer(const NcnnDecision::Layer& decided, const std::vector<NcnnArray>& arrays,
                 const Plan& plan, NcnnLayer& layer, std::string& bin) {
  const NcnnProduct product = ncnn_product(layer);
  const auto bias = bias_of(decided, arrays);
  layer.set_param(product.bias_key, bias ? 1 : 0);
  bin += decided.scales ? ncnn_bytes(codes_of(*decided.node, plan))
                        : ncnn_bytes(ncnn_weights(*decided.node), arrays.front().type);
  if (bias) bin += ncnn_bytes(*bias, NcnnType::raw);
  if (!decided.scales) return;
  const bool by_group = layer.type == "ConvolutionDepthWise";
  layer.set_param(8, (by_group ? 1 : 2) + (decided.scales->output ? 100 : 0));
  bin += ncnn_bytes(decided.scales->weights, NcnnType::raw);
  bin += ncnn_bytes({decided.scales->input}, NcnnType::raw);
  if (decided.scales->output) bin += ncnn_bytes({*decided.scales->output}, NcnnType::raw);
}

}  // namespace

NcnnFiles ncnn_files(const NcnnNetwork& network, const NcnnDecision& decision, const Plan& plan) {
  NcnnGraph graph = network.graph;
  std::string bin;
  for (std::size_t i = 0; i < graph.layers.size(); ++i)
    if (decision.layers[i].node != nullptr)
      write_layer(decision.layers[i], network.arrays[i], plan, graph.layers[i], bin);
    else
      for (const NcnnArray& array : network.arrays[i]) bin.append(array.bytes);
  return {ncnn_param_text(graph), std::move(bin)};
}

}  // namespace intaglio
