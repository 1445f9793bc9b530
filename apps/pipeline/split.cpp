#include "apps/pipeline/split.h"

#include <fmt/format.h>

namespace intaglio {
namespace {

constexpr Shard every_second{2, 2};
constexpr std::size_t too_few = 10;  // samples to hold some out

std::size_t samples_of(DataOptions data, const Model& model) {
  data.limit = 0;
  std::vector<std::string> unused;
  return SampleSet(data, data.data, make_recipe(data, model, unused), model).samples().count;
}

}  // namespace

Split split(const DataOptions& data, const std::vector<std::string>& eval_data, const Model& model,
            std::vector<std::string>& warnings) {
  Split s = unsplit(data, eval_data, EvalSource::held_out);
  if (s.source == EvalSource::given || data.data.empty()) return s;
  const std::size_t total = samples_of(data, model);
  const std::size_t taken = data.limit == 0 ? total : std::min(data.limit, total);
  if (2 * (total - taken) >= taken) {
    s.evaluation.others = most_held_out;
  } else if (taken >= too_few) {
    s.calibration.without = s.evaluation.shard = every_second;
  } else {
    s.source = EvalSource::seen;
    warnings.push_back(
        fmt::format("only {} sample{}: the result is judged by what it was calibrated on", taken,
                    taken == 1 ? "" : "s"));
  }
  return s;
}

Split unsplit(const DataOptions& data, const std::vector<std::string>& eval_data,
              EvalSource otherwise) {
  Split s{data, data, otherwise};
  if (eval_data.empty()) return s;
  s.evaluation.data = eval_data;
  s.evaluation.limit = 0;
  s.source = EvalSource::given;
  return s;
}

std::string samples_text(std::size_t count, EvalSource source) {
  const char* plural = count == 1 ? "" : "s";
  switch (source) {
    case EvalSource::given:
      return fmt::format("{} sample{}", count, plural);
    case EvalSource::held_out:
      return fmt::format("{} sample{} held out of `data`", count, plural);
    case EvalSource::seen:
      return fmt::format("{} sample{} of the calibration", count, plural);
  }
  return {};
}

}  // namespace intaglio
