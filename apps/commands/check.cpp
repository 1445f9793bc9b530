// intaglio check MODEL --target T: whether a quantized model fits a target, node by node.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "apps/commands/command_line.h"
#include "apps/commands/layers.h"
#include "apps/commands/print.h"
#include "apps/commands/table.h"
#include "apps/commands/terminal.h"
#include "apps/options/group.h"
#include "apps/options/junit.h"
#include "apps/pipeline/load.h"
#include "apps/report/check.h"
#include "apps/report/flags.h"
#include "apps/report/junit.h"
#include "apps/report/report.h"
#include "lib/base/configs.h"
#include "lib/base/memory.h"
#include "lib/check/summary.h"

namespace intaglio {
namespace {

struct CheckOptions {
  std::string model, target = "onnxruntime", junit;
  bool json = false, all = false, layers = false;
};

Json result_json(const CheckOptions& o, const Target& target, const CheckResult& result) {
  Json json = {{"schema", "intaglio.check/1"},
               {"command", "check"},
               {"model", o.model},
               {"target", target.name},
               {"fits", result.fits()},
               {"macs", result.macs},
               {"integer_macs", result.integer_macs},
               {"weight_bytes", result.memory.weights},
               {"activation_bytes", result.memory.activations},
               {"widest_node", result.memory.widest},
               {"shapes_known", result.memory.complete}};
  const auto share = integer_share(result);
  json["integer_macs_percent"] = share ? Json(*share) : Json();
  json["problems"] = problems_json(result);
  json["nodes"] = Json::array();
  for (const NodeCheck& n : result.nodes) json["nodes"].push_back(node_check_json(n));
  return json;
}

// Where activations may be u8: products of two signed bytes fit.
void print_saturation(const Target& target, const CheckResult& result) {
  std::int64_t pairs = 0, over = 0, nodes = 0;
  for (const NodeCheck& n : result.nodes) {
    pairs += n.pairs;
    over += n.saturating_pairs;
    nodes += n.saturating_pairs > 0;
  }
  if (pairs > 0 && target.activations.type == DType::u8)
    print_out("u8 x s8 saturation without VNNI: {} of {} pairs of products, in {} nodes\n", over,
              pairs, nodes);
}

void print_result(const CheckOptions& o, const Target& target, const CheckResult& result) {
  std::vector<std::vector<std::string>> rows = {{"node", "op", "", "reason", "what to change"}};
  for (const NodeCheck& n : result.model_wide)
    rows.push_back({"(model)", "", "misfit", with_flags(n.reason), with_flags(n.remedy)});
  for (const NodeCheck& n : result.nodes)
    if (o.all || n.verdict != Verdict::integer)
      rows.push_back({n.name, n.op, std::string(name_of(n.verdict)), with_flags(n.reason),
                      with_flags(n.remedy)});
  if (rows.size() > 1) {
    print_table(rows);
    print_out("\n");
  }
  print_out("{}", check_line(result));
  const MemoryNeed& m = result.memory;
  print_out("\nweights {}, activations {} at the widest node ({}){}\n",
            human_bytes(static_cast<std::uint64_t>(m.weights)),
            human_bytes(static_cast<std::uint64_t>(m.activations)), m.widest,
            m.complete ? "" : "; some shapes are not known");
  print_saturation(target, result);
  print_out("{} target '{}'\n",
            result.fits() ? painted(stdout, Colour::green, "fits")
                          : painted(stdout, Colour::red, "does not fit"),
            target.name);
}

// Whether it fits is the gate; what does not is named.
TestSuite test_suite(const CheckOptions& o, const Target& target, const CheckResult& result) {
  std::string details = check_line(result) + "\n";
  std::size_t misfits = result.model_wide.size();
  for (const NodeCheck& n : result.model_wide)
    details += fmt::format("(model): {}. {}\n", with_flags(n.reason), with_flags(n.remedy));
  for (const NodeCheck& n : result.nodes)
    if (n.verdict == Verdict::misfit) {
      ++misfits;
      details += fmt::format("{} ({}): {}. {}\n", n.name, n.op, with_flags(n.reason),
                             with_flags(n.remedy));
    }
  const std::string failure = fmt::format("does not fit target '{}': {} misfits among {} nodes",
                                          target.name, misfits, result.nodes.size());
  return {"intaglio check",
          {{"model", o.model}, {"target", target.name}},
          {{fmt::format("fits target '{}'", target.name), result.fits() ? "" : failure, details}}};
}

void check_command(const CheckOptions& o, Context& context) {
  Outputs& outputs = context.outputs;
  outputs.declare("--junit", o.junit);
  outputs.keep("MODEL", o.model);
  keep_config(outputs, "--target", o.target);
  outputs.require_writable();
  const Target target = read_target(find_config(ConfigKind::target, o.target));
  const Model model = context.phase("load", [&] { return load_valid(o.model); });
  const CheckResult result = context.phase("check", [&] { return check_model(model, target); });
  outputs.write(o.junit, junit_text(test_suite(o, target, result)));
  outputs.commit();
  if (o.json) {
    put_out(to_text(result_json(o, target, result)));
  } else {
    if (o.layers) print_layers(result);
    print_result(o, target, result);
  }
  if (!result.fits())
    throw Error(Code::accuracy, fmt::format("{}: does not fit target '{}'", o.model, target.name),
                "The table says what to change, node by node.");
}

}  // namespace

void add_check(CLI::App& root, CommandLine& line) {
  const auto o = std::make_shared<CheckOptions>();
  CLI::App* command =
      root.add_subcommand("check", "Tell whether a quantized model fits a target, and why not");
  command->add_option("MODEL", o->model, "A quantized model of any origin")->required();
  begin_group(*command, group::form);
  command->add_option("--target", o->target, "A name or file of configs/")
      ->type_name("NAME|FILE")
      ->capture_default_str();
  begin_group(*command, group::outputs);
  command->add_flag("--all", o->all, "List the nodes that run in integers too");
  command->add_flag("--layers", o->layers,
                    "List every layer with its shape, MACs, bytes, type, and where it runs");
  command->add_flag("--json", o->json, "One JSON document on stdout");
  add_junit_option(*command, o->junit);
  command->footer(
      "Examples:\n"
      "  intaglio check model.int8.onnx --target tensorrt\n"
      "  intaglio check theirs.onnx --target stm32n6 --json");
  command->callback([o, &line] { line.action = [o, &line] { check_command(*o, line.context); }; });
}

}  // namespace intaglio
