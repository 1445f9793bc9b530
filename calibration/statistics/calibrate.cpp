#include "calibration/statistics/calibrate.h"

#include <atomic>
#include <memory>

#include "calibration/statistics/softmax_rows.h"
#include "calibration/statistics/state_inputs.h"
#include "lib/base/log.h"
#include "lib/base/parallel.h"
#include "lib/exec/samples.h"

namespace intaglio {
namespace {

void observe(const Value& value, const Tensor& tensor, Observations& observations) {
  const auto it = observations.values.find(value.name());
  if (it == observations.values.end()) return;
  if (const auto axis = softmax_axis(value); axis && *axis < tensor.rank())
    it->second.add_sample(seen_by_softmax(to_row_major(tensor), *axis));
  else
    it->second.add_sample(tensor.data<float>());
  if (value.is_input()) observations.inputs[value.name()].add(tensor.data<float>());
}

// With the states that the model made. What does not go together with longer ones ends it.
void run_on(const Executor& executor, const StateFeeds& states, const std::vector<Tensor>& feeds,
            std::vector<Tensor> results, const Tap& tap) {
  for (int run = 0; run < StateFeeds::runs; ++run) {
    const auto next = states.next(feeds, results);
    if (!next) return;
    try {
      results = executor.run(*next, tap);
    } catch (const Error& e) {
      if (e.code() != Code::model && e.code() != Code::data && e.code() != Code::unsupported) throw;
      log::debug("a longer state does not run: {}", e.what());
      return;
    }
  }
}

}  // namespace

CompileOptions observe_only(const Graph& graph, const Plan& plan) {
  const auto names = std::make_shared<const std::set<std::string>>(measured_values(graph, plan));
  CompileOptions options;
  options.observed = [names](const Value& value) { return names->contains(value.name()); };
  return options;
}

Observations calibrate(const Executor& executor, const Plan& plan, CheckedDataset& data,
                       const ObserveOptions& options) {
  const Progress& progress = options.progress;
  std::vector<Observations> partial(std::max<std::size_t>(options.threads, 1));
  const std::set<std::string> names = measured_values(executor.graph(), plan);
  for (Observations& o : partial)
    for (const std::string& name : names)
      if (Statistics& s = o.values[name]; options.histograms) s.histogram.emplace();
  const StateFeeds states(executor.graph());
  std::atomic<std::size_t> done{0};
  parallel_for(data.size(), options.threads, [&](std::size_t worker, std::size_t i) {
    Observations& mine = partial[worker];
    const Tap tap = [&](const Value& value, const Tensor& tensor) { observe(value, tensor, mine); };
    if (const auto feeds = data.load(i)) {
      at_sample(data.dataset().name(i),
                [&] { run_on(executor, states, *feeds, executor.run(*feeds, tap), tap); });
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
