#include "lib/quant/composite.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "lib/graph/ops.h"

namespace intaglio {
namespace {

// Formulas as Formula writes them: factors of nested products side by side, operands in order.
struct Row {
  std::string_view name, formula;
};
constexpr std::array rows = {
    Row{"Swish", "Mul(Sigmoid(x),x)"},
    Row{"Mish", "Mul(Tanh(Softplus(x)),x)"},
    Row{"Gelu", "Mul(0.5,Add(1,Erf(Mul(0.7071,x))),x)"},
};
constexpr int deepest = 6;  // nodes between x and the end, of those above and some to spare

// What a node computes of x, as text.
class Formula {
 public:
  explicit Formula(const Value& x) : x_(x) {}

  std::string of(const Node& last) { return of(last, 0); }
  const std::set<const Node*>& nodes() const { return nodes_; }

 private:
  static bool is_scalar(const Value& value) {
    return value.is_constant() && value.dtype() == DType::f32 && value.constant().size() == 1;
  }

  static std::string text_of(double number) { return fmt::format("{:.4g}", number); }

  std::string of(const Value* value, int depth) {
    if (value == &x_) return "x";
    if (value == nullptr || depth > deepest) return "?";
    if (is_scalar(*value)) return text_of(value->constant().item<double>());
    return value->producer() != nullptr ? of(*value->producer(), depth) : "?";
  }

  std::string of(const Node& node, int depth) {
    nodes_.insert(&node);
    std::vector<std::string> operands;
    if (is_product(node)) {
      add_factors(node, depth, operands);
    } else {
      for (const Value* input : node.inputs()) operands.push_back(of(input, depth + 1));
    }
    if (is_product(node) || node.is("Add")) std::ranges::sort(operands);
    return fmt::format("{}({})", is_product(node) ? "Mul" : node.op(), fmt::join(operands, ","));
  }

  // A division by a constant is a product too.
  static bool is_product(const Node& node) {
    return node.is("Mul") ||
           (node.is("Div") && node.input(1) != nullptr && is_scalar(*node.input(1)));
  }

  void add_factors(const Node& node, int depth, std::vector<std::string>& factors) {
    nodes_.insert(&node);
    for (std::size_t i = 0; i < 2; ++i) {
      const Value* value = node.input(i);
      const Node* before = value != nullptr && value != &x_ ? value->producer() : nullptr;
      if (node.is("Div") && i == 1)
        factors.push_back(text_of(1 / value->constant().item<double>()));
      else if (before != nullptr && is_product(*before) && depth < deepest)
        add_factors(*before, depth + 1, factors);
      else
        factors.push_back(of(value, depth + 1));
    }
  }

  const Value& x_;
  std::set<const Node*> nodes_;
};

bool read_inside(const Value& value, const std::set<const Node*>& nodes) {
  return !value.is_output() && std::ranges::all_of(value.uses(), [&](const Use& use) {
    return nodes.contains(use.node);
  });
}

// Everything between x and the last node is its own.
bool stands_alone(const Composite& found, const Node& last) {
  return read_inside(*found.x, found.nodes) &&
         std::ranges::all_of(found.nodes, [&](const Node* node) {
           return node == &last || read_inside(*node->output(0), found.nodes);
         });
}

std::optional<Composite> composite_of(const Node& last, const Value& x) {
  Formula formula(x);
  const std::string text = formula.of(last);
  const auto row = std::ranges::find(rows, text, &Row::formula);
  if (row == rows.end()) return std::nullopt;
  Composite found{row->name, &x, &last, formula.nodes()};
  return stands_alone(found, last) ? std::optional(std::move(found)) : std::nullopt;
}

// Between x and the end every value has one reader.
std::optional<Composite> follow(const Value& x, const Value& value, int depth) {
  if (&value != &x && value.uses().size() != 1) return std::nullopt;
  for (const Use& use : value.uses()) {
    if (use.node->is("Mul"))
      if (auto found = composite_of(*use.node, x)) return found;
    if (depth < deepest && use.node->output(0) != nullptr)
      if (auto found = follow(x, *use.node->output(0), depth + 1)) return found;
  }
  return std::nullopt;
}

// Looks for the composite among the values not far before the node.
std::optional<Composite> search(const Node& from, const Node& node, int depth) {
  for (const Value* value : from.inputs()) {
    if (value == nullptr || value->is_constant()) continue;
    if (auto found = composite_reading(*value); found && found->nodes.contains(&node)) return found;
    if (value->producer() != nullptr && depth < deepest)
      if (auto found = search(*value->producer(), node, depth + 1)) return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Composite> composite_reading(const Value& x) {
  return x.uses().size() == 2 ? follow(x, x, 0) : std::nullopt;
}

std::optional<Composite> composite_holding(const Node& node) {
  if (!is_any(node, {"Mul", "Div", "Add", "Erf", "Sigmoid", "Tanh", "Softplus"}))
    return std::nullopt;
  return search(node, node, 0);
}

bool is_composite(std::string_view name) {
  return std::ranges::find(rows, name, &Row::name) != rows.end();
}

std::string composite_names() {
  std::vector<std::string_view> names;
  for (const Row& row : rows) names.push_back(row.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace intaglio
