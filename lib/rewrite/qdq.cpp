#include "lib/rewrite/qdq.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/quant/array.h"
#include "lib/rewrite/constants.h"
#include "lib/rewrite/weights.h"

namespace intaglio {
namespace {

class QdqWriter {
 public:
  QdqWriter(Model& model, const Plan& plan) : graph_(model.graph()), plan_(plan) {}

  std::map<std::string, std::string> run() {
    for (const NodePlan& node : plan_.nodes)
      if (node.quantized) store_constants(node);
    for (const ActivationPlan& activation : plan_.activations) insert_pair(activation);
    return std::move(dequantized_);
  }

 private:
  // The initializers of one group of activations, shared by all of its pairs.
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

  Shared& shared_of(const ActivationPlan& activation) {
    const auto it = shared_.find(activation.group);
    if (it != shared_.end()) return it->second;
    Value& scale =
        graph_.add_constant(activation.group + "_scale", scale_tensor(activation.params));
    Value& zero =
        graph_.add_constant(activation.group + "_zero_point", zero_point_tensor(activation.params));
    return shared_[activation.group] = {&scale, &zero};
  }

  void insert_pair(const ActivationPlan& activation) {
    Value& value = value_of(activation.name);
    const Shared params = shared_of(activation);
    Value* before = &value;  // what the producer makes
    Value* after = nullptr;  // what the readers read
    if (value.is_output() && value.producer() != nullptr) {
      after = &value;
      before = &graph_.add_value(activation.name + "_float", value.dtype(), value.dims());
      Node& producer = *value.producer();
      const auto outputs = producer.outputs();
      const auto at = std::find(outputs.begin(), outputs.end(), &value) - outputs.begin();
      graph_.set_output(producer, static_cast<std::size_t>(at), *before);
    } else {
      after = &graph_.add_value(activation.name + "_dequantized", value.dtype(), value.dims());
      redirect(value, *after);
    }
    Value& codes =
        graph_.add_value(activation.name + "_quantized", activation.params.type, value.dims());
    graph_.add_node("QuantizeLinear", activation.name + "_QuantizeLinear",
                    {before, params.scale, params.zero_point}, {&codes});
    graph_.add_node("DequantizeLinear", activation.name + "_DequantizeLinear",
                    {&codes, params.scale, params.zero_point}, {after});
    dequantized_[activation.name] = after->name();
  }

  // What a node makes on codes, everybody reads rounded: runtimes merge the node with the pair.
  // What is a float anyway stays one for those that read floats.
  void redirect(Value& value, Value& rounded) {
    if (value.producer() != nullptr && quantized_.contains(value.producer()))
      return graph_.replace_uses(value, rounded);
    const std::vector<Use> uses(value.uses().begin(), value.uses().end());
    for (const Use& use : uses)
      if (quantized_.contains(use.node)) graph_.set_input(*use.node, use.index, &rounded);
  }

  void store_constants(const NodePlan& plan) {
    Node& node = planned_node(graph_, plan);
    quantized_.insert(&node);
    store_weights(node, plan);
    if (!plan.bias) return;
    const Tensor bias = planned_constant(graph_, plan.bias->name);
    const float input_scale = plan_.find(node.input(0)->name())->params.scale.front();
    const QuantizedBias quantized = quantize_bias(bias, input_scale, plan.constants.front().params);
    replace_constant(node, plan.bias->input, plan.bias->name, quantized.codes, quantized.params);
  }

  Graph& graph_;
  const Plan& plan_;
  std::set<const Node*> quantized_;
  std::map<std::string, Shared> shared_;
  std::map<std::string, std::string> dequantized_;
};

}  // namespace

std::map<std::string, std::string> write_qdq(Model& model, const Plan& plan) {
  require_opset(model, plan);
  auto dequantized = QdqWriter(model, plan).run();
  model.graph().verify();
  return dequantized;
}

}  // namespace intaglio
