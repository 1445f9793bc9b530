// --keep-float and what goes with it.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "apps/form_options.h"
#include "apps/gates.h"

namespace intaglio {

struct KeepOptions {
  std::string layers;              // empty: none; how many, or "auto"
  std::string objective = "macs";  // what is to stay cheap: macs, size
  std::string as = "float";        // or 16bit: integers, with activations of 16 bits
  bool wanted() const { return !layers.empty(); }
  bool raises() const { return wanted() && as == "16bit"; }
  bool automatic() const { return layers == "auto"; }
  std::optional<std::size_t> count() const;  // nullopt: `layers` is none
};
void add_keep_options(CLI::App& command, KeepOptions& options);

// Throws Code::usage for options that contradict each other: no count, no data to measure on,
// nothing to search for.
void require_searchable(const KeepOptions& options, const Gates& gates, const FormOptions& form,
                        bool has_data, bool has_plan, bool has_eval_data);

}  // namespace intaglio
