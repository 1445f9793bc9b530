#include "lib/rewrite/qdq.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/quant/array.h"

namespace intaglio {
namespace {

Tensor zero_point_tensor(const QParams& params) {
  const Tensor wide = params.axis ? Tensor::vector(params.zero_point)
                                  : Tensor::scalar<std::int32_t>(params.zero_point.front());
  return convert(wide, params.type);
}

Tensor scale_tensor(const QParams& params) {
  return params.axis ? Tensor::vector(params.scale) : Tensor::scalar<float>(params.scale.front());
}

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
      throw Error(Code::config, fmt::format("the plan speaks of value '{}', which the model lacks", name),
                  "Use a plan that was made for this model.");
    return *value;
  }

  Shared& shared_of(const ActivationPlan& activation) {
    const auto it = shared_.find(activation.group);
    if (it != shared_.end()) return it->second;
    Value& scale = graph_.add_constant(activation.group + "_scale", scale_tensor(activation.params));
    Value& zero = graph_.add_constant(activation.group + "_zero_point", zero_point_tensor(activation.params));
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
      graph_.replace_uses(value, *after);
    }
    Value& codes = graph_.add_value(activation.name + "_quantized", activation.params.type, value.dims());
    graph_.add_node("QuantizeLinear", activation.name + "_QuantizeLinear",
                    {before, params.scale, params.zero_point}, {&codes});
    graph_.add_node("DequantizeLinear", activation.name + "_DequantizeLinear",
                    {&codes, params.scale, params.zero_point}, {after});
    dequantized_[activation.name] = after->name();
  }

  void store_constants(const NodePlan& plan) {
    Value& output = value_of(plan.output);
    if (output.producer() == nullptr)
      throw Error(Code::config, fmt::format("the plan speaks of a node making '{}'", plan.output));
    Node& node = *output.producer();
    for (const ConstantPlan& constant : plan.constants) {
      const Tensor codes = quantize(value_of(constant.name).constant(), constant.params, constant.scheme);
      replace_constant(node, constant.input, constant.name, codes, constant.params);
    }
    if (!plan.bias) return;
    const Tensor& bias = value_of(plan.bias->name).constant();
    const float input_scale = plan_.find(node.input(0)->name())->params.scale.front();
    const QuantizedBias quantized = quantize_bias(bias, input_scale, plan.constants.front().params);
    replace_constant(node, plan.bias->input, plan.bias->name, quantized.codes, quantized.params);
  }

  // The node reads DequantizeLinear(codes) instead of the float constant.
  void replace_constant(Node& node, std::size_t input, const std::string& name, const Tensor& codes,
                        const QParams& params) {
    Value& old = *node.input(input);
    Value& stored = graph_.add_constant(name + "_quantized", codes);
    std::vector<Value*> inputs = {&stored, &graph_.add_constant(name + "_scale", scale_tensor(params))};
    // int32 has no zero point: the standard wants it to be absent or zero.
    if (params.type != DType::s32)
      inputs.push_back(&graph_.add_constant(name + "_zero_point", zero_point_tensor(params)));
    Value& real = graph_.add_value(name + "_dequantized", DType::f32, stored.dims());
    Node& dq = graph_.add_node("DequantizeLinear", name + "_DequantizeLinear", inputs, {&real});
    if (params.axis && *params.axis != 1) dq.set_attr("axis", std::int64_t{*params.axis});
    graph_.set_input(node, input, &real);
    if (old.uses().empty() && !old.is_output()) graph_.erase(old);
  }

  Graph& graph_;
  const Plan& plan_;
  std::map<std::string, Shared> shared_;
  std::map<std::string, std::string> dequantized_;
};

void require_opset(const Model& model, const Plan& plan) {
  const auto needs_21 = [](const Scheme& s) { return s.type == DType::u16 || s.type == DType::s16; };
  bool wide = std::any_of(plan.activations.begin(), plan.activations.end(),
                          [&](const auto& a) { return needs_21(a.scheme); });
  for (const NodePlan& node : plan.nodes)
    for (const ConstantPlan& constant : node.constants) wide |= needs_21(constant.scheme);
  if (wide && model.opset() < 21)
    throw Error(Code::config,
                fmt::format("16-bit QuantizeLinear needs opset 21, the model has {}", model.opset()),
                "Use u8 or s8, or export the model with opset 21.");
}

}  // namespace

std::map<std::string, std::string> write_qdq(Model& model, const Plan& plan) {
  require_opset(model, plan);
  auto dequantized = QdqWriter(model, plan).run();
  model.graph().verify();
  return dequantized;
}

}  // namespace intaglio
