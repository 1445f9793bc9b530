#include "calibration/ranges/activation_ranges.h"

#include <fmt/format.h>

#include <unordered_set>

#include "calibration/statistics/state_inputs.h"
#include "lib/base/parallel.h"
#include "lib/quant/range_rules.h"

namespace intaglio {
namespace {

class RangeChoice {
 public:
  RangeChoice(Plan& plan, const SeenValues& seen, const SelectOptions& options)
      : plan_(plan), seen_(seen), options_(options), scores_(scores(seen.graph)) {}

  void run() {
    for (const auto& [input, output] : seen_.states)
      warn(
          fmt::format("input '{}' was zero in every sample: it has the range of the output '{}', "
                      "which feeds it in the next run",
                      input, output));
    for (ActivationPlan& activation : plan_.activations) examine(activation);
    std::vector<std::string> notes(plan_.activations.size());
    parallel_for(plan_.activations.size(), options_.threads, [&](std::size_t, std::size_t i) {
      notes[i] = choose_range(plan_.activations[i]);
    });
    std::size_t chosen = 0, unresolved = 0;
    for (std::size_t i = 0; i < notes.size(); ++i) {
      const ActivationPlan& activation = plan_.activations[i];
      chosen += seen_.of(activation).finite() > 0 && !left_to_pools(plan_, seen_.graph, activation);
      unresolved += !notes[i].empty();
      if (!notes[i].empty()) plan_.activations[i].notes.push_back(std::move(notes[i]));
    }
    if (unresolved == 0) return;
    if (unresolved == chosen)
      throw Error(Code::data,
                  fmt::format("{}: no value was observed often enough", options_.method.text()),
                  "Give more `data`, or a parameter that fewer samples can resolve.");
    warn(fmt::format(
        "{}: {} of {} values were observed too rarely and took min and max (see their notes)",
        options_.method.text(), unresolved, chosen));
  }

 private:
  void warn(std::string text) { plan_.warnings.push_back(std::move(text)); }

  void examine(ActivationPlan& activation) {
    const Statistics& s = seen_.of(activation);
    if (const auto known = options_.known.find(activation.name);
        known != options_.known.end() && s.finite() > 0) {
      const auto& [lo, hi] = known->second.range;
      const float slack = (hi - lo) / 256;
      if (s.min < lo - slack || s.max > hi + slack)
        warn(fmt::format(
            "input '{}': samples lie in {:.4g}..{:.4g}, beyond the range {:.4g}..{:.4g} "
            "that it is to have",
            activation.name, s.min, s.max, lo, hi));
    }
    if (s.nans + s.infs > 0) {
      const std::string found = fmt::format("value '{}': {} NaN and {} infinite of {} values",
                                            activation.name, s.nans, s.infs, s.count);
      if (options_.nonfinite == NonFinite::error)
        throw Error(Code::data, found,
                    "Mend the model or its input, or leave them out with `nonfinite ignore`.");
      warn(found + " were left out of its range");
    }
    if (s.finite() == 0) {
      activation.notes.emplace_back("never observed");
      warn(fmt::format(
          "value '{}': no finite value was observed; it is quantized as if it were zero",
          activation.name));
    } else if (s.min == 0 && s.max == 0) {
      activation.notes.emplace_back("dead");
      warn(fmt::format("value '{}': is zero in every sample", activation.name));
    }
  }

  // Returns the note of the method.
  std::string choose_range(ActivationPlan& activation) const {
    const Statistics& s = seen_.of(activation);
    activation.range = {0, 0};
    if (const auto known = options_.known.find(activation.name); known != options_.known.end()) {
      activation.range = known->second.range;
      activation.notes.push_back(known->second.why);
      return "";
    }
    if (s.finite() == 0 || left_to_pools(plan_, seen_.graph, activation)) return "";
    if (s.max != 0 && is_zero(seen_.observations, activation.name))
      activation.notes.emplace_back("zero in every sample: has the range of what feeds it");
    if (scores_.contains(activation.name)) {
      activation.range = {s.min, s.max};
      if (!options_.method.traits.keeps_extremes)
        activation.notes.emplace_back("scores keep their whole range");
      return "";
    }
    const Value& value = *seen_.graph.find(activation.name);
    const double slope = slope_of_readers(value);
    const Choice choice = options_.method.selector(s, grid_of(activation.scheme), {slope * slope});
    activation.range = choice.range;
    activation.range = within(activation.range, bound_of_producer(value), activation.notes);
    activation.range =
        within(activation.range, bound_of_readers(value, bits_of(activation.scheme.type)),
               activation.notes);
    return choice.note;
  }

  Plan& plan_;
  const SeenValues& seen_;
  const SelectOptions& options_;
  const std::unordered_set<std::string> scores_;
};

}  // namespace

SeenValues::SeenValues(const Graph& measured, const Observations& made)
    : graph(measured), observations(made), states(ranges_of_states(measured, made)) {}

const Statistics& SeenValues::of(const ActivationPlan& activation) const {
  static const Statistics nothing;
  const Value* input = input_of(*graph.find(activation.name));
  const auto state = input != nullptr ? states.find(input->name()) : states.end();
  const bool fed = state != states.end() && is_zero(observations, activation.name);
  const auto it = observations.values.find(fed ? state->second : activation.name);
  return it == observations.values.end() ? nothing : it->second;
}

bool left_to_pools(const Plan& plan, const Graph& graph, const ActivationPlan& activation) {
  const Value& value = *graph.find(activation.name);
  return only_pooled(value) && std::ranges::all_of(value.uses(), [&](const Use& use) {
           const Value* made = use.node->output(0);
           const ActivationPlan* pooled = made == nullptr ? nullptr : plan.find(made->name());
           return pooled != nullptr && pooled->group == activation.group;
         });
}

void choose_ranges(Plan& plan, const SeenValues& seen, const SelectOptions& options) {
  RangeChoice(plan, seen, options).run();
}

}  // namespace intaglio
