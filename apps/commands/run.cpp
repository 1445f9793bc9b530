// intaglio run MODEL: one inference, its classes, its outputs as files, its speed, or whether it is
// as expected.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>

#include "apps/commands/command_line.h"
#include "apps/commands/print.h"
#include "apps/commands/table.h"
#include "apps/commands/timing.h"
#include "apps/options/data.h"
#include "apps/options/exact.h"
#include "apps/options/group.h"
#include "apps/options/junit.h"
#include "apps/pipeline/execution.h"
#include "apps/pipeline/load.h"
#include "apps/pipeline/prepare.h"
#include "apps/pipeline/scores.h"
#include "apps/report/junit.h"
#include "apps/report/report.h"
#include "calibration/data/npy.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/team.h"
#include "lib/eval/figures.h"
#include "lib/rewrite/interface.h"

namespace intaglio {
namespace {

struct RunOptions {
  std::string model, output_dir, expect, junit;
  Arithmetic exact = Arithmetic::integer;
  std::vector<std::string> inputs;
  DataOptions data;
  int top = 0, repeat = 1;
  double rtol = 1e-3, atol = 1e-5;
  bool json = false, codes = false, profile = false, parallel = false;
};

std::vector<Tensor> load_feeds(const RunOptions& o, const Model& model, Context& context,
                               std::vector<std::string>& warnings) {
  DataSpec spec;
  spec.paths = o.data.data;
  spec.paths.insert(spec.paths.end(), o.inputs.begin(), o.inputs.end());
  if (spec.paths.empty() && !o.expect.empty()) spec.paths.push_back(o.expect);
  if (spec.paths.empty() && !model.graph().feeds().empty())
    throw Error(Code::usage, "no input given",
                "Give --data PATH, or --input NAME=FILE for each input.");
  if (spec.paths.empty()) return {};
  DataOptions data = o.data;
  data.data = spec.paths;
  spec.recipe = make_recipe(data, model, warnings);
  spec.batches = Batches::whole;
  spec.text = o.data.text;
  if (o.data.limit > 0) spec.limit = o.data.limit;
  const auto dataset = open_dataset(spec, model.graph().feeds());
  const std::string tokens = describe_tokens(dataset->tokens(), dataset->size());
  if (!tokens.empty()) context.tell("preprocess: " + tokens);
  if (dataset->size() != 1)
    throw Error(Code::usage,
                fmt::format("run takes one sample, the data holds {}", dataset->size()),
                "Give one file, or --limit 1; use evaluate for many.");
  std::vector<Tensor> feeds = dataset->load(0);
  for (const std::string& remark : dataset->remarks()) log::warn("{}", remark);
  return feeds;
}

// The real values of an output, which holds codes with --codes.
std::vector<float> real_values(const Tensor& result, const std::string& name,
                               const std::optional<Interface>& interface) {
  std::vector<float> values = result.to_vector<float>();
  if (!interface) return values;
  for (const InterfaceValue& v : interface->outputs)
    if (v.name == name && v.params.type == result.dtype())
      for (float& value : values)
        value = v.params.scale.front() * (value - static_cast<float>(v.params.zero_point.front()));
  return values;
}

Json top_classes(const RunOptions& o, const Model& model, const Tensor& result) {
  const Value& output = *model.graph().outputs().front();
  if (const auto reason = no_scores(result))
    throw Error(Code::usage, fmt::format("--top: output '{}' {}", output.name(), *reason),
                "Leave --top out; --output-dir DIR writes the values.");
  std::map<std::int64_t, ClassName> names;
  if (!o.data.classes.empty()) names = read_classes(o.data.classes);
  const auto scores = probabilities(
      real_values(result, output.name(), o.codes ? interface_of(model) : std::nullopt),
      scores_of(output));
  Json list = Json::array();
  for (const std::size_t index : top_k(scores, static_cast<std::size_t>(o.top))) {
    const auto it = names.find(static_cast<std::int64_t>(index));
    list.push_back({{"index", index},
                    {"id", it == names.end() ? "" : it->second.id},
                    {"name", it == names.end() ? "" : it->second.name},
                    {"probability", scores[index]}});
  }
  return list;
}

// Where an output goes with --output-dir.
std::string path_of(const RunOptions& o, const Value& output) {
  std::string name = output.name();
  std::replace(name.begin(), name.end(), '/', '_');
  return (std::filesystem::path(o.output_dir) / (name + ".npy")).string();
}

void declare_files(const RunOptions& o, const Model& model, const DataFiles& data_files,
                   Outputs& outputs) {
  outputs.declare("--junit", o.junit);
  outputs.require_writable();
  if (!o.output_dir.empty())  // which need not be there yet
    for (const Value* output : model.graph().outputs())
      outputs.declare(fmt::format("output '{}'", output->name()), path_of(o, *output));
  outputs.keep("MODEL", o.model);
  keep_data_files(outputs, data_files);
  DataOptions data = o.data;
  data.data.insert(data.data.end(), o.inputs.begin(), o.inputs.end());
  if (!o.expect.empty()) data.data.push_back(o.expect);
  keep_data(outputs, data);
}

void write_outputs(const RunOptions& o, const Graph& graph, const std::vector<Tensor>& results,
                   Outputs& outputs) {
  std::error_code error;
  std::filesystem::create_directories(o.output_dir, error);
  if (error)
    throw Error(Code::io,
                fmt::format("{}: cannot create the folder: {}", o.output_dir, error.message()),
                "Choose a folder that can be written.");
  for (std::size_t i = 0; i < results.size(); ++i)
    outputs.write(path_of(o, *graph.outputs()[i]), to_npy(results[i]));
}

// How an output differs from what was expected; empty when it does not.
std::string difference(const Tensor& actual, const Tensor& expected, double rtol, double atol) {
  if (actual.dtype() != expected.dtype())
    return fmt::format("type {} instead of {}", name_of(actual.dtype()), name_of(expected.dtype()));
  if (actual.shape() != expected.shape())
    return fmt::format("shape {} instead of {}", to_string(actual.shape()),
                       to_string(expected.shape()));
  const auto a = actual.to_vector<double>(), b = expected.to_vector<double>();
  std::size_t wrong = 0, worst = 0;
  double most = -1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double excess = std::abs(a[i] - b[i]) - (atol + rtol * std::abs(b[i]));
    if (excess <= 0) continue;
    ++wrong;
    if (excess > most || std::isnan(excess)) most = excess, worst = i;
  }
  for (std::size_t i = 0; i < a.size(); ++i) wrong += std::isnan(a[i]) != std::isnan(b[i]);
  if (wrong == 0) return {};
  return fmt::format("{} of {} elements differ; element {} is {} instead of {}", wrong, a.size(),
                     worst, a[worst], b[worst]);
}

Json compare_expected(const RunOptions& o, const Graph& graph, const std::vector<Tensor>& outputs) {
  Json list = Json::array();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto path = std::filesystem::path(o.expect) / fmt::format("output_{}.pb", i);
    const std::string text = difference(outputs[i], load_tensor(path), o.rtol, o.atol);
    list.push_back({{"name", graph.outputs()[i]->name()},
                    {"file", path.string()},
                    {"equal", text.empty()},
                    {"difference", text}});
  }
  return list;
}

