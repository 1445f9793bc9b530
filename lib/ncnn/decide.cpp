#include "lib/ncnn/decide.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "lib/ncnn/match.h"

namespace intaglio {
namespace {

constexpr std::string_view float_output_remedy =
    "Convert the file of `float-output` with pnnx and give that network.";

bool same_constant(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.raw() == b.raw() || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0);
}

// Whether a refined node computes with other constants than in the model given; new nodes do. layer:
// those of a layer may differ.
bool differs(const Graph& given, const Node& node, bool layer) {
  const Value* output = first_output(node);
  if (output == nullptr) return false;
  const Value* then_output = given.find(output->name());
  const Node* before = then_output == nullptr ? nullptr : then_output->producer();
  if (before == nullptr || before->op() != node.op()) return true;
  for (std::size_t i = 0; i < (layer ? 1 : node.inputs().size()); ++i) {
    const Value *now = node.input(i), *then = before->input(i);
    if (now == nullptr) continue;
    if (then == nullptr || now->is_constant() != then->is_constant()) return true;
    if (now->is_constant() ? !same_constant(now->constant(), then->constant())
                           : now->name() != then->name())
      return true;
  }
  return false;
}

// A refined node that a network of the model given would still compute as it was; null: there is none.
const Node* unreachable_change(const NcnnModels& models, const std::set<const Node*>& matched) {
  for (const Node* node : models.refined.nodes()) {
    const Value* output = first_output(*node);
    const Value* in_result = output == nullptr ? nullptr : models.result.find(output->name());
    const bool layer = in_result != nullptr && matched.contains(in_result->producer());
    if (differs(models.given, *node, layer)) return node;
  }
  return nullptr;
}

bool is_centred_s8(const QParams& params) {
  return params.type == DType::s8 &&
         std::ranges::all_of(params.zero_point, [](std::int32_t z) { return z == 0; });
}

// One scale for each of `count`, of parameters of one or of several times as many channels; empty:
// channels that ncnn has one scale for have different ones.
std::vector<float> weight_scales(const QParams& params, std::size_t count) {
  std::vector<float> scales;
  const std::size_t each = params.scale.size() == 1 ? 1 : params.scale.size() / count;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t first = params.scale.size() == 1 ? 0 : i * each;
    for (std::size_t j = first; j < first + each; ++j)
      if (params.scale[j] != params.scale[first]) return {};
    scales.push_back(1 / params.scale[first]);
  }
  return scales;
}

// Sets the scales of a layer, or the reason why it has none.
void decide_layer(NcnnDecision::Layer& decided, const NcnnLayer& layer, const NodePlan* entry,
                  const Plan& plan) {
  const auto refuse = [&](std::string reason) { decided.reason = std::move(reason); };
  const bool depthwise = layer.type == "ConvolutionDepthWise";
  if (!depthwise && layer.type != "Convolution" && layer.type != "InnerProduct")
    return refuse(fmt::format("ncnn has no {} in integers", layer.type));
  if (entry == nullptr || !entry->quantized || entry->constants.empty() ||
      entry->constants.front().input != 1)
    return refuse(entry != nullptr && !entry->reason.empty() ? entry->reason
                                                             : "it is not quantized");
  const QParams& weights = entry->constants.front().params;
  const ActivationPlan* input = plan.find(decided.node->input(0)->name());
  if (input == nullptr) return refuse("its input is not quantized");
  if (!is_centred_s8(weights) || !is_centred_s8(input->params))
    return refuse("ncnn takes symmetric codes of s8 alone: use `target` ncnn");
  const NcnnProduct product = ncnn_product(layer);
  const auto count = static_cast<std::size_t>(depthwise ? product.groups : product.outputs);
  if (count == 0 || (weights.scale.size() > 1 && weights.scale.size() % count != 0))
    return refuse("its channels are not those of the model");
  NcnnScales scales{weight_scales(weights, count), 1 / input->params.scale.front(), {}};
  if (scales.weights.empty())
    return refuse(
        "ncnn has one scale for all channels of a group; `granularity` tensor has one too");
  decided.scales = std::move(scales);
}

// Which layers read a blob.
using Readers = std::multimap<std::string, std::size_t>;

// The scale that all readers of a blob have for it, if all compute convolutions in integers.
std::optional<float> scale_of_readers(const NcnnGraph& graph, const NcnnDecision& decision,
                                      const Readers& readers, const std::string& blob) {
  std::optional<float> scale;
  const auto [begin, end] = readers.equal_range(blob);
  for (auto it = begin; it != end; ++it) {
    const NcnnLayer& layer = graph.layers[it->second];
    std::vector<std::optional<float>> found;
    if (layer.type == "Split")
      for (const std::string& top : layer.tops)
        found.push_back(scale_of_readers(graph, decision, readers, top));
    else if (decision.layers[it->second].scales && layer.type.starts_with("Convolution"))
      found.emplace_back(decision.layers[it->second].scales->input);
    else
      return std::nullopt;
    for (const std::optional<float>& one : found)
      if (!one || (scale && *scale != *one))
        return std::nullopt;
      else
        scale = one;
  }
  return scale;
}

