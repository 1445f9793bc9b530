// intaglio inspect FILE: what a model, a plan or a file of statistics holds.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <memory>

#include "apps/commands/command_line.h"
#include "apps/commands/inspect_ops.h"
#include "apps/commands/layers.h"
#include "apps/commands/print.h"
#include "apps/commands/table.h"
#include "apps/options/group.h"
#include "apps/pipeline/load.h"
#include "apps/report/flags.h"
#include "apps/report/report.h"
#include "calibration/statistics/statistics_file.h"
#include "lib/base/configs.h"
#include "lib/base/hash.h"
#include "lib/base/memory.h"
#include "lib/exec/infer.h"
#include "lib/exec/registry.h"
#include "lib/graph/contents.h"
#include "lib/quant/plan.h"

namespace intaglio {
namespace {

struct InspectOptions {
  std::string file;
  std::string target = "onnxruntime";
  bool json = false, nodes = false, ops = false, layers = false;
};

Json value_json(const Value& value) {
  return {{"name", value.name()},
          {"type", name_of(value.dtype())},
          {"shape", value.dims() ? Json(to_string(*value.dims())) : Json()}};
}

Json node_json(const Node& node) {
  const auto names = [](std::span<Value* const> values) {
    Json list = Json::array();
    for (const Value* value : values) list.push_back(value != nullptr ? value->name() : "");
    return list;
  };
  const auto candidates = default_registry().candidates(node);
  return {{"name", node.name()},
          {"op", node.op()},
          {"domain", node.domain()},
          {"inputs", names(node.inputs())},
          {"outputs", names(node.outputs())},
          {"kernel", candidates.empty() ? Json() : Json(candidates.front()->impl)}};
}

Json describe_model(const std::string& file, Model& model, const DataFiles& data_files) {
  infer_types(model);
  const Graph& graph = model.graph();
  Json json = {{"schema", "intaglio.inspect/1"},
               {"file", file},
               {"kind", "model"},
               {"bytes", size_on_disk(file, data_files)},
               {"sha256", sha256_of_file(file)},
               {"ir_version", model.ir_version()},
               {"producer", model.producer()},
               {"opsets", model.opsets()},
               {"functions", model.function_count()},
               {"metadata", model.metadata()}};
  json["inputs"] = Json::array();
  for (const Value* feed : graph.feeds()) json["inputs"].push_back(value_json(*feed));
  json["outputs"] = Json::array();
  for (const Value* output : graph.outputs()) json["outputs"].push_back(value_json(*output));
  const Contents contents = contents_of(graph);
  json["weight_bytes"] = contents.bytes();
  json["parameters"] = contents.elements();
  std::map<std::string, int> ops;
  Json missing = Json::array();
  json["nodes"] = Json::array();
  for (const Node* node : graph.nodes()) {
    ++ops[node->domain().empty() ? node->op() : node->domain() + "." + node->op()];
    json["nodes"].push_back(node_json(*node));
    if (default_registry().candidates(*node).empty()) missing.push_back(node->label());
  }
  json["ops"] = ops;
  json["without_kernel"] = missing;
  return json;
}

void print_model(const Json& json, bool nodes) {
  print_out("{}: ONNX model, {}, IR {}, {}\n", json["file"].get<std::string>(),
            human_bytes(json["bytes"].get<std::uint64_t>()), json["ir_version"].get<int>(),
            json["producer"].get<std::string>().empty() ? "no producer"
                                                        : json["producer"].get<std::string>());
  for (const auto& [domain, version] : json["opsets"].items())
    print_out("opset {} {}\n", domain.empty() ? "ai.onnx" : domain, version.get<int>());
  print_out("{} nodes, {} parameters ({})\n\n", json["nodes"].size(),
            json["parameters"].get<std::uint64_t>(),
            human_bytes(json["weight_bytes"].get<std::uint64_t>()));
  std::vector<std::vector<std::string>> values = {{"", "name", "type", "shape"}};
  for (const char* kind : {"inputs", "outputs"})
    for (const Json& v : json[kind])
      values.push_back({std::string(kind).substr(0, std::string(kind).size() - 1), v["name"],
                        v["type"], v["shape"].is_null() ? "?" : v["shape"].get<std::string>()});
  print_table(values);
  print_out("\n");
  std::vector<std::vector<std::string>> ops = {{"operator", "count"}};
  for (const auto& [op, count] : json["ops"].items())
    ops.push_back({op, std::to_string(count.get<int>())});
  print_table(ops);
  for (const Json& label : json["without_kernel"])
    print_out("no kernel: {}\n", label.get<std::string>());
  for (const auto& [key, value] : json["metadata"].items())
    print_out("metadata {}: {}\n", key, value.get<std::string>());
  if (!nodes) return;
  std::vector<std::vector<std::string>> rows = {{"node", "op", "output", "kernel"}};
  for (const Json& n : json["nodes"])
    rows.push_back({n["name"], n["op"],
                    n["outputs"].empty() ? "" : n["outputs"][0].get<std::string>(),
                    n["kernel"].is_null() ? "missing" : n["kernel"].get<std::string>()});
  print_out("\n");
  print_table(rows);
}

void inspect_plan(const InspectOptions& options) {
  const Plan plan = plan_from_json(read_json_file(options.file), options.file);
  if (options.json) return put_out(to_text(to_json(plan)));
  print_out("{}: plan for target '{}', {} of {} nodes quantized, {} activations\n\n", options.file,
            plan.target, plan.quantized_nodes(), plan.nodes.size(), plan.activations.size());
  std::vector<std::vector<std::string>> rows = {{"node", "op", "", "reason"}};
  for (const NodePlan& n : plan.nodes)
    rows.push_back({n.name.empty() ? n.output : n.name, n.op, n.quantized ? "quantized" : "float",
                    with_flags(n.reason)});
  print_table(rows);
}

Json describe_statistics(const std::string& path) {
  const StatisticsFile file = read_statistics(path);
  Json json = {{"schema", "intaglio.inspect/1"},
               {"file", path},
               {"kind", "statistics"},
               {"bytes", std::filesystem::file_size(path)},
               {"model_sha256", file.model_hash},
               {"target", file.target},
               {"preprocess", file.preprocess},
               {"samples", file.observations.samples},
               {"skipped", file.skipped.size()},
               {"data_sha256", file.data_sha256()}};
  json["shards"] =
      file.shards ? Json{{"of", file.shards->of}, {"have", file.shards->have}} : Json();
  json["values"] = Json::array();
  for (const auto& [name, s] : file.observations.values)
    json["values"].push_back({{"name", name},
                              {"min", s.finite() > 0 ? Json(s.min) : Json()},
                              {"max", s.finite() > 0 ? Json(s.max) : Json()},
                              {"count", s.count},
                              {"zeros", s.zeros},
                              {"subnormals", s.subnormals},
                              {"nan", s.nans},
                              {"inf", s.infs}});
  return json;
}

void print_statistics(const Json& json) {
  print_out("{}: statistics of {} samples for target '{}', {}\n", json["file"].get<std::string>(),
            json["samples"].get<std::uint64_t>(), json["target"].get<std::string>(),
            human_bytes(json["bytes"].get<std::uint64_t>()));
  if (!json["shards"].is_null())
    print_out("holds {} of {} shards\n", json["shards"]["have"].size(),
              json["shards"]["of"].get<std::size_t>());
  std::vector<std::vector<std::string>> rows = {
      {"value", "min", "max", "count", "zeros", "NaN", "inf"}};
  for (const Json& v : json["values"])
    rows.push_back({v["name"], v["min"].dump(), v["max"].dump(), v["count"].dump(),
                    v["zeros"].dump(), v["nan"].dump(), v["inf"].dump()});
  print_out("\n");
  print_table(rows);
}

void inspect_layers(const InspectOptions& options) {
  const Target target = read_target(find_config(ConfigKind::target, options.target));
  const CheckResult result = check_model(load_valid(options.file), target);
  if (options.json) return put_out(to_text(layers_json(options.file, target, result)));
  print_layers(result);
}

void inspect(const InspectOptions& options) {
  if (std::filesystem::path(options.file).extension() == ".json") return inspect_plan(options);
  if (is_statistics_file(options.file)) {
    const Json json = describe_statistics(options.file);
    return options.json ? put_out(to_text(json)) : print_statistics(json);
  }
  if (options.ops) {
    const Json ops = inspect_ops(options.file);
    return options.json ? put_out(to_text(ops)) : print_ops(ops);
  }
  if (options.layers) return inspect_layers(options);
  DataFiles data_files;
  Model model = load_valid(options.file, &data_files);
  const Json json = describe_model(options.file, model, data_files);
  if (options.json) return put_out(to_text(json));
  print_model(json, options.nodes);
}

}  // namespace

void add_inspect(CLI::App& root, CommandLine& line) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App* command =
      root.add_subcommand("inspect", "Show what a model, a plan or a file of statistics holds");
  command
      ->add_option("FILE", options->file, "A .onnx model, a plan (.json) or a file of statistics")
      ->required();
  begin_group(*command, group::outputs);
  command->add_flag("--json", options->json, "One JSON document on stdout");
  command->add_flag("--nodes", options->nodes, "List every node with its kernel");
  command->add_flag("--ops", options->ops,
                    "Which kernel would run each node, and what to do where there is none");
  command->add_flag("--layers", options->layers,
                    "List every layer with its shape, MACs, bytes, type, and where it runs");
  command->add_option("--target", options->target, "For which --layers says where a layer runs")
      ->type_name("NAME|FILE")
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  intaglio inspect model.onnx\n"
      "  intaglio inspect model.onnx --ops\n"
      "  intaglio inspect model.onnx --json");
  command->callback([options, &line] { line.action = [options] { inspect(*options); }; });
}

}  // namespace intaglio
