#include "lib/passes/qdq/fuse_qdq.h"

#include <algorithm>
#include <array>

#include "lib/exec/infer.h"
#include "lib/graph/op_traits.h"
#include "lib/passes/list.h"
#include "lib/passes/qdq/cluster.h"

namespace intaglio {
namespace {

constexpr std::string_view microsoft = "com.microsoft";

using Fuse = ClusterRefusal (*)(Node& node, const IntegerOptions& options);

// Null: it has no integer form.
Fuse fuse_of(const Node& node) {
  switch (traits_of(node).qdq) {
    case QdqRule::none:
      return nullptr;
    case QdqRule::conv:
      return fuse_conv;
    case QdqRule::matmul:
      return fuse_matmul;
    case QdqRule::gemm:
      return fuse_gemm;
    case QdqRule::binary:
      return fuse_binary;
    case QdqRule::unary:
      return fuse_unary;
    case QdqRule::concat:
      return fuse_concat;
    case QdqRule::where:
      return fuse_where;
    case QdqRule::split:
      return fuse_split;
    case QdqRule::argmax:
      return fuse_argmax;
    case QdqRule::mover:
      return fuse_mover;
  }
  return nullptr;
}

std::string name_of(const Node& node) { return node.name().empty() ? node.label() : node.name(); }

// What the operator lacks on x86-64.
ClusterRefusal refuse_signed(const Node& node) {
  if (!node.is("Conv") && !node.is("MatMul")) return std::nullopt;
  const auto x = dequantized(node.input(0));
  if (!x || x->type != DType::s8) return std::nullopt;
  return FloatReason(
      Why::signed_data,
      "there is no integer form for int8 activations with several readers on x86-64");
}

}  // namespace

bool computes_on_codes(const Node& node) {
  constexpr std::array as_they_are = {QdqRule::none, QdqRule::mover, QdqRule::split,
                                      QdqRule::argmax};
  return std::ranges::find(as_they_are, traits_of(node).qdq) == as_they_are.end() ||
         node.is("ConvTranspose");
}

void import_microsoft(Model& model) {
  const auto nodes = model.graph().nodes();
  if (model.opset(microsoft) == 0 &&
      std::ranges::any_of(nodes, [](const Node* node) { return node->domain() == microsoft; }))
    model.set_opset(microsoft, 1);
}

bool touches_codes(const Node& node) {
  if (node.is("Shape") || node.is("Size")) return false;
  const auto quantizes = [](const Use& use) { return use.node->is("QuantizeLinear"); };
  const auto reads = [](const Value* v) {
    return v != nullptr && v->producer() != nullptr && v->producer()->is("DequantizeLinear");
  };
  return std::any_of(node.inputs().begin(), node.inputs().end(), reads) ||
         std::any_of(node.outputs().begin(), node.outputs().end(), [&](const Value* v) {
           return v != nullptr && std::any_of(v->uses().begin(), v->uses().end(), quantizes);
         });
}

bool is_conversion(const Node& node) {
  return node.is("QuantizeLinear") || node.is("DequantizeLinear");
}

bool is_integer_operator(const Node& node) {
  const std::string& op = node.op();
  return op.starts_with("QLinear") || op.ends_with("Integer") || op == "DynamicQuantizeLinear" ||
         (node.domain() == microsoft &&
          (op == "QGemm" || op == "QAttention" || op == "MatMulIntegerToFloat" ||
           op.starts_with("DynamicQuantize")));
}

bool holds_packed_codes(const Node& node) {
  return node.domain() == microsoft &&
         (node.op() == "MatMulNBits" || node.op() == "GatherBlockQuantized");
}

bool has_quantized_values(const Graph& graph) {
  const auto nodes = graph.nodes();
  return std::any_of(nodes.begin(), nodes.end(), [](const Node* node) {
    return is_conversion(*node) || is_integer_operator(*node);
  });
}

IntegerForm fuse_integers(Model& model, const IntegerOptions& options) {
  Graph& graph = model.graph();
  infer_types(model);
  fold_constants(model, {});
  drop_identities(model, {.drop_lone_operands = false});
  quantize_before_movers(graph, options);
  if (options.float_weights) quantize_float_weights(graph);
  if (!options.signed_activations) make_unsigned(graph);
  IntegerForm form;
  for (const Node* node : graph.nodes())
    if (is_integer_operator(*node)) form.nodes.push_back({name_of(*node), node->op(), ""});
  std::vector<Node*> nodes = graph.nodes();  // rules erase others than these
  std::erase_if(nodes, [](const Node* node) {
    return fuse_of(*node) == nullptr || node->output(0) == nullptr;
  });
  for (Node* node : nodes) {
    if (!touches_codes(*node)) continue;
    IntegerDecision decision{name_of(*node), node->op(), {}};
    if (options.blocks && fuse_blocks(*node)) {
      form.nodes.push_back(std::move(decision));
      continue;
    }
    ClusterRefusal refusal;
    if (!options.signed_activations) refusal = refuse_signed(*node);
    if (!refusal) refusal = fuse_of(*node)(*node, options);
    if (refusal) {
      decision.reason = refusal->text;
      decision.why = refusal->why;
    }
    form.nodes.push_back(std::move(decision));
  }
  for (const Node* node : graph.nodes())
    if (fuse_of(*node) == nullptr && touches_codes(*node) && !is_conversion(*node) &&
        !is_integer_operator(*node))
      form.nodes.push_back(
          {name_of(*node), node->op(), "there is no integer form of it", Why::no_form});
  import_microsoft(model);
  drop_unread(graph, options.keep);
  if (options.fold_weights) {
    fold_dequantized_constants(graph);
    drop_unread(graph, options.keep);
  }
  graph.verify();
  return form;
}

}  // namespace intaglio
