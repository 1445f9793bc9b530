// Einsum (opset 12): a sum of products over every index that the output does not name, by plain
// loops.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
#include "lib/exec/window.h"

namespace intaglio {
namespace {

// Axis labels of one term. An ellipsis stands for the labels '0', '1', ... that are left of it;
// they are counted from the right, so that terms of different rank broadcast.
using Labels = std::string;

Labels expand(const std::string& term, std::size_t rank) {
  const std::size_t dots = term.find("...");
  const std::size_t named = dots == std::string::npos ? term.size() : term.size() - 3;
  if (dots == std::string::npos ? named != rank : named > rank || rank - named > 10)
    throw Error(Code::model,
                fmt::format("term '{}' does not fit an operand of rank {}", term, rank));
  if (dots == std::string::npos) return term;
  std::string middle;
  for (std::size_t i = rank - named; i-- > 0;) middle += static_cast<char>('0' + i);
  return term.substr(0, dots) + middle + term.substr(dots + 3);
}

struct Equation {
  std::vector<std::string> terms;
  std::string result;
  bool has_result = false;
};

Equation parse(std::string text) {
  std::erase(text, ' ');
  Equation equation;
  const std::size_t arrow = text.find("->");
  if (arrow != std::string::npos) {
    equation.has_result = true;
    equation.result = text.substr(arrow + 2);
  }
  const std::string left = text.substr(0, arrow);
  for (std::size_t at = 0; at <= left.size();) {
    const std::size_t comma = std::min(left.find(',', at), left.size());
    equation.terms.push_back(left.substr(at, comma - at));
    at = comma + 1;
  }
  return equation;
}

// The labels of the result: as written, or the ellipsis and then every label met once, in
// alphabetic order.
Labels result_labels(const Equation& equation, const std::vector<Labels>& terms) {
  std::map<char, int> counts;
  std::size_t dots = 0;
  for (const Labels& term : terms)
    for (const char c : term) {
      ++counts[c];
      if (c >= '0' && c <= '9')
        dots = std::max<std::size_t>(dots, static_cast<std::size_t>(c - '0') + 1);
    }
  if (equation.has_result) {
    const bool ellipsis = equation.result.find("...") != std::string::npos;
    return expand(equation.result, equation.result.size() - (ellipsis ? 3 - dots : 0));
  }
  Labels result = expand("...", dots);
  for (const auto& [label, count] : counts)
    if (count == 1 && (label < '0' || label > '9')) result += label;
  return result;
}

// Every index, those of the result first, with its length and the stride each operand moves by.
struct Loops {
  Shape lengths;
  std::size_t kept = 0;  // indices of the result
  std::vector<Shape> strides;
};

Loops plan(const Equation& equation, const std::vector<Tensor>& operands) {
  std::vector<Labels> terms;
  for (std::size_t i = 0; i < operands.size(); ++i)
    terms.push_back(expand(equation.terms[i], operands[i].shape().size()));
  Labels order = result_labels(equation, terms);
  Loops loops{.lengths = {}, .kept = order.size(), .strides = {}};
  std::map<char, std::int64_t> lengths;
  for (std::size_t i = 0; i < terms.size(); ++i)
    for (std::size_t a = 0; a < terms[i].size(); ++a) {
      const char label = terms[i][a];
      const std::int64_t length = operands[i].dim(a);
      std::int64_t& known = lengths.try_emplace(label, length).first->second;
      if (known != length && known != 1 && length != 1)
        throw Error(Code::model,
                    fmt::format("index '{}' has lengths {} and {}", label, known, length));
      if (known == 1) known = length;
      if (order.find(label) == std::string::npos) order += label;
    }
  for (const char label : order) {
    if (!lengths.contains(label))
      throw Error(Code::model, fmt::format("index '{}' of the result is in no operand", label));
    loops.lengths.push_back(lengths[label]);
  }
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const Shape own = strides_of(operands[i].shape());
    loops.strides.emplace_back(order.size(), 0);
    for (std::size_t a = 0; a < own.size(); ++a)
      if (operands[i].dim(a) != 1) loops.strides[i][order.find(terms[i][a])] += own[a];
  }
  return loops;
}

template <typename T>
T product_at(const std::vector<Tensor>& operands, const Loops& loops, const Shape& at) {
  T result{1};
  for (std::size_t i = 0; i < operands.size(); ++i) {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < at.size(); ++d) offset += at[d] * loops.strides[i][d];
    result *= operands[i].data<T>()[static_cast<std::size_t>(offset)];
  }
  return result;
}

template <typename T>
Tensor einsum(const Equation& equation, const std::vector<Tensor>& operands) {
  const Loops loops = plan(equation, operands);
  const auto split = loops.lengths.begin() + static_cast<std::ptrdiff_t>(loops.kept);
  const Shape summed(split, loops.lengths.end());
  Tensor y(dtype_of<T>(), Shape(loops.lengths.begin(), split));
  Shape at(loops.lengths.size(), 0);
  for (T& sum : y.mutate<T>()) {
    sum = T{};
    if (element_count(summed) == 0) continue;
    do {
      sum += product_at<T>(operands, loops, at);
    } while (next_position(std::span(at).subspan(loops.kept), summed));
    next_position(std::span(at).first(loops.kept), y.shape());
  }
  return y;
}

std::unique_ptr<Kernel> make_einsum(const Node& node) {
  return make_kernel([equation = parse(node.attr_string("equation"))](KernelContext& context) {
    if (equation.terms.size() != context.input_count())
      throw Error(Code::model, fmt::format("the equation has {} terms for {} operands",
                                           equation.terms.size(), context.input_count()));
    const DType type = context.input(0).dtype();
    std::vector<Tensor> operands;
    const bool whole = !is_float(type);
    for (std::size_t i = 0; i < context.input_count(); ++i)
      operands.push_back(convert(context.input(i), whole ? DType::s64 : DType::f64));
    context.set_output(0, convert(whole ? einsum<std::int64_t>(equation, operands)
                                        : einsum<double>(equation, operands),
                                  type));
  });
}

void infer_einsum(RuleContext& c) {
  c.set(0, c.dtype(0));
  const Equation equation = parse(c.node().attr_string("equation"));
  std::vector<Labels> terms;
  std::map<char, Dim> lengths;
  for (std::size_t i = 0; i < c.input_count(); ++i) {
    if (!c.dims(i)) return;
    terms.push_back(expand(equation.terms.at(i), c.dims(i)->size()));
    for (std::size_t a = 0; a < terms[i].size(); ++a) {
      Dim& known = lengths.try_emplace(terms[i][a], dim_of(1)).first->second;
      known = broadcast(known, (*c.dims(i))[a]);
    }
  }
  Dims dims;
  for (const char label : result_labels(equation, terms)) dims.push_back(lengths.at(label));
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_einsum(Registry& registry) {
  registry.add({.op = "Einsum", .since = 12, .make = make_einsum, .infer = infer_einsum});
}

}  // namespace intaglio
