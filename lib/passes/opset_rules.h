// What changed in the standard operators, version by version, for the pass opset_raised.
// Source: onnx/docs/Changelog.md.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/graph/graph.h"

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

// Ordered by `since`: a node passes through the rules of all versions between its own and the new
// one.
std::span<const OpsetRule> opset_rules();

constexpr std::int64_t newest_opset = 21;  // the last version that the rules know

// --- What the rules are made of
// ------------------------------------------------------------------------

[[noreturn]] void refuse(const Node& node, std::string_view reason);

// Erases attributes; true if one was there.
bool drop_attrs(Node& node, std::initializer_list<std::string_view> attrs);

// A constant beside the node, named after its output.
Value& constant_beside(const Node& node, std::string_view suffix, Tensor tensor);

// The value of an initializer or of a Constant node.
std::optional<Tensor> known_value(const Value* value);

// An attribute with integers (or one) becomes an int64 vector at input i, if it is there.
bool ints_to_input(Node& node, std::string_view attr, std::size_t i);

// --- Rules that do not fit on a line
// -------------------------------------------------------------------
bool align_second_operand(Node& node);  // broadcast/axis of opset < 7
bool align_slope(Node& node);           // PRelu of opset < 7
bool split_tile(Node& node);            // Tile of opset < 6
bool single_axis_softmax(Node& node);   // Softmax family of opset < 13
bool upsample_scales(Node& node);       // Upsample of opset < 9
bool upsample_to_resize(Node& node);    // Upsample of opset 9
bool resize_coordinates(Node& node);    // Resize of opset 10
bool resize_empty_inputs(Node& node);   // Resize of opset 11 and 12

}  // namespace intaglio
