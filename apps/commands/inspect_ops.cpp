#include "apps/commands/inspect_ops.h"

#include <fmt/format.h>

#include "apps/commands/print.h"
#include "apps/commands/table.h"
#include "apps/pipeline/execution.h"
#include "apps/pipeline/load.h"
#include "apps/report/flags.h"
#include "lib/exec/registry.h"

namespace intaglio {
namespace {

Json describe(const Node& node) {
  const Registry& registry = default_registry();
  Json json = {{"name", node.label()},
               {"op", node.domain().empty() ? node.op() : node.domain() + "." + node.op()},
               {"opset", node.opset()},
               {"kernel", nullptr},
               {"refused", Json::array()}};
  for (const KernelDef* def : registry.candidates(node)) {
    const Refusal refusal = def->refuse != nullptr ? def->refuse(node) : std::nullopt;
    if (!refusal) {
      json["kernel"] = def->impl;
      break;
    }
    json["refused"].push_back({{"kernel", def->impl}, {"reason", *refusal}});
  }
  if (!json["kernel"].is_null()) return json;
  json["remedy"] =
      registry.knows(node.op(), node.domain())
          ? "Export the model with a simpler form of this operator, or another opset."
          : "Export the model without this operator, or add a kernel (see CONTRIBUTING.md).";
  return json;
}

void collect(const Graph& graph, Json& nodes) {
  for (const Node* node : graph.nodes()) {
    nodes.push_back(describe(*node));
    for (const auto& [attr, nested] : node->nested_graphs()) collect(*nested, nodes);
  }
}

}  // namespace

Json inspect_ops(const std::string& path) {
  Model model = load_runnable(path);
  prepare_to_run(model);
  Json nodes = Json::array();
  collect(model.graph(), nodes);
  std::size_t missing = 0;
  for (const Json& node : nodes) missing += node["kernel"].is_null();
  return {{"schema", "intaglio.inspect/1"},
          {"file", path},
          {"kind", "ops"},
          {"nodes", nodes},
          {"missing", missing}};
}

void print_ops(const Json& ops) {
  std::vector<std::vector<std::string>> rows = {{"node", "kernel", "refused"}};
  for (const Json& node : ops["nodes"]) {
    std::string refused;
    for (const Json& r : node["refused"])
      refused +=
          fmt::format("{}{}: {}", refused.empty() ? "" : "; ", r["kernel"].get<std::string>(),
                      with_flags(r["reason"].get<std::string>()));
    rows.push_back({node["name"],
                    node["kernel"].is_null() ? "MISSING" : node["kernel"].get<std::string>(),
                    refused});
  }
  print_table(rows);
  print_out("\n{} nodes, {} without a kernel\n", ops["nodes"].size(),
            ops["missing"].get<std::size_t>());
  for (const Json& node : ops["nodes"])
    if (node.contains("remedy"))
      print_out("{} of opset {}: {}\n", node["name"].get<std::string>(), node["opset"].get<int>(),
                node["remedy"].get<std::string>());
}

}  // namespace intaglio
