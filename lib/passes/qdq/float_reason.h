// Why an operator of a quantized model stays in float: a sentence for people, and its kind for
// code.
#pragma once

#include <string>
#include <utility>

namespace intaglio {

enum class Why {
  none,           // it does not
  no_form,        // there is no integer form of the operator
  input_float,    // an input is not dequantized
  result_float,   // its result leaves the graph, or is read, in float
  scales_differ,  // its input and result should have the same scale
  beyond_bounds,  // the codes of its result reach beyond the Relu or Clip behind it
  signed_data,    // int8 activations
  bias,           // its bias is float, or its codes do not fit
  other,
};

struct FloatReason {
  Why why = Why::other;
  std::string text;
  FloatReason(Why kind, std::string sentence) : why(kind), text(std::move(sentence)) {}
  // Mostly there is no more to say.
  FloatReason(std::string sentence) : text(std::move(sentence)) {}  // NOLINT
  FloatReason(const char* sentence) : text(sentence) {}             // NOLINT
};

}  // namespace intaglio
