// Layers that are to stay float for the sake of accuracy, or get wider codes.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "apps/pipeline/form.h"
#include "apps/pipeline/gates.h"
#include "calibration/sensitivity/keep_float.h"

namespace intaglio {

inline constexpr std::array<Word<KeepCost>, 2> keep_objectives = {
    {{"macs", KeepCost::macs}, {"size", KeepCost::size}}};
inline constexpr std::array<Word<KeepAs>, 2> keep_ways = {
    {{"float", KeepAs::floats}, {"16bit", KeepAs::wide}}};

// As many as it takes to hold the gates.
inline constexpr std::string_view keep_enough = "auto";

struct KeepOptions {
  std::string layers;                   // empty: none; how many, or keep_enough
  KeepCost objective = KeepCost::macs;  // what is to stay cheap: macs or size
  KeepAs as = KeepAs::floats;
  bool wanted() const { return !layers.empty(); }
  bool raises() const { return wanted() && as == KeepAs::wide; }
  bool automatic() const { return layers == keep_enough; }
  std::optional<std::size_t> count() const;  // nullopt: `layers` is none
};
// Throws Code::usage for options that contradict each other: no count, no data to measure on,
// nothing to search for.
void require_searchable(const KeepOptions& options, const Gates& gates, const FormOptions& form,
                        bool has_data, bool has_plan, bool has_eval_data);

}  // namespace intaglio
