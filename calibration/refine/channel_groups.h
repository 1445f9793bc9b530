// Channel groups: values whose channels may be scaled, or shifted, without changing what the
// network computes, because only layers make and read them, which take the change up in their
// weights.
#pragma once

#include <cstddef>
#include <vector>

#include "calibration/refine/layer.h"
#include "lib/graph/graph.h"

namespace intaglio {

// A value of a group. Channels with the same number have the same scale: those on both sides of a
// Relu, of an Add, of a pool; those of the parts of a Concat and of its result.
struct GroupValue {
  const Value* value = nullptr;
  int axis = 1;                       // of the channels
  std::vector<std::size_t> channels;  // numbers, below the width of the group
};

struct ChannelGroup {
  std::size_t width = 0;           // how many channels of their own
  std::vector<GroupValue> values;  // in the order in which the graph makes them
  std::vector<Layer> readers;
  std::vector<const Node*> clips;  // Clip nodes inside: scales must keep what they cut off
  std::vector<const Node*> gates;  // Sigmoid nodes inside (gate.h): each needs a Mul before it
};

// Groups through which a scale passes: x' = s x, s > 0.
std::vector<ChannelGroup> scalable_groups(const Graph& graph);

// Groups through which a scale passes that layers or carriers (carrier.h) make and MatMul and Gemm
// alone read, with at least one carrier. Scales also pass through attention, from what it weighs to
// its result, heads or not; values split into heads are not listed. Disjoint from
// scalable_groups().
std::vector<ChannelGroup> carried_groups(const Graph& graph);

// Groups through which a shift passes: x' = x - m. Of an Add, the result's shift is the sum of
// those of its inputs. All readers have a bias and no padding.
std::vector<ChannelGroup> shiftable_groups(const Graph& graph);

}  // namespace intaglio
