#include "lib/quant/shared_weights.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

namespace intaglio {
namespace {

using Key = std::tuple<std::string, DType, bool, bool, int>;  // -1: one scale in all

Key key_of(const ConstantPlan& c) {
  return {c.name, c.scheme.type, c.scheme.symmetric, c.scheme.reduce_range,
          c.scheme.axis.value_or(-1)};
}

// Whether its numbers are its own: weights, not operands with the parameters of activations.
bool is_free(const ConstantPlan& c) { return c.group.empty() && !c.codes.defined(); }

bool unite(const std::vector<ConstantPlan*>& uses) {
  std::vector<float> largest = uses.front()->params.scale;
  for (const ConstantPlan* use : uses)
    for (std::size_t i = 0; i < largest.size(); ++i)
      largest[i] = std::max(largest[i], use->params.scale[i]);
  bool changed = false;
  for (ConstantPlan* use : uses) {
    for (std::size_t i = 0; i < largest.size(); ++i)
      if (use->params.scale[i] != largest[i]) ++use->raised, changed = true;
    use->params.scale = largest;
  }
  return changed;
}

}  // namespace

bool unite_shared_weights(Plan& plan) {
  std::map<Key, std::vector<ConstantPlan*>> by_key;
  for (NodePlan& node : plan.nodes)
    for (ConstantPlan& constant : node.constants)
      if (node.quantized && is_free(constant)) by_key[key_of(constant)].push_back(&constant);
  bool changed = false;
  for (const auto& [key, uses] : by_key)
    if (uses.size() > 1) changed |= unite(uses);
  return changed;
}

}  // namespace intaglio
