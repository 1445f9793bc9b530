#include "apps/pipeline/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "apps/pipeline/hints.h"
#include "apps/pipeline/shapes.h"
#include "apps/pipeline/warnings.h"
#include "lib/base/configs.h"
#include "lib/check/summary.h"
#include "lib/io/load.h"
#include "lib/quant/wide_activations.h"

namespace intaglio {
namespace {

constexpr std::size_t a_few = 16;  // samples for an impression

MetricRequest metric_request(const QuantizeSpec& o) {
  return request_of(o.metric, o.gates.metrics(), !o.data.labels.empty());
}

// --- Draft ---

std::optional<GivenPlan> given_plan(const QuantizeSpec& o) {
  if (o.plan.empty()) return std::nullopt;
  return GivenPlan{plan_from_json(read_json_file(o.plan), o.plan), o.plan};
}

// The target, and what the layers of --keep-float or of a plan need of it.
Target needed_target(const QuantizeSpec& o, const std::optional<GivenPlan>& given,
                     std::vector<std::string>& warnings) {
  Target target = effective_target(o.quant);
  if (given && needs_wide_codes(given->plan)) target.opset = std::max(target.opset, wide_opset);
  if (!o.keep.raises()) return target;
  if (target.engine != Engine::pairs)
    warnings.push_back(
        fmt::format("--keep-as 16bit: target '{}' computes in float with activations of 16 bits; "
                    "layers that are kept float are faster there",
                    target.name));
  return target_for_raising(std::move(target));
}

Session open(const QuantizeSpec& o, Context& context, std::vector<std::string>& warnings) {
  const RefineSteps steps = o.calibrates() ? refine_steps(o.refine) : RefineSteps{};
  std::optional<GivenPlan> given = given_plan(o);
  Target target = needed_target(o, given, warnings);
  Session session =
      open_session(o.model, std::move(target), steps, o.quant, std::move(given), context);
  require_plannable(metric_request(o), session.prepared.model.graph());
  require_fixable(o.quant.form, session.target, session.prepared.model, o.model);
  return session;
}

// --- Observe ---

// Statistics for the draft, or for what a plan brings along.
Observed observe_for(const QuantizeSpec& o, const DataOptions& data, Session& session,
                     const Method& method, Context& context, std::vector<std::string>& warnings) {
  Observed observed;
  if (!o.plan.empty()) {
    Plan& plan = session.plan;
    observed.rebalanced = rebalance_as(session.prepared, plan, plan.channels, o.plan, {});
  } else if (o.calibrates()) {
    observed = observe(
        session, o.quant, data,
        {.histograms = method.traits.needs_histogram || o.histograms, .calibration = o.calibration},
        context, warnings);
  } else if (session.target.weights.group == 0 &&
             ((!o.data.data.empty() && o.eval_data.empty()) || !o.calibration.empty())) {
    warnings.push_back(fmt::format(
        "--format {} needs no calibration: data serves the comparison alone", o.quant.form.name()));
  }
  return observed;
}

DataOptions with_eval_data(const QuantizeSpec& o) {
  DataOptions all = o.data;
  all.data.insert(all.data.end(), o.eval_data.begin(), o.eval_data.end());
  return all;
}

// The result says how images become its inputs where images were looked at.
bool has_seen_images(const QuantizeSpec& o, const Prepared& prepared, const Observed& observed) {
  return !observed.statistics.preprocess.is_null() ||
         reads_images(with_eval_data(o).data, prepared.model.graph().feeds(),
                      !o.data.text.tokenizer.empty());
}

// Whether two settled recipes make the same of an image, whatever they are called.
bool same_pixels(Json a, Json b) {
  a.erase("name"), b.erase("name");
  return a == b;
}

// Settled, so that the same command from statistics and from samples says the same. nullopt: there
// are no samples to preprocess.
std::optional<PreprocessRecipe> recipe_of(const QuantizeSpec& o, const Prepared& prepared,
                                          const Observed& observed,
                                          std::vector<std::string>& warnings) {
  const Json& settled = observed.statistics.preprocess;
  if (!settled.is_null() && o.calibration.empty()) {
    PreprocessRecipe recipe = recipe_from_json(settled, "the recipe of the calibration");
    if (observed.data && observed.data->recipe) recipe.origin = observed.data->recipe->origin;
    return recipe;
  }
  const DataOptions all = with_eval_data(o);
  if (all.data.empty() && settled.is_null()) return std::nullopt;
  PreprocessRecipe recipe = make_recipe(all, prepared.model, warnings, settled);
  if (all.data.empty()) return recipe;
  const auto used = SampleSet(all, all.data, recipe, prepared.model).recipe();
  if (used && !settled.is_null() && !same_pixels(used->to_json(), settled))
    warnings.push_back(fmt::format(
        "{}: was measured on images that were prepared in another way than these", o.calibration));
  return used ? *used : recipe;
}

// Decides, refines and rewrites; a plan has its numbers already.
Kept make(const QuantizeSpec& o, const Ground& ground, const Split& split, Plan plan,
          const Method& method, Context& context, std::vector<std::string>& warnings) {
  if (o.keep.wanted()) {
    Kept kept = keep_float(o.keep, ground,
                           split.source == EvalSource::held_out ? split.evaluation : ground.data,
                           plan, method, o.gates, {o.exact, metric_request(o)}, context);
    warnings.insert(warnings.end(), kept.warnings.begin(), kept.warnings.end());
    return kept;
  }
  if (o.plan.empty()) return {.best = attempt(ground, std::move(plan), method, context, warnings)};
  Refined refined =
      refine(ground.prepared, plan, ground.refine, ground.data, ground.recipe, context, warnings);
  return {.best = write_decided(ground, {std::move(plan), std::move(refined)}, context)};
}

// --- Evaluate ---

Split split_data(const QuantizeSpec& o, const Prepared& prepared,
                 std::vector<std::string>& warnings) {
  if (!o.learns() || !o.calibration.empty()) return unsplit(o.data, o.eval_data, EvalSource::given);
  if (!o.judges()) return unsplit(o.data, o.eval_data, EvalSource::seen);
  return split(o.data, o.eval_data, prepared.model, warnings);
}

// Whether a few of the samples to compare on are among those of the statistics.
bool was_seen(const QuantizeSpec& o, const Split& split, const Observed& observed,
              const PreprocessRecipe& recipe, const Prepared& prepared) {
  if (o.calibration.empty() || !o.eval_data.empty() || !o.compares()) return false;
  DataOptions few = split.evaluation;
  few.most = a_few;
  const SampleSet set(few, few.data, recipe, prepared.model);
  const auto& seen = observed.statistics.fingerprints;
  for (std::size_t i = 0; i < set.samples().count; ++i)
    if (std::ranges::binary_search(seen, set.checked().dataset().fingerprint(i))) return true;
  return false;
}

std::optional<Measured> measure_result(const QuantizeSpec& o, const Split& split,
                                       const Prepared& prepared, const Quantized& quantized,
                                       const PreprocessRecipe& recipe, Context& context,
                                       std::vector<std::string>& warnings) {
  DataOptions data = split.evaluation;
  if (data.data.empty() || o.eval_limit == 0) return std::nullopt;
  data.most = o.eval_limit;
  if (!data.most && o.eval_data.empty() && !o.judges()) data.most = a_few;
  const SampleSet set(data, data.data, recipe, prepared.model);
  tell_preprocess(set, prepared.model.graph(), context, warnings);
  const Samples samples = set.samples();
  const Quantized* one = &quantized;
  Measuring how{o.exact, metric_request(o)};
  how.pictures = o.pictures;
  how.recipe = set.recipe();
  how.names = names_for(o.data, prepared.model.metadata());
  Measured measured = measure(prepared, {&one, 1}, samples, how, context).front();
  if (split.source != EvalSource::seen) set.finish(warnings);
  for (std::string& warning : evaluation_warnings(measured.evaluation))
    warnings.push_back(std::move(warning));
  return measured;
}

// A result that does not fit is written all the same, and said.
void warn_of_misfits(const CheckResult& check, const std::string& target,
                     std::vector<std::string>& warnings) {
  if (check.fits()) return;
  const std::vector<std::string> reasons = check_reasons(check, 1);
  warnings.push_back(
      fmt::format("the result does not fit target '{}': {}", target, reasons.front()));
}

// Of the file and the target as they are: what `check` says, whatever was known or asked here. Of a
// file that is no ONNX, the model that it was made of.
CheckResult check_file(const SavedFile& file, const Model& model, const std::string& target) {
  Target asked = read_target(find_config(ConfigKind::target, target));
  if (file.tflite)  // there they are s8
    for (std::vector<DType>* types : {&asked.accepts.activations, &asked.accepts.weights})
      types->push_back(DType::u8);
  return check_model(file.onnx() ? load_unplaced(file.model_at, file.data_at) : model.clone(),
                     asked);
}

// Weights in groups stay outside the model where they were outside before: it may be of any size.
SaveOptions save_options(const QuantizeSpec& o, const Prepared& prepared, const Target& target) {
  SaveOptions options{.strip = o.strip};
  const bool always = o.external == ExternalData::always;
  if (always || (target.weights.group > 0 && prepared.external)) options.external_above = 0;
  return options;
}

// The files beside the model, which are known once it was read.
void declare_files(const QuantizeSpec& o, const Session& session, Outputs& outputs) {
  const std::string output = output_path(o);
  const SaveOptions saving = save_options(o, session.prepared, session.target);
  if (o.quant.form.traits().onnx) declare_data(outputs, session.prepared, output, saving);
  if (!o.hand_over.float_output.empty())
    declare_data(outputs, session.prepared, o.hand_over.float_output, saving);
}

// The result, and what is handed over of it.
void save_result(const QuantizeSpec& o, const std::optional<NcnnNetwork>& network,
                 std::vector<std::string> without, QuantizeResult& result, Context& context,
                 std::vector<std::string>& warnings) {
  const Prepared& prepared = result.session.prepared;
  Quantized& quantized = result.kept.best.quantized;
  const std::string output = output_path(o);
  const SaveOptions saving = save_options(o, prepared, result.session.target);
  std::optional<FloatTwin> twin;
  if (network || o.hand_over.any()) twin = float_twin(prepared, quantized.plan, network);
  context.phase("save", [&] {
    if (o.quant.form.form == OutputForm::ncnn) {
      result.output = save_ncnn(context.outputs, *network, *twin->ncnn, quantized.plan,
                                std::move(without), output, warnings);
      return;
    }
    std::vector<FixedShape> fixed =
        fix_output(quantized.model, o.quant.form, result.session.target);
    SaveOptions with_groups = saving;
    if (const auto& groups = result.kept.best.groups) with_groups.data = groups->summary.file;
    result.output =
        save(context.outputs, quantized.model, output, o.quant.form.name(), with_groups);
    result.output.fixed = std::move(fixed);
  });
  if (!o.hand_over.any()) return;
  fix_output(twin->model, o.quant.form, result.session.target);
  result.handed_over = hand_over(o.hand_over, prepared, quantized, std::move(*twin), network,
                                 saving, context, warnings);
}

}  // namespace

std::string output_path(const QuantizeSpec& o) {
  if (!o.output.empty()) return o.output;
  const std::string_view kind = o.quant.form.form == OutputForm::ncnn ? ".int8.ncnn" : ".int8";
  return fmt::format("{}{}{}", std::filesystem::path(o.model).stem().string(), kind,
                     o.quant.form.traits().ending);
}

std::string method_name(const QuantizeSpec& o, const Method& method) {
  if (o.calibrates()) return method.name;
  return o.plan.empty() ? "none" : "plan";
}

void require_consistent(const QuantizeSpec& o) {
  require_file_name(o.output, o.quant.form);
  require_consistent(o.hand_over, o.quant);
  if (o.quant.input_range && !o.plan.empty())
    throw Error(Code::usage, "--input-range: a plan has its ranges already",
                "Leave it out, or make the plan with it.");
  if (!o.refine.list.empty() && !o.calibrates())
    throw Error(Code::usage,
                o.plan.empty() ? fmt::format("--refine: no step changes anything in the form '{}'",
                                             o.quant.form.name())
                               : "--refine: a plan holds what was refined already",
                "Leave it out.");
  if (o.external == ExternalData::always && !o.quant.form.traits().onnx)
    throw Error(Code::usage,
                fmt::format("--external-data: the form '{}' has a place for its weights already",
                            o.quant.form.name()),
                "Leave it out.");
  if (!o.data.text.tokenizer.empty() && o.data.data.empty() && o.eval_data.empty())
    throw Error(Code::usage, "--tokenizer: there is no text that it could read",
                "Give --data TEXT.txt, or leave it out.");
  if (has_groups(o.quant) && !o.plan.empty())
    throw Error(Code::usage, "--plan: a plan holds no codes of weights in groups",
                "Leave it out: give the options, and data, instead.");
  if (o.quant.form.float16 && !o.plan.empty())
    throw Error(Code::usage, "--float16: a plan says itself what computes in float16",
                "Leave it out, or make the plan with it.");
  require_searchable(o.keep, o.gates, o.quant.form, !o.data.data.empty(), !o.plan.empty(),
                     !o.eval_data.empty());
  if (o.gates.any() && !o.compares())
    throw Error(Code::usage, "a gate needs samples to compare on",
                "Give --data or --eval-data, and no --eval-limit 0.");
  o.gates.require_measurable(!o.data.labels.empty(), o.compares());
  if (!o.metric.metrics.empty() && !o.compares())
    throw Error(Code::usage, "--metric needs samples to compare on",
                "Give --data or --eval-data, and no --eval-limit 0.");
}

Plan draft_only(const QuantizeSpec& o, Context& context) {
  parse_method(o.method);
  require_consistent(o);
  std::vector<std::string> unheard;
  return open(o, context, unheard).plan;
}

QuantizeResult quantize(const QuantizeSpec& o, Context& context) {
  const Method method = parse_method(o.method);
  require_consistent(o);
  std::vector<std::string> warnings = o.gates.doubts();
  QuantizeResult result{.session = open(o, context, warnings),
                        .method = method,
                        .observed = {},
                        .kept = {},
                        .recipe = {},
                        .measured = {},
                        .evaluation_source = {},
                        .output = {},
                        .handed_over = {},
                        .check = {},
                        .warnings = {},
                        .hints = {}};
  Session& session = result.session;
  const Prepared& prepared = session.prepared;
  require_something(session.plan);
  declare_files(o, session, context.outputs);
  const std::optional<NcnnNetwork> network = given_network(o.hand_over);
  std::vector<std::string> without;
  if (network && is_of_given(*network, prepared) && std::exchange(session.steps.migration, false))
    without.emplace_back("migration");

  Split data = split_data(o, prepared, warnings);
  result.observed = observe_for(o, data.calibration, session, method, context, warnings);
  const std::optional<PreprocessRecipe> recipe = recipe_of(o, prepared, result.observed, warnings);
  const PreprocessRecipe applied = recipe.value_or(PreprocessRecipe{});
  if (was_seen(o, data, result.observed, applied, prepared)) {
    data.source = EvalSource::seen;
    if (o.judges())
      warnings.push_back(
          "the statistics were measured on samples that the result is judged by: "
          "give others with --eval-data");
  }
  result.evaluation_source = data.source;
  QuantOptions quant = o.quant;
  quant.selection.left_float = prepared.left_float;
  const Ground ground{prepared,
                      session.target,
                      quant,
                      result.observed,
                      data.calibration,
                      data.calibration.data.empty() ? o.eval_data : data.calibration.data,
                      applied,
                      session.steps,
                      {o.refine.effort, data_file_of(output_path(o))}};
  result.kept = make(o, ground, data, std::move(session.plan), method, context, warnings);
  Quantized& quantized = result.kept.best.quantized;
  if (has_seen_images(o, prepared, result.observed)) result.recipe = recipe;
  write_metadata(quantized.model, prepared, o.quant, method_name(o, method), result.recipe);
  result.measured = context.phase("evaluate", [&] {
    return measure_result(o, data, prepared, quantized, applied, context, warnings);
  });

  if (const auto& groups = result.kept.best.groups; groups && groups->data)
    result.observed.data = groups->data;
  save_result(o, network, std::move(without), result, context, warnings);
  result.check = context.phase(
      "check", [&] { return check_file(result.output, quantized.model, target_name(o.quant)); });
  warn_of_misfits(result.check, target_name(o.quant), warnings);
  const auto& planned = quantized.plan.warnings;
  warnings.insert(warnings.end(), planned.begin(), planned.end());
  warn_of_growth(prepared, quantized.model, result.output, warnings);
  result.hints = hints_for(o.quant.form, quantized.plan, result.check,
                           result.measured ? &result.measured->evaluation : nullptr,
                           result.kept.summary ? &*result.kept.summary : nullptr);
  result.warnings = distinct(std::move(warnings));
  return result;
}

}  // namespace intaglio
