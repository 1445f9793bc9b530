// intaglio check MODEL --target T: whether a quantized model fits a target, node by node.
#include <fmt/format.h>

#include <memory>

#include "apps/context.h"
#include "apps/report.h"
#include "lib/base/configs.h"
#include "lib/check/check.h"
#include "lib/io/load.h"

namespace intaglio {
namespace {

struct CheckOptions {
  std::string model, target = "onnxruntime";
  bool json = false, all = false;
};

std::optional<double> integer_share(const CheckResult& result) {
  if (result.macs == 0) return std::nullopt;
  return 100.0 * static_cast<double>(result.integer_macs) / static_cast<double>(result.macs);
}

Json node_json(const NodeCheck& n) {
  Json json = {
      {"name", n.name},     {"op", n.op},         {"verdict", name_of(n.verdict)},
      {"reason", n.reason}, {"remedy", n.remedy}, {"macs", n.macs ? Json(*n.macs) : Json()}};
  if (n.pairs > 0)
    json["saturation"] = {
        {"pairs", n.pairs}, {"over", n.saturating_pairs}, {"channels", n.saturating_channels}};
  return json;
}

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
  json["problems"] = Json::array();
  for (const NodeCheck& n : result.model_wide)
    json["problems"].push_back({{"reason", n.reason}, {"remedy", n.remedy}});
  json["nodes"] = Json::array();
  for (const NodeCheck& n : result.nodes) json["nodes"].push_back(node_json(n));
  return json;
}

std::string count_of(const CheckResult& result, Verdict verdict) {
  return std::to_string(std::ranges::count_if(
      result.nodes, [&](const NodeCheck& n) { return n.verdict == verdict; }));
}

void print_saturation(const CheckResult& result) {
  std::int64_t pairs = 0, over = 0, nodes = 0;
  for (const NodeCheck& n : result.nodes) {
    pairs += n.pairs;
    over += n.saturating_pairs;
    nodes += n.saturating_pairs > 0;
  }
  if (pairs > 0)
    fmt::print("u8 x s8 saturation without VNNI: {} of {} pairs of products, in {} nodes\n", over,
               pairs, nodes);
}

void print_result(const CheckOptions& o, const Target& target, const CheckResult& result) {
  std::vector<std::vector<std::string>> rows = {{"node", "op", "", "reason", "what to change"}};
  for (const NodeCheck& n : result.model_wide)
    rows.push_back({"(model)", "", "misfit", n.reason, n.remedy});
  for (const NodeCheck& n : result.nodes)
    if (o.all || n.verdict != Verdict::integer)
      rows.push_back({n.name, n.op, std::string(name_of(n.verdict)), n.reason, n.remedy});
  if (rows.size() > 1) {
    print_table(rows);
    fmt::print("\n");
  }
  fmt::print("{} nodes in integers, {} in float, {} misfits", count_of(result, Verdict::integer),
             count_of(result, Verdict::floating), count_of(result, Verdict::misfit));
  if (const auto share = integer_share(result))
    fmt::print("; {} % of {:.1f} million MACs in integers", percent(*share),
               static_cast<double>(result.macs) / 1e6);
  const MemoryNeed& m = result.memory;
  fmt::print("\nweights {}, activations {} at the widest node ({}){}\n",
             human_bytes(static_cast<std::uint64_t>(m.weights)),
             human_bytes(static_cast<std::uint64_t>(m.activations)), m.widest,
             m.complete ? "" : "; some shapes are not known");
  print_saturation(result);
  fmt::print("{} target '{}'\n", result.fits() ? "fits" : "does not fit", target.name);
}

void check_command(const CheckOptions& o, Context& context) {
  const Target target = read_target(find_config(ConfigKind::target, o.target));
  const Model model = context.phase("load", [&] { return load_sound(o.model); });
  const CheckResult result = context.phase("check", [&] { return check_model(model, target); });
  if (o.json) {
    fmt::print("{}", to_text(result_json(o, target, result)));
  } else {
    print_result(o, target, result);
  }
  if (!result.fits())
    throw Error(Code::accuracy, fmt::format("{}: does not fit target '{}'", o.model, target.name),
                "The table says what to change, node by node.");
}

}  // namespace

void add_check(CLI::App& root, Context& context) {
  const auto o = std::make_shared<CheckOptions>();
  CLI::App* command =
      root.add_subcommand("check", "Tell whether a quantized model fits a target, and why not");
  command->add_option("MODEL", o->model, "A quantized model of any origin")->required();
  command->add_option("--target", o->target, "A name or file of configs/")->capture_default_str();
  command->add_flag("--all", o->all, "List the nodes that run in integers too");
  command->add_flag("--json", o->json, "One JSON document on stdout");
  command->footer(
      "Examples:\n"
      "  intaglio check model.int8.onnx --target tensorrt\n"
      "  intaglio check theirs.onnx --target stm32n6 --json");
  command->callback(
      [o, &context] { context.action = [o, &context] { check_command(*o, context); }; });
}

}  // namespace intaglio
