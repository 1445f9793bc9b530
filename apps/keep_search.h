// The search behind --keep-float: layers that stay float, or get activations of 16 bits, for the
// sake of accuracy, found on calibration data.
#pragma once

#include <string>
#include <vector>

#include "apps/deciding.h"
#include "apps/gates.h"
#include "apps/keep_options.h"

namespace intaglio {

// How many samples a search measures, and the comparison at its end, when it has no samples of its
// own.
inline constexpr std::size_t search_samples = 64;

struct Kept {
  Attempt best = {};
  Json json = {};                          // the "keep_float" part of a report
  std::vector<std::string> warnings = {};  // of the best attempt
  bool interrupted = false;                // the user did not want to wait for the end
};

// With a count: the layers that together take away most noise. Automatic: the cheapest layers with
// which the gates hold on calibration samples; when there are none, what came closest. The draft
// quantizes all it can and carries its channels.
Kept keep_float(const KeepOptions& options, const Ground& ground, const Plan& draft,
                const Method& method, const Gates& gates, const Measuring& measuring,
                Context& context);

}  // namespace intaglio
