#include "apps/pipeline/observe.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/pipeline/masks.h"
#include "calibration/ranges/logarithms.h"
#include "calibration/ranges/unsuitable.h"
#include "calibration/refine/rebalance.h"
#include "calibration/statistics/calibrate.h"
#include "calibration/statistics/state_inputs.h"
#include "lib/graph/macs.h"

namespace intaglio {
namespace {

DataSummary summary_of(const StatisticsFile& file) {
  DataSummary summary{static_cast<std::size_t>(file.observations.samples), file.skipped,
                      file.preprocess, file.data_sha256()};
  if (file.preprocess.is_null()) return summary;
  summary.recipe = recipe_from_json(file.preprocess, "the recipe of the statistics");
  summary.recipe->origin = "statistics";
  return summary;
}

void require_same_model(const StatisticsFile& file, const Prepared& prepared,
                        const std::string& path, const char* remedy) {
  if (file.model_hash != prepared.hash)
    throw Error(Code::data,
                fmt::format("{}: holds statistics of another model, or of this one prepared for "
                            "another target or form",
                            path),
                remedy);
}

StatisticsFile read_like(const std::string& path, const Prepared& prepared) {
  StatisticsFile file = read_statistics(path);
  require_same_model(file, prepared, path, "Give --like a file of the same model and target.");
  return file;
}

constexpr const char* same_options =
    "Run 'intaglio calibrate' with the same model and the same options.";

void require_fitting(const StatisticsFile& file, const Plan& plan, const std::string& path) {
  if (file.shards)
    throw Error(
        Code::data,
        fmt::format("{}: holds {} of {} shards", path, file.shards->have.size(), file.shards->of),
        "Merge all of them with 'intaglio merge'.");
  for (const ActivationPlan& activation : plan.activations)
    if (!file.observations.values.contains(activation.name))
      throw Error(Code::data,
                  fmt::format("{}: was made for target '{}' and has no value '{}'", path,
                              file.target, activation.name),
                  same_options);
}

// State inputs that the data leave at zero, which the calibration went on with.
void warn_of_states(const Graph& graph, CheckedDataset& data, const Observations& seen,
                    std::vector<std::string>& warnings) {
  std::optional<std::vector<Tensor>> first;
  for (std::size_t i = 0; i < data.size() && !first; ++i) first = data.load(i);
  if (!first) return;
  for (const std::string& input : StateFeeds(graph).zeros(*first))
    if (seen.values.contains(input) && !is_zero(seen, input))
      warnings.push_back(fmt::format(
          "input '{}' is zero in the data: its states are those that the model made, run on from "
          "there; give samples with states of their own where these differ",
          input));
}

// One warning for each reason: how many nodes, and what they are of the products.
void warn_of(const std::map<std::string, std::string>& left, const Graph& graph, const Plan& plan,
             std::vector<std::string>& warnings) {
  double all = 0;
  std::map<std::string, std::pair<std::vector<std::string>, double>> by_reason;
  for (const NodePlan& node : plan.nodes) {
    const auto macs =
        static_cast<double>(macs_of(*graph.find(node.output)->producer()).value_or(0));
    all += macs;
    const auto it = left.find(node.output);
    if (it == left.end() || !node.quantized) continue;
    auto& [names, share] = by_reason[it->second];
    names.push_back(fmt::format("{} '{}'", node.op, node.name.empty() ? node.output : node.name));
    share += macs;
  }
  for (const auto& [reason, nodes] : by_reason)
    warnings.push_back(fmt::format(
        "{}{} stays float ({:.1f} % of the products): {}", nodes.first.front(),
        nodes.first.size() > 1 ? fmt::format(" and {} other nodes", nodes.first.size() - 1) : "",
        all > 0 ? 100 * nodes.second / all : 0.0, reason));
}

// Drafts anew without the nodes that statistics speak against.
void leave_unsuitable(Prepared& prepared, Plan& plan, const Observations& observations,
                      const Redraft& redraft, std::vector<std::string>& warnings) {
  const Graph& graph = prepared.model.graph();
  const auto found = unsuitable(graph, plan, observations);
  warn_of(found, graph, plan, warnings);
  if (!redraft || found.empty()) return;
  prepared.left_float.insert(found.begin(), found.end());
  Plan fresh = draft_measured(graph, observations, prepared.left_float,
                              [&] { return redraft(graph, prepared.left_float); });
  fresh.model_hash = plan.model_hash;
  fresh.channels = plan.channels;
  plan = std::move(fresh);
}

}  // namespace

Observed observe(Prepared& prepared, Plan& plan, const DataOptions& data,
                 const ObserveRequest& request, Context& context,
                 std::vector<std::string>& warnings) {
  if (!request.calibration.empty()) {
    Observed observed{
        context.phase("read", [&] { return read_statistics(request.calibration); }), {}, {}};
    require_same_model(observed.statistics, prepared, request.calibration, same_options);
    observed.data = summary_of(observed.statistics);
    if (request.refine.rebalances() && !observed.statistics.rebalanced &&
        rebalances(prepared.model.graph()))
      warnings.push_back(fmt::format(
          "{}: was measured without equalization: 'calibrate --effort balanced' includes it",
          request.calibration));
    observed.rebalanced = rebalance_as(prepared, plan, observed.statistics.channels,
                                       request.calibration, request.redraft);
    require_fitting(observed.statistics, plan, request.calibration);
    leave_unsuitable(prepared, plan, observed.statistics.observations, request.redraft, warnings);
    return observed;
  }
  if (data.data.empty())
    throw Error(Code::usage, "no data given", "Give --data PATH, or --calibration STATS.");
  const PreprocessRecipe recipe = make_recipe(data, prepared.model, warnings);
  const SampleSet set(data, data.data, recipe, prepared.model);
  tell_preprocess(set, prepared.model.graph(), context, warnings);
  Observed observed;
  StatisticsFile& file = observed.statistics;
  if (request.like.empty()) {
    file.rebalanced = request.refine.rebalances();
    observed.rebalanced =
        rebalance(prepared, plan, request.refine, data, recipe, request.redraft, context);
  } else {
    StatisticsFile like = read_like(request.like, prepared);
    file.rebalanced = like.rebalanced;
    observed.rebalanced =
        rebalance_as(prepared, plan, std::move(like.channels), request.like, request.redraft);
  }
  file.channels = plan.channels;
  file.observations = context.phase("calibrate", [&] {
    const Executor executor(prepared.model.graph(), observe_only(prepared.model.graph(), plan));
    return calibrate(executor, plan, set.checked(),
                     {.histograms = request.histograms || has_logarithms(prepared.model.graph()),
                      .threads = context.worker_count(),
                      .progress = context.progress("calibrate")});
  });
  set.finish(warnings);
  const Dataset& dataset = set.checked().dataset();
  file.model_hash = prepared.hash;
  file.target = plan.target;
  file.preprocess = dataset.preprocess();
  if (data.shard && data.shard->of > 1)
    file.shards = Shards{data.shard->of, {data.shard->index}, dataset.list_sha256()};
  file.fingerprints =
      context.phase("fingerprints", [&] { return fingerprints(dataset, context.worker_count()); });
  file.skipped = set.checked().skipped();
  std::sort(file.skipped.begin(), file.skipped.end());
  observed.data = summary_of(file);
  observed.data->recipe = set.recipe();
  observed.data->tokens = set.tokens();
  warn_of_states(prepared.model.graph(), set.checked(), file.observations, warnings);
  warn_of_unmoved_masks(prepared.model.graph(), set.checked(), warnings);
  leave_unsuitable(prepared, plan, file.observations, request.redraft, warnings);
  return observed;
}

}  // namespace intaglio
