#include "lib/rewrite/qdq.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/graph/op_traits.h"
#include "lib/quant/array.h"
#include "lib/quant/weights.h"
#include "lib/quant/wide_activations.h"
#include "lib/rewrite/constants.h"
#include "lib/rewrite/float_kept.h"
#include "lib/rewrite/weights.h"

namespace intaglio {
namespace {

class QdqWriter {
 public:
  QdqWriter(Model& model, const Plan& plan, bool float_results)
      : graph_(model.graph()), plan_(plan), float_results_(float_results) {}

  std::map<std::string, std::string> run() {
    for (const NodePlan& node : plan_.nodes)
      if (node.quantized) store_constants(node);
    for (const ActivationPlan& activation : plan_.activations) insert_pair(activation);
    return std::move(dequantized_);
  }

  const std::set<const Node*>& quantized_nodes() const { return quantized_; }

 private:
  // The initializers of one group of activations, shared by all of its pairs of one width.
  struct Shared {
    Value *scale, *zero_point;
  };

  Value& value_of(const std::string& name) const {
    Value* value = graph_.find(name);
    if (value == nullptr)
      throw Error(Code::config,
                  fmt::format("the plan speaks of value '{}', which the model lacks", name),
                  "Use a plan that was made for this model.");
    return *value;
  }

  Shared& shared_of(const std::string& group, const QParams& params) {
    const auto it = shared_.find(group);
    if (it != shared_.end()) return it->second;
    Value& scale = graph_.add_constant(name_stem(group) + "_scale", scale_tensor(params));
    Value& zero = graph_.add_constant(name_stem(group) + "_zero_point", zero_point_tensor(params));
    return shared_[group] = {&scale, &zero};
  }

  Value& add_dequantized(const std::string& name, const Value& like) {
    return graph_.add_value(name_stem(name) + "_dequantized", like.dtype(), like.dims());
  }

  // From `before` to `after`. Returns the QuantizeLinear.
  Node& add_pair(const std::string& name, const std::string& group, const QParams& params,
                 Value& before, Value& after) {
    const Shared shared = shared_of(group, params);
    const std::string stem = name_stem(name);
    Value& codes = graph_.add_value(stem + "_quantized", params.type, before.dims());
    Node& quantize = graph_.add_node("QuantizeLinear", stem + "_QuantizeLinear",
                                     {&before, shared.scale, shared.zero_point}, {&codes});
    graph_.add_node("DequantizeLinear", stem + "_DequantizeLinear",
                    {&codes, shared.scale, shared.zero_point}, {&after});
    return quantize;
  }

  void insert_pair(const ActivationPlan& activation) {
    if (dequantized_.contains(activation.name)) return;  // found in a table of codes
    Value& value = value_of(activation.name);
    Value* before = &value;  // what the producer makes
    Value* after = nullptr;  // what the readers read
    Node* producer = value.producer();
    if (value.is_output() && producer != nullptr) {
      after = &value;
      before =
          &graph_.add_value(name_stem(activation.name) + "_float", value.dtype(), value.dims());
      const auto outputs = producer->outputs();
      const auto at = std::find(outputs.begin(), outputs.end(), &value) - outputs.begin();
      graph_.set_output(*producer, static_cast<std::size_t>(at), *before);
    } else {
      after = &add_dequantized(activation.name, value);
      redirect(value, *after);
    }
    Node& quantize =
        add_pair(activation.name, activation.group, activation.params, *before, *after);
    dequantized_[activation.name] = after->name();
    if (!is_wide(activation.params.type))
      insert_raised_pair(activation, raised_.contains(producer), quantize, *after);
  }

  // Between a pair of 8 bits and the raised nodes that make the value or read it.
  void insert_raised_pair(const ActivationPlan& activation, bool made, Node& quantize,
                          Value& after) {
    std::vector<Use> readers;
    for (const Use& use : after.uses())
      if (raised_.contains(use.node)) readers.push_back(use);
    if (!made && readers.empty()) return;
    const std::string name = activation.name + "_raised";
    Value& before = made ? *quantize.input(0) : after;
    Value& wide = add_dequantized(name, after);
    add_pair(name, activation.group + "_raised", raised_params(activation.params), before, wide);
    if (made) graph_.set_input(quantize, 0, &wide);
    for (const Use& use : readers) graph_.set_input(*use.node, use.index, &wide);
  }

  // What a node makes on codes, everybody reads rounded: runtimes merge the node with the pair.
  // What is a float anyway stays one for those that read floats.
  void redirect(Value& value, Value& rounded) {
    if (!float_results_ && value.producer() != nullptr && quantized_.contains(value.producer()))
      return graph_.replace_uses(value, rounded);
    const std::vector<Use> uses(value.uses().begin(), value.uses().end());
    for (const Use& use : uses)
      if (quantized_.contains(use.node)) graph_.set_input(*use.node, use.index, &rounded);
  }

  void store_constants(const NodePlan& plan) {
    Node& node = planned_node(graph_, plan);
    if (!computes_in_float(node)) quantized_.insert(&node);
    if (plan.raised) raised_.insert(&node);
    store_weights(node, plan);
    if (traits_of(node).weights == WeightKind::table)
      for (const ConstantPlan& table : plan.constants)
        if (!table.group.empty()) dequantized_[plan.output] = plan.output;
    const std::optional<QuantizedBias> bias = planned_bias(node, plan, plan_);
    if (!bias) return;
    replace_constant(node, plan.bias->input, plan.bias->name, bias->codes, bias->params);
  }

  Graph& graph_;
  const Plan& plan_;
  const bool float_results_;
  std::set<const Node*> quantized_, raised_;
  std::map<std::string, Shared> shared_;
  std::map<std::string, std::string> dequantized_;
};

}  // namespace

std::optional<QuantizedBias> planned_bias(const Node& node, const NodePlan& entry,
                                          const Plan& plan) {
  if (!entry.has_integer_bias()) return std::nullopt;
  const Tensor& bias = planned_constant(node, entry.bias->input, entry.bias->name);
  const ActivationPlan* read = plan.find(node.input(0)->name());
  if (read == nullptr || entry.constants.empty())
    throw Error(Code::config,
                fmt::format("plan: the bias of {} is quantized, but its {} no scale", node.label(),
                            read == nullptr ? "data has" : "weights have"),
                "Leave the bias float in the plan, or make the plan anew (`save-plan`).");
  return quantize_bias(bias, scale_read(entry, *read), entry.constants.front().params);
}

std::map<std::string, std::string> write_qdq(Model& model, const Plan& plan,
                                             const QdqOptions& options) {
  require_opset(model, plan);
  QdqWriter writer(model, plan, options.float_results);
  auto dequantized = writer.run();
  if (options.floats_kept) keep_float(model, writer.quantized_nodes());
  model.graph().verify();
  return dequantized;
}

}  // namespace intaglio
