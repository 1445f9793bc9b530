// Nodes without their first result: the text form of models has no word for them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/graph/graph.h"

namespace intaglio::testing {

// In place of the node that makes the value, one that makes it as its second output and has no
// first one. A graph writes "y = Identity(x)" where it means ", y = op(...)".
inline Node& omit_first_output(Graph& graph, std::string_view made, std::string_view op,
                               const std::vector<std::string>& inputs) {
  Value& value = *graph.find(made);
  graph.erase(*value.producer());
  std::vector<Value*> read;
  for (const std::string& name : inputs) read.push_back(graph.find(name));
  return graph.add_node(op, op, read, {nullptr, &value});
}

}  // namespace intaglio::testing
