#include "lib/passes/opset/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace intaglio {

void refuse(const Node& node, std::string_view reason) {
  throw Error(Code::unsupported,
              fmt::format("{}: opset {} cannot be raised: {}", node.label(), node.opset(), reason),
              "Export the model again with opset 13 or later.");
}

bool drop_attrs(Node& node, std::initializer_list<std::string_view> attrs) {
  bool changed = false;
  for (const std::string_view attr : attrs) {
    changed |= node.has(attr);
    node.erase_attr(attr);
  }
  return changed;
}

Value& constant_beside(const Node& node, std::string_view suffix, Tensor tensor) {
  const std::string_view made = node.output(0) != nullptr ? node.output(0)->name() : node.op();
  return node.graph().add_constant(fmt::format("{}_{}", made, suffix), std::move(tensor));
}

bool ints_to_input(Node& node, std::string_view attr, std::size_t i) {
  if (!node.has(attr)) return false;
  const Tensor values = Tensor::vector(node.attr_ints(attr));
  node.graph().set_input(node, i, &constant_beside(node, attr, values));
  return drop_attrs(node, {attr});
}

std::span<const OpsetRule> opset_rules() {
  static const std::vector<OpsetRule> rules = [] {
    std::vector<OpsetRule> all;
    for (const auto& family :
         {input_rules(), name_rules(), broadcast_rules(), softmax_rules(), resize_rules()})
      all.insert(all.end(), family.begin(), family.end());
    std::stable_sort(all.begin(), all.end(),
                     [](const OpsetRule& a, const OpsetRule& b) { return a.since < b.since; });
    return all;
  }();
  return rules;
}

}  // namespace intaglio