TestSuite test_suite(const RunOptions& o, const Json& expected) {
  TestSuite suite{"intaglio run",
                  {{"model", o.model},
                   {"rtol", fmt::format("{}", o.rtol)},
                   {"atol", fmt::format("{}", o.atol)}},
                  {}};
  for (const Json& e : expected)
    suite.cases.push_back({fmt::format("output '{}' is as expected", e["name"].get<std::string>()),
                           e["difference"], e["file"].get<std::string>() + "\n"});
  return suite;
}

Json describe_outputs(const Graph& graph, const std::vector<Tensor>& outputs) {
  Json list = Json::array();
  for (std::size_t i = 0; i < outputs.size(); ++i)
    list.push_back({{"name", graph.outputs()[i]->name()},
                    {"type", name_of(outputs[i].dtype())},
                    {"shape", outputs[i].shape()}});
  return list;
}

void print_text(const RunOptions& o, const Json& report) {
  for (const Json& output : report["outputs"])
    print_out("output '{}': {} {}\n", output["name"].get<std::string>(),
              output["type"].get<std::string>(), output["shape"].dump());
  if (report.contains("top")) {
    std::vector<std::vector<std::string>> rows = {{"class", "probability %", "index", "id"}};
    for (const Json& c : report["top"])
      rows.push_back({c["name"], percent(100 * c["probability"].get<double>()),
                      std::to_string(c["index"].get<std::size_t>()), c["id"]});
    print_out("\n");
    print_table(rows);
  }
  if (o.parallel) {
    print_out("\n{:.1f} runs per second\n", report["samples_per_s"].get<double>());
  } else if (o.repeat > 1) {
    const Json& l = report["latency_ms"];
    print_out("\n{} runs: min {:.3f} ms, median {:.3f} ms, p95 {:.3f} ms\n", o.repeat,
              l["min"].get<double>(), l["median"].get<double>(), l["p95"].get<double>());
  }
  if (!report["execution"].is_null() && (o.parallel || o.repeat > 1))
    print_out("by intaglio's own integer kernels: what a runtime takes is another matter\n");
  if (report.contains("profile")) {
    print_out("\n");
    print_profile(report["profile"]);
  }
  if (report.contains("expected"))
    for (const Json& e : report["expected"])
      print_out("{}: {}\n", e["file"].get<std::string>(),
                e["equal"].get<bool>() ? "as expected" : e["difference"].get<std::string>());
}

