// Activations that graphs write out as several nodes, and runtimes compute with the product before
// them when no pair stands between:
//
//   Swish   x * Sigmoid(x)                     (SiLU)
//   Mish    x * Tanh(Softplus(x))
//   Gelu    x * (1 + Erf(x / sqrt(2))) / 2     in any order of the factors
//
// To add one: write its matcher in composite.cpp and give it a row there.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "lib/graph/graph.h"

namespace intaglio {

struct Composite {
  std::string_view name;
  const Value* x = nullptr;    // what it reads; nothing but its nodes does
  const Node* last = nullptr;  // what makes its result
  std::set<const Node*>
      nodes;  // all of them; what they make is read inside alone, the result aside
};

// The composite that reads the value; nullopt: it is read otherwise.
std::optional<Composite> composite_reading(const Value& x);

// The one that the node is part of; nullopt: none.
std::optional<Composite> composite_holding(const Node& node);

bool is_composite(std::string_view name);
std::string composite_names();  // "Swish, Mish, Gelu"

}  // namespace intaglio
