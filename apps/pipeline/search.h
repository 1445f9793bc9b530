// The search for layers that stay float, or get activations of 16 bits, for the sake of accuracy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/decide.h"
#include "apps/pipeline/evaluate.h"
#include "apps/pipeline/gates.h"
#include "apps/pipeline/keep.h"
#include "calibration/sensitivity/simulator.h"

namespace intaglio {

// How many samples a search measures at most, unless they have labels.
inline constexpr std::size_t search_samples = 128;

struct KeptLayer {
  std::string name, op, output;
  double macs = 0;            // of one sample
  std::uint64_t weights = 0;  // that would be stored in codes
};

// A figure that a gate is about, as tables have it.
struct Reached {
  std::string head, text;  // "F1", "0.9512"
  bool operator==(const Reached&) const = default;
};

// What a set of layers gave.
struct KeepTrial {
  std::vector<std::size_t> layers;  // of the sensitivities
  double cost = 0;                  // share of what the objective counts, in percent
  double macs = 0;                  // share of the work, in percent
  std::vector<Reached> reached;     // by the gates' metrics
  std::vector<std::string> missed;  // gates
  bool spared = false;              // the best set until then, without one of its layers
  Noise noise;                      // of the outputs
  std::optional<double> agreement;  // in percent; evaluations have one of their own
};

// How the search went.
struct KeepSummary {
  KeepOptions asked;
  std::optional<bool> met;  // the gates; nullopt: a number of layers was asked for
  double share = 0;         // of what the objective counts, in percent
  double macs = 0;          // of the work, in percent
  std::vector<KeptLayer> layers;
  std::vector<KeepTrial> trials;
  bool interrupted = false;  // the user did not want to wait for the end
};

struct Kept {
  Attempt best = {};
  std::optional<KeepSummary> summary = {};  // nullopt: there was nothing to search for
  std::vector<std::string> warnings = {};   // of the best attempt
};

// With a count: the layers that together take away most noise. Automatic: the cheapest layers with
// which the gates hold on samples of `judged`; when there are none, what came closest. The draft
// quantizes all it can and carries its channels.
Kept keep_float(const KeepOptions& options, const Ground& ground, const DataOptions& judged,
                const Plan& draft, const Method& method, const Gates& gates,
                const Measuring& measuring, Context& context);

}  // namespace intaglio
