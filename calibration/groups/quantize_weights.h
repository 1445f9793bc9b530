// The stage that fills a draft with codes of weights in groups.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "calibration/groups/methods.h"
#include "lib/base/spill_file.h"
#include "lib/quant/group_codes.h"
#include "lib/quant/plan.h"

namespace intaglio {

struct GroupOptions {
  GroupRounding rounding = GroupRounding::range_search;
  GroupLayout layout = GroupLayout::inputs_first;
  std::size_t threads = 1;
  // What the model reads, for methods that weigh errors; null: none. gptq without samples is
  // range_search.
  const Samples* samples = nullptr;
  // Moments that are held at a time; for more than these the samples run again.
  std::uint64_t moment_bytes = std::uint64_t{512} << 20;
  // Codes of weights that are mapped from a file begin the file at this path; empty: they are in
  // memory, like those of others.
  std::filesystem::path data_file = {};
  Progress progress = {};
};

struct GroupSummary {
  GroupRounding rounding = GroupRounding::nearest;  // what was done
  bool weighted = false;    // errors were weighed by the second moments of inputs
  std::size_t samples = 0;  // that gave the moments
  std::size_t weights = 0;  // tensors; what several nodes share counts once
  std::int64_t elements = 0;
  double signal = 0, noise = 0;           // sums of squares over all weights
  std::vector<std::string> unweighted;    // nodes whose input no sample showed
  std::shared_ptr<SpillFile> file;        // at `data_file`, which has not appeared; null: not begun
  std::optional<double> sqnr_db() const;  // of all weights; nullopt: without noise
};

// Quantizes the constants of the plan whose schemes have groups, one after the other, and puts their
// codes into it. A weight that several nodes read, or a table that is the transposed weight of a
// product of the same scheme, is quantized once. graph: the model that the plan was drafted for.
// Deterministic for any number of threads. Throws Code::model for NaN and infinities, naming the
// constant; Code::io when there is no room for the temporary file.
GroupSummary quantize_weights(Plan& plan, const Graph& graph, const GroupOptions& options);

}  // namespace intaglio
