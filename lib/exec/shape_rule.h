// What an operator says of its results before the run: their types, their shapes and, of small
// integer tensors that shapes are computed with, their elements.
//
// A rule stands beside the reference kernel of its operator, in KernelDef::infer. It says what
// follows from what is known of the inputs, first the type, then what may fail: what makes no sense
// in a malformed model may end it with an exception, and what it has said before stays. infer.h
// calls the rules.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/exec/window.h"
#include "lib/graph/graph.h"
#include "lib/tensor/shape.h"

namespace intaglio {

// An element of an integer tensor: known, the length of a named axis, or neither.
struct Number {
  std::optional<std::int64_t> value = std::nullopt;
  std::string symbol = {};
  bool length = false;  // the length of an axis: not negative, known or not
  bool is(std::int64_t v) const { return value == v; }
};
using Numbers = std::vector<Number>;

// What is known of a value.
struct Known {
  DType dtype = DType::undefined;
  std::optional<Dims> dims = std::nullopt;        // nullopt: not even the rank
  Tensor constant = {};                           // all elements: initializers, and small results
  std::optional<Numbers> numbers = std::nullopt;  // of an integer scalar or vector, in part known
};

class RuleContext {
 public:
  // Infers the nested graph that the attribute holds from what is known of its inputs; what is
  // known of its outputs.
  using Body = std::function<std::vector<Known>(std::string_view attr, std::vector<Known> inputs)>;

  RuleContext(const Node& node, std::vector<const Known*> inputs, std::vector<Known>& outputs,
              const Body& body)
      : node_(node), inputs_(std::move(inputs)), outputs_(outputs), body_(body) {}

  const Node& node() const { return node_; }
  std::size_t input_count() const { return inputs_.size(); }
  bool has(std::size_t i) const { return node_.input(i) != nullptr; }
  const Known& input(std::size_t i) const;  // nothing known when it is omitted
  DType dtype(std::size_t i) const { return input(i).dtype; }
  const std::optional<Dims>& dims(std::size_t i) const { return input(i).dims; }
  // The elements of an integer scalar or vector of known length, each perhaps not known; and all of
  // them, when they are.
  std::optional<Numbers> numbers(std::size_t i) const;
  std::optional<std::vector<std::int64_t>> ints(std::size_t i) const;
  // The same for what is an input in some opsets and an attribute in others.
  std::optional<Numbers> numbers(std::size_t i, std::string_view attr) const;
  bool has(std::size_t i, std::string_view attr) const { return has(i) || node_.has(attr); }

  void set(std::size_t i, Known known);
  void set(std::size_t i, DType dtype, std::optional<Dims> dims = std::nullopt) {
    set(i, Known{.dtype = dtype, .dims = std::move(dims)});
  }
  void set_numbers(std::size_t i, Numbers numbers);  // of a result whose type is said
  const Known& result(std::size_t i) const { return outputs_.at(i); }
  std::size_t result_count() const { return outputs_.size(); }
  std::vector<Known> body(std::string_view attr, std::vector<Known> inputs) const {
    return body_(attr, std::move(inputs));
  }

 private:
  const Node& node_;
  std::vector<const Known*> inputs_;
  std::vector<Known>& outputs_;
  const Body& body_;
};

// Lengths of axes. What does not follow is not known.
Dim dim_of(std::int64_t length);
Dim dim_of(const Number& number);
Dims dims_of(const Numbers& numbers);
Number number_of(const Dim& dim);
bool same(const Dim& a, const Dim& b);      // known to be equal
Dim either(const Dim& a, const Dim& b);     // what is known of a length that both describe
Dim common(const Dim& a, const Dim& b);     // of one that is either of the two
Dim broadcast(const Dim& a, const Dim& b);  // of the axis that both broadcast to
Dim sum(const Dim& a, const Dim& b);
Dim product(const Dims& dims, std::size_t first, std::size_t last);
Dim times(const Dim& a, std::int64_t factor);
Dim divided(const Dim& a, std::int64_t by);

std::optional<Dims> broadcast(const std::optional<Dims>& a, const std::optional<Dims>& b);
std::optional<Dims> common(const std::optional<Dims>& a, const std::optional<Dims>& b);
std::optional<Dims> matmul_dims(const std::optional<Dims>& a, const std::optional<Dims>& b);
// For what a body is given and makes anew: keeps what both agree on; whether that changed anything.
bool weaken(Known& given, const Known& made);
std::size_t axis_of(std::int64_t axis, const Dims& dims);  // throws Code::model, out of range
Dims dims_of(const Shape& shape);

// Rules that operators share. Where no input is named, it is the first, and so is the result.
namespace rules {

void like(RuleContext& c);      // type and shape of the input
void identity(RuleContext& c);  // and the elements
void shaped(RuleContext& c, DType type);
template <DType type>
void as(RuleContext& c) {
  shaped(c, type);
}
void broadcast(RuleContext& c);  // of all inputs; the type of the first
void compare(RuleContext& c);    // of all inputs, to booleans
// Elementwise on two inputs, elements included.
void elementwise(RuleContext& c, DType type, Number (*f)(const Number&, const Number&));

void reduce(RuleContext& c);
std::optional<Dims> reduced(const Dims& x, const std::optional<Numbers>& axes, bool keep);

// Convolutions of input x with the filters w.
void convolve(RuleContext& c, DType type, std::size_t x, std::size_t w);
void convolution(RuleContext& c);  // of the inputs 0 and 1
void pool(RuleContext& c);
void global_pool(RuleContext& c);
void gemm(RuleContext& c, DType type, std::size_t a, std::size_t b);
// Some of the input, along the attribute `axis` or of all elements: how many, the values say.
void some(RuleContext& c);
void recurrent(RuleContext& c);  // RNN, GRU, LSTM and theirs

}  // namespace rules

}  // namespace intaglio
