// Where an operator may hold float16 in the place of float32, by ONNX's own definition of it.
#pragma once

#include <vector>

#include "lib/graph/graph.h"

namespace intaglio {

struct Float16Operands {
  std::vector<bool> inputs, outputs;  // as many as the node has
};

// Inputs that hold float32 and whose type the definition leaves open to float16 (the data of
// Resize, not its scales), and outputs that then have the same type. All of a node change together.
// No input for operators that the definitions do not know, or that make floats of something else.
// The graph must have its types inferred (lib/exec/infer.h).
Float16Operands float16_operands(const Node& node);

}  // namespace intaglio
