#include "calibration/refine/channels.h"

#include <fmt/format.h>

#include <unordered_map>

#include "calibration/refine/layer.h"
#include "lib/base/error.h"

namespace intaglio {
namespace {

class Applying {
 public:
  Applying(Model& model, const std::vector<ChannelPlan>& channels) : graph_(model.graph()) {
    for (const ChannelPlan& plan : channels) {
      if (graph_.find(plan.name) == nullptr) refuse(plan, "which the model does not have");
      plans_[plan.name] = &plan;
    }
  }

  void run() {
    for (const Node* node : graph_.nodes()) {
      const ChannelPlan* read = plan_of(node->input(0));
      const ChannelPlan* made = plan_of(node->output(0));
      if (read == nullptr && made == nullptr) continue;
      const auto layer = layer_of(*node);
      if (!layer) continue;  // a change passes through it
      take_in(*layer, read, made);
    }
  }

 private:
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
  std::unordered_map<std::string, const ChannelPlan*> plans_;
};

}  // namespace

void apply_channels(Model& model, const std::vector<ChannelPlan>& channels) {
  Applying(model, channels).run();
}

}  // namespace intaglio
