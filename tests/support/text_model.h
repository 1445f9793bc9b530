// Models in ONNX's text form without their header, so that a case is its graph and nothing else:
//
//   TextModel().model("(float[2,3] x) => (y) { y = Neg(x) }")
//   TextModel().opset(17).domain("com.microsoft").typed("(float[2,3] x) => (y) { ... }")
//   TextModel().input("float[1,2] x").output("float[1,2] y").constants("float k = {2}")
//       .nodes("y = Mul(x, k)").model()
//
// A graph is given as a whole or in parts. As a whole it is what follows the name of a graph in the
// text form, "(inputs) => (outputs) <constants> { nodes }", and behind it functions, if any.
// A TextModel without a graph is a header that cases share, and the text of a graph turns into a
// TextModel by itself: run_text("...", feeds), run_text(head.graph("..."), feeds).
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "lib/graph/model.h"

namespace intaglio::testing {

class TextModel {
 public:
  TextModel() = default;

  // A graph as a whole under the default header.
  template <std::convertible_to<std::string_view> Text>
  TextModel(const Text& graph) : TextModel(TextModel().graph(graph)) {}

  // What stands around the graph.
  TextModel& ir(int version);     // 8
  TextModel& opset(int version);  // of the standard operators, 13; 0: they are not imported
  TextModel& domain(std::string_view name, int version = 1);  // one more operator set
  TextModel& producer(std::string_view name);                 // none

  // The parts of the graph. Each may be called again, which adds to what is there.
  TextModel& input(std::string_view declarations);     // "float[N,2] x, bool c"
  TextModel& output(std::string_view declarations);    // "float[N,2] y", or "y" without a type
  TextModel& constants(std::string_view definitions);  // "float[2] w = {1, 2}, int8 z = {0}"
  TextModel& nodes(std::string_view statements);       // "s = Add(x, w) y = Relu(s)"

  // The same around a graph as a whole. std::logic_error with parts as well, or when the text
  // begins with a header of its own.
  TextModel graph(std::string_view whole) const;

  // The text form; the graph is called "g".
  std::string text() const;

  // The text, parsed. Throws what parse_model does.
  Model model() const;
  Model model(std::string_view whole) const { return graph(whole).model(); }

  // The same with the types and shapes that follow (infer_types).
  Model typed() const;
  Model typed(std::string_view whole) const { return graph(whole).typed(); }

 private:
  int ir_ = 8, opset_ = 13;
  std::string imports_, producer_;
  std::string whole_;
  std::string inputs_, outputs_, constants_, nodes_;
};

// A detector that finds each image's bright square: scores and corners in fractions, these moved by
// `shift`.
TextModel square_detector(const std::string& shift);

}  // namespace intaglio::testing
