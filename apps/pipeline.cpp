#include "apps/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "apps/execution.h"
#include "apps/report.h"
#include "calibration/calibrate.h"
#include "calibration/select.h"
#include "lib/base/configs.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/io/check.h"
#include "lib/io/load.h"
#include "lib/io/save.h"
#include "lib/passes/pass.h"
#include "lib/rewrite/interface.h"
#include "lib/rewrite/qoperator.h"

namespace intaglio {
namespace {

constexpr std::size_t default_evaluation_samples = 32;

// --- Before anything is read ----------------------------------------------------------------------

std::string output_path(const QuantizeOptions& o) {
  return o.output.empty() ? std::filesystem::path(o.model).stem().string() + ".int8.onnx" : o.output;
}

// Fails in the first second for what would otherwise fail after the calibration.
void check_outputs(const QuantizeOptions& o, const std::string& output) {
  std::error_code ignored;
  for (const std::string& path : {output, o.report, o.save_plan}) {
    if (path.empty()) continue;
    if (std::filesystem::equivalent(path, o.model, ignored))
      throw Error(Code::usage, fmt::format("{}: output and input are the same file", path),
                  "Choose another name: the float model is never overwritten.");
    if (!o.dry_run) require_writable(path);
  }
  o.gates.require_measurable(!o.data.labels.empty(), !o.data.data.empty() || !o.eval_data.empty());
}

Target effective_target(const QuantizeOptions& o) {
  Target target = read_target(find_config(ConfigKind::target, o.target));
  if (!o.weights.empty()) {
    target.weights.type = dtype_named(o.weights);
    target.weights.symmetric = o.weights.front() == 's';
  }
  if (!o.activations.empty()) target.activations.type = dtype_named(o.activations);
  if (!o.granularity.empty()) target.per_channel = o.granularity == "channel";
  if (o.symmetric) target.activations.symmetric = true;
  if (o.reduce_range) target.weights.reduce_range = true;
  return target_for(o.form, std::move(target));
}

// --- Prepare --------------------------------------------------------------------------------------

void refuse_quantized(const Graph& graph, const std::string& path) {
  for (const Node* node : graph.nodes()) {
    const std::string& op = node->op();
    if (op.starts_with("QLinear") || op.ends_with("QuantizeLinear") || op == "DequantizeLinear" ||
        op.ends_with("Integer") || op == "QGemm" || op == "QAttention")
      throw Error(Code::unsupported,
                  fmt::format("{}: is quantized already: it holds the {}", path, node->label()),
                  "Give the float model: quantizing twice would only lose accuracy.");
  }
}

// Notes by name what each pass did away with.
class FoldWatcher {
 public:
  explicit FoldWatcher(const Graph& graph) : graph_(graph), nodes_(node_names()), values_(value_names()) {}

  void after(std::string_view pass) {
    auto nodes = node_names();
    for (const auto& [name, op] : nodes_)
      if (!nodes.contains(name)) folded_.nodes.push_back({name, op, std::string(pass)});
    auto values = value_names();
    for (const std::string& name : values_)
      if (!values.contains(name)) folded_.values.push_back({name, "", std::string(pass)});
    nodes_ = std::move(nodes);
    values_ = std::move(values);
  }

  Folded take() { return std::move(folded_); }

 private:
  std::map<std::string, std::string> node_names() const {
    std::map<std::string, std::string> names;
    for (const Node* node : graph_.nodes()) names[node->name().empty() ? node->label() : node->name()] = node->op();
    return names;
  }
  std::set<std::string> value_names() const {
    std::set<std::string> names;
    for (const Value* value : graph_.values()) names.insert(value->name());
    return names;
  }

