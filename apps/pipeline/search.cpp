#include "apps/pipeline/search.h"

#include <fmt/format.h>

#include <algorithm>

#include "calibration/ranges/unsuitable.h"
#include "calibration/sensitivity/keep_float.h"
#include "lib/base/progress.h"
#include "lib/eval/metric_def.h"

namespace intaglio {
namespace {

constexpr std::size_t sensitivity_samples = 16;
constexpr std::size_t most_put_back = 8;  // layers that a search tries to do without at its end
constexpr const char* left_float = "kept float for accuracy (--keep-float)";
constexpr const char* raised = "activations of 16 bits for accuracy (--keep-float)";

using Layers = std::vector<std::size_t>;

bool is_better(const KeepTrial& a, const KeepTrial& b) {
  if (a.missed.empty() != b.missed.empty()) return a.missed.empty();
  return a.missed.empty() ? a.cost < b.cost : a.noise.relative() < b.noise.relative();
}

class Search {
 public:
  Search(const KeepOptions& options, const Ground& ground, const DataOptions& judged,
         const Plan& draft, const Method& method, const Gates& gates, const Measuring& measuring,
         Context& context)
      : options_(options),
        ground_(ground),
        draft_(draft),
        method_(method),
        gates_(gates),
        measuring_(measuring),
        context_(context),
        set_(labelled(ground.data, gates), ground.data.data, ground.recipe, ground.prepared.model),
        judged_(labelled(judged, gates), judged.data, ground.recipe, ground.prepared.model) {
    measuring_.values = false;
    if (gates.need_labels()) return;
    measuring_.metrics.labels = false;
    std::erase_if(measuring_.metrics.metrics, [](Metric metric) { return def_of(metric).labels; });
  }

  Kept run() {
    try {
      if (options_.automatic()) {
        search();
      } else {
        take(*options_.count());
      }
    } catch (const Error& e) {
      if (e.code() != Code::interrupted || !best_) throw;
      accept_interrupt();
      interrupted_ = true;
    }
    context_.part.clear();
    result_.summary = summary();
    return std::move(result_);
  }

 private:
  // Labels are read for gates that need them: they may be those of other samples.
  static DataOptions labelled(DataOptions data, const Gates& gates) {
    if (!gates.need_labels()) data.labels.clear();
    return data;
  }

  void take(std::size_t count) {
    measure();
    const KeepSet set = keep_order(sensitivity_, KeepCost::layers, options_.as, count).back();
    Plan plan = draft_without(set.layers);
    if (plan.quantized_nodes() == 0)
      throw Error(Code::usage,
                  fmt::format("--keep-float {}: with {} layers float nothing is left to quantize",
                              count, set.layers.size()),
                  "Keep fewer.");
    result_.best = attempt(ground_, std::move(plan), method_, context_, result_.warnings);
    best_ = trial_of(set.layers);
  }

  void search() {
    if (try_layers({})) return;
    measure();
    const std::vector<KeepSet> sets = keep_order(sensitivity_, options_.objective, options_.as);
    // The last set has all layers: when they are float, nothing is left to quantize. Most of the
    // noise sits in few layers, which come first: the steps double.
    std::size_t low = 0, high = sets.size() - (options_.raises() ? 0 : 1);
    for (std::size_t step = 1; low + step < high; step *= 2) {
      if (try_layers(sets[low + step].layers)) {
        high = low + step;
        break;
      }
      low += step;
    }
    while (low + 1 < high) {
      const std::size_t middle = (low + high) / 2;
      (try_layers(sets[middle].layers) ? high : low) = middle;
    }
    if (best_->missed.empty()) put_back();
  }

  // Layers that joined early may not be needed any more.
  void put_back() {
    Layers candidates = best_->layers;
    std::ranges::stable_sort(candidates, [&](std::size_t a, std::size_t b) {
      return cost_of({a}, options_.objective) > cost_of({b}, options_.objective);
    });
    if (candidates.size() > most_put_back) candidates.resize(most_put_back);
    for (const std::size_t layer : candidates) {
      Layers fewer = best_->layers;
      std::erase(fewer, layer);
      if (!fewer.empty()) try_layers(fewer, /*spared=*/true);
    }
  }

  // Whether the gates hold with these layers float. spared: see KeepTrial.
  bool try_layers(const Layers& layers, bool spared = false) {
    context_.part = fmt::format("try {}", trials_.size() + 1);
    std::vector<std::string> warnings;
    std::optional<Attempt> made =
        layers.empty() ? attempt_all(warnings) : attempt_without(layers, warnings);
    if (!made) return false;
    const Evaluation e = context_.phase("search", [&] {
      const Samples all = judged_.samples();
      const Samples samples = all.label ? all : spread(all, search_samples);
      const Quantized* quantized = &made->quantized;
      return intaglio::measure(ground_.prepared, {&quantized, 1}, samples, measuring_, context_)
          .front()
          .evaluation;
    });
    KeepTrial trial = judge(layers, e);
    trial.spared = spared;
    trials_.push_back(trial);
    if (!best_ || is_better(trial, *best_)) {
      best_ = trial;
      result_.best = std::move(*made);
      result_.warnings = std::move(warnings);
    }
    return trial.missed.empty();
  }

