// Who reads a value.
#pragma once

#include "lib/graph/graph.h"

namespace intaglio {

// What alone reads the value, nested graphs included; null: nothing or several do, or it leaves the
// graph, or there is no value.
inline Node* only_reader(const Value* value) {
  return value != nullptr && !value->is_output() && value->uses().size() == 1
             ? value->uses().front().node
             : nullptr;
}

}  // namespace intaglio
