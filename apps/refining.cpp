#include "apps/refining.h"

#include <fmt/format.h>

#include <algorithm>

#include "calibration/refine/bias_correction.h"

namespace intaglio {
namespace {

constexpr std::size_t most_samples = 20;
constexpr std::uint64_t memory_budget = std::uint64_t{80} << 20;

bool has_biases(const Plan& plan) {
  return std::any_of(plan.nodes.begin(), plan.nodes.end(),
                     [](const NodePlan& n) { return n.quantized && n.bias.has_value(); });
}

// Feeds of samples spread over the data; fewer when they would not fit.
std::vector<std::vector<Tensor>> load_samples(const Prepared& prepared, const DataOptions& options,
                                              const PreprocessRecipe& recipe) {
  DataOptions data = options;
  data.labels.clear();
  data.limit = data.limit == 0 ? most_samples : std::min(data.limit, most_samples);
  const SampleSet set(data, data.data, recipe, prepared.model.graph());
  const Samples source = set.samples();
  std::vector<std::vector<Tensor>> samples;
  std::size_t most = source.count;
  for (std::size_t i = 0; i < source.count && samples.size() < most; ++i) {
    auto feeds = source.load(i);
    if (!feeds) continue;
    if (samples.empty())
      most = std::min(most, samples_that_fit(prepared.model, *feeds, memory_budget));
    samples.push_back(std::move(*feeds));
  }
  return samples;
}

}  // namespace

void add_refine_options(CLI::App& command, RefineOptions& options) {
  command
      .add_option("--effort", options.effort,
                  "fast: ranges only; balanced: biases also take up what quantization shifts")
      ->check(CLI::IsMember({"fast", "balanced"}))
      ->capture_default_str();
}

Refined refine(const Prepared& prepared, Plan& plan, const RefineOptions& options,
               const DataOptions& data, const PreprocessRecipe& recipe, Context& context,
               std::vector<std::string>& warnings) {
  Refined refined{prepared.model.clone(),
                  {{"effort", options.effort}, {"bias_correction", nullptr}}};
  if (options.effort == "fast" || !has_biases(plan)) return refined;
  if (data.data.empty()) {
    warnings.emplace_back("--effort balanced needs --data: biases were not corrected");
    return refined;
  }
  const BiasCorrection done = context.phase("refine", [&] {
    const auto samples = load_samples(prepared, data, recipe);
    if (samples.empty())
      throw Error(Code::data, "no sample could be loaded", "Check --data and --preprocess.");
    return correct_biases(prepared.model, plan, samples,
                          {.masked = true, .threads = context.worker_count()});
  });
  apply_shifts(refined.model, plan);
  refined.json["bias_correction"] = {
      {"samples", done.samples}, {"layers", done.corrected}, {"left_out", done.left_out}};
  return refined;
}

}  // namespace intaglio
