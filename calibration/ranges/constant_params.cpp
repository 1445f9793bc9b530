#include "calibration/ranges/constant_params.h"

#include <fmt/format.h>

#include <unordered_map>

#include "lib/base/parallel.h"
#include "lib/quant/array.h"
#include "lib/quant/half_precision.h"
#include "lib/quant/shared_weights.h"
#include "lib/quant/sum_bounds.h"
#include "lib/quant/wide_activations.h"

namespace intaglio {
namespace {

class ConstantChoice {
 public:
  ConstantChoice(Plan& plan, const Graph& graph, const SelectOptions& options)
      : plan_(plan), graph_(graph), options_(options) {}

  void run() {
    for (const ActivationPlan& activation : plan_.activations) read_[activation.name] = &activation;
    parallel_for(plan_.nodes.size(), options_.threads,
                 [&](std::size_t, std::size_t i) { choose_weights(plan_.nodes[i]); });
    for (NodePlan& node : plan_.nodes) {
      guard_biases(node);
      guard_sums(node);
    }
    unite_shared_weights(plan_);
    for (NodePlan& node : plan_.nodes)
      if (node.has_integer_bias()) choose_bias(node, *graph_.find(node.output)->producer());
    report_halves();
  }

 private:
  void warn(std::string text) { plan_.warnings.push_back(std::move(text)); }

  void choose_weights(NodePlan& node) const {
    if (!node.quantized) return;
    for (ConstantPlan& constant : node.constants) {
      if (constant.scheme.group > 0) continue;  // calibration/groups chooses them
      if (!constant.group.empty()) {
        constant.params = plan_.find(constant.group)->params;
        continue;
      }
      try {
        const Tensor& tensor = graph_.find(constant.name)->constant();
        if (is_half(constant.scheme.type)) {
          ranges_of(tensor, std::nullopt);  // refuses NaN and infinity
          constant.params = {constant.scheme.type, std::nullopt, {}, {}};
          continue;
        }
        constant.params = choose_qparams(weight_ranges(tensor, constant.scheme, options_.weights),
                                         constant.scheme);
      } catch (const Error& e) {
        throw e.within(fmt::format("{}: constant '{}'",
                                   graph_.find(node.output)->producer()->label(), constant.name));
      }
    }
  }

  // What the weights in half precision have lost.
  void report_halves() {
    std::uint64_t vanished = 0, constants = 0;
    for (const NodePlan& node : plan_.nodes)
      for (const ConstantPlan& constant : node.constants) {
        if (!node.quantized || !is_half(constant.scheme.type)) continue;
        const HalfLoss loss =
            half_loss(graph_.find(constant.name)->constant(), constant.scheme.type);
        if (loss.beyond > 0)
          warn(fmt::format("constant '{}': {} values lie beyond {} and become its largest, {}",
                           constant.name, loss.beyond, name_of(constant.scheme.type),
                           half_range(constant.scheme.type).hi));
        vanished += loss.vanished;
        constants += loss.vanished > 0;
      }
    if (vanished > 0)
      warn(fmt::format("{} values of {} constants are too small for half precision and become 0",
                       vanished, constants));
  }

  void guard_biases(NodePlan& node) {
    if (!node.has_integer_bias()) return;
    const Node& in_graph = *graph_.find(node.output)->producer();
    for (ConstantPlan& constant : node.constants) guard(node, in_graph, constant);
  }

  float input_scale(const NodePlan& plan, const Node& node) const {
    return scale_read(plan, *read_.at(node.input(0)->name()));
  }

  void guard(const NodePlan& node, const Node& in_graph, ConstantPlan& weight) {
    const Tensor& bias = graph_.find(node.bias->name)->constant();
    refine_dead_channels(graph_.find(weight.name)->constant(), bias, input_scale(node, in_graph),
                         weight.params);
    weight.raised = guard_bias_overflow(bias, input_scale(node, in_graph), weight.params);
    if (weight.raised > 0)
      warn(fmt::format("{}: {} weight scale(s) raised so that the int32 bias does not overflow",
                       in_graph.label(), weight.raised));
  }

  // How far the codes reach that the node multiplies with its weights; nullopt: it computes on
  // floats, or on 16 bits.
  std::optional<DataReach> data_of(const NodePlan& plan, const Node& node) const {
    const auto read = node.input(0) != nullptr ? read_.find(node.input(0)->name()) : read_.end();
    if (read == read_.end())
      return options_.data_quantized_later ? std::optional(DataReach{}) : std::nullopt;
    const QParams& params = read->second->params;
    if (plan.raised || is_wide(params.type)) return std::nullopt;
    return reach_of(params);
  }

  void guard_sums(NodePlan& plan) {
    const Node& node = *graph_.find(plan.output)->producer();
    const auto data = plan.quantized ? data_of(plan, node) : std::nullopt;
    for (ConstantPlan& weight : plan.constants) {
      if (!data || weight.input != 1 || !weight.group.empty() || weight.scheme.group > 0) continue;
      SumBias bias;
      if (plan.has_integer_bias())
        bias = {&graph_.find(plan.bias->name)->constant(), input_scale(plan, node)};
      const RaisedSums raised = avoid_overflow(node, graph_.find(weight.name)->constant(),
                                               weight.scheme, *data, bias, weight.params);
      weight.raised += raised.scales;
      if (raised.scales > 0)
        warn(fmt::format(
            "{}: sums of {} products would leave int32: {} weight scale(s) raised, up "
            "to {:.2f} times{}",
            node.label(), raised.products, raised.scales, raised.factor,
            raised.factor > 4 ? "; leave it float with `exclude` if that is too coarse" : ""));
    }
  }

  void choose_bias(NodePlan& node, const Node& in_graph) {
    const Tensor& bias = graph_.find(node.bias->name)->constant();
    ranges_of(bias, std::nullopt);  // refuses NaN and infinity
    node.bias->params =
        quantize_bias(bias, input_scale(node, in_graph), node.constants.front().params).params;
  }

  Plan& plan_;
  const Graph& graph_;
  const SelectOptions& options_;
  std::unordered_map<std::string, const ActivationPlan*> read_;  // by name
};

}  // namespace

void choose_constants(Plan& plan, const Graph& graph, const SelectOptions& options) {
  ConstantChoice(plan, graph, options).run();
}

}  // namespace intaglio
