#include "lib/check/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "lib/check/kernel_types.h"
#include "lib/check/pairs.h"
#include "lib/check/schemes.h"
#include "lib/exec/infer.h"
#include "lib/graph/macs.h"
#include "lib/graph/op_traits.h"
#include "lib/graph/ops.h"
#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/quant/form.h"
#include "lib/quant/fusion.h"
#include "lib/quant/kernel_limits.h"
#include "lib/quant/plan.h"
#include "lib/quant/saturation.h"
#include "lib/quant/wide_activations.h"
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
      if (is_integer_operator(*node)) given_integer_[node->name()] = kernel_violation(*node);
    expand_integer_operators(pairs_);
    infer_types(pairs_);
    drop_whole_slices(pairs_.graph());
    Model fused = pairs_.clone();
    const auto form =
        fuse_integers(fused, {.signed_activations = target.engine == Engine::onnxruntime_arm});
    for (const IntegerDecision& d : form.nodes) decisions_.insert_or_assign(d.node, d);
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
    judge(node, entry);
    entry.macs = macs_of(node);
    saturation(node, entry);
    if (entry.macs) result_.macs += *entry.macs;
    if (entry.macs && entry.verdict == Verdict::integer) result_.integer_macs += *entry.macs;
    result_.nodes.push_back(std::move(entry));
  }

  void say(NodeCheck& entry, Verdict verdict, std::string reason, std::string remedy = "") {
    entry.verdict = verdict;
    entry.reason = std::move(reason);
    entry.remedy = std::move(remedy);
  }

  // Somebody left it float, for speed or for reasons of their own.
  void say_left(NodeCheck& entry, const std::string& why, bool for_speed) {
    say(entry, Verdict::floating, fmt::format("{}; it {}", why, target_.fallback),
        for_speed ? "" : "quantize it, if it was left out by mistake");
  }

  void judge(const Node& node, NodeCheck& entry) {
    const OpRule* rule = rule_of(node, target_);
    const Node* producer = fused_producer(node, target_);
    if (const std::string why = left_float(node); !why.empty()) {
      const auto slow = slow_kernel(node, target_.engine);
      return say_left(entry, slow ? *slow : why, slow.has_value());
    }
    if (producer != nullptr && !left_float(*producer).empty())
      return say_left(entry, "the operator it is fused into is float",
                      slow_kernel(*producer, target_.engine).has_value());
    const auto given = given_integer_.find(node.name());
    const bool on_codes_already = given != given_integer_.end();
    if (on_codes_already && given->second && target_.engine != Engine::pairs)
      return say(entry, Verdict::misfit, given->second.reason, given->second.remedy);
    if (const Violation broken = scheme_violation(node, target_);
        broken && (rule || on_codes_already))
      return say(entry, Verdict::misfit, broken.reason, broken.remedy);
    if (on_codes_already) return;
    const DType type = first_output(node)->dtype();
    if (!touches_codes(node) && (type == DType::u8 || type == DType::s8)) return;  // moves codes
    if (adds_product_bias(node))
      return say(
          entry, Verdict::floating,
          fmt::format("adds the bias of the product before it; where that stays a MatMul it {}",
                      target_.fallback));
    if (judge_weights_alone(node, rule, entry)) return;
    if (scales_table(node)) {
      weights_alone_ = true;
      return say(entry, Verdict::floating,
                 fmt::format("scales what was looked up in codes; it {}", target_.fallback));
    }
    if (rule == nullptr)
      return say(entry, Verdict::floating,
                 fmt::format("the target has no integer {}; it {}", node.op(), target_.fallback));
    if (!rule->float_because.empty())
      return say(entry, Verdict::floating,
                 fmt::format("{}; it {}", rule->float_because, target_.fallback));
    if (in_small_product(node))
      return say(entry, Verdict::floating,
                 fmt::format("few products a result, which integers would hardly speed up; it {}",
                             target_.fallback));
    if (!touches_codes(node) && !on_codes(producer))
      return say(entry, Verdict::floating, fmt::format("is not quantized; it {}", target_.fallback),
                 "quantize it, if it was left out by mistake");
    const IntegerDecision* own = decision(node.name());
    if (const auto fault = kernel_fault(node, target_.engine);
        fault && own != nullptr && own->integer())
      return say(entry, Verdict::misfit, *fault, fmt::format("leave {} float", node.op()));
    if (const Reason reason = refused(node)) unfit(node, *rule, *reason, entry);
  }

  // A convolution that the target leaves in float with its activation, that activation, or a pool
  // between the two.
  bool in_small_product(const Node& node) const {
    const Node* producer = fused_producer(node, target_);
    const Value* pooled = node.is("MaxPool") ? node.input(0) : nullptr;
    if (producer == nullptr) producer = pooled != nullptr ? pooled->producer() : &node;
    const Node* activation = producer != nullptr ? fused_activation(*producer, target_) : nullptr;
    return activation != nullptr && fused_in_float(*producer, *activation, target_);
  }

  static bool adds_product_bias(const Node& node) {
    return std::ranges::any_of(node.inputs(), [&](const Value* input) {
      const Node* conversion = dequantizer(input);
      return conversion != nullptr && adds_bias(node, *conversion);
    });
  }

  // Nodes whose weights are stored in fewer bits, and nothing else.
  bool judge_weights_alone(const Node& node, const OpRule* rule, NodeCheck& entry) {
    const DType half = half_weights(node);
    if (half == DType::undefined && !has_quantized_weights_alone(node)) return false;
    weights_alone_ = true;
    const auto& types = target_.accepts.weights;
    if (half != DType::undefined && std::find(types.begin(), types.end(), half) == types.end()) {
      say(entry, Verdict::misfit,
          fmt::format("its weights are {}, which the target does not take", name_of(half)),
          fmt::format("quantize with `target` {}", target_.name));
    } else {
      say(entry, Verdict::floating,
          fmt::format("its weights alone are {}; it {}",
                      half == DType::undefined ? "quantized" : name_of(half), target_.fallback),
          rule != nullptr && rule->role != Role::weights ? "quantize its data too (`format qdq`)"
                                                         : "");
    }
    return true;
  }

  // Nobody can run a product with constant floats on codes, nor one with weights that are computed
  // in float: somebody chose not to. Empty: nobody did.
  std::string left_float(const Node& node) const {
    const OpRule* rule = rule_of(node, target_);
    const Value *data = node.input(0), *weights = node.input(1);
    if (rule == nullptr || rule->role != Role::compute || data == nullptr || weights == nullptr)
      return "";
    const auto is_float = [](const Value* v) { return v->dtype() == DType::f32; };
    if (weights->is_constant() && is_float(weights)) return "its weights are float";
    const Node* dequantize = dequantizer(weights);
    if (dequantize != nullptr && dequantize->input(0)->is_constant()) return "";
    if (data->is_constant() && is_float(data)) return "its data is a float constant";
    const bool computed = weights->producer() != nullptr && dequantize == nullptr;
    if (!node.is("MatMul") && computed && is_float(weights) &&
        half_weights(node) == DType::undefined)
      return "its weights are computed in float";
    return "";
  }

  // Whether what an activation is fused into is quantized.
  static bool on_codes(const Node* producer) {
    return producer != nullptr && touches_codes(*producer) &&
           !has_quantized_weights_alone(*producer);
  }

  using Reason = std::optional<FloatReason>;

  // What was decided about a node by name; nullopt in a value: it runs on integers.
  const IntegerDecision* decision(const std::string& name) const {
    const auto it = decisions_.find(name);
    return it == decisions_.end() ? nullptr : &it->second;
  }
  static Reason reason_of(const IntegerDecision& d) {
    return d.integer() ? Reason() : FloatReason(d.why, d.reason);
  }

  // Why the target does not run a quantized node in integers; nullopt: it does.
  Reason refused(const Node& node) const {
    if (target_.engine == Engine::pairs) return refuse_pairs(node, target_);
    const Node* producer = traits_of(node).clips ? node.input(0)->producer() : nullptr;
    const IntegerDecision* before =
        producer != nullptr && !is_conversion(*producer) ? decision(producer->name()) : nullptr;
    if (const IntegerDecision* own = decision(node.name())) {
      // A Relu or Clip that went with the operator before it has no decision of its own.
      return reason_of(own->integer() || before == nullptr ? *own : *before);
    }
    if (before != nullptr) return reason_of(*before);
    if (!touches_codes(node)) return std::nullopt;
    return FloatReason(Why::no_form, "there is no integer form of it");
  }

  // Arithmetic on what somebody left float, constants included; anything that reads through a Max
  // of one operand, which is there for that (lib/rewrite/float_kept.h).
  static bool reads_what_is_float(const Node& node, const OpRule& rule) {
    return std::ranges::any_of(node.inputs(), [&](const Value* v) {
      const Node* maker = v != nullptr ? v->producer() : nullptr;
      if (maker != nullptr && maker->is("Max") && maker->inputs().size() == 1) return true;
      if (v == nullptr || rule.role == Role::compute) return false;
      return v->is_constant() ? v->dtype() == DType::f32
                              : maker != nullptr && !is_conversion(*maker);
    });
  }

  // Codes of 16 bits, which the target takes, or scheme_violation() would have said so.
  static bool reads_wide_codes(const Node& node) {
    return std::ranges::any_of(node.inputs(), [](const Value* v) {
      const Node* conversion = dequantizer(v);
      const Value* zero = conversion != nullptr ? conversion->input(2) : nullptr;
      return zero != nullptr && is_wide(zero->dtype());
    });
  }

  static bool reads_table(const Node& node) {
    return std::ranges::any_of(node.inputs(), [](const Value* v) {
      const Node* conversion = dequantizer(v);
      return conversion != nullptr && dequantizes_table(*conversion);
    });
  }

  void unfit(const Node& node, const OpRule& rule, const FloatReason& reason, NodeCheck& entry) {
    // Arithmetic on values is as well in float where its result goes on in float.
    const bool helps_nobody = rule.role != Role::compute && !makes_codes(node);
    const bool by_choice =
        (reason.why == Why::result_float && (rule.float_output || helps_nobody)) ||
        rule.role == Role::share ||  // costs nothing in float
        (reason.why == Why::input_float && helps_nobody) || reads_what_is_float(node, rule) ||
        reads_table(node) || reads_wide_codes(node) || reason.why == Why::no_form;
    say(entry, by_choice ? Verdict::floating : Verdict::misfit,
        by_choice ? fmt::format("{}; it {}", reason.text, target_.fallback) : reason.text,
        by_choice ? "" : remedy_for(node, reason.why));
  }

  static std::string remedy_for(const Node& node, Why why) {
    switch (why) {
      case Why::input_float:
        return "put a QuantizeLinear - DequantizeLinear pair on that input, or quantize what makes "
               "it";
      case Why::scales_differ:
        return "give its input and result one scale and zero point";
      case Why::beyond_bounds:
        return "use asymmetric activations, and a range that ends at the bounds";
      case Why::result_float:
        return "put a QuantizeLinear - DequantizeLinear pair on its result";
      case Why::signed_data:
        return "use `activations u8`";
      case Why::bias:
        return "give its bias the scale of input times weight";
      case Why::none:
      case Why::no_form:
      case Why::other:
        break;
    }
    return fmt::format("quantize {} as this tool does for the target", node.op());
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
    if (target_.saturating && found.over > 0 && entry.verdict == Verdict::integer)
      say(entry, Verdict::misfit,
          fmt::format("{} of {} pairs of products could saturate, in {} of {} channels", found.over,
                      found.pairs, entry.saturating_channels, found.worst.size()),
          fmt::format("quantize with `target` {}, or `reduce-range`", target_.name));
  }

  Model named_, pairs_;
  const Target& target_;
  std::map<std::string, Violation> given_integer_;  // operators on codes, and what they lack
  std::map<std::string, IntegerDecision> decisions_;
  bool weights_alone_ = false;
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
