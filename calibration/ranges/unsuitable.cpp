#include "calibration/ranges/unsuitable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "calibration/ranges/logarithms.h"
#include "calibration/statistics/state_inputs.h"
#include "lib/quant/range_rules.h"

namespace intaglio {
namespace {

using Reasons = std::map<std::string, std::string>;

void add(const Node* node, const std::string& reason, Reasons& reasons) {
  const Value* output = node != nullptr ? first_output(*node) : nullptr;
  if (output != nullptr) reasons.try_emplace(output->name(), reason);
}

void add_around(const Value& value, const std::string& reason, Reasons& reasons) {
  add(value.producer(), reason, reasons);
  for (const Use& use : value.uses()) add(use.node, reason, reasons);
}

void unknown_states(const Graph& graph, const Plan& plan, const Observations& observations,
                    Reasons& reasons) {
  const auto states = ranges_of_states(graph, observations);
  for (const ActivationPlan& activation : plan.activations) {
    const Value* source = input_of(*graph.find(activation.name));
    if (source == nullptr || states.contains(source->name()) ||
        !is_zero(observations, activation.name))
      continue;
    const std::string reason = fmt::format(
        "input '{}' was zero in every sample: no range is known for other values", source->name());
    for (const Use& use : graph.find(activation.name)->uses()) add(use.node, reason, reasons);
  }
}

void infinite_values(const Graph& graph, const Plan& plan, const Observations& observations,
                     Reasons& reasons) {
  for (const ActivationPlan& activation : plan.activations) {
    const auto seen = observations.values.find(activation.name);
    if (seen == observations.values.end() || seen->second.infs == 0) continue;
    add_around(*graph.find(activation.name),
               fmt::format("value '{}' was infinite, which no code stands for", activation.name),
               reasons);
  }
}

// The largest magnitude of a float constant, or of what was measured; 0: not known.
double magnitude(const Value& value, const Observations& observations) {
  if (value.is_constant() && value.dtype() == DType::f32) {
    double largest = 0;
    for (const float v : value.constant().data<float>())
      if (std::isfinite(v)) largest = std::max(largest, std::abs(static_cast<double>(v)));
    return largest;
  }
  const auto seen = observations.values.find(value.name());
  if (seen == observations.values.end() || seen->second.finite() == 0) return 0;
  return std::max(std::abs(static_cast<double>(seen->second.min)),
                  std::abs(static_cast<double>(seen->second.max)));
}

constexpr double most_unequal = 8192;

void unequal_operands(const Graph& graph, const Plan& plan, const Observations& observations,
                      Reasons& reasons) {
  for (const NodePlan& planned : plan.nodes) {
    const Node& node = *graph.find(planned.output)->producer();
    if (!planned.quantized || !(node.is("Add") || node.is("Sub"))) continue;
    const Value& y = *node.output(0);
    const auto seen = observations.values.find(y.name());
    if (seen == observations.values.end() || seen->second.finite() == 0) continue;
    std::vector<std::string> notes;
    const Range counts = within({seen->second.min, seen->second.max}, bound_of_readers(y), notes);
    const double result = std::max(std::abs(counts.lo), std::abs(counts.hi));
    for (const Value* operand : node.inputs())
      if (operand != nullptr && magnitude(*operand, observations) > most_unequal * result)
        add(&node,
            fmt::format("operand '{}' is {:.0e} times as large as what counts of its result",
                        operand->name(),
                        magnitude(*operand, observations) / std::max(result, 1e-30)),
            reasons);
  }
}

}  // namespace

Reasons unsuitable(const Graph& graph, const Plan& plan, const Observations& observations) {
  Reasons reasons;
  unknown_states(graph, plan, observations, reasons);
  infinite_values(graph, plan, observations, reasons);
  unequal_operands(graph, plan, observations, reasons);
  for (const auto& [node, lost] : before_logarithms(graph, plan, observations))
    reasons.try_emplace(node, fmt::format("a logarithm, root or reciprocal is taken of what it "
                                          "makes, of which 8 bits would lose {:.0f} % in 0",
                                          100 * lost));
  return reasons;
}

Reasons unmeasured(const Graph& graph, const Plan& plan, const Observations& observations) {
  Reasons reasons;
  for (const ActivationPlan& activation : plan.activations) {
    if (observations.values.contains(activation.name)) continue;
    const Value& value = *graph.find(activation.name);
    const std::string reason = fmt::format("value '{}' was not measured", activation.name);
    add_around(value, reason, reasons);
  }
  return reasons;
}

Plan draft_measured(const Graph& graph, const Observations& observations, Reasons& left_float,
                    const std::function<Plan()>& draft) {
  while (true) {
    Plan plan = draft();
    const std::size_t before = left_float.size();
    left_float.merge(unmeasured(graph, plan, observations));
    if (left_float.size() == before) return plan;
  }
}

}  // namespace intaglio
