#include "lib/graph/sound.h"

#include <fmt/format.h>
#include <onnx/defs/schema.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "lib/base/error.h"

namespace intaglio {
namespace {

[[noreturn]] void refuse(const Node& node, const std::string& what) {
  throw Error(Code::model, fmt::format("{}: {}", node.label(), what),
              "The export is broken: export the model again.");
}

// --- Outputs ---

void check_outputs(const Node& node) {
  const auto* schema =
      onnx::OpSchemaRegistry::Schema(node.op(), static_cast<int>(node.opset()), node.domain());
  if (schema == nullptr) return;
  std::size_t count = node.outputs().size();
  while (count > 0 && node.output(count - 1) == nullptr) --count;
  const auto most = static_cast<std::size_t>(schema->max_output());
  if (count > most)
    refuse(node, fmt::format("has {} outputs: the operator has {}{}", count,
                             schema->min_output() == schema->max_output() ? "" : "at most ", most));
}

// --- Attributes ---

constexpr std::array positive = {"group",     "num_groups",  "strides",   "dilations",
                                 "blocksize", "hidden_size", "block_size"};

std::vector<std::int64_t> numbers_of(const Node& node, const char* attr) {
  try {
    return node.attr_ints(attr);
  } catch (const Error&) {  // a single one
    return {node.attr_int(attr)};
  }
}

// DequantizeLinear and QuantizeLinear have a block_size of 0 where they have no blocks.
bool may_be_zero(const Node& node, std::string_view attr) {
  return attr == "block_size" && node.op().ends_with("Linear");
}

void check_attributes(const Node& node) {
  if (!node.domain().empty()) return;
  for (const char* attr : positive) {
    if (!node.has(attr) || may_be_zero(node, attr)) continue;
    for (const std::int64_t value : numbers_of(node, attr))
      if (value < 1)
        refuse(node, fmt::format("attribute '{}' is {}: it must be 1 or more", attr, value));
  }
  if (!node.has("kernel_shape")) return;
  for (const std::int64_t length : node.attr_ints("kernel_shape"))
    if (length < 1)
      refuse(node, fmt::format("attribute 'kernel_shape' is {}: its lengths must be 1 or more",
                               to_string(node.attr_ints("kernel_shape"))));
}

// --- Constants ---

// Also what a Constant node makes; undefined: it is computed, or not there.
Tensor constant_input(const Node& node, std::size_t i) {
  const Value* value = node.input(i);
  if (value == nullptr) return {};
  if (value->is_constant()) return value->constant();
  const Node* maker = value->producer();
  return maker != nullptr && maker->is("Constant") && maker->has("value")
             ? maker->attr_tensor("value")
             : Tensor();
}

void check_filters(const Node& node, std::size_t at) {
  const Tensor filters = constant_input(node, at);
  if (!filters.defined()) return;
  const Shape& shape = filters.shape();
  const std::string what =
      fmt::format("filters '{}' of shape {}", node.input(at)->name(), to_string(shape));
  if (shape.size() < 3) refuse(node, what + " have no spatial axis");
  if (filters.size() == 0) refuse(node, what + " hold nothing: every length must be 1 or more");
  const std::int64_t group = node.attr_int("group", 1);
  if (shape[0] % group != 0)
    refuse(node,
           fmt::format("{} do not split into the {} groups of attribute 'group'", what, group));
}

void check_matrix(const Node& node, std::size_t at) {
  const Tensor matrix = constant_input(node, at);
  if (matrix.defined() && matrix.rank() != 2)
    refuse(node, fmt::format("input '{}' of shape {} is no matrix: it must have two axes",
                             node.input(at)->name(), to_string(matrix.shape())));
}

void check_constants(const Node& node) {
  if (node.is("Conv") || node.is("ConvTranspose") || node.is("ConvInteger") ||
      node.is("DeformConv"))
    check_filters(node, 1);
  if (node.is("QLinearConv")) check_filters(node, 3);
  if (!node.is("Gemm")) return;
  check_matrix(node, 0);
  check_matrix(node, 1);
}

}  // namespace

void require_sound(const Graph& graph) {
  for (const Node* node : graph.nodes()) {
    check_outputs(*node);
    check_attributes(*node);
    check_constants(*node);
    for (const auto& [attr, nested] : node->nested_graphs()) require_sound(*nested);
  }
}

}  // namespace intaglio
