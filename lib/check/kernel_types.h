// Operators on codes for whose types onnxruntime has no kernel: it does not load a model that holds
// one, or fails when it runs. The table is in docs/targets.md; it was made by running every
// combination of u8 and s8 in onnxruntime 1.31.1 on CPUs.
#pragma once

#include "lib/check/schemes.h"
#include "lib/graph/graph.h"

namespace intaglio {

// Of an operator on codes as a model holds it, types inferred. Empty where the types are not known,
// and for operators that take all.
Violation kernel_violation(const Node& node);

}  // namespace intaglio
