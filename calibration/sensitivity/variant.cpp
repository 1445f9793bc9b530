#include "calibration/sensitivity/variant.h"

namespace intaglio {

Numbers numbers_of(const Plan& plan) {
  Numbers numbers;
  for (const ActivationPlan& a : plan.activations) numbers[a.name] = &a;
  return numbers;
}

const ActivationPlan* rounding_of(const Numbers& numbers, const Program& program, int slot) {
  if (slot < 0) return nullptr;
  const auto it = numbers.find(program.values[static_cast<std::size_t>(slot)]->name());
  return it == numbers.end() ? nullptr : it->second;
}

Variant::Variant(const Program& program)
    : codes(program.steps.size()), read(program.steps.size()), made(program.values.size()) {
  for (std::size_t s = 0; s < program.steps.size(); ++s)
    read[s].resize(program.steps[s].inputs.size());
}

Variant::Variant(const Program& program, const Plan& plan, const Numbers& numbers)
    : Variant(program) {
  Numbers activations;
  for (const ActivationPlan& a : plan.activations)
    if (const auto with = numbers.find(a.name); with != numbers.end())
      activations[a.name] = with->second;
  std::unordered_map<std::string_view, const NodePlan*> nodes;
  for (const NodePlan& node : plan.nodes)
    if (node.quantized) nodes[node.output] = &node;
  std::vector<bool> rounded(program.values.size());
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    const Value* output = first_output(*step.node);
    if (output == nullptr || !nodes.contains(output->name())) continue;
    codes[s] = true;
    for (std::size_t i = 0; i < step.inputs.size(); ++i)
      if (step.inputs[i] >= 0 && !rounded[static_cast<std::size_t>(step.inputs[i])])
        read[s][i] = rounding_of(activations, program, step.inputs[i]);
    for (const int slot : step.outputs)
      if (slot >= 0) {
        made[static_cast<std::size_t>(slot)] = rounding_of(activations, program, slot);
        rounded[static_cast<std::size_t>(slot)] = true;
      }
  }
}

std::size_t first_difference(const Program& program, const Variant& a, const Variant& b) {
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    if (a.codes[s] != b.codes[s] || a.read[s] != b.read[s]) return s;
    for (const int slot : program.steps[s].outputs)
      if (slot >= 0 &&
          a.made[static_cast<std::size_t>(slot)] != b.made[static_cast<std::size_t>(slot)])
        return s;
  }
  return program.steps.size();
}

}  // namespace intaglio
