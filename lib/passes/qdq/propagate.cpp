// fuse_qdq: operators that move values about and make no new ones. They work on codes as on
// floats, when the codes before and behind mean the same.
#include <fmt/format.h>

#include <algorithm>

#include "lib/graph/op_traits.h"
#include "lib/passes/qdq/cluster.h"

namespace intaglio {
namespace {

bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.size() == b.size() &&
         std::equal(a.raw(), a.raw() + a.bytes(), b.raw());
}

bool same_meaning(const CodesRef& a, const CodesRef& b) {
  return a.type == b.type && a.per_tensor() && b.per_tensor() && a.zero != nullptr &&
         b.zero != nullptr && same_bytes(a.scale->constant(), b.scale->constant()) &&
         same_bytes(a.zero->constant(), b.zero->constant());
}

ClusterRefusal refuse_mover(const Node& node, const std::optional<CodesRef>& x) {
  if (!x) return FloatReason(Why::input_float, "input 0 is not dequantized");
  if (!x->per_tensor()) return "the scale of input 0 varies";
  if (!is_byte(x->type)) return fmt::format("codes of type {}", name_of(x->type));
  const bool picks = traits_of(node).picks;
  if (picks && node.opset() < 12) return "it takes no 8-bit codes before opset 12";
  if (picks && x->scale->constant().item<float>() <= 0) return "its scale is not positive";
  if (node.is("MaxPool") && node.output(1) != nullptr) return "its indices are read";
  if (node.is("Resize") && node.attr_string("mode", "nearest") != "nearest")
    return "it makes new values";
  return std::nullopt;
}

// What may stand between a quantized value and QuantizeLinear or DequantizeLinear, as in ONNX
// Runtime's QDQPropagationTransformer.
bool propagates(const Node& node) {
  const bool on_codes = !node.is("MaxPool") || (node.opset() >= 12 && node.output(1) == nullptr);
  return traits_of(node).pairs_move && on_codes;
}

// DequantizeLinear -> mover  becomes  mover -> DequantizeLinear
bool move_behind(Node& node) {
  const auto x = dequantized(node.input(0));
  if (!propagates(node) || refuse_mover(node, x) || node.output(0) == nullptr) return false;
  Graph& graph = node.graph();
  Value& y = *node.output(0);
  Value& codes = graph.add_value(y.name() + "_codes", x->type, y.dims());
  graph.set_input(node, 0, x->codes);
  graph.set_output(node, 0, codes);
  graph.add_node("DequantizeLinear", y.name() + "_DequantizeLinear", {&codes, x->scale, x->zero},
                 {&y});
  return true;
}

// mover -> QuantizeLinear  becomes  QuantizeLinear -> mover
bool move_before(Node& node, const IntegerOptions& options) {
  Value *x = node.input(0), *between = node.output(0);
  if (x == nullptr || x->uses().size() != 1 || x->is_output() || x->is_constant() || dequantized(x))
    return false;
  const auto tail = tail_of(node, options);
  if (!std::holds_alternative<Tail>(tail) || std::get<Tail>(tail).clip != nullptr) return false;
  const Tail& end = std::get<Tail>(tail);
  if (end.codes.scale->constant().item<float>() <= 0) return false;
  Graph& graph = node.graph();
  Value& codes = graph.add_value(x->name() + "_codes", end.codes.type, x->dims());
  graph.erase(*end.quantize);
  graph.set_output(node, 0, *end.codes.codes);
  graph.add_node("QuantizeLinear", x->name() + "_QuantizeLinear",
                 {x, end.codes.scale, end.codes.zero}, {&codes});
  graph.set_input(node, 0, &codes);
  graph.erase(*between);
  return true;
}

}  // namespace

ClusterRefusal fuse_mover(Node& node, const IntegerOptions& options) {
  const auto x = dequantized(node.input(0));
  if (auto refusal = refuse_mover(node, x)) return refusal;
  const auto tail = tail_of(node, options);
  if (const auto* end = std::get_if<Tail>(&tail);
      end != nullptr && end->clip == nullptr && same_meaning(*x, end->codes)) {
    Graph& graph = node.graph();
    graph.set_input(node, 0, x->codes);
    graph.erase(*end->quantize);
    graph.set_output(node, 0, *end->codes.codes);
    return std::nullopt;
  }
  if (move_behind(node)) return std::nullopt;
  if (const auto* reason = std::get_if<FloatReason>(&tail)) return *reason;
  return FloatReason(Why::scales_differ, "its input and result have different scales");
}

ClusterRefusal fuse_split(Node& node, const IntegerOptions&) {
  const auto x = dequantized(node.input(0));
  if (auto refusal = refuse_mover(node, x)) return refusal;
  std::vector<Node*> readers;
  for (const Value* y : node.outputs()) {
    if (y == nullptr || y->is_output() || y->uses().size() != 1 ||
        !y->uses().front().node->is("QuantizeLinear") || y->uses().front().index != 0 ||
        y->uses().front().node->output(0) == nullptr)
      return FloatReason(Why::result_float, "a result is read in float");
    Node* reader = y->uses().front().node;
    const CodesRef codes{reader->output(0), reader->input(1), reader->input(2), x->type, 1};
    if (codes.scale == nullptr || !codes.scale->is_constant() || codes.zero == nullptr ||
        !codes.zero->is_constant() || codes.zero->constant().dtype() != x->type ||
        !same_meaning(*x, codes))
      return FloatReason(Why::scales_differ, "its input and results have different scales");
    readers.push_back(reader);
  }
  Graph& graph = node.graph();
  graph.set_input(node, 0, x->codes);
  for (std::size_t i = 0; i < readers.size(); ++i) {
    Value& codes = *readers[i]->output(0);
    graph.erase(*readers[i]);
    graph.set_output(node, i, codes);
  }
  return std::nullopt;
}

// The largest code is where the largest value is.
ClusterRefusal fuse_argmax(Node& node, const IntegerOptions&) {
  const auto x = dequantized(node.input(0));
  if (auto refusal = refuse_mover(node, x)) return refusal;
  if (x->scale->constant().item<float>() <= 0) return "its scale is not positive";
  node.graph().set_input(node, 0, x->codes);
  return std::nullopt;
}

void quantize_before_movers(Graph& graph, const IntegerOptions& options) {
  std::vector<Node*> nodes = graph.nodes();
  std::erase_if(nodes, [](const Node* node) { return !propagates(*node); });
  std::reverse(nodes.begin(), nodes.end());
  for (Node* node : nodes) move_before(*node, options);
}

}  // namespace intaglio