void run_command(const RunOptions& o, Context& context) {
  require_gates(o.junit, !o.expect.empty(), "Give --expect DIR, or leave --junit out.");
  DataFiles data_files;
  Model model = context.phase("load", [&] { return load_runnable(o.model, &data_files); });
  declare_files(o, model, data_files, context.outputs);
  if (!o.codes) restore_float_interface(model);
  std::vector<DType> types;  // that the caller knows: preparation widens half precision
  for (const Value* output : model.graph().outputs()) types.push_back(output->dtype());
  context.phase("prepare", [&] { prepare_to_run(model); });
  const Graph& graph = model.graph();
  std::vector<std::string> warnings;
  const auto feeds = load_feeds(o, model, context, warnings);
  for (const std::string& warning : warnings) log::warn("{}", warning);
  const Execution execution(model, o.exact);
  const Executor executor(execution.graph(), execution.options());
  if (o.profile) executor.run(feeds);  // what is built once does not belong to a profile
  Profile profile;
  auto [outputs, ms] = context.phase("run", [&] {
    Team team(context.worker_count());
    const Team::Use use(team);
    return run_repeatedly(executor, feeds, o.parallel ? 1 : o.repeat,
                          o.profile ? &profile : nullptr);
  });

  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (is_float(types[i])) outputs[i] = convert(outputs[i], types[i]);

  Json report = {{"schema", "intaglio.run/1"}, {"command", "run"}, {"model", o.model}};
  report["execution"] = execution_json(execution.summary());
  report["outputs"] = describe_outputs(graph, outputs);
  if (o.top > 0 && !outputs.empty() && outputs.front().size() > 0)
    report["top"] = top_classes(o, model, outputs.front());
  report["latency_ms"] = latency_json(ms);
  if (o.parallel)
    report["samples_per_s"] = runs_per_second(executor, feeds, o.repeat, context.worker_count());
  report["peak_memory_bytes"] = peak_memory();
  if (o.profile) report["profile"] = profile_json(profile);
  if (!o.output_dir.empty()) write_outputs(o, graph, outputs, context.outputs);
  if (!o.expect.empty()) {
    report["expected"] = compare_expected(o, graph, outputs);
    context.outputs.write(o.junit, junit_text(test_suite(o, report["expected"])));
  }
  context.outputs.commit();
  if (o.json) {
    put_out(to_text(report));
  } else {
    print_text(o, report);
  }
  if (o.expect.empty()) return;
  for (const Json& e : report["expected"])
    if (!e["equal"].get<bool>())
      throw Error(Code::accuracy,
                  fmt::format("output '{}': {}", e["name"].get<std::string>(),
                              e["difference"].get<std::string>()),
                  "Loosen --rtol or --atol if the difference is harmless.");
}

}  // namespace

void add_run(CLI::App& root, CommandLine& line) {
  const auto o = std::make_shared<RunOptions>();
  CLI::App* command = root.add_subcommand("run", "Run one inference and look at what comes out");
  command->add_option("MODEL", o->model, "A float or quantized model")->required();
  add_data_options(*command, o->data, /*required=*/false);
  command->add_option("--input", o->inputs, "NAME=FILE.npy (or .pb) for one model input")
      ->type_name("NAME=FILE");
  begin_group(*command, group::outputs);
  command->add_option("--classes", o->data.classes, "Names of the classes, for --top")
      ->type_name("TSV");
  command->add_option("--top", o->top, "Print the N best classes of the first output")
      ->check(CLI::Range(1, 1000));
  begin_group(*command, group::run);
  command->add_option("--repeat", o->repeat, "Run N times and print min, median and p95")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  add_exact_option(*command, o->exact);
  begin_group(*command, group::run);
  command->add_flag(
      "--codes", o->codes,
      "Feed and give the codes of a model made with --io as they are, not real values");
  command->add_flag("--parallel", o->parallel,
                    "Spread the repeats over --threads and print runs per second");
  command->add_flag("--profile", o->profile,
                    "Print the time, the kernel and the layout of every node");
  begin_group(*command, group::outputs);
  command->add_option("--output-dir", o->output_dir, "Write one .npy per output")->type_name("DIR");
  begin_group(*command, group::comparison);
  command
      ->add_option("--expect", o->expect,
                   "Compare with output_*.pb of this folder; exit 8 if they differ")
      ->type_name("DIR");
  command->add_option("--rtol", o->rtol, "Relative tolerance of --expect")->capture_default_str();
  command->add_option("--atol", o->atol, "Absolute tolerance of --expect")->capture_default_str();
  add_junit_option(*command, o->junit);
  begin_group(*command, group::outputs);
  command->add_flag("--json", o->json, "One JSON document on stdout");
  command->footer(
      "Examples:\n"
      "  intaglio run model.onnx --data cat.jpg --preprocess imagenet --top 5 --classes "
      "classes.tsv\n"
      "  intaglio run model.onnx --data cat.jpg --repeat 50 --profile\n"
      "  intaglio run model.onnx --expect test_data_set_0 --rtol 1e-3");
  command->callback([o, &line] { line.action = [o, &line] { run_command(*o, line.context); }; });
}

}  // namespace intaglio
