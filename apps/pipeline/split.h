// Which samples a command calibrates on, and which it judges the result by.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "apps/pipeline/data.h"
#include "lib/base/words.h"
#include "lib/graph/model.h"

namespace intaglio {

// Where the samples of an evaluation come from.
enum class EvalSource {
  given,     // --eval-data, or the --data of a command that does not calibrate
  held_out,  // of --data, and not calibrated on
  seen,      // of --data, and calibrated on
};
constexpr std::array<Word<EvalSource>, 3> words(EvalSource) {
  return {{{"given", EvalSource::given},
           {"held_out", EvalSource::held_out},
           {"seen", EvalSource::seen}}};
}

struct Split {
  DataOptions calibration, evaluation;  // with the paths of each
  EvalSource source = EvalSource::seen;
};

// Samples to judge by that are not calibrated on. Those of eval_data when there are any. Else, of
// the data: what --limit leaves out, up to most_held_out spread evenly; where that is less than
// half of what it takes, every second one of what it takes. Of less than ten samples none can be
// spared: `warnings` says that they are judged by what they were calibrated on.
Split split(const DataOptions& data, const std::vector<std::string>& eval_data, const Model& model,
            std::vector<std::string>& warnings);

// All are calibrated on, and judged by; or by those of eval_data.
Split unsplit(const DataOptions& data, const std::vector<std::string>& eval_data,
              EvalSource otherwise);

inline constexpr std::size_t most_held_out = 1000;

// "100 samples held out of --data", "16 samples of the calibration".
std::string samples_text(std::size_t count, EvalSource source);

}  // namespace intaglio
