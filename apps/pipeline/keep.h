// Layers that are to stay float for the sake of accuracy, or get wider codes.
#pragma once

#include <optional>
#include <string>

#include "apps/pipeline/form.h"
#include "apps/pipeline/gates.h"

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
// Throws Code::usage for options that contradict each other: no count, no data to measure on,
// nothing to search for.
void require_searchable(const KeepOptions& options, const Gates& gates, const FormOptions& form,
                        bool has_data, bool has_plan, bool has_eval_data);

}  // namespace intaglio
