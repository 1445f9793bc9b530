// --keep-float: the layers that stay float for the sake of accuracy, found on calibration data.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/deciding.h"
#include "apps/gates.h"

namespace intaglio {

struct KeepOptions {
  std::string layers;              // empty: none; how many, or "auto"
  std::string objective = "macs";  // what is to stay cheap: macs, size
  bool wanted() const { return !layers.empty(); }
  bool automatic() const { return layers == "auto"; }
};
void add_keep_options(CLI::App& command, KeepOptions& options);

// Throws Code::usage for options that contradict each other: no count, no data to measure on,
// nothing to search for.
void require_searchable(const KeepOptions& options, const Gates& gates, const FormOptions& form,
                        bool has_data, bool has_plan, bool has_eval_data);

// How many samples a search measures, and the comparison at its end, when it has no samples of its
// own.
inline constexpr std::size_t search_samples = 64;

struct Kept {
  Attempt best;
  Json json;                          // the "keep_float" part of a report
  std::vector<std::string> warnings;  // of the best attempt
  bool interrupted = false;           // the user did not want to wait for the end
};

// With a count: the layers that together take away most noise. Automatic: the cheapest layers with
// which the gates hold on calibration samples; when there are none, what came closest. The draft
// quantizes all it can and carries its channels.
Kept keep_float(const KeepOptions& options, const Ground& ground, const Plan& draft,
                const Method& method, const Gates& gates, const Measuring& measuring,
                Context& context);

void print_kept(const Json& kept);

}  // namespace intaglio
