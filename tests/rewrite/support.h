// What the tests of the writers share.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "lib/exec/executor.h"
#include "lib/quant/array.h"
#include "lib/quant/draft.h"
#include "tests/support/support.h"

namespace intaglio::testing {

inline Model model_of(const std::string& text, int opset = 13) {
  return TextModel().ir(10).opset(opset).typed(text);
}

inline Target onnxruntime_target() {
  return read_target(source_dir() / "configs" / "onnxruntime.json");
}

// Exact ranges for weights, and a bias for inputs of the given scale.
inline void number_constants(const Model& model, Plan& plan, float input_scale) {
  for (auto& n : plan.nodes) {
    for (auto& c : n.constants)
      c.params = choose_qparams(ranges_of(model.graph().find(c.name)->constant(), c.scheme.axis),
                                c.scheme);
    if (n.bias && !is_float(n.bias->params.type))
      n.bias->params = quantize_bias(model.graph().find(n.bias->name)->constant(), input_scale,
                                     n.constants[0].params)
                           .params;
  }
}

// A plan with ranges [-4, 4] everywhere and exact weight ranges.
inline Plan plan_of(const Model& model, const Target& target = onnxruntime_target(),
                    const Selection& selection = {}) {
  Plan plan = draft(model.graph(), target, selection);
  const Range range{-4, 4};
  for (auto& a : plan.activations)
    a.range = range, a.params = choose_qparams(std::span(&range, 1), a.scheme);
  number_constants(model, plan, 8.0f / 255);
  return plan;
}

// A plan of weights alone.
inline Plan weights_plan_of(const Model& model, const Target& target = onnxruntime_target()) {
  Plan plan = draft_weights(model.graph(), target);
  number_constants(model, plan, 1);
  return plan;
}

inline int count(const Model& model, std::string_view op) {
  const auto nodes = model.graph().nodes();
  return static_cast<int>(
      std::count_if(nodes.begin(), nodes.end(), [&](const Node* n) { return n->op() == op; }));
}

// A constant of 40 x 26 values, as text; column c holds multiples of c + 1.
inline std::string table_of_40_rows(const std::string& name) {
  std::string text;
  for (int i = 0; i < 1040; ++i)
    text += (i ? "," : "") + std::to_string((i % 37 - 18) * 0.01 * (i % 26 + 1));
  return "float[40,26] " + name + " = {" + text + "}";
}

// Operators in topological order: "Conv Relu".
inline std::string ops_of(const Model& model) {
  std::string text;
  for (const Node* node : model.graph().nodes()) text += (text.empty() ? "" : " ") + node->op();
  return text;
}

}  // namespace intaglio::testing
