// expand_contrib
//   Before: operators of com.microsoft into which onnxruntime's optimizer joins standard ones, as
//           in models that it saved: FusedConv, FusedGemm, FusedMatMul, Gelu, BiasGelu, FastGelu,
//           QuickGelu, SkipLayerNormalization, and Attention around its projection.
//   After:  the standard operators: convolution and product, what was added, the activation; a sum
//           in front of a LayerNormalization. Attention becomes MatMul, Add, Split and
//           MultiHeadAttention.
//   Why:    targets, and the passes behind this one, know the standard operators; the runtime joins
//           what is still float again.
//   Kept:   activations that are not known here, transposed batch axes, products to be transposed
//           whose rank is not known, Attention with a past or with masks of another shape.
//   Source: onnxruntime/docs/ContribOperators.md.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "lib/graph/op_traits.h"
#include "lib/passes/list.h"

namespace intaglio {
namespace {

// Appends nodes that work towards a value, which the last of them makes.
class Expansion {
 public:
  // What makes y so far makes a new value, which result() is then.
  Expansion(Node& node, Value& y) : graph_(node.graph()), y_(&y) {}

  // A node in front of y, or y itself (last), made of `inputs`.
  Value& add(std::string_view op, std::vector<Value*> inputs, bool last = false) {
    Value& made = last ? *y_ : between(op, y_->dims());
    node_ = &graph_.add_node(op, made.name(), std::move(inputs), {&made});
    return made;
  }
  Value& between(std::string_view hint, std::optional<Dims> dims) {
    return graph_.add_value(fmt::format("{}_{}", y_->name(), hint), y_->dtype(), std::move(dims));
  }
  Value& scalar(float value) {
    return graph_.add_constant(y_->name() + "_factor", Tensor::scalar(value));
  }
  Node& node() { return *node_; }  // the last one added
  Graph& graph() { return graph_; }

