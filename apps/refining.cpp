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

std::vector<Tensor> any_sample(const Samples& source) {
  for (std::size_t i = 0; i < source.count; ++i)
    if (auto feeds = source.load(i)) return std::move(*feeds);
  throw Error(Code::data, "no sample could be loaded", "Check --data and --preprocess.");
}

}  // namespace

void add_refine_options(CLI::App& command, RefineOptions& options) {
  command
      .add_option("--effort", options.effort,
                  "fast: ranges only; balanced: biases also take up what quantization shifts")
      ->check(CLI::IsMember({"fast", "balanced"}))
      ->capture_default_str();
}

RefineSamples load_refine_samples(const Prepared& prepared, const Plan& plan,
                                  const RefineOptions& options, const DataOptions& data,
                                  const PreprocessRecipe& recipe, Context& context,
                                  std::vector<std::string>& warnings) {
  if (options.effort == "fast" || !has_biases(plan)) return {};
  if (data.data.empty()) {
    warnings.emplace_back("--effort balanced needs --data: biases were not corrected");
    return {};
  }
  return context.phase("refine", [&] {
    DataOptions unlabelled = data;
    unlabelled.labels.clear();
    const SampleSet set(unlabelled, data.data, recipe, prepared.model.graph());
    const Samples source = set.samples();
    const std::size_t fitting = samples_that_fit(prepared.model, any_sample(source), memory_budget);
    const Samples taken = spread(source, std::min(most_samples, fitting));
    RefineSamples samples;
    for (std::size_t i = 0; i < taken.count; ++i)
      if (auto feeds = taken.load(i)) samples.push_back(std::move(*feeds));
    return samples;
  });
}

Refined refine(const Prepared& prepared, Plan& plan, const RefineOptions& options,
               const RefineSamples& samples, Context& context) {
  Refined refined{prepared.model.clone(),
                  {{"effort", options.effort}, {"bias_correction", nullptr}}};
  if (!samples.empty()) {
    const BiasCorrection done = context.phase("refine", [&] {
      return correct_biases(prepared.model, plan, samples,
                            {.masked = true, .threads = context.worker_count()});
    });
    refined.json["bias_correction"] = {
        {"samples", done.samples}, {"layers", done.corrected}, {"left_out", done.left_out}};
  }
  apply_shifts(refined.model, plan);
  return refined;
}

}  // namespace intaglio