// Convolutions hand codes to convolutions, as ncnn2int8 has it.
void join_convolutions(const NcnnGraph& graph, NcnnDecision& decision) {
  Readers readers;
  for (std::size_t i = 0; i < graph.layers.size(); ++i)
    for (const std::string& blob : graph.layers[i].bottoms) readers.emplace(blob, i);
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const NcnnLayer& layer = graph.layers[i];
    if (decision.layers[i].scales && layer.type.starts_with("Convolution") &&
        layer.tops.size() == 1)
      decision.layers[i].scales->output =
          scale_of_readers(graph, decision, readers, layer.tops.front());
  }
}

// Layers of the network with the nodes of the result; those that were found by the weights of the
// model given have the same name there.
void take_nodes(NcnnDecision& decision, const std::vector<const Node*>& found, const Graph& result,
                const NcnnNetwork& network) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] == nullptr) continue;
    const Value* output = result.find(first_output(*found[i])->name());
    NcnnDecision::Layer& layer = decision.layers[i];
    layer.node = output == nullptr ? nullptr : output->producer();
    layer.own_bias = ncnn_product(network.graph.layers[i]).bias && !ncnn_bias(*found[i]);
  }
}

std::vector<std::string> missing_nodes(const Plan& plan, const std::set<const Node*>& matched,
                                       const Graph& result) {
  std::vector<std::string> missing;
  for (const NodePlan& entry : plan.nodes) {
    const Node* node = entry.quantized ? result.find(entry.output)->producer() : nullptr;
    if (node != nullptr && !entry.constants.empty() && !ncnn_order(*node).empty() &&
        !matched.contains(node))
      missing.push_back(node->label());
  }
  return missing;
}

void require_this_model(const NcnnNetwork& network, const NcnnDecision& decision,
                        std::size_t matched) {
  if (matched > 0 && matched >= decision.missing.size()) return;
  throw Error(
      Code::model,
      fmt::format("{}: is not of this model: of {} layers that are quantized, {} have their "
                  "weights there; {} has none",
                  network.param, matched + decision.missing.size(), matched,
                  decision.missing.empty() ? "the model" : decision.missing.front()),
      "Give the network that pnnx made of this model, or of its `float-output` by the same "
      "options and data.");
}

std::size_t count_found(const std::vector<const Node*>& nodes) {
  return nodes.size() - static_cast<std::size_t>(std::ranges::count(nodes, nullptr));
}

}  // namespace

std::size_t NcnnDecision::in_integers() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(layers, [](const Layer& layer) { return layer.scales.has_value(); }));
}

NcnnDecision decide_ncnn(const NcnnNetwork& network, const NcnnModels& models, const Plan& plan) {
  NcnnDecision decision;
  decision.layers.resize(network.graph.layers.size());
  const auto by_given = match_ncnn(network, models.given);
  const auto by_result = match_ncnn(network, models.result);
  decision.on_grid = count_found(by_result) > count_found(by_given);
  take_nodes(decision, decision.on_grid ? by_result : by_given, models.result, network);
  std::set<const Node*> matched;
  std::map<std::string, const NodePlan*> entries;
  for (const NodePlan& entry : plan.nodes) entries[entry.output] = &entry;
  std::size_t quantized = 0;
  for (std::size_t i = 0; i < decision.layers.size(); ++i) {
    NcnnDecision::Layer& layer = decision.layers[i];
    if (ncnn_product(network.graph.layers[i]).weights == 0) continue;
    if (layer.node == nullptr) {
      layer.reason = "no node of the model has its weights";
      continue;
    }
    matched.insert(layer.node);
    const auto entry = entries.find(first_output(*layer.node)->name());
    const NodePlan* planned = entry == entries.end() ? nullptr : entry->second;
    quantized += planned != nullptr && planned->quantized;
    decide_layer(layer, network.graph.layers[i], planned, plan);
  }
  decision.missing = missing_nodes(plan, matched, models.result);
  require_this_model(network, decision, quantized);
  if (const Node* changed = decision.on_grid ? nullptr : unreachable_change(models, matched))
    throw Error(Code::model,
                fmt::format("{}: refinement changed {}, and the network has no layer for that",
                            network.param, changed->label()),
                std::string(float_output_remedy));
  join_convolutions(network.graph, decision);
  return decision;
}

}  // namespace intaglio
