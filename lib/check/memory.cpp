#include "lib/check/memory.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <vector>

#include "lib/graph/macs.h"
#include "lib/graph/op_traits.h"

namespace intaglio {
namespace {

// The value whose memory this one uses.
const Value* storage_of(const Value* value) {
  while (value->producer() != nullptr && traits_of(*value->producer()).relabels &&
         value->producer()->input(0) != nullptr && !value->producer()->input(0)->is_constant())
    value = value->producer()->input(0);
  return value;
}

struct Life {
  std::size_t first = 0, last = 0;
};

std::unordered_map<const Value*, Life> lives_of(const Graph& graph,
                                                const std::vector<Node*>& nodes) {
  std::unordered_map<const Value*, Life> lives;
  const auto touch = [&](const Value* value, std::size_t step) {
    if (value == nullptr || value->is_constant()) return;
    const auto [it, fresh] = lives.try_emplace(storage_of(value), Life{step, step});
    it->second.last = std::max(it->second.last, step);
  };
  for (const Value* input : graph.feeds()) touch(input, 0);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const Value* output : nodes[i]->outputs()) touch(output, i);
    for (const Value* input : nodes[i]->inputs()) touch(input, i);
  }
  for (const Value* output : graph.outputs())
    if (!nodes.empty()) touch(output, nodes.size() - 1);
  return lives;
}

}  // namespace

MemoryNeed memory_of(const Graph& graph) {
  MemoryNeed need;
  for (const Value* value : graph.values())
    if (value->is_constant()) need.weights += static_cast<std::int64_t>(value->constant().bytes());
  const std::vector<Node*> nodes = graph.nodes();
  // Differences. Inputs live in a step 0 also where there are no nodes.
  std::vector<std::int64_t> steps(nodes.size() + 2, 0);
  for (const auto& [value, life] : lives_of(graph, nodes)) {
    const auto count = elements_of(*value);
    if (!count || value->dtype() == DType::undefined || value->dtype() == DType::string) {
      need.complete = false;
      continue;
    }
    const std::int64_t bytes =
        (*count * static_cast<std::int64_t>(bits_of(value->dtype())) + 7) / 8;
    steps[life.first] += bytes;
    steps[life.last + 1] -= bytes;
  }
  std::int64_t live = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    live += steps[i];
    if (live <= need.activations) continue;
    need.activations = live;
    need.widest = nodes[i]->label();
  }
  return need;
}

}  // namespace intaglio
