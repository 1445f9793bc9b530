#include "lib/tensor/arena_plan.h"

#include <algorithm>
#include <numeric>

namespace intaglio {

ArenaPlan plan_arena(std::span<const Lifetime> buffers) {
  ArenaPlan plan;
  plan.offsets.assign(buffers.size(), 0);
  std::vector<std::size_t> order(buffers.size()), placed;  // placed: by offset
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order,
                           [&](auto a, auto b) { return buffers[a].bytes > buffers[b].bytes; });
  for (const std::size_t i : order) {
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      const bool together =
          buffers[i].begin <= buffers[other].end && buffers[other].begin <= buffers[i].end;
      if (!together || plan.offsets[other] + buffers[other].bytes <= offset) continue;
      if (plan.offsets[other] >= offset + buffers[i].bytes)
        break;  // fits before it, and all others
      offset = plan.offsets[other] + buffers[other].bytes;
    }
    plan.offsets[i] = offset;
    plan.bytes = std::max(plan.bytes, offset + buffers[i].bytes);
    placed.insert(
        std::ranges::upper_bound(placed, offset, {}, [&](auto p) { return plan.offsets[p]; }), i);
  }
  return plan;
}

}  // namespace intaglio
