// Nodes by their operator.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "lib/graph/graph.h"

namespace intaglio {

// Whether the node is one of these operators of the standard domain, as in a braced list or an
// array.
template <typename Ops = std::initializer_list<std::string_view>>
bool is_any(const Node& node, const Ops& ops) {
  return std::ranges::any_of(ops, [&](std::string_view op) { return node.is(op); });
}

}  // namespace intaglio
