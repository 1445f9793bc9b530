// What a model needs of memory on a runtime.
#pragma once

#include <cstdint>
#include <string>

#include "lib/graph/graph.h"

namespace intaglio {

struct MemoryNeed {
  std::int64_t weights = 0;  // bytes of all constants
  // Bytes of the values that live at the widest step, inputs included.
  std::int64_t activations = 0;
  std::string widest;    // the node of that step
  bool complete = true;  // false: some shapes are not known, and count as nothing
};

// By liveness in the order of the graph: a value lives from the step that makes it (graph inputs:
// from the start) to the last one that reads it (graph outputs: to the end). Axes that are not
// known count as 1. Operators that only relabel bytes (Reshape, Flatten, Squeeze, Unsqueeze,
// Identity) share their memory.
MemoryNeed memory_of(const Graph& graph);

}  // namespace intaglio
