#include "calibration/refine/channels.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "calibration/refine/carrier.h"
#include "calibration/refine/gate.h"
#include "lib/base/error.h"

namespace intaglio {
namespace {

constexpr const char* carries = "scales the channels of what the layers behind it read";

class Applying {
 public:
  Applying(Model& model, const std::vector<ChannelPlan>& channels) : graph_(model.graph()) {
    for (const ChannelPlan& plan : channels) {
      if (graph_.find(plan.name) == nullptr) refuse(plan, "which the model does not have");
      (plan.copied ? copied_ : plans_)[plan.name] = &plan;
    }
  }

  std::map<std::string, std::string> run() {
    const std::vector<Node*> nodes = graph_.nodes();  // without those that are added
    for (const auto& [name, plan] : copied_) copy(*graph_.find(name), *plan);
    for (Node* node : nodes) {
      const ChannelPlan* read = plan_of(node->input(0));
      const ChannelPlan* made = plan_of(node->output(0));
      if (read == nullptr && made == nullptr) continue;
      if (const auto layer = layer_of(*node)) {
        take_in(*layer, read, made);
      } else if (const auto carrier = made == nullptr ? std::nullopt : carrier_of(*node)) {
        take_up(*node, *carrier, *made);
      } else if (read != nullptr && gated_by(*node) != nullptr) {
        take_back(*node, *read);
      }  // else a change passes through it
    }
    return std::move(carriers_);
  }

 private:
  void copy(Value& value, const ChannelPlan& plan) {
    const std::vector<Layer> readers = readers_of_copy(graph_, value);
    if (readers.empty()) refuse(plan, "which no MatMul or Gemm reads");
    if (plan.scale.empty() || !plan.shift.empty()) refuse(plan, "of which a copy has scales alone");
    require(&plan, readers.front().inputs);
    const auto channels = static_cast<std::int64_t>(plan.scale.size());
    Value& scaled =
        multiplied(value, Tensor::of<float>({channels}, plan.scale), "scale", "migration");
    const std::vector<Use> uses = value.uses();
    for (const Use& use : uses)
      if (use.index == 0 && std::ranges::find(readers, use.node, &Layer::node) != readers.end())
        graph_.set_input(*use.node, 0, &scaled);
    plans_[scaled.name()] = &plan;
    carriers_.emplace(scaled.name(), carries);
  }

  void take_up(Node& node, const Carrier& carrier, const ChannelPlan& made) {
    if (!made.shift.empty() || made.scale.empty())
      refuse(made, "whose maker takes up scales alone");
    if (carrier.channels != 0) require(&made, carrier.channels);
    scale_constants(node, carrier, made.scale);
    carriers_.emplace(node.output(0)->name(), carries);
  }

  void take_back(Node& gate, const ChannelPlan& read) {
    if (!read.shift.empty() || read.scale.empty()) refuse(read, "whose gate takes scales alone");
    Value& x = *gate.input(0);
    const Layer maker = *layer_of(*x.producer());  // whose result has as many axes as its weights,
    const int behind = maker.axis < 0 ? 1 : maker.weights->constant().rank() - maker.axis;
    Shape shape(static_cast<std::size_t>(std::max(behind, 1)), 1);  // or its channels last
    shape.front() = static_cast<std::int64_t>(read.scale.size());
    std::vector<float> back;
    for (const float s : read.scale) back.push_back(1 / s);
    graph_.set_input(gate, 0, &multiplied(x, Tensor::of<float>(shape, back), "unscale", "gate"));
  }

  // By a new Mul, with names made from that of the value.
  Value& multiplied(Value& x, Tensor factor, const std::string& verb, const std::string& node) {
    Value& constant = graph_.add_constant(x.name() + "_" + verb, std::move(factor));
    Value& result = graph_.add_value(x.name() + "_" + verb + "d", x.dtype(), x.dims());
    graph_.add_node("Mul", x.name() + "_" + node, {&x, &constant}, {&result});
    return result;
  }

  const ChannelPlan* plan_of(const Value* value) const {
    if (value == nullptr) return nullptr;
    const auto it = plans_.find(value->name());
    return it == plans_.end() ? nullptr : it->second;
  }

  [[noreturn]] static void refuse(const ChannelPlan& plan, const char* what) {
    throw Error(Code::config, fmt::format("the plan changes channels of '{}', {}", plan.name, what),
                "Use the model that the plan was made for.");
  }

  static void require(const ChannelPlan* plan, std::size_t channels) {
    if (plan == nullptr) return;
    for (const auto* numbers : {&plan->shift, &plan->scale})
      if (!numbers->empty() && numbers->size() != channels) refuse(*plan, "of another length");
  }

  static float at(const ChannelPlan* plan, std::vector<float> ChannelPlan::*numbers, std::size_t i,
                  float otherwise) {
    return plan == nullptr || (plan->*numbers).empty() ? otherwise : (plan->*numbers)[i];
  }

  static void take_in(const Layer& layer, const ChannelPlan* read, const ChannelPlan* made) {
    require(read, layer.inputs);
    require(made, layer.outputs);
    const bool shifts = (read && !read->shift.empty()) || (made && !made->shift.empty());
    if (shifts && layer.bias == nullptr)
      refuse(read ? *read : *made, "beside a layer without a bias");
    Tensor weights = layer.weights->constant();
    Tensor bias = layer.bias ? layer.bias->constant() : Tensor(DType::f32, {0});
    const auto w = weights.mutate<float>(), b = bias.mutate<float>();
    for (std::size_t o = 0; o < layer.outputs; ++o) {
      const float scale = at(made, &ChannelPlan::scale, o, 1);
      double moved = -static_cast<double>(at(made, &ChannelPlan::shift, o, 0));
      for (std::size_t i = 0; i < layer.inputs_per_group(); ++i) {
        const std::size_t input = layer.group_of(o) * layer.inputs_per_group() + i;
        const float m = at(read, &ChannelPlan::shift, input, 0);
        const float factor = scale / at(read, &ChannelPlan::scale, input, 1);
        for (std::size_t k = 0; k < layer.kernel; ++k) {
          float& weight = w[layer.index(o, i, k)];
          moved += static_cast<double>(weight) * static_cast<double>(m);
          weight *= factor;
        }
      }
      if (!b.empty())
        b[o] = static_cast<float>((static_cast<double>(b[o]) + moved) * static_cast<double>(scale));
    }
    layer.weights->set_constant(std::move(weights));
    if (layer.bias) layer.bias->set_constant(std::move(bias));
  }

  Graph& graph_;
  std::map<std::string, const ChannelPlan*> plans_;   // by value
  std::map<std::string, const ChannelPlan*> copied_;  // the same, of what is copied
  std::map<std::string, std::string> carriers_;
};

}  // namespace

std::vector<Layer> readers_of_copy(const Graph& graph, const Value& value) {
  std::vector<Layer> readers;
  for (const Node* node : graph.nodes()) {
    if (node->input(0) != &value || !(node->is("MatMul") || node->is("Gemm"))) continue;
    const auto layer = layer_of(*node);
    if (layer && (readers.empty() || readers.front().inputs == layer->inputs))
      readers.push_back(*layer);
  }
  return readers;
}

std::map<std::string, std::string> apply_channels(Model& model,
                                                  const std::vector<ChannelPlan>& channels) {
  return Applying(model, channels).run();
}

}  // namespace intaglio
