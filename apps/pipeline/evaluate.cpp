#include "apps/pipeline/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <set>

#include "lib/base/parallel.h"
#include "lib/quant/range_rules.h"
#include "lib/rewrite/interface.h"
#include "lib/rewrite/qoperator.h"

namespace intaglio {
namespace {

constexpr std::size_t compared_samples = 4;  // whose values inside the graph are compared

Model with_float_interface(const Quantized& result) {
  Model model = result.model.clone();
  restore_float_interface(model);
  return model;
}

// Samples as callers feed them: rounded where inputs are in half precision, for both models.
Samples as_fed(Samples samples, const Prepared& prepared) {
  const std::vector<Value*> feeds = prepared.model.graph().feeds();
  std::vector<DType> types;
  for (const Value* feed : feeds) {
    const auto it = prepared.halves.find(feed->name());
    types.push_back(it == prepared.halves.end() ? DType::undefined : it->second);
  }
  samples.load = [load = std::move(samples.load), types](std::size_t i) {
    auto tensors = load(i);
    for (std::size_t f = 0; tensors && f < types.size(); ++f)
      if (Tensor& t = (*tensors)[f]; types[f] != DType::undefined && t.dtype() == DType::f32)
        t = convert(convert(t, types[f]), DType::f32);
    return tensors;
  };
  return samples;
}

// What the readers of quantized values tell apart: ranges are cut off there (Relu below 0).
std::map<std::string, Extrema> bounds_of(const Graph& graph, const Plan& plan) {
  std::map<std::string, Extrema> bounds;
  for (const ActivationPlan& activation : plan.activations)
    if (const Value* value = graph.find(activation.name)) {
      const Bound bound = bound_of_readers(*value, bits_of(activation.scheme.type));
      if (std::isfinite(bound.lo) || std::isfinite(bound.hi))
        bounds[activation.name] = {bound.lo, bound.hi};
    }
  return bounds;
}

// How far each value of the result is from its original.
std::map<std::string, Deviation> compare_values(const Prepared& prepared, const Quantized& result,
                                                Samples samples, Arithmetic exact,
                                                std::size_t threads) {
  Candidate candidate{nullptr, result.written.dequantized, softmax_rows(prepared.model.graph())};
  candidate.bounds = bounds_of(prepared.model.graph(), result.plan);
  std::set<std::string_view> kept;
  for (const auto& [name, twin] : candidate.values) kept.insert(twin);
  std::function<void(Graph&)> look;  // operators on codes leave no floats to compare
  if (!result.written.codes.empty())
    look = [&](Graph& graph) {
      candidate.values = dequantize_codes(graph, result.plan, result.written.codes);
    };
  const Model model = with_float_interface(result);
  const Execution execution(
      model, exact, [&](std::string_view name) { return kept.contains(name); }, look);
  std::set<std::string_view> compared;
  for (const auto& [name, twin] : candidate.values) compared.insert(twin);
  CompileOptions of_reference, of_result = execution.options();
  of_reference.observed = [&](const Value& value) {
    return candidate.values.contains(value.name());
  };
  of_result.observed = [&](const Value& value) { return compared.contains(value.name()); };
  std::optional<Executor> reference, quantized;
  parallel_for(2, threads, [&](std::size_t, std::size_t i) {
    if (i == 0) reference.emplace(prepared.model.graph(), of_reference);
    if (i == 1) quantized.emplace(execution.graph(), of_result);
  });
  candidate.model = &*quantized;
  samples.count = std::min(samples.count, compared_samples);
  EvaluateOptions options{.threads = threads, .one_by_one = true, .progress = {}, .plan = {}};
  options.plan.metrics.clear();
  return evaluate(std::span(&candidate, 1), &*reference, samples, options).front().values;
}

}  // namespace

std::vector<Measured> measure(const Prepared& prepared, std::span<const Quantized* const> quantized,
                              const Samples& given, const Measuring& how, Context& context) {
  const Samples samples = as_fed(given, prepared);
  EvaluateOptions options;
  options.threads = context.worker_count();
  options.progress = context.progress("evaluate");
  options.answers = true;
  std::vector<Measured> measured;
  {
    // The result runs with a float interface; models and executions must stay where they are.
    std::deque<Model> models;
    std::deque<Execution> executions;
    for (const Quantized* q : quantized)
      executions.emplace_back(models.emplace_back(with_float_interface(*q)), how.exact);
    std::vector<std::optional<Executor>> executors(quantized.size());
    std::optional<Executor> reference;
    parallel_for(quantized.size() + 1, options.threads, [&](std::size_t, std::size_t i) {
      if (i == 0)
        reference.emplace(prepared.reference().graph(), CompileOptions::nothing_observed());
      else
        executors[i - 1].emplace(executions[i - 1].graph(), executions[i - 1].options());
    });
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < quantized.size(); ++i) {
      candidates.push_back({&*executors[i], {}});
      measured.emplace_back().execution = executions[i].summary();
    }
    options.plan = plan_metrics(how.metrics, *reference, samples);
    std::vector<Evaluation> evaluations = evaluate(candidates, &*reference, samples, options);
    for (std::size_t i = 0; i < measured.size(); ++i)
      measured[i].evaluation = std::move(evaluations[i]);
    if (how.pictures)
      measured.front().shown =
          show_worst(measured.front().evaluation, samples,
                     {&*reference, &*executors.front(), how.recipe, false, how.names});
  }
  for (std::size_t i = 0; how.values && i < measured.size(); ++i)
    measured[i].evaluation.values =
        compare_values(prepared, *quantized[i], samples, how.exact, options.threads);
  return measured;
}

}  // namespace intaglio
