#include "lib/check/judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/check/causes.h"
#include "lib/check/pairs.h"
#include "lib/graph/op_traits.h"
#include "lib/quant/form.h"
#include "lib/quant/fusion.h"
#include "lib/quant/kernel_limits.h"
#include "lib/quant/plan.h"

namespace intaglio {
namespace {

class Judge {
 public:
  Judge(const Target& target, const NodeFindings& findings)
      : target_(target), findings_(findings) {}

  // True: its weights alone are codes.
  bool run(const Node& node, NodeCheck& entry) {
    judge(node, entry);
    return weights_alone_;
  }

 private:
  using Reason = std::optional<FloatReason>;

  void judge(const Node& node, NodeCheck& entry) {
    if (holds_packed_codes(node)) return judge_packed(node, entry);
    const OpRule* rule = rule_of(node, target_);
    const Node* producer = fused_producer(node, target_);
    if (const std::string why = left_float(node, target_); !why.empty()) {
      const auto slow = slow_kernel(node, target_.engine);
      return say_left(entry, slow ? *slow : why, slow.has_value());
    }
    if (producer != nullptr && !left_float(*producer, target_).empty())
      return say_left(entry, "the operator it is fused into is float",
                      slow_kernel(*producer, target_.engine).has_value());
    const auto given = findings_.given_integer.find(node.name());
    const bool on_codes_already = given != findings_.given_integer.end();
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
    if (const std::string why = float_by_operands(node, *rule); !why.empty())
      return say(entry, Verdict::floating, fmt::format("{}; it {}", why, target_.fallback));
    if (in_small_product(node, target_))
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

  // Why the rule's operator runs in float with the operands of this node; empty: it does not.
  static std::string float_by_operands(const Node& node, const OpRule& rule) {
    const auto constant = [&](std::size_t i) {
      const Node* codes = dequantizer(node.input(i));
      const Value* value = codes != nullptr ? codes->input(0) : node.input(i);
      return value != nullptr && value->is_constant();
    };
    if (!rule.without_weights.empty() && !constant(0) && !constant(1)) return rule.without_weights;
    const Node* data = dequantizer(node.input(0));
    return data != nullptr && !zero_is_zero(*data) ? rule.float_off_zero : "";
  }

  void judge_packed(const Node& node, NodeCheck& entry) {
    weights_alone_ = true;
    const auto& forms = target_.accepts.forms;
    if (std::ranges::find(forms, word_of(OutputForm::matmulnbits)) == forms.end())
      return say(entry, Verdict::misfit,
                 fmt::format("the target reads no operators of the form '{}'",
                             word_of(OutputForm::matmulnbits)),
                 fmt::format("quantize with `target` {}", target_.name));
    if (node.op() != "MatMulNBits")
      return say(entry, Verdict::floating, "looks up codes, and dequantizes what it finds");
    if (node.attr_int("accuracy_level", 0) == 4) return;  // rounds its data to 8 bits
    say(entry, Verdict::floating,
        "multiplies floats with codes, as its accuracy_level is not 4: slow but for 4 bits");
  }

  // onnxruntime makes a MatMulNBits of a product with weights behind DequantizeLinear, and rounds its
  // data to 8 bits.
  bool becomes_packed(const Node& node) const {
    const IntegerDecision* own = decision(node.name());
    return target_.engine != Engine::pairs && own != nullptr && own->integer() &&
           traits_of(node).weights == WeightKind::product;
  }

  // Nodes whose weights are stored in fewer bits, and nothing else.
  bool judge_weights_alone(const Node& node, const OpRule* rule, NodeCheck& entry) {
    const DType half = half_weights(node);
    if (half == DType::undefined && !has_quantized_weights_alone(node)) return false;
    weights_alone_ = true;
    if (half == DType::undefined && becomes_packed(node)) return true;
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

  // What was decided about a node by name; nullopt in a value: it runs on integers.
  const IntegerDecision* decision(const std::string& name) const {
    const auto it = findings_.decisions.find(name);
    return it == findings_.decisions.end() ? nullptr : &it->second;
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

  const Target& target_;
  const NodeFindings& findings_;
  bool weights_alone_ = false;
};

}  // namespace

bool judge(const Node& node, const Target& target, const NodeFindings& findings, NodeCheck& entry) {
  return Judge(target, findings).run(node, entry);
}

}  // namespace intaglio