  KeepTrial trial_of(const Layers& layers) const {
    KeepTrial trial;
    trial.layers = layers;
    trial.cost = cost_of(layers, options_.objective);
    trial.macs = cost_of(layers, KeepCost::macs);
    return trial;
  }

  KeepTrial judge(const Layers& layers, const Evaluation& e) const {
    KeepTrial trial = trial_of(layers);
    trial.missed = gates_.missed(e);
    if (e.agreement) trial.agreement = e.agreement->percent();
    for (const Metric metric : gates_.metrics())
      for (const MetricColumn& column : columns_of(def_of(metric)))
        trial.reached.push_back({column.head, column.model(e)});
    for (const OutputDeviation& output : e.outputs) trial.noise.outputs.push_back(output.deviation);
    return trial;
  }

  // The draft as it is: decided once, as the sensitivities are those of the same numbers.
  void decide_all(std::vector<std::string>& warnings) {
    all_ = decide(ground_, draft_, method_, context_, warnings);
  }

  Attempt attempt_all(std::vector<std::string>& warnings) {
    decide_all(warnings);
    return write_decided(
        ground_, {all_->plan, {all_->refined.model.clone(), all_->refined.summary}}, context_);
  }

  // nullopt: nothing would be quantized.
  std::optional<Attempt> attempt_without(const Layers& layers, std::vector<std::string>& warnings) {
    Plan plan = draft_without(layers);
    if (plan.quantized_nodes() == 0) return std::nullopt;
    return attempt(ground_, std::move(plan), method_, context_, warnings);
  }

  void measure() {
    context_.part.clear();
    std::vector<std::string> said_later;
    if (!all_) decide_all(said_later);
    context_.phase("analyze", [&] {
      const SensitivityOptions options{.layers = false,
                                       .parts = true,
                                       .simulator = {.threads = context_.worker_count(),
                                                     .progress = context_.progress("analyze")}};
      sensitivity_ = measure_sensitivity({ground_.prepared.model, all_->refined.model, all_->plan,
                                          ground_.target, ground_.quant.selection},
                                         spread(set_.samples(), sensitivity_samples), options);
    });
    all_.reset();
  }

  std::vector<QuantizedLayer> chosen(const Layers& layers) const {
    std::vector<QuantizedLayer> result;
    for (const std::size_t i : layers) result.push_back(sensitivity_.layers[i].layer);
    return result;
  }

  Selection selection(const Layers& layers) const {
    const Selection& given = ground_.quant.selection;
    return options_.raises() ? raising(given, chosen(layers), raised)
                             : leaving_float(given, chosen(layers), left_float);
  }

  Plan draft_without(const Layers& layers) const {
    if (layers.empty()) return draft_;
    Selection wanted = selection(layers);
    const Graph& graph = ground_.prepared.model.graph();
    Plan plan = draft_measured(
        graph, ground_.observed.statistics.observations, wanted.left_float,
        [&] { return draft_for(ground_.quant.form, graph, ground_.target, wanted); });
    plan.model_hash = draft_.model_hash;
    plan.channels = draft_.channels;
    return plan;
  }

  // Their share in percent.
  double cost_of(const Layers& layers, KeepCost objective) const {
    double sum = 0, all = 0;
    const auto cost = [&](const LayerSensitivity& l) {
      return objective == KeepCost::size ? static_cast<double>(l.weights) : l.macs;
    };
    for (const LayerSensitivity& l : sensitivity_.layers) all += cost(l);
    for (const std::size_t i : layers) sum += cost(sensitivity_.layers[i]);
    return all > 0 ? 100 * sum / all : 0;
  }

  KeepSummary summary() const {
    KeepSummary summary{
        .asked = options_,
        .met = options_.automatic() ? std::optional(best_->missed.empty()) : std::nullopt,
        .share = best_->cost,
        .macs = best_->macs,
        .layers = {},
        .trials = trials_,
        .interrupted = interrupted_};
    for (const std::size_t i : best_->layers) {
      const LayerSensitivity& l = sensitivity_.layers[i];
      summary.layers.push_back({l.layer.node->name(), l.layer.node->op(),
                                first_output(*l.layer.node)->name(), l.macs, l.weights});
    }
    return summary;
  }

  const KeepOptions& options_;
  const Ground& ground_;
  const Plan& draft_;
  const Method& method_;
  const Gates& gates_;
  Measuring measuring_;
  Context& context_;
  const SampleSet set_, judged_;  // of the calibration; that gates are judged by
  std::optional<Decided> all_;    // until the sensitivities are measured
  Sensitivity sensitivity_;
  std::vector<KeepTrial> trials_;
  std::optional<KeepTrial> best_;
  bool interrupted_ = false;
  Kept result_;
};

}  // namespace

Kept keep_float(const KeepOptions& options, const Ground& ground, const DataOptions& judged,
                const Plan& draft, const Method& method, const Gates& gates,
                const Measuring& measuring, Context& context) {
  return Search(options, ground, judged, draft, method, gates, measuring, context).run();
}

}  // namespace intaglio
