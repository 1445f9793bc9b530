#include "lib/quant/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "lib/graph/op_traits.h"
#include "lib/quant/grouped_weight.h"

namespace intaglio {
namespace {

std::regex compile_pattern(const std::string& pattern) {
  try {
    return std::regex(pattern, std::regex::ECMAScript);
  } catch (const std::regex_error& e) {
    throw Error(Code::usage, fmt::format("'{}' is not a regular expression: {}", pattern, e.what()),
                "Mind that '.', '*', '[' and '(' have a meaning; write '\\.' for a dot.");
  }
}

// A node without a name goes by its first output, as in reports.
const std::string& name_to_match(const Node& node) {
  return node.name().empty() && node.output(0) != nullptr ? node.output(0)->name() : node.name();
}

Error no_match(const char* option, const std::string& what, const std::string& remedy) {
  return Error(Code::usage, fmt::format("{} '{}' matches no node", option, what), remedy);
}

// The operator that is spelt so but for the case of its letters; empty: there is none.
std::string in_other_case(const std::vector<Node*>& nodes, const std::string& op) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  for (const Node* node : nodes)
    if (std::ranges::equal(node->op(), op, same)) return node->op();
  return {};
}

}  // namespace

WeightTypes::WeightTypes(const std::vector<Node*>& nodes, const Selection& selection)
    : head_(selection.head), table_(selection.table) {
  for (const WeightTypeRule& rule : selection.weights_of) {
    const std::regex regex = compile_pattern(rule.pattern);
    bool matched = false;
    for (const Node* node : nodes) {
      if (!std::regex_match(name_to_match(*node), regex)) continue;
      types_[node] = rule.type;
      matched = true;
    }
    if (!matched)
      throw no_match("`weights-of`", rule.pattern,
                     "List the node names with 'intaglio inspect MODEL `nodes`'; a pattern must "
                     "match the whole name, or the first output of a node without one.");
  }
  require_found(nodes);
}

void WeightTypes::require_found(const std::vector<Node*>& nodes) const {
  const auto any = [&](WeightKind kind, bool head) {
    return std::ranges::any_of(nodes, [&](const Node* node) {
      return traits_of(*node).weights == kind && (!head || is_head(*node));
    });
  };
  if (head_ && !any(WeightKind::product, true))
    throw Error(Code::usage, "`head`: no product makes a result of the graph",
                "Name its node with `weights-of REGEX=TYPE`.");
  if (table_ && !any(WeightKind::table, false))
    throw Error(Code::usage, "`table`: the model looks nothing up", "Leave it out.");
}

std::optional<DType> WeightTypes::of(const Node& node) const {
  if (const auto it = types_.find(&node); it != types_.end()) return it->second;
  if (table_ && traits_of(node).weights == WeightKind::table) return table_;
  if (head_ && traits_of(node).weights == WeightKind::product && is_head(node)) return head_;
  return std::nullopt;
}

NodeFilter::NodeFilter(const std::vector<Node*>& nodes, const Selection& selection)
    : left_float_(selection.left_float),
      has_include_(!selection.include.empty() || !selection.include_ops.empty()) {
  by_name(nodes, selection.include, "`include`", included_);
  by_name(nodes, selection.exclude, "`exclude`", excluded_);
  by_op(nodes, selection.include_ops, "`include-op`", included_);
  by_op(nodes, selection.exclude_ops, "`exclude-op`", excluded_);
}

std::optional<std::string> NodeFilter::refuse(const Node& node) const {
  if (const auto it = excluded_.find(&node); it != excluded_.end())
    return fmt::format("excluded by {}", it->second);
  if (has_include_ && !included_.contains(&node)) return "not among the nodes of `include`";
  if (const Value* output = first_output(node))
    if (const auto it = left_float_.find(output->name()); it != left_float_.end())
      return it->second;
  return std::nullopt;
}

void NodeFilter::by_name(const std::vector<Node*>& nodes, const std::vector<std::string>& patterns,
                         const char* option, Hits& hits) {
  for (const std::string& pattern : patterns) {
    const std::regex regex = compile_pattern(pattern);
    if (!collect(nodes, option, pattern, hits,
                 [&](const Node& n) { return std::regex_match(name_to_match(n), regex); }))
      throw no_match(
          option, pattern,
          "List the node names with 'intaglio inspect MODEL `nodes`'; a pattern must match the "
          "whole name, or the first output of a node without one.");
  }
}

void NodeFilter::by_op(const std::vector<Node*>& nodes, const std::vector<std::string>& ops,
                       const char* option, Hits& hits) {
  for (const std::string& op : ops) {
    if (collect(nodes, option, op, hits, [&](const Node& n) { return n.op() == op; })) continue;
    const std::string meant = in_other_case(nodes, op);
    throw no_match(option, op,
                   meant.empty() ? "'intaglio inspect MODEL' lists the operators of a model."
                                 : fmt::format("Write {} '{}': case matters.", option, meant));
  }
}

bool NodeFilter::collect(const std::vector<Node*>& nodes, const char* option,
                         const std::string& what, Hits& hits,
                         const std::function<bool(const Node&)>& matches) {
  bool any = false;
  for (const Node* node : nodes) {
    if (!matches(*node)) continue;
    hits.emplace(node, fmt::format("{} {}", option, what));
    any = true;
  }
  return any;
}

}  // namespace intaglio
