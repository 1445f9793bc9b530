// Text models and messages for the tests of the graph.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "lib/graph/codec.h"
#include "lib/graph/model.h"
#include "tests/support/text_model.h"

namespace intaglio::testing {

// y = Relu(x + w); an initializer and a dead constant beside it.
inline Model small_model() {
  return TextModel().model(R"((float[N,2] x) => (float[N,2] y) <float[2] w = {1, 2}> {
  s = Add (x, w)
  y = Relu (s)
})");
}

// If(c) { t = Add(x, w) } else { e = If(c) { Mul(s, w) } else { Identity(x) } }: two levels that
// read values around them; the inner one reads s, made by a node of the main graph.
inline Model nested_model() {
  return TextModel().model(R"((bool c, float[2] x) => (float[2] y) <float[2] w = {1, 2}> {
  s = Neg (x)
  y = If (c) <
    then_branch = then_g () => (float[2] t) { t = Add (x, w) },
    else_branch = else_g () => (float[2] e) {
      e = If (c) <
        then_branch = inner_then () => (float[2] i) { i = Mul (s, w) },
        else_branch = inner_else () => (float[2] j) { j = Identity (x) }
      >
    }
  >
})");
}

inline std::vector<std::string> names(const std::vector<Node*>& nodes) {
  std::vector<std::string> result;
  for (const Node* node : nodes) result.push_back(node->output(0) ? node->output(0)->name() : "");
  return result;
}

inline Value& value(const Model& model, std::string_view name) { return *model.graph().find(name); }
inline Node& maker(const Model& model, std::string_view name) {
  return *value(model, name).producer();
}

inline std::string bytes_of(const Model& model) { return to_proto(model).SerializeAsString(); }

}  // namespace intaglio::testing
