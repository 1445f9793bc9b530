#include "apps/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "apps/check_report.h"
#include "apps/deciding.h"
#include "apps/evaluation_text.h"
#include "apps/html/page.h"
#include "apps/keep_report.h"
#include "apps/keep_search.h"
#include "apps/report.h"
#include "lib/base/configs.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/io/load.h"
#include "lib/io/save.h"
#include "lib/quant/half_precision.h"
#include "lib/quant/raise.h"
#include "lib/rewrite/ncnn_table.h"

namespace intaglio {
namespace {

constexpr std::size_t default_evaluation_samples = 16;
// Below, other forms are worth a thought: agreement of classes where there are classes, in percent,
// and the least SQNR of the outputs.
constexpr double enough_agreement = 99.5, enough_db = 50;

// --- Before anything is read ---

std::string output_path(const QuantizeOptions& o) {
  return o.output.empty() ? std::filesystem::path(o.model).stem().string() + ".int8.onnx"
                          : o.output;
}

// Fails in the first second for what would otherwise fail after the calibration.
void check_outputs(const QuantizeOptions& o, const std::string& output) {
  require_outputs(o.model, {output, o.report, o.html, o.save_plan}, /*written=*/!o.dry_run);
  if (o.quant.form.float16 && !o.plan.empty())
    throw Error(Code::usage, "--float16: a plan says itself what computes in float16",
                "Leave it out, or make the plan with it.");
  const bool has_data = o.eval_limit != 0 && (!o.data.data.empty() || !o.eval_data.empty());
  require_searchable(o.keep, o.gates, o.quant.form, !o.data.data.empty(), !o.plan.empty(),
                     !o.eval_data.empty());
  if (o.gates.any() && !has_data)
    throw Error(Code::usage, "a gate needs samples to compare on",
                "Give --data or --eval-data, and no --eval-limit 0.");
  o.gates.require_measurable(!o.data.labels.empty(), has_data);
  if (!o.metric.metrics.empty() && !has_data)
    throw Error(Code::usage, "--metric needs samples to compare on",
                "Give --data or --eval-data, and no --eval-limit 0.");
}

MetricRequest metric_request(const QuantizeOptions& o) {
  return request_of(o.metric, o.gates.metrics(), !o.data.labels.empty());
}

// --- Plan ---

std::optional<Plan> load_plan(const QuantizeOptions& o) {
  if (o.plan.empty()) return std::nullopt;
  return plan_from_json(read_json_file(o.plan), o.plan);
}

void require_same_model(const Plan& plan, const QuantizeOptions& o, const std::string& hash) {
  if (!plan.model_hash.empty() && plan.model_hash != hash)
    throw Error(Code::config, fmt::format("{}: was made for another model", o.plan),
                "Use the model it was saved with, or make a new plan.");
}

// The target, and what the layers of --keep-float or of a plan need of it.
Target needed_target(const QuantizeOptions& o, const std::optional<Plan>& plan,
                     std::vector<std::string>& warnings) {
  Target target = effective_target(o.quant);
  if (plan && needs_wide_codes(*plan)) target.opset = std::max(target.opset, wide_opset);
  if (!o.keep.raises()) return target;
  if (target.engine != Engine::pairs)
    warnings.push_back(
        fmt::format("--keep-as 16bit: target '{}' computes in float with activations of 16 bits; "
                    "layers that are kept float are faster there",
                    target.name));
  return target_for_raising(std::move(target));
}

void print_plan(const Plan& plan, const QuantizeOptions& o) {
  if (o.json) return fmt::print("{}", to_text(to_json(plan)));
  std::vector<std::vector<std::string>> rows = {{"node", "op", "", "reason"}};
  for (const NodePlan& node : plan.nodes)
    rows.push_back({node.name.empty() ? node.output : node.name, node.op,
                    node.quantized ? "quantized" : "float", node.reason});
  print_table(rows);
  fmt::print("\n{} of {} nodes would be quantized; nothing was written\n", plan.quantized_nodes(),
             plan.nodes.size());
  if (o.keep.wanted()) fmt::print("--keep-float chooses among these by measuring\n");
}

// --- Evaluate ---

std::optional<Measured> measure_result(const QuantizeOptions& o, const Prepared& prepared,
                                       const Pressed& pressed, const PreprocessRecipe& recipe,
                                       Context& context, std::vector<std::string>& warnings) {
  const auto& paths = o.eval_data.empty() ? o.data.data : o.eval_data;
  if (paths.empty() || o.eval_limit == 0) return std::nullopt;
  DataOptions data = o.data;
  if (!o.eval_data.empty()) data.limit = 0;
  const SampleSet set(data, paths, recipe, prepared.model.graph());
  const bool all = !o.eval_limit && (!o.eval_data.empty() || !data.labels.empty());
  const std::size_t few = o.eval_limit         ? *o.eval_limit
                          : o.keep.automatic() ? search_samples
                                               : default_evaluation_samples;
  const Samples samples = all ? set.samples() : spread(set.samples(), few);
  Measured measured =
      measure(prepared, std::span(&pressed, 1), samples, {o.exact, metric_request(o)}, context)
          .front();
  if (!o.eval_data.empty()) set.finish(warnings);
  for (std::string& warning : evaluation_warnings(measured.evaluation))
    warnings.push_back(std::move(warning));
  return measured;
}

// --- Report ---

std::string method_name(const QuantizeOptions& o, const Method& method) {
  if (!o.plan.empty()) return "plan";
  return o.quant.form.calibrated() ? method.name : "none";
}

// What one may want to do differently.
std::vector<std::string> hints_for(const FormOptions& form, const Plan& plan,
                                   const CheckResult& check, const Evaluation* evaluation) {
  const auto slow = std::ranges::count_if(plan.nodes, [](const NodePlan& n) {
    return n.quantized && (n.op == "Conv" || n.op == "ConvTranspose") &&
           std::ranges::none_of(n.constants,
                                [](const ConstantPlan& c) { return is_half(c.scheme.type); });
  });
  std::vector<std::string> hints;
  if (!form.has_codes() && slow > 0)
    hints.push_back(
        fmt::format("{} convolutions in the form '{}': onnxruntime runs them at 0.13 to 0.5 of "
                    "the speed of float; --format qdq is made for them",
                    slow, form.format));
  if (form.has_codes() && predicted_gain(check) < 0)
    hints.push_back(fmt::format(
        "{:.2f} million products in integers, and {} conversions around them: the result may be "
        "smaller and no faster, or slower, than the float model; measure it where it is to run",
        static_cast<double>(check.integer_macs) / 1e6, check.conversions));
  std::optional<double> least;
  if (evaluation != nullptr)
    for (const OutputDeviation& output : evaluation->outputs)
      if (const auto db = output.deviation.sqnr_db(); db && (!least || *db < *least)) least = db;
  const bool classes_agree =
      evaluation != nullptr && evaluation->agreement.value_or(0) >= enough_agreement;
  if (form.has_codes() && !classes_agree && least && *least < enough_db)
    hints.push_back(
        fmt::format("SQNR {:.1f} dB: where that is too little, --keep-float auto --min-sqnr DB "
                    "finds the layers "
                    "to keep float, and --format weights rounds weights alone",
                    *least));
  return hints;
}

// Which effort was taken; nothing where it could not be told.
void print_effort(const Json& compared) {
  if (compared["held_out"] == 0) return;
  const auto text = [&](const char* key) {
    return compared[key].is_null() ? "without noise"
                                   : fmt::format("{:.2f} dB", compared[key].get<double>());
  };
  fmt::print("effort {} was taken: on {} samples that neither saw best has {}, balanced {}\n",
             compared["taken"].get<std::string>(), compared["held_out"].get<std::size_t>(),
             text("best_db"), text("balanced_db"));
}

// Where the types of --io are not those of the model given.
void print_interface(const Json& interface) {
  if (interface.is_null()) return;
  for (const char* kind : {"inputs", "outputs"})
    for (const Json& v : interface[kind])
      fmt::print("{} '{}' holds codes of {}: scale {:.6g}, zero point {}\n",
                 std::string_view(kind) == "inputs" ? "input" : "output",
                 v["name"].get<std::string>(), v["type"].get<std::string>(),
                 v["scale"].get<double>(), v["zero_point"].get<int>());
}

void print_summary(const Json& report, const CheckResult& check,
                   const std::optional<Evaluation>& e) {
  const auto& model = report["model"];
  const auto& output = report["output"];
  std::size_t halves = 0;
  for (const Json& node : report["nodes"]) halves += node.value("precision", "") == "float16";
  const auto in = model["bytes"].get<std::uint64_t>(), out = output["bytes"].get<std::uint64_t>();
  fmt::print("{}: {}, {} than {}\n", output["path"].get<std::string>(), human_bytes(out),
             size_ratio(in, out), model["path"].get<std::string>());
  fmt::print("{}{}\n", check_line(check),
             halves > 0 ? fmt::format("; {} compute in float16", halves) : "");
  for (const std::string& line : check_reasons(check)) fmt::print("  {}\n", line);
  if (const Json& compared = report["refine"]["compared"]; compared.is_object())
    print_effort(compared);
  print_interface(report["interface"]);
  for (const Json& hint : report["hints"]) fmt::print("hint: {}\n", hint.get<std::string>());
  if (!e) return;
  fmt::print("\n");
  print_evaluation("FP32", "INT8", *e);
}

// --- Stages ---

// Statistics for the draft, or for what a plan brings along.
Observed observe_for(const QuantizeOptions& o, Prepared& prepared, Plan& plan, const Target& target,
                     const Method& method, const RefineSteps& steps, Context& context,
                     std::vector<std::string>& warnings) {
  Observed observed;
  if (!o.plan.empty()) {
    observed.rebalanced = rebalance_as(prepared, plan, plan.channels, o.plan, {});
  } else if (o.quant.form.calibrated()) {
    observed = observe(prepared, plan, o.data,
                       {.histograms = method.needs_histogram || !o.html.empty(),
                        .refine = steps,
                        .redraft = redraft_for(o.quant.form, target, o.quant.selection),
                        .calibration = o.calibration},
                       context, warnings);
  } else if ((!o.data.data.empty() && o.eval_data.empty()) || !o.calibration.empty()) {
    warnings.push_back(fmt::format(
        "--format {} needs no calibration: data serves the comparison alone", o.quant.form.format));
  }
  return observed;
}

// A result that does not fit is written all the same, and said.
void warn_of_misfits(const CheckResult& check, const std::string& target,
                     std::vector<std::string>& warnings) {
  if (check.fits()) return;
  const std::vector<std::string> reasons = check_reasons(check, 1);
  warnings.push_back(
      fmt::format("the result does not fit target '{}': {}", target, reasons.front()));
}

DataOptions with_eval_data(const QuantizeOptions& o) {
  DataOptions all = o.data;
  all.data.insert(all.data.end(), o.eval_data.begin(), o.eval_data.end());
  return all;
}

// The result says how images become its inputs where images were looked at.
bool has_seen_images(const QuantizeOptions& o, const Prepared& prepared, const Observed& observed) {
  return !observed.statistics.preprocess.is_null() ||
         reads_images(with_eval_data(o).data, prepared.model.graph().feeds());
}

// nullopt: there are no samples to preprocess.
std::optional<PreprocessRecipe> recipe_of(const QuantizeOptions& o, const Prepared& prepared,
                                          const Observed& observed,
                                          std::vector<std::string>& warnings) {
  const Json& settled = observed.statistics.preprocess;
  if (!settled.is_null() && o.calibration.empty())
    return recipe_from_json(settled, "the recipe of the calibration");
  const DataOptions all = with_eval_data(o);
  if (!all.data.empty() || !settled.is_null())
    return make_recipe(all, prepared.model, warnings, settled);
  return std::nullopt;
}

// Decides, refines and rewrites; a plan has its numbers already.
Kept make(const QuantizeOptions& o, const Ground& ground, Plan plan, const Method& method,
          Context& context, std::vector<std::string>& warnings) {
  if (o.keep.wanted()) {
    Kept kept =
        keep_float(o.keep, ground, plan, method, o.gates, {o.exact, metric_request(o)}, context);
    warnings.insert(warnings.end(), kept.warnings.begin(), kept.warnings.end());
    return kept;
  }
  if (o.plan.empty()) return {.best = attempt(ground, std::move(plan), method, context, warnings)};
  Refined refined =
      refine(ground.prepared, plan, ground.refine, o.data, ground.recipe, context, warnings);
  return {.best = press_decided(ground, {std::move(plan), std::move(refined)}, context)};
}

Json report_of(const QuantizeOptions& o, const Ground& ground, const Json& output,
               const Method& method, const Kept& kept, const CheckResult& check,
               const std::optional<Measured>& measured, const std::vector<std::string>& warnings,
               const Context& context) {
  const Prepared& prepared = ground.prepared;
  const Pressed& pressed = kept.best.pressed;
  const Observations& observations = ground.observed.statistics.observations;
  const Evaluation* evaluation = measured ? &measured->evaluation : nullptr;
  const bool by_method = o.plan.empty() && o.quant.form.calibrated();
  return {{"schema", "intaglio.report/1"},
          {"command", "quantize"},
          {"tool", tool_json()},
          {"model", prepared.source},
          {"output", output},
          {"data", ground.observed.data},
          {"method", by_method ? method_json(method) : Json{{"name", method_name(o, method)}}},
          {"target", ground.target.name},
          {"passes", passes_json(prepared.passes)},
          {"refine",
           refine_json(o.refine, ground.refine, ground.observed.rebalanced, kept.best.refined)},
          {"keep_float", kept.json},
          {"interface", pressed.interface},
          {"nodes", nodes_json(pressed.plan, prepared.folded, pressed.written.in_float)},
          {"values", values_json(prepared.model.graph(), pressed.plan, observations, evaluation,
                                 prepared.folded)},
          {"check", check_json(check, ground.target.name)},
          {"execution", measured ? measured->execution : Json()},
          {"warnings", warnings},
          {"hints", hints_for(o.quant.form, pressed.plan, check, evaluation)},
          {"evaluation", evaluation ? evaluation_json(*evaluation) : Json()},
          {"run", context.run_json(observations.samples, context.seconds_of("calibrate"))}};
}

}  // namespace

void quantize(const QuantizeOptions& o, Context& context) {
  const std::string output = output_path(o);
  const Method method = parse_method(o.method);
  const bool refinable = o.quant.form.calibrated() && o.plan.empty();
  const RefineSteps steps = refinable ? refine_steps(o.refine) : RefineSteps{};
  check_outputs(o, output);
  std::vector<std::string> warnings;
  std::optional<Plan> given = load_plan(o);
  const Target target = needed_target(o, given, warnings);

  Prepared prepared = o.quant.form.from_qdq ? load_quantized(o.model, context)
                                            : load_prepared(o.model, target, context);
  const Graph& graph = prepared.model.graph();
  if (given) require_same_model(*given, o, prepared.hash);
  Plan plan = given ? std::move(*given) : draft_for(o.quant.form, graph, target, o.quant.selection);
  plan.model_hash = prepared.hash;
  require_plannable(metric_request(o), graph);
  if (o.dry_run) return print_plan(plan, o);
  require_something(plan);

  const Observed observed =
      observe_for(o, prepared, plan, target, method, steps, context, warnings);
  const std::optional<PreprocessRecipe> recipe = recipe_of(o, prepared, observed, warnings);
  const PreprocessRecipe applied = recipe.value_or(PreprocessRecipe{});
  QuantOptions quant = o.quant;
  quant.selection.left_float = prepared.left_float;
  const Ground ground{prepared, target, quant,
                      observed, o.data, o.data.data.empty() ? o.eval_data : o.data.data,
                      applied,  steps};
  Kept kept = make(o, ground, std::move(plan), method, context, warnings);
  Pressed& pressed = kept.best.pressed;
  write_metadata(pressed.model, prepared, o.quant, method_name(o, method),
                 has_seen_images(o, prepared, observed) ? recipe : std::nullopt);
  const auto measured = context.phase(
      "evaluate", [&] { return measure_result(o, prepared, pressed, applied, context, warnings); });

  const Json saved = context.phase("save", [&] {
    const DataFiles data_files = save_model(pressed.model, output, {.strip = o.strip});
    return output_json(output, o.quant.form.format, data_files);
  });
  // Of the file and the target as they are: what `check` says, whatever was known or asked here.
  const CheckResult check = context.phase("check", [&] {
    return check_model(load_model(output),
                       read_target(find_config(ConfigKind::target, o.quant.target)));
  });
  warn_of_misfits(check, o.quant.target, warnings);
  if (target.ncnn_table) write_file(output + ".table", ncnn_table(pressed.plan, graph));
  if (!o.save_plan.empty()) write_file(o.save_plan, to_text(to_json(pressed.plan)));
  warnings.insert(warnings.end(), pressed.plan.warnings.begin(), pressed.plan.warnings.end());
  warn_of_growth(prepared, pressed.model, saved, warnings);
  for (const std::string& warning : warnings) log::warn("{}", warning);

  const Json report = report_of(o, ground, saved, method, kept, check, measured, warnings, context);
  const Observations& observations = observed.statistics.observations;
  if (!o.report.empty()) write_file(o.report, to_text(report));
  if (!o.html.empty()) write_file(o.html, html::page({report, observations, graph, pressed.plan}));
  const std::optional<Evaluation> evaluation =
      measured ? std::optional(measured->evaluation) : std::nullopt;
  if (o.json) {
    fmt::print("{}", to_text(report));
  } else {
    if (o.keep.wanted()) print_kept(kept.json);
    print_summary(report, check, evaluation);
  }
  if (kept.interrupted)
    throw Error(Code::interrupted, "interrupted while searching for layers to keep float",
                "The best model found so far was written.");
  if (evaluation) o.gates.check(*evaluation);
}

}  // namespace intaglio