  const Graph& graph_;
  std::map<std::string, std::string> nodes_;
  std::set<std::string> values_;
  Folded folded_;
};

// --- Plan -----------------------------------------------------------------------------------------

void require_something(const Plan& plan) {
  if (plan.quantized_nodes() > 0) return;
  const std::string why =
      plan.nodes.empty() ? "the graph has no nodes"
                         : fmt::format("for example {}: {}", plan.nodes.front().op, plan.nodes.front().reason);
  throw Error(Code::unsupported, fmt::format("no node of the model can be quantized; {}", why),
              "List the reasons with --dry-run, or choose another --target.");
}

Plan load_plan(const QuantizeOptions& o, const std::string& hash) {
  Plan plan = plan_from_json(read_json_file(o.plan), o.plan);
  if (!plan.model_hash.empty() && plan.model_hash != hash)
    throw Error(Code::config, fmt::format("{}: was made for another model", o.plan),
                "Use the model it was saved with, or make a new plan.");
  return plan;
}

void print_plan(const Plan& plan, bool json) {
  if (json) return fmt::print("{}", to_text(to_json(plan)));
  std::vector<std::vector<std::string>> rows = {{"node", "op", "", "reason"}};
  for (const NodePlan& node : plan.nodes)
    rows.push_back({node.name.empty() ? node.output : node.name, node.op,
                    node.quantized ? "quantized" : "float", node.reason});
  print_table(rows);
  fmt::print("\n{} of {} nodes would be quantized; nothing was written\n", plan.quantized_nodes(),
             plan.nodes.size());
}

// --- Verify ----------------------------------------------------------------------------------------

// An invalid result is our fault, unless what we were given was invalid in the first place.
void require_valid(const Model& source, const Model& result, const std::string& path) {
  const auto reason = invalid_reason(result);
  if (!reason) return;
  if (const auto given = invalid_reason(source))
    throw Error(Code::model, fmt::format("{}: not valid ONNX: {}", path, *given), "Export the model again.");
  throw Error(Code::internal, fmt::format("the result is not valid ONNX: {}", *reason),
              "Please report this with the model.");
}

// --- Evaluate -------------------------------------------------------------------------------------

std::optional<Evaluation> evaluate_result(const QuantizeOptions& o, const Model& prepared,
                                          const Model& result, const Plan& plan,
                                          const Written& written, const PreprocessRecipe& recipe,
                                          Context& context, std::vector<std::string>& warnings,
                                          Json& execution_part) {
  DataOptions data = o.data;
  const auto& paths = o.eval_data.empty() ? o.data.data : o.eval_data;
  if (paths.empty()) return std::nullopt;
  if (!o.eval_data.empty()) {
    data.limit = 0;
  } else if (data.labels.empty()) {
    data.limit = data.limit == 0 ? default_evaluation_samples : std::min(data.limit, default_evaluation_samples);
  }
  const SampleSet set(data, paths, recipe, prepared.graph());
  std::map<std::string, std::string> values = written.dequantized;
  std::set<std::string_view> kept;
  for (const auto& [name, twin] : values) kept.insert(twin);
  std::function<void(Graph&)> look;  // operators on codes leave no floats to compare
  if (!written.codes.empty())
    look = [&](Graph& graph) { values = dequantize_codes(graph, plan, written.codes); };
  Model measured = result.clone();
  restore_float_interface(measured);
  const Execution execution(
      measured, o.exact, [&](std::string_view name) { return kept.contains(name); }, look);
  CompileOptions of_reference, of_result;
  of_reference.observed = [&](const Value& value) { return values.contains(value.name()); };
  const Executor reference(prepared.graph(), of_reference);
  std::set<std::string_view> compared;
  for (const auto& [name, twin] : values) compared.insert(twin);
  of_result.observed = [&](const Value& value) { return compared.contains(value.name()); };
  const Executor quantized(execution.graph(), of_result);
  execution_part = execution.json();
  EvaluateOptions options;
  options.threads = context.worker_count();
  options.values = values;
  options.progress = context.progress();
  Evaluation evaluation = evaluate(quantized, &reference, set.samples(), options);
  if (!o.eval_data.empty()) set.finish(warnings);
  return evaluation;
}

// --- Report ---------------------------------------------------------------------------------------

std::string method_name(const QuantizeOptions& o, const Method& method) {
  if (!o.plan.empty()) return "plan";
  return o.form.calibrated() ? method.name : "none";
}

void write_metadata(Model& model, const Model& source, const QuantizeOptions& o, const Method& method,
                    const PreprocessRecipe* recipe, const std::string& model_hash) {
  if (const std::string producer = source.producer(); !producer.empty())
    model.set_metadata("intaglio.source_producer", producer);
  model.set_producer("intaglio", INTAGLIO_VERSION);
  model.set_metadata("intaglio.source_sha256", model_hash);
  model.set_metadata("intaglio.target", o.target);
  model.set_metadata("intaglio.format", o.form.format);
  model.set_metadata("intaglio.method", method_name(o, method));
  if (recipe != nullptr) model.set_metadata(preprocess_key, recipe->to_json().dump());
}

std::string optional_percent(const std::optional<double>& value) { return value ? percent(*value) : "-"; }

void print_summary(const Json& report, const std::optional<Evaluation>& e) {
  const auto& model = report["model"];
  const auto& output = report["output"];
  std::size_t quantized = 0, left = 0;
  for (const Json& node : report["nodes"]) {
    quantized += node["status"] == "quantized";
    left += node["status"] == "float";
  }
  const auto in = model["bytes"].get<std::uint64_t>(), out = output["bytes"].get<std::uint64_t>();
  fmt::print("{}: {}, {:.2f} times smaller than {}\n", output["path"].get<std::string>(), human_bytes(out),
             static_cast<double>(in) / static_cast<double>(out), model["path"].get<std::string>());
  fmt::print("{} nodes quantized, {} left float\n", quantized, left);
  if (!e) return;
  fmt::print("\n");
  std::vector<std::vector<std::string>> rows = {{"", "top-1 %", "top-5 %", "agreement %"}};
  if (e->accuracy) {
    if (e->reference) rows.push_back({"FP32", percent(e->reference->top1), percent(e->reference->top5), ""});
    rows.push_back({"INT8", percent(e->accuracy->top1), percent(e->accuracy->top5), optional_percent(e->agreement)});
  } else {
    rows.push_back({"INT8", "-", "-", optional_percent(e->agreement)});
  }
  print_table(rows);
  for (const OutputDeviation& o : e->outputs) {
    const auto sqnr = o.deviation.sqnr_db();
    fmt::print("output '{}': SQNR {} over {} samples\n", o.name,
               sqnr ? fmt::format("{:.2f} dB", *sqnr) : std::string("without noise"), e->samples);
  }
}

}  // namespace

void quantize(const QuantizeOptions& o, Context& context) {
  const std::string output = output_path(o);
  const Method method = parse_method(o.method);
  const Target target = effective_target(o);
  require_consistent(o.form, {o.activations, o.symmetric});
  check_outputs(o, output);

  Model model = context.phase("load", [&] { return load_model(o.model); });
  refuse_quantized(model.graph(), o.model);
  const Json model_part = model_json(o.model, model);
  std::vector<std::string> warnings;

  FoldWatcher watcher(model.graph());
  const auto passes = context.phase("prepare", [&] {
    return prepare(model, {.min_opset = target.opset}, [&](std::string_view pass) { watcher.after(pass); });
  });
  const Folded folded = watcher.take();
  const std::string hash = hash_of(model);

  Plan plan =
      o.plan.empty() ? draft_for(o.form, model.graph(), target, o.selection) : load_plan(o, hash);
  plan.model_hash = hash;
  if (o.dry_run) return print_plan(plan, o.json);
  require_something(plan);

  Observations observations;
  std::optional<PreprocessRecipe> recipe;
  Json data_part;
  if (!o.data.data.empty() || !o.eval_data.empty()) recipe = make_recipe(o.data, model, warnings);
  if (o.plan.empty() && !o.form.calibrated()) {
    if (!o.data.data.empty() && o.eval_data.empty())
      warnings.push_back(fmt::format(
          "--format {} needs no calibration: --data serves the comparison alone", o.form.format));
    context.phase("select",
                  [&] { select(plan, model.graph(), observations, method, target.min_range); });
  } else if (o.plan.empty()) {
    const Executor executor(model.graph(), observe_only(plan));
    const SampleSet set(o.data, o.data.data, recipe.value_or(PreprocessRecipe{}), model.graph());
    observations = context.phase("calibrate", [&] {
      return calibrate(executor, plan, set.checked(), context.worker_count(), context.progress());
    });
    set.finish(warnings);
    data_part = set.json(context.worker_count());
    context.phase("select", [&] { select(plan, model.graph(), observations, method, target.min_range); });
  }

  Model result = model.clone();
  const Written written =
      context.phase("rewrite", [&] { return write_form(o.form, result, plan); });
  const Json interface_part = write_interface(o.form, result);
  write_metadata(result, model, o, method, recipe ? &*recipe : nullptr, model_part["sha256"]);
  context.phase("verify", [&] { require_valid(model, result, o.model); });
  Json execution_part;
  const auto evaluation = context.phase("evaluate", [&] {
    return evaluate_result(o, model, result, plan, written, recipe.value_or(PreprocessRecipe{}),
                           context, warnings, execution_part);
  });

  context.phase("save", [&] { save_model(result, output); });
  if (!o.save_plan.empty()) write_file(o.save_plan, to_text(to_json(plan)));
  warnings.insert(warnings.end(), plan.warnings.begin(), plan.warnings.end());
  for (const std::string& warning : warnings) log::warn("{}", warning);

  Json method_part = {{"name", method_name(o, method)}};
  if (o.plan.empty() && o.form.calibrated()) method_part.update(method.parameters);
  Json report = {{"schema", "intaglio.report/1"},
                 {"command", "quantize"},
                 {"tool", {{"name", "intaglio"}, {"version", INTAGLIO_VERSION}}},
                 {"model", model_part},
                 {"output", output_json(output, o.form.format)},
                 {"data", data_part},
                 {"method", method_part},
                 {"target", target.name},
                 {"passes", passes_json(passes)},
                 {"interface", interface_part},
                 {"nodes", nodes_json(plan, folded, written.in_float)},
                 {"values", values_json(model.graph(), plan, observations,
                                        evaluation ? &*evaluation : nullptr, folded)},
                 {"execution", execution_part},
                 {"warnings", warnings},
                 {"evaluation", evaluation ? evaluation_json(*evaluation) : Json()},
                 {"run", context.run_json(observations.samples, context.seconds_of("calibrate"))}};
  if (!o.report.empty()) write_file(o.report, to_text(report));
  if (o.json) {
    fmt::print("{}", to_text(report));
  } else {
    print_summary(report, evaluation);
  }
  if (evaluation) o.gates.check(*evaluation);
}

}  // namespace intaglio
