#include "lib/rewrite/expand.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "lib/graph/op_traits.h"

namespace intaglio {
namespace {

// Where the inputs of an operator on codes stand. An operand is codes, scale, zero point.
struct Form {
  std::string_view op;
  std::size_t plain;                  // inputs before the operands that are no codes
  std::vector<std::size_t> operands;  // of each the position of its codes; empty: all up to the end
  std::size_t result;                 // of the scale of the result, its zero point behind it
  std::size_t bias;                   // 0: none
  int weight_axis = -1;               // of the second operand's scale; -1: the last one
};

const std::vector<Form>& forms() {
  static const std::vector<Form> all = {
      {"QLinearConv", 0, {0, 3}, 6, 8, 0},  {"QLinearMatMul", 0, {0, 3}, 6, 0},
      {"QGemm", 0, {0, 3}, 7, 6},           {"QLinearAdd", 0, {0, 3}, 6, 0},
      {"QLinearMul", 0, {0, 3}, 6, 0},      {"QLinearConcat", 0, {}, 0, 0},
      {"QLinearAveragePool", 0, {0}, 3, 0}, {"QLinearGlobalAveragePool", 0, {0}, 3, 0},
      {"QLinearLeakyRelu", 0, {0}, 3, 0},   {"QLinearSigmoid", 0, {0}, 3, 0},
      {"QLinearSoftmax", 0, {0}, 3, 0},     {"QLinearWhere", 1, {1, 4}, 7, 0},
  };
  return all;
}

const Form* form_of(const Node& node) {
  if (computes_as(node) == nullptr) return nullptr;
  const auto it = std::ranges::find(forms(), node.op(), &Form::op);
  return it != forms().end() ? &*it : nullptr;
}

std::vector<std::size_t> operands_of(const Form& form, const Node& node) {
  if (!form.operands.empty()) return form.operands;
  std::vector<std::size_t> all;
  for (std::size_t i = 2; i + 2 < node.inputs().size(); i += 3) all.push_back(i);
  return all;
}

bool has_channels(const Value* scale) {
  return scale != nullptr && scale->is_constant() && scale->constant().size() > 1;
}

Value& dequantized(Graph& graph, Value* codes, Value* scale, Value* zero, std::int64_t axis) {
  Value& real = graph.add_value(codes->name() + "_dequantized", DType::f32, codes->dims());
  std::vector<Value*> inputs = {codes, scale};
  if (zero != nullptr) inputs.push_back(zero);
  Node& node =
      graph.add_node("DequantizeLinear", codes->name() + "_DequantizeLinear", inputs, {&real});
  if (has_channels(scale)) node.set_attr("axis", axis);
  return real;
}

// x_scale * w_scale * alpha, one or per channel; null when they are not constant.
Value* bias_scale(const Node& node, const std::vector<std::size_t>& operands) {
  const Value *x = node.input(operands[0] + 1), *w = node.input(operands[1] + 1);
  if (x == nullptr || w == nullptr || !x->is_constant() || !w->is_constant() ||
      x->constant().size() != 1)
    return nullptr;
  Tensor scale = w->constant();
  const float alpha = node.op() == "QGemm" ? node.attr_float("alpha", 1) : 1.0f;
  for (float& v : scale.mutate<float>()) v *= alpha * x->constant().item<float>();
  return &node.graph().add_constant(w->name() + "_bias", scale);
}

std::int64_t axis_of(const Form& form, const Node& node, std::size_t operand) {
  if (operand == 0) return 1;
  if (node.op() == "QGemm") return node.attr_int("transB", 0) != 0 ? 0 : 1;
  return form.weight_axis;
}

bool expand(Node& node, const Form& form) {
  Graph& graph = node.graph();
  const auto operands = operands_of(form, node);
  Value* bias = form.bias != 0 ? node.input(form.bias) : nullptr;
  Value* of_bias = bias != nullptr ? bias_scale(node, operands) : nullptr;
  if (bias != nullptr && of_bias == nullptr) return false;

  std::vector<Value*> inputs;
  for (std::size_t i = 0; i < form.plain; ++i) inputs.push_back(node.input(i));
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const std::size_t at = operands[i];
    if (node.input(at) == nullptr || node.input(at + 1) == nullptr) return false;
    inputs.push_back(&dequantized(graph, node.input(at), node.input(at + 1), node.input(at + 2),
                                  axis_of(form, node, i)));
  }
  if (bias != nullptr) inputs.push_back(&dequantized(graph, bias, of_bias, nullptr, 0));
  Value *scale = node.input(form.result), *zero = node.input(form.result + 1);
  for (std::size_t i = 0; i < inputs.size(); ++i) graph.set_input(node, i, inputs[i]);
  graph.trim_inputs(node, inputs.size());
  node.set_op(computes_as(node)->op);
  if (node.has("opset")) node.erase_attr("opset");
  if (scale == nullptr) return true;  // a float result
  Value& codes = *node.output(0);
  Value& real = graph.add_value(codes.name() + "_float", DType::f32, codes.dims());
  graph.set_output(node, 0, real);
  std::vector<Value*> quantize = {&real, scale};
  if (zero != nullptr) quantize.push_back(zero);
  graph.add_node("QuantizeLinear", codes.name() + "_QuantizeLinear", quantize, {&codes});
  return true;
}

}  // namespace

int expand_integer_operators(Model& model) {
  int count = 0;
  for (Node* node : model.graph().nodes())
    if (const Form* form = form_of(*node); form != nullptr && node->output(0) != nullptr)
      count += expand(*node, *form);
  model.graph().verify();
  return count;
}

std::vector<std::string_view> expandable_operators() {
  std::vector<std::string_view> ops;
  for (const Form& form : forms()) ops.push_back(form.op);
  return ops;
}

}  // namespace intaglio
