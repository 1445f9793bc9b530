#include "calibration/calibrate.h"

#include <atomic>
#include <memory>
#include <unordered_set>

#include "lib/base/parallel.h"

namespace intaglio {

CompileOptions observe_only(const Plan& plan) {
  const auto names = std::make_shared<std::unordered_set<std::string>>();
  for (const ActivationPlan& activation : plan.activations) names->insert(activation.name);
  CompileOptions options;
  options.observed = [names](const Value& value) { return names->contains(value.name()); };
  return options;
}

Observations calibrate(const Executor& executor, const Plan& plan, CheckedDataset& data,
                       const ObserveOptions& options) {
  const Progress& progress = options.progress;
  std::vector<Observations> partial(std::max<std::size_t>(options.threads, 1));
  for (Observations& o : partial)
    for (const ActivationPlan& activation : plan.activations)
      if (Statistics& s = o.values[activation.name]; options.histograms) s.histogram.emplace();
  std::atomic<std::size_t> done{0};
  parallel_for(data.size(), options.threads, [&](std::size_t worker, std::size_t i) {
    Observations& mine = partial[worker];
    if (const auto feeds = data.load(i)) {
      executor.run(*feeds, [&](const Value& value, const Tensor& tensor) {
        const auto it = mine.values.find(value.name());
        if (it == mine.values.end()) return;
        it->second.add_sample(tensor.data<float>());
        if (value.is_input()) mine.inputs[value.name()].add(tensor.data<float>());
      });
      ++mine.samples;
    }
    const std::size_t so_far = ++done;
    if (worker == 0 && progress) progress(so_far, data.size());
  });
  if (progress) progress(data.size(), data.size());
  data.enforce_limit();
  Observations all;
  for (const Observations& o : partial) all.merge(o);
  return all;
}

}  // namespace intaglio
