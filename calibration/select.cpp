#include "calibration/select.h"

#include <fmt/format.h>

#include <unordered_map>

#include "lib/quant/array.h"

namespace intaglio {
namespace {

class Selecting {
 public:
  Selecting(Plan& plan, const Graph& graph, const Observations& observations, const Method& method,
            double min_range)
      : plan_(plan),
        graph_(graph),
        observations_(observations),
        method_(method),
        min_range_(min_range) {}

  void run() {
    for (ActivationPlan& activation : plan_.activations) add_to_group(activation);
    for (const NodePlan& node : plan_.nodes)
      for (const ConstantPlan& constant : node.constants)
        if (!constant.group.empty()) widen(constant.group, exact_range(constant.name));
    for (ActivationPlan& activation : plan_.activations) avoid_ties(activation);
    for (ActivationPlan& activation : plan_.activations) {
      activation.range = groups_.at(activation.group);
      activation.params =
          choose_qparams(std::span(&activation.range, 1), activation.scheme, min_range_);
      params_[activation.name] = &activation.params;
    }
    for (NodePlan& node : plan_.nodes) choose_constants(node);
  }

 private:
  void warn(std::string text) { plan_.warnings.push_back(std::move(text)); }

  void widen(const std::string& group, const Range& range) {
    const auto [it, fresh] = groups_.try_emplace(group, range);
    if (!fresh) it->second = join(it->second, range);
  }

  Range exact_range(const std::string& constant) const {
    return ranges_of(graph_.find(constant)->constant(), std::nullopt).front();
  }

  void add_to_group(ActivationPlan& activation) {
    const auto it = observations_.values.find(activation.name);
    const Statistics seen = it == observations_.values.end() ? Statistics{} : it->second;
    if (seen.nans + seen.infs > 0)
      warn(fmt::format("value '{}': {} NaN and {} infinite of {} values were left out of its range",
                       activation.name, seen.nans, seen.infs, seen.count));
    if (seen.finite() == 0) {
      activation.notes.emplace_back("never observed");
      warn(fmt::format(
          "value '{}': no finite value was observed; it is quantized as if it were zero",
          activation.name));
      return widen(activation.group, {0, 0});
    }
    if (seen.min == 0 && seen.max == 0) {
      activation.notes.emplace_back("dead");
      warn(fmt::format("value '{}': is zero in every sample", activation.name));
    }
    widen(activation.group, method_.selector(seen, activation.scheme));
  }

  // An input of few distinct values leads its group: what shares its parameters only moves it about.
  void avoid_ties(ActivationPlan& activation) {
    const auto it = observations_.inputs.find(activation.name);
    if (it == observations_.inputs.end() || activation.group != activation.name) return;
    Range& range = groups_.at(activation.group);
    const Range better = without_ties(range, it->second, activation.scheme);
    if (better == range) return;
    activation.notes.emplace_back("widened so that its levels do not fall on half steps");
    range = better;
  }

  void choose_constants(NodePlan& node) {
    if (!node.quantized) return;
    const Node& in_graph = *graph_.find(node.output)->producer();
    for (ConstantPlan& constant : node.constants) {
      const Tensor& tensor = graph_.find(constant.name)->constant();
      try {
        if (constant.group.empty()) {
          constant.params =
              choose_qparams(ranges_of(tensor, constant.scheme.axis), constant.scheme);
        } else {
          constant.params = plan_.find(constant.group)->params;
        }
      } catch (const Error& e) {
        throw e.within(fmt::format("{}: constant '{}'", in_graph.label(), constant.name));
      }
      if (node.bias) guard(node, in_graph, constant);
    }
    if (node.bias) choose_bias(node, in_graph);
  }

  float input_scale(const Node& node) const {
    return params_.at(node.input(0)->name())->scale.front();
  }

  void guard(const NodePlan& node, const Node& in_graph, ConstantPlan& weight) {
    const Tensor& bias = graph_.find(node.bias->name)->constant();
    weight.raised = guard_bias_overflow(bias, input_scale(in_graph), weight.params);
    if (weight.raised > 0)
      warn(fmt::format("{}: {} weight scale(s) raised so that the int32 bias does not overflow",
                       in_graph.label(), weight.raised));
  }

  void choose_bias(NodePlan& node, const Node& in_graph) {
    const Tensor& bias = graph_.find(node.bias->name)->constant();
    ranges_of(bias, std::nullopt);  // refuses NaN and infinity
    node.bias->params =
        quantize_bias(bias, input_scale(in_graph), node.constants.front().params).params;
  }

  Plan& plan_;
  const Graph& graph_;
  const Observations& observations_;
  const Method& method_;
  const double min_range_;
  std::unordered_map<std::string, Range> groups_;
  std::unordered_map<std::string, const QParams*> params_;
};

}  // namespace

void select(Plan& plan, const Graph& graph, const Observations& observations, const Method& method,
            double min_range) {
  Selecting(plan, graph, observations, method, min_range).run();
}

}  // namespace intaglio