 private:
  Graph& graph_;
  Value* y_;
  Node* node_ = nullptr;
};

bool is_one_of(const Node& node, std::initializer_list<std::string_view> ops) {
  return node.domain() == "com.microsoft" && std::ranges::find(ops, node.op()) != ops.end();
}

// x (1 + erf(x / sqrt(2))) / 2, as one operator where the opset has it.
void add_gelu(Expansion& e, Value& x) {
  if (e.graph().opset() >= 20) {
    e.add("Gelu", {&x}, true);
    return;
  }
  Value& scaled = e.add("Div", {&x, &e.scalar(std::sqrt(2.0f))});
  Value& sum = e.add("Add", {&e.add("Erf", {&scaled}), &e.scalar(1)});
  e.add("Mul", {&e.add("Mul", {&x, &sum}), &e.scalar(0.5f)}, true);
}

// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
void add_fast_gelu(Expansion& e, Value& x) {
  if (e.graph().opset() >= 20) {
    e.add("Gelu", {&x}, true);
    e.node().set_attr("approximate", std::string_view("tanh"));
    return;
  }
  Value& cube = e.add("Mul", {&e.add("Pow", {&x, &e.scalar(3)}), &e.scalar(0.044715f)});
  Value& inner = e.add("Mul", {&e.add("Add", {&x, &cube}), &e.scalar(0.79788456f)});
  Value& sum = e.add("Add", {&e.add("Tanh", {&inner}), &e.scalar(1)});
  e.add("Mul", {&e.add("Mul", {&x, &sum}), &e.scalar(0.5f)}, true);
}

bool is_known_activation(const std::string& op) {
  const OpTraits* traits = find_traits(op);
  return op.empty() || (traits != nullptr && traits->fused_by_name);
}

// The activation that a fused operator names, with its parameters in the order of its attributes.
void add_activation(Expansion& e, const std::string& op, const std::vector<float>& parameters,
                    Value& x) {
  if (op == "Gelu") return add_gelu(e, x);
  std::vector<Value*> inputs = {&x};
  for (const float bound : parameters)
    if (op == "Clip") inputs.push_back(&e.scalar(bound));
  e.add(op, std::move(inputs), true);
  constexpr std::array names = {"alpha", "beta"};
  for (std::size_t i = 0; op != "Clip" && i < std::min(parameters.size(), names.size()); ++i)
    e.node().set_attr(names[i], parameters[i]);
}

std::vector<float> parameters_of(const Node& node) {
  std::vector<float> result = node.attr_floats("activation_params");
  for (const char* name : {"activation_alpha", "activation_beta", "activation_gamma"})
    if (node.has(name)) result.push_back(node.attr_float(name));
  return result;
}

// The node becomes a standard one; what it added and its activation follow it.
bool expand_fused(Node& node, std::string_view op) {
  const std::string activation = node.attr_string("activation", "");
  const std::vector<float> parameters = parameters_of(node);
  Value& y = *node.needed_output(0);
  Value* added = op == "Conv" ? node.input(3) : nullptr;
  const float alpha = op == "MatMul" ? node.attr_float("alpha", 1) : 1;
  if (!is_known_activation(activation)) return false;
  Expansion e(node, y);
  node.set_op(op);
  if (op == "Conv") e.graph().trim_inputs(node, 3);
  for (const std::string& attr : node.attrs())
    if (attr.starts_with("activation") ||
        (op == "MatMul" && (attr == "alpha" || attr.starts_with("trans"))))
      node.erase_attr(attr);
  const int steps = (added != nullptr) + (alpha != 1) + !activation.empty();
  if (steps == 0) return true;
  Value* x = &e.between(op, y.dims());
  e.graph().set_output(node, 0, *x);
  if (alpha != 1) x = &e.add("Mul", {x, &e.scalar(alpha)}, steps == 1);
  if (added != nullptr) x = &e.add("Add", {x, added}, steps == 1);
  if (!activation.empty()) add_activation(e, activation, parameters, *x);
  return true;
}

// The operand with its last two axes swapped; null: its rank is not known.
Value* turned(Expansion& e, Value& x) {
  if (!x.dims()) return nullptr;
  if (x.rank() < 2) return &x;
  std::vector<std::int64_t> order(x.dims()->size());
  std::iota(order.begin(), order.end(), 0);
  std::swap(order.end()[-1], order.end()[-2]);
  Dims dims = *x.dims();
  std::swap(dims.end()[-1], dims.end()[-2]);
  Value& made = e.between("transposed", dims);
  e.graph().add_node("Transpose", made.name(), {&x}, {&made}).set_attr("perm", order);
  return &made;
}

bool expand_matmul(Node& node) {
  if (node.attr_int("transBatchA", 0) != 0 || node.attr_int("transBatchB", 0) != 0) return false;
  const bool turns[] = {node.attr_int("transA", 0) != 0, node.attr_int("transB", 0) != 0};
  for (std::size_t i = 0; i < 2; ++i)
    if (node.input(i) == nullptr || (turns[i] && !node.input(i)->dims())) return false;
  if (!is_known_activation(node.attr_string("activation", ""))) return false;
  Expansion e(node, *node.needed_output(0));
  for (std::size_t i = 0; i < 2; ++i)
    if (turns[i]) e.graph().set_input(node, i, turned(e, *node.input(i)));
  return expand_fused(node, "MatMul");
}

// Erases the node; `add` makes its result anew.
template <typename F>
bool replace(Node& node, F add) {
  Value& y = *node.needed_output(0);
  std::vector<Value*> inputs(node.inputs().begin(), node.inputs().end());
  const float alpha = node.attr_float("alpha", 1.702f);
  Expansion e(node, y);
  node.graph().erase(node);
  add(e, inputs, alpha);
  return true;
}

bool expand_gelu(Node& node) {
  const bool fast = node.op() == "FastGelu", quick = node.op() == "QuickGelu";
  return replace(node, [&](Expansion& e, const std::vector<Value*>& in, float alpha) {
    Value* x = in[0];
    if (!quick && in.size() > 1 && in[1] != nullptr) x = &e.add("Add", {x, in[1]});
    if (!quick) return fast ? add_fast_gelu(e, *x) : add_gelu(e, *x);
    Value& scaled = alpha == 1 ? *x : e.add("Mul", {x, &e.scalar(alpha)});
    e.add("Mul", {x, &e.add("Sigmoid", {&scaled})}, true);
  });
}

// A bias belongs to the product that it was taken from, where there is one.
std::vector<Value*> with_bias(Expansion& e, Value* x, Value* skip, Value* bias) {
  const auto is_product = [](const Value* v) {
    return v->producer() != nullptr && v->producer()->is("MatMul");
  };
  if (bias == nullptr) return {x, skip};
  if (!is_product(x) && is_product(skip)) return {x, &e.add("Add", {skip, bias})};
  return {&e.add("Add", {x, bias}), skip};
}

// Inputs: input, skip, gamma, beta, bias. Outputs: y, means, inverse deviations, the sum.
bool expand_skip(Node& node) {
  Value *x = node.input(0), *skip = node.input(1), *gamma = node.input(2), *bias = node.input(4);
  if (x == nullptr || skip == nullptr || gamma == nullptr) return false;
  Graph& graph = node.graph();
  if (graph.opset() < 17) return false;  // raise_opset sees to it
  Value& y = *node.needed_output(0);
  Value* sum = node.output(3);
  Expansion e(node, y);
  std::vector<Value*> outputs = {&y, node.output(1), node.output(2)};
  while (outputs.back() == nullptr) outputs.pop_back();
  std::vector<Value*> inputs = {nullptr, gamma};
  if (node.input(3) != nullptr) inputs.push_back(node.input(3));
  const float epsilon = node.attr_float("epsilon", 1e-12f);
  graph.erase(node);
  if (sum == nullptr) sum = &e.between("sum", y.dims());
  graph.add_node("Add", sum->name(), with_bias(e, x, skip, bias), {sum});
  inputs[0] = sum;
  Node& norm = graph.add_node("LayerNormalization", y.name(), inputs, outputs);
  norm.set_attr("axis", std::int64_t{-1});
  norm.set_attr("epsilon", epsilon);
  return true;
}

// Inputs: input, weights, bias, mask, past, what is added to the scores.
bool expand_attention(Node& node) {
  Value *x = node.input(0), *weights = node.input(1), *mask = node.input(3);
  const bool fits = x != nullptr && weights != nullptr && node.input(4) == nullptr &&
                    node.input(6) == nullptr && node.output(1) == nullptr &&
                    (mask == nullptr || mask->rank() == 2) && node.attr_int("do_rotary", 0) == 0 &&
                    node.attr_int("past_present_share_buffer", 0) == 0;
  if (!fits || weights->rank() != 2 || !(*weights->dims())[1].known()) return false;
  const std::int64_t all = (*weights->dims())[1].value;
  auto sizes = node.attr_ints("qkv_hidden_sizes");
  if (sizes.size() != 3) sizes = {all / 3, all / 3, all / 3};
  if (sizes[0] + sizes[1] + sizes[2] != all || sizes[0] != sizes[1]) return false;
  Graph& graph = node.graph();
  Expansion e(node, *node.needed_output(0));
  const auto wide = [&](std::int64_t width) {
    std::optional<Dims> dims = x->dims();
    if (dims && !dims->empty()) dims->back() = {width, {}};
    return dims;
  };
  Value* projected = &e.between("product", wide(all));
  graph.add_node("MatMul", projected->name(), {x, weights}, {projected});
  if (Value* bias = node.input(2)) {
    Value& sum = e.between("projected", wide(all));
    graph.add_node("Add", sum.name(), {projected, bias}, {&sum});
    projected = &sum;
  }
  std::vector<Value*> parts;
  for (std::size_t i = 0; i < 3; ++i)
    parts.push_back(&e.between(std::array{"query", "key", "value"}[i], wide(sizes[i])));
  Value& lengths = graph.add_constant(node.output(0)->name() + "_sizes", Tensor::vector(sizes));
  graph.add_node("Split", projected->name(), {projected, &lengths}, parts)
      .set_attr("axis", std::int64_t{-1});
  Value* bias = node.input(5);
  node.set_op("MultiHeadAttention", "com.microsoft");
  for (const char* attr :  // those that MultiHeadAttention has not
       {"qkv_hidden_sizes", "do_rotary", "rotary_embedding_dim", "past_present_share_buffer"})
    if (node.has(attr)) node.erase_attr(attr);
  for (std::size_t i = 0; i < 3; ++i) graph.set_input(node, i, parts[i]);
  graph.trim_inputs(node, 3);
  if (mask != nullptr) graph.set_input(node, 4, mask);
  if (bias != nullptr) graph.set_input(node, 5, bias);
  return true;
}

bool expand(Node& node) {
  if (node.output(0) == nullptr || node.input(0) == nullptr) return false;
  if (is_one_of(node, {"FusedConv"})) return expand_fused(node, "Conv");
  if (is_one_of(node, {"FusedGemm"})) return expand_fused(node, "Gemm");
  if (is_one_of(node, {"FusedMatMul", "FusedMatMulActivation", "TransposeMatMul"}))
    return expand_matmul(node);
  if (is_one_of(node, {"Gelu", "BiasGelu", "FastGelu", "QuickGelu"})) return expand_gelu(node);
  if (is_one_of(node, {"SkipLayerNormalization"})) return expand_skip(node);
  if (is_one_of(node, {"Attention"})) return expand_attention(node);
  return false;
}

}  // namespace

int expand_contrib(Model& model, const PrepareOptions&) {
  int rewrites = 0;
  for (Graph* graph : all_graphs(model))
    for (Node* node : graph->nodes()) rewrites += expand(*node);
  return rewrites;
}

}  // namespace intaglio
