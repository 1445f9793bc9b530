// What changed in the standard operators, version by version, for the pass raise_opset.
// Source: onnx/docs/Changelog.md.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "lib/graph/graph.h"
#include "lib/passes/opset/rank.h"

namespace intaglio {

// The change that an operator went through in version `since`. Versions that only allowed more
// types, negative axes or new attributes with the old behaviour as default need no rule.
struct OpsetRule {
  std::string_view op;  // empty: every operator
  std::int64_t since;
  // Rewrites a node from the form just before `since` to that of `since`; true if anything changed.
  // Nodes that it adds have the form of opset 13. Throws Code::unsupported when there is no
  // equivalent.
  bool (*apply)(Node& node);
};

// All of them, ordered by `since`: a node passes through the rules of all versions between its own
// and the new one.
std::span<const OpsetRule> opset_rules();
constexpr std::int64_t newest_opset = 21;  // the last version that the rules know

// By family, one file each.
std::span<const OpsetRule> input_rules();      // attributes that became inputs
std::span<const OpsetRule> name_rules();       // renamed, retyped, withdrawn; other defaults
std::span<const OpsetRule> broadcast_rules();  // how operands are aligned
std::span<const OpsetRule> softmax_rules();
std::span<const OpsetRule> resize_rules();

// What the rules are made of:

[[noreturn]] void refuse(const Node& node, std::string_view reason);

// Erases attributes; true if one was there.
bool drop_attrs(Node& node, std::initializer_list<std::string_view> attrs);

// A constant beside the node, named after its output.
Value& constant_beside(const Node& node, std::string_view suffix, Tensor tensor);

// An attribute with a list of integers becomes an int64 vector at input i, if it is there.
bool ints_to_input(Node& node, std::string_view attr, std::size_t i);

}  // namespace intaglio
