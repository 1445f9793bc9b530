#include "lib/check/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "lib/check/judge.h"
#include "lib/check/kernel_types.h"
#include "lib/check/pairs.h"
#include "lib/exec/infer.h"
#include "lib/graph/macs.h"
#include "lib/graph/ops.h"
#include "lib/passes/fix_shapes.h"
#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/quant/form.h"
#include "lib/quant/plan.h"
#include "lib/quant/saturation.h"
#include "lib/rewrite/expand.h"
#include "lib/rewrite/malformed.h"
#include "lib/rewrite/shared_constants.h"

namespace intaglio {
namespace {

// Every node gets a name of its own, by which the same node is found in copies of the graph.
Model with_names(Model model) {
  Graph& graph = model.graph();
  std::set<std::string> seen;
  for (Node* node : graph.nodes())
    if (node->name().empty() || !seen.insert(node->name()).second) {
      node->set_name(graph.unique_node_name(
          first_output(*node) != nullptr ? first_output(*node)->name() : node->op()));
      seen.insert(node->name());
    }
  return model;
}

class Checker {
 public:
  Checker(const Model& model, const Target& target)
      : named_(with_names(model.clone())), pairs_(named_.clone()), target_(target) {
    infer_types(named_);
    for (const Node* node : named_.graph().nodes())
      if (is_integer_operator(*node))
        findings_.given_integer[node->name()] = kernel_violation(*node);
    expand_integer_operators(pairs_);
    infer_types(pairs_);
    drop_whole_slices(pairs_.graph());
    Model fused = pairs_.clone();
    const auto form =
        fuse_integers(fused, {.signed_activations = target.engine == Engine::onnxruntime_arm,
                              .blocks = target.engine != Engine::pairs});
    for (const IntegerDecision& d : form.nodes) findings_.decisions.insert_or_assign(d.node, d);
    count_conversions(fused.graph());
    Model dense = pairs_.clone();
    fuse_integers(dense, {.signed_activations = true, .clip_codes = true, .fold_weights = false});
    infer_types(dense);
    result_.memory = memory_of(dense.graph());
    result_.memory.weights = memory_of(named_.graph()).weights;
  }

  CheckResult run() {
    check_forms();
    for (const Node* node : pairs_.graph().nodes()) {
      if (is_conversion(*node)) {
        if (const Malformed broken = malformed(*node); !broken.reason.empty())
          model_wide({broken.reason, broken.remedy});
      } else if (computes(*node)) {
        add(*node);
      }
    }
    const bool any = std::ranges::any_of(
        result_.nodes, [](const NodeCheck& n) { return n.verdict == Verdict::integer; });
    if (!any && !(weights_alone_ && reads(word_of(OutputForm::weights))))
      model_wide({"no node would run in integers",
                  fmt::format("quantize it with `target` {}", target_.name)});
    return std::move(result_);
  }

 private:
  void count_conversions(const Graph& graph) {
    for (const Node* node : graph.nodes()) {
      if (!is_conversion(*node) || node->output(0) == nullptr) continue;
      ++result_.conversions;
      result_.converted += elements_of(*node->output(0)).value_or(0);
    }
  }

  bool reads(std::string_view form) const {
    const auto& forms = target_.accepts.forms;
    return std::find(forms.begin(), forms.end(), form) != forms.end();
  }

  void model_wide(const Violation& v) {
    NodeCheck entry{"", "", Verdict::misfit, v.reason, v.remedy};
    result_.model_wide.push_back(std::move(entry));
  }

  // The form that an operator of the model as given belongs to.
  static std::string_view form_of(const Node& node) {
    if (is_conversion(node)) return word_of(OutputForm::qdq);
    if (!is_integer_operator(node)) return "";
    if (!node.domain().empty()) return contrib_form;
    if (is_any(node, {"DynamicQuantizeLinear", "ConvInteger"})) return word_of(OutputForm::dynamic);
    return node.is("MatMulInteger") ? "" : word_of(OutputForm::qoperator);
  }

  void check_forms() {
    std::set<std::string_view> told;
    for (const Node* node : named_.graph().nodes()) {
      const std::string_view form = form_of(*node);
      // Weights alone are pairs without a QuantizeLinear; QOperator models have both.
      if (form.empty() || form == word_of(OutputForm::qdq) || reads(form) ||
          !told.insert(form).second)
        continue;
      model_wide({fmt::format("holds the {}: the target reads no operators of the form '{}'",
                              node->label(), form),
                  fmt::format("quantize with `target` {}", target_.name)});
    }
    if (named_.opset() < target_.opset && has_quantized_values(named_.graph()))
      model_wide(
          {fmt::format("has opset {}, the target wants {} or later", named_.opset(), target_.opset),
           "export or quantize it with a later opset"});
    if (target_.last_opset && named_.opset() > *target_.last_opset)
      model_wide({fmt::format("has opset {}, the target reads {} at most", named_.opset(),
                              *target_.last_opset),
                  "export the model with an earlier opset"});
    if (target_.last_ir && named_.ir_version() > *target_.last_ir)
      model_wide({fmt::format("has IR version {}, the target reads {} at most", named_.ir_version(),
                              *target_.last_ir),
                  "export the model with an earlier version of onnx, or set ir_version"});
    if (target_.fixed_shapes) check_shapes();
  }

  void check_shapes() {
    for (const Value* feed : named_.graph().feeds())
      if (!feed->dims() || !all_known(*feed->dims()))
        model_wide({fmt::format("input '{}' {} has lengths that are not known: the target runs "
                                "nothing of such a model",
                                feed->name(), feed->dims() ? to_string(*feed->dims()) : ""),
                    "quantize it with `batch` 1, or give `shape`"});
  }

