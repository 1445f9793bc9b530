// make_classifier_gemm
//   Before: Conv (x, W [O,C,1..], b) -> Flatten, Reshape or Squeeze to [N,O], with x [N,C,1..];
//           the result leaves the graph or makes one that does (Softmax)
//   After:  Flatten (x) -> Gemm <transB = 1> (x, W [O,C], b)
//   Why:    where a target's Gemm gives float results and its Conv does not: scores rounded to 8
//           bits tie.
//   Kept:   without PrepareOptions::classifier_gemm; strides and padding, which one pixel may have
//           only where they do nothing.

#include <algorithm>

#include "lib/passes/list.h"

namespace intaglio {
namespace {

bool is_one_pixel(const Value& x) {
  if (!x.dims() || x.rank() < 3) return false;
  return std::all_of(x.dims()->begin() + 2, x.dims()->end(),
                     [](const Dim& d) { return d.known() && d.value == 1; });
}

bool is_pointwise(const Node& conv) {
  const Value* w = conv.input(1);
  const Value* b = conv.input(2);
  const auto pads = conv.attr_ints("pads");
  return w != nullptr && w->is_constant() && w->dtype() == DType::f32 && w->uses().size() == 1 &&
         !w->is_output() && w->constant().size() == w->constant().dim(0) * w->constant().dim(1) &&
         conv.attr_int("group", 1) == 1 && (b == nullptr || b->is_constant()) &&
         std::all_of(pads.begin(), pads.end(), [](std::int64_t p) { return p == 0; });
}

// What drops the axes of one pixel behind a convolution, or null.
Node* flattener(const Node& conv) {
  const Value* y = conv.output(0);
  if (y == nullptr || y->is_output() || y->uses().size() != 1) return nullptr;
  Node& reader = *y->uses().front().node;
  if (&reader.graph() != &conv.graph() || y->uses().front().index != 0 ||
      !(reader.is("Flatten") || reader.is("Reshape") || reader.is("Squeeze")))
    return nullptr;
  const Value* flat = reader.output(0);
  const bool matrix = flat != nullptr && flat->rank() == 2 && (*flat->dims())[1].known() &&
                      (*flat->dims())[1].value == conv.input(1)->constant().dim(0);
  return matrix ? &reader : nullptr;
}

bool leaves(const Value& value) {
  return value.is_output() ||
         std::all_of(value.uses().begin(), value.uses().end(), [](const Use& use) {
           return use.node->output(0) != nullptr && use.node->output(0)->is_output();
         });
}

bool exchange(Node& conv) {
  if (conv.input(0) == nullptr || !is_one_pixel(*conv.input(0)) || !is_pointwise(conv))
    return false;
  Node* flatten = flattener(conv);
  if (flatten == nullptr || !leaves(*flatten->output(0))) return false;
  Graph& graph = conv.graph();
  Value& x = *conv.input(0);
  Value& y = *flatten->output(0);
  Value& w = *conv.input(1);
  w.set_constant(w.constant().reshaped({w.constant().dim(0), w.constant().dim(1)}));
  std::vector<Value*> inputs(conv.inputs().begin(), conv.inputs().end());
  inputs[0] =
      &graph.add_value(x.name() + "_flat", DType::f32, Dims{x.dims()->at(0), x.dims()->at(1)});
  const std::string name = conv.name(), flatten_name = flatten->name();
  graph.erase(*flatten);
  graph.erase(conv);
  graph.add_node("Flatten", flatten_name, {&x}, {inputs[0]});
  graph.add_node("Gemm", name, inputs, {&y}).set_attr("transB", std::int64_t{1});
  return true;
}

}  // namespace

int make_classifier_gemm(Model& model, const PrepareOptions& options) {
  if (!options.classifier_gemm) return 0;
  std::vector<Node*> convolutions = model.graph().nodes();
  std::erase_if(convolutions, [](const Node* node) { return !node->is("Conv"); });
  return static_cast<int>(
      std::ranges::count_if(convolutions, [](Node* conv) { return exchange(*conv); }));
}

}  // namespace intaglio
