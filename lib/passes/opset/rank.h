// The number of axes of a value, also where type inference does not reach.
#pragma once

#include "lib/graph/graph.h"

namespace intaglio {

// From the value's type, or from how it is made: a Reshape has as many axes as its target has
// elements, a Transpose as its permutation, and most operators hand the rank of an input on. -1:
// not known.
int known_rank(const Value& value);

// The value of an initializer or of a Constant node; undefined otherwise.
Tensor known_value(const Value* value);

}  // namespace intaglio