  // Shape arithmetic has no float result; conversions of type are not worth a line.
  static bool computes(const Node& node) {
    if (first_output(node) == nullptr || node.is("Constant") || node.is("Shape") || node.is("Cast"))
      return false;
    const DType type = first_output(node)->dtype();
    return is_integer_operator(node) || is_float(type) || touches_codes(node) ||
           (type == DType::u8 || type == DType::s8);
  }

  void add(const Node& node) {
    NodeCheck entry{node.name(), node.op(), Verdict::integer, "", ""};
    weights_alone_ |= judge(node, target_, findings_, entry);
    entry.macs = macs_of(node);
    saturation(node, entry);
    measure(node, entry);
    if (entry.macs) result_.macs += *entry.macs;
    if (entry.macs && entry.verdict == Verdict::integer) result_.integer_macs += *entry.macs;
    result_.nodes.push_back(std::move(entry));
  }

  // A value that a QuantizeLinear alone reads is held in its codes.
  static DType held_as(const Value& value) {
    for (const Use& use : value.uses())
      if (!use.node->is("QuantizeLinear") || use.node->output(0) == nullptr) return value.dtype();
    return value.uses().empty() ? value.dtype() : value.uses().front().node->output(0)->dtype();
  }

  // What takes the result of a node that runs in integers on to its codes, as an activation does
  // that is computed with it; null: the result has codes of its own, or stays float.
  static const Node* continued_by(const Value& result) {
    if (!is_float(held_as(result)) || result.is_output() || result.uses().size() != 1)
      return nullptr;
    const Node& next = *result.uses().front().node;
    const bool unary = std::ranges::count_if(next.inputs(), [](const Value* input) {
                         return input != nullptr && !input->is_constant();
                       }) == 1;
    return unary && next.output(0) != nullptr && !is_float(held_as(*next.output(0))) ? &next
                                                                                     : nullptr;
  }

  void measure(const Node& node, NodeCheck& entry) {
    const Value& result = *first_output(node);
    const Node* next = entry.verdict == Verdict::integer ? continued_by(result) : nullptr;
    entry.shape = result.dims();
    entry.type = held_as(next != nullptr ? *next->output(0) : result);
    if (next != nullptr) in_place_.insert(next);
    if (!in_place_.contains(&node))
      entry.activation_bytes = bytes_of(elements_of(result).value_or(0), entry.type);
    for (const Value* input : node.inputs()) {
      const Node* codes = dequantizer(input);
      const Value* stored = codes != nullptr ? codes->input(0) : input;
      if (stored != nullptr && stored->is_constant())
        entry.weight_bytes += static_cast<std::int64_t>(stored->constant().bytes());
    }
  }

  static std::int64_t bytes_of(std::int64_t elements, DType type) {
    return type == DType::undefined || type == DType::string
               ? 0
               : (elements * static_cast<std::int64_t>(bits_of(type)) + 7) / 8;
  }

  void saturation(const Node& node, NodeCheck& entry) {
    const Node* weight = dequantizer(node.input(1));
    const Value* codes = weight != nullptr                ? weight->input(0)
                         : node.op().ends_with("Integer") ? node.input(1)
                                                          : nullptr;
    if (codes == nullptr || !codes->is_constant() || codes->constant().dtype() != DType::s8) return;
    const Saturation found = saturation_of(node, codes->constant());
    entry.pairs = found.pairs;
    entry.saturating_pairs = found.over;
    entry.saturating_channels = found.channels_over();
    if (!target_.saturating || found.over == 0 || entry.verdict != Verdict::integer) return;
    entry.verdict = Verdict::misfit;
    entry.reason =
        fmt::format("{} of {} pairs of products could saturate, in {} of {} channels", found.over,
                    found.pairs, entry.saturating_channels, found.worst.size());
    entry.remedy = fmt::format("quantize with `target` {}, or `reduce-range`", target_.name);
  }

  Model named_, pairs_;
  const Target& target_;
  NodeFindings findings_;
  bool weights_alone_ = false;
  std::set<const Node*> in_place_;  // their results take the place of what they read
  CheckResult result_;
};

}  // namespace

std::string_view name_of(Verdict verdict) {
  return verdict == Verdict::integer    ? "integer"
         : verdict == Verdict::floating ? "float"
                                        : "misfit";
}

bool CheckResult::fits() const {
  return model_wide.empty() && std::ranges::none_of(nodes, [](const NodeCheck& n) {
           return n.verdict == Verdict::misfit;
         });
}

bool has_free_axes(const CheckResult& result) {
  return std::ranges::any_of(result.nodes, [](const NodeCheck& node) {
    return node.shape && !node.shape->empty() &&
           !std::all_of(node.shape->begin() + 1, node.shape->end(),
                        [](const Dim& dim) { return dim.known(); });
  });
}

double predicted_gain(const CheckResult& result) {
  return 0.008 * static_cast<double>(result.integer_macs) -
         0.3 * static_cast<double>(result.converted) -
         1500.0 * static_cast<double>(result.conversions) -
         700.0 * static_cast<double>(result.count(Verdict::integer));
}

std::size_t CheckResult::count(Verdict verdict) const {
  return static_cast<std::size_t>(std::ranges::count(nodes, verdict, &NodeCheck::verdict));
}

CheckResult check_model(const Model& model, const Target& target) {
  return Checker(model, target).run();
}

}  // namespace intaglio
