#include "apps/pipeline/float16.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "lib/base/parallel.h"
#include "lib/quant/draft_float16.h"
#include "lib/quant/half_precision.h"

namespace intaglio {
namespace {

constexpr std::size_t looked_at = 16;  // samples

using Magnitudes = std::map<std::string, float, std::less<>>;

void note(Magnitudes& magnitudes, const Value& value, const Tensor& tensor) {
  if (tensor.dtype() != DType::f32) return;
  float& most = magnitudes[value.name()];
  for (const float x : tensor.data<float>())
    if (std::isfinite(x)) most = std::max(most, std::abs(x));
}

// The largest magnitude of each of the values.
Magnitudes measure(const Graph& graph, const std::set<std::string>& names, const Samples& samples,
                   std::size_t threads) {
  CompileOptions options;
  options.observed = [&](const Value& value) { return names.contains(value.name()); };
  const Executor executor(graph, options);
  std::vector<Magnitudes> by_worker(std::max<std::size_t>(threads, 1));
  parallel_for(samples.count, threads, [&](std::size_t worker, std::size_t i) {
    const auto feeds = samples.load(i);
    if (!feeds) return;
    executor.run(*feeds, [&](const Value& v, const Tensor& t) { note(by_worker[worker], v, t); });
  });
  Magnitudes all;
  for (const Magnitudes& part : by_worker)
    for (const auto& [name, most] : part) all[name] = std::max(all[name], most);
  return all;
}

// Constants that nodes read in float16: those that lose something. Weights have their own warning.
void note_vanished(const Plan& plan, const Graph& graph, std::vector<std::string>& warnings) {
  std::map<std::string, std::uint64_t> lost;
  for (const NodePlan& node : plan.nodes) {
    if (!computes_in_float16(node)) continue;
    for (const Value* value : float16_values(graph, node)) {
      const bool weight = std::ranges::any_of(
          node.constants, [&](const ConstantPlan& c) { return c.name == value->name(); });
      if (!value->is_constant() || weight) continue;
      if (const auto vanished = half_loss(value->constant(), DType::f16).vanished; vanished > 0)
        lost[value->name()] = vanished;
    }
  }
  std::uint64_t sum = 0;
  for (const auto& [name, vanished] : lost) sum += vanished;
  if (sum > 0)
    warnings.push_back(
        fmt::format("--float16: {} values of {} constants are too small for float16 and become 0",
                    sum, lost.size()));
}

}  // namespace

void settle_float16(Plan& plan, const Prepared& prepared, const DataOptions& data,
                    const std::vector<std::string>& paths, const PreprocessRecipe& recipe,
                    Context& context, std::vector<std::string>& warnings) {
  if (std::ranges::none_of(plan.nodes, [](const NodePlan& n) { return n.precision.has_value(); }))
    return;
  const Graph& graph = prepared.model.graph();
  if (paths.empty()) {
    warnings.emplace_back(
        "--float16: without --data nobody has seen whether values stay within float16");
  } else {
    std::set<std::string> names;
    for (const NodePlan& node : plan.nodes)
      if (computes_in_float16(node))
        for (const Value* value : float16_values(graph, node)) names.insert(value->name());
    const SampleSet set(data, paths, recipe, prepared.model);
    const Magnitudes magnitudes = context.phase("float16", [&] {
      return measure(graph, names, spread(set.samples(), looked_at), context.worker_count());
    });
    keep_within_float16(plan, graph, [&](std::string_view name) -> std::optional<float> {
      const auto it = magnitudes.find(name);
      return it == magnitudes.end() ? std::nullopt : std::optional(it->second);
    });
  }
  note_vanished(plan, graph, warnings);
}

}  // namespace intaglio
