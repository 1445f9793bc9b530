// expand_einsum
//   Before: y = Einsum<"bqhd,bkhd->bhqk">(q, k)
//   After:  y = MatMul(Transpose(q), Transpose(k)), with a Transpose behind where the order asks
//           for one
//   Why:    targets know MatMul; attention is exported either way.
//   Kept:   equations of other than two factors, with an ellipsis, a label twice in one factor, a
//           sum over one factor alone, no sum at all, or several labels of a kind where both
//           factors and the result share one ("batches"); a summed length of 1 beside another.
//           Without batches, several labels are joined by Reshape where their lengths are known.

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

#include "lib/passes/list.h"

namespace intaglio {
namespace {

struct Equation {
  std::string a, b, y;                     // labels of the factors and of the result
  std::string batch, rows, columns, sums;  // of all; of a and y; of b and y; of a and b
};

bool has(const std::string& labels, char label) { return labels.find(label) != std::string::npos; }

bool are_letters_once(const std::string& labels) {
  return !labels.empty() && std::ranges::all_of(labels, [&](char c) {
    return std::isalpha(static_cast<unsigned char>(c)) && std::ranges::count(labels, c) == 1;
  });
}

std::optional<Equation> read(std::string text) {
  std::erase(text, ' ');
  const std::size_t comma = text.find(','), arrow = text.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || comma > arrow)
    return std::nullopt;
  Equation e{text.substr(0, comma),
             text.substr(comma + 1, arrow - comma - 1),
             text.substr(arrow + 2),
             "",
             "",
             "",
             ""};
  for (const std::string& part : {e.a, e.b, e.y})
    if (!are_letters_once(part)) return std::nullopt;
  for (const char c : e.y) {
    if (!has(e.a, c) && !has(e.b, c)) return std::nullopt;
    (has(e.a, c) && has(e.b, c) ? e.batch : has(e.a, c) ? e.rows : e.columns) += c;
  }
  for (const char c : e.a)
    if (has(e.b, c) && !has(e.y, c)) e.sums += c;
  const bool complete = e.batch.size() + e.rows.size() + e.sums.size() == e.a.size() &&
                        e.batch.size() + e.columns.size() + e.sums.size() == e.b.size();
  const bool single = e.rows.size() == 1 && e.columns.size() == 1 && e.sums.size() == 1;
  if (!complete || e.rows.empty() || e.columns.empty() || e.sums.empty()) return std::nullopt;
  return e.batch.empty() || single ? std::optional(e) : std::nullopt;
}

class Expansion {
 public:
  Expansion(Node& node, const Equation& e)
      : graph_(node.graph()), node_(node), e_(e), hint_(node.output(0)->name()) {}

  bool run() {
    const auto columns = lengths(e_.columns), sums = lengths(e_.sums);
    if ((e_.columns.size() > 1 && !columns) || (e_.sums.size() > 1 && !sums)) return false;
    Value& y = *node_.output(0);
    Value* a = &ordered(*node_.input(0), e_.a, e_.batch + e_.rows + e_.sums);
    Value* b = &ordered(*node_.input(1), e_.b, e_.batch + e_.sums + e_.columns);
    if (e_.sums.size() > 1) {
      Shape shape(e_.rows.size(), 0);
      shape.push_back(total(*sums));
      a = &reshaped(*a, shape);
    }
    if (e_.sums.size() > 1 || e_.columns.size() > 1)
      b = &reshaped(*b, {sums ? total(*sums) : 0, columns ? total(*columns) : -1});
    const std::string made = e_.batch + e_.rows + e_.columns;
    const bool moved = made != e_.y, split = e_.columns.size() > 1;
    Value* product = moved || split ? &graph_.add_value(hint_ + "_product", y.dtype()) : &y;
    for (const std::string& attr : node_.attrs()) node_.erase_attr(attr);
    node_.set_op("MatMul");
    graph_.set_input(node_, 0, a);
    graph_.set_input(node_, 1, b);
    if (product == &y) return true;
    graph_.set_output(node_, 0, *product);
    if (split) {
      Shape shape(e_.rows.size(), 0);
      shape.insert(shape.end(), columns->begin(), columns->end());
      product = &reshaped(*product, shape, moved ? nullptr : &y);
    }
    if (moved) transposed(*product, made, e_.y, &y);
    return true;
  }

 private:
  static std::int64_t total(const Shape& shape) { return product(shape, 0, shape.size()); }

  // Lengths of labels of the second factor; nullopt: not known.
  std::optional<Shape> lengths(const std::string& labels) const {
    const auto& dims = node_.input(1)->dims();
    if (!dims || dims->size() != e_.b.size()) return std::nullopt;
    Shape shape;
    for (const char c : labels) {
      const Dim& dim = (*dims)[e_.b.find(c)];
      if (!dim.known() || dim.value == 0) return std::nullopt;
      shape.push_back(dim.value);
    }
    return shape;
  }

  Value& ordered(Value& x, const std::string& from, const std::string& to) {
    return from == to ? x : transposed(x, from, to, nullptr);
  }

  Value& transposed(Value& x, const std::string& from, const std::string& to, Value* result) {
    std::vector<std::int64_t> order;
    for (const char c : to) order.push_back(static_cast<std::int64_t>(from.find(c)));
    Value& y = result != nullptr ? *result : graph_.add_value(x.name() + "_transposed", x.dtype());
    graph_.add_node("Transpose", y.name() + "_Transpose", {&x}, {&y}).set_attr("perm", order);
    return y;
  }

  // 0 in the shape: the length that is there.
  Value& reshaped(Value& x, const Shape& shape, Value* result = nullptr) {
    Value& y = result != nullptr ? *result : graph_.add_value(x.name() + "_reshaped", x.dtype());
    graph_.add_node("Reshape", y.name() + "_Reshape",
                    {&x, &graph_.add_constant(y.name() + "_shape", Tensor::vector(shape))}, {&y});
    return y;
  }

  Graph& graph_;
  Node& node_;
  const Equation& e_;
  const std::string hint_;
};

bool expand(Node& node) {
  if (!node.is("Einsum") || node.inputs().size() != 2 || node.output(0) == nullptr) return false;
  const Value *a = node.input(0), *b = node.input(1);
  const auto equation = read(node.attr_string("equation", ""));
  if (!equation || a == nullptr || b == nullptr || a->dtype() != DType::f32 ||
      a->rank() != static_cast<int>(equation->a.size()) ||
      b->rank() != static_cast<int>(equation->b.size()))
    return false;
  for (const char c : equation->sums) {  // a length of 1 goes with any other
    const Dim &p = (*a->dims())[equation->a.find(c)], &q = (*b->dims())[equation->b.find(c)];
    if ((p.value == 1) != (q.value == 1)) return false;
  }
  return Expansion(node, *equation).run();
}

}  // namespace

int expand_einsum(Model& model, const PrepareOptions&) {
  int rewrites = 0;
  for (Graph* graph : all_graphs(model))
    for (Node* node : graph->nodes()) rewrites += expand(*node);
  return rewrites;
}

}  // namespace intaglio
