#include "calibration/sensitivity/groups.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

namespace intaglio {
namespace {

// What scales and masks scores on their way from a product to Softmax.
bool shapes_scores(const Node& node) {
  static constexpr std::array<std::string_view, 6> ops = {"Add", "Sub",   "Mul",
                                                          "Div", "Where", "Max"};
  return std::ranges::count(ops, node.op()) > 0;
}

class Scores {
 public:
  explicit Scores(const std::vector<QuantizedLayer>& layers) {
    for (std::size_t i = 0; i < layers.size(); ++i)
      for (const Node* node : layers[i].nodes()) layer_of_[node] = i;
  }

  // The layers between Softmax and the products before it, Softmax included.
  void add(const Node& node, std::vector<std::size_t>& group) const {
    const auto layer = layer_of_.find(&node);
    if (layer == layer_of_.end() || std::ranges::count(group, layer->second) > 0) return;
    group.push_back(layer->second);
    for (const Value* input : node.inputs())
      if (input != nullptr && input->producer() != nullptr && shapes_scores(*input->producer()))
        add(*input->producer(), group);
  }

 private:
  std::unordered_map<const Node*, std::size_t> layer_of_;
};

}  // namespace

std::vector<LayerGroup> layer_groups(const std::vector<QuantizedLayer>& layers) {
  std::vector<LayerGroup> groups;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string op = layers[i].node->op();
    auto group = std::ranges::find(groups, op, &LayerGroup::op);
    if (group == groups.end()) group = groups.insert(group, {op, op, {}});
    group->layers.push_back(i);
  }
  LayerGroup scores{"attention scores", "", {}};
  const Scores walk(layers);
  std::size_t alone = 0;
  for (const QuantizedLayer& layer : layers)
    if (layer.node->op() == "Softmax") ++alone, walk.add(*layer.node, scores.layers);
  std::ranges::sort(scores.layers);
  if (scores.layers.size() > alone) groups.push_back(std::move(scores));
  std::erase_if(groups, [&](const LayerGroup& group) {
    return group.layers.size() < 2 || group.layers.size() == layers.size();
  });
  return groups;
}

}  // namespace intaglio
