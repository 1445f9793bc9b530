// Variants: networks of which some parts compute on codes and the rest on floats.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/exec/compile.h"
#include "lib/quant/plan.h"

namespace intaglio {

// Activations with their parameters, by name.
using Numbers = std::unordered_map<std::string_view, const ActivationPlan*>;
Numbers numbers_of(const Plan& plan);  // which must outlive them
// Of the value in a slot; null: it has none.
const ActivationPlan* rounding_of(const Numbers& numbers, const Program& program, int slot);

// What is rounded where, by the steps and slots of a program without fused steps. A value of a
// layer on codes is rounded where it is made, for all that read it; what a float node makes is
// rounded for those layers alone that take it as codes.
struct Variant {
  explicit Variant(const Program& program);  // all float
  // As a plan says. Its activations have the parameters of `numbers`; those it lacks stay float.
  Variant(const Program& program, const Plan& plan, const Numbers& numbers);

  std::vector<bool> codes;                               // by step: its constants are codes
  std::vector<std::vector<const ActivationPlan*>> read;  // by step and input: null: as it is
  std::vector<const ActivationPlan*> made;               // by slot: null: as it is
};

// The first step that works on something else; the number of steps when nothing differs.
std::size_t first_difference(const Program& program, const Variant& a, const Variant& b);

}  // namespace intaglio
