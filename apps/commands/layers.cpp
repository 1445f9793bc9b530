#include "apps/commands/layers.h"

#include <fmt/format.h>

#include "apps/commands/print.h"
#include "apps/commands/table.h"
#include "apps/report/check.h"
#include "apps/report/report.h"
#include "lib/base/memory.h"

namespace intaglio {

void print_layers(const CheckResult& result) {
  std::vector<std::vector<std::string>> rows = {
      {"layer", "op", "output", "type", "MACs", "weight bytes", "activation bytes", "runs in"}};
  for (const NodeCheck& n : result.nodes)
    rows.push_back({n.name, n.op, n.shape ? to_string(*n.shape) : "?", std::string(name_of(n.type)),
                    n.macs ? std::to_string(*n.macs) : "?", std::to_string(n.weight_bytes),
                    std::to_string(n.activation_bytes),
                    n.verdict == Verdict::integer ? "integers" : std::string(name_of(n.verdict))});
  print_table(rows);
  print_out("\n{} MACs; weights {}, activations {} at the widest node ({})\n\n", result.macs,
            human_bytes(static_cast<std::uint64_t>(result.memory.weights)),
            human_bytes(static_cast<std::uint64_t>(result.memory.activations)),
            result.memory.widest);
}

Json layers_json(const std::string& file, const Target& target, const CheckResult& result) {
  Json layers = Json::array();
  for (const NodeCheck& n : result.nodes) layers.push_back(node_check_json(n));
  return {{"schema", "intaglio.inspect/1"},
          {"file", file},
          {"kind", "layers"},
          {"target", target.name},
          {"macs", result.macs},
          {"weight_bytes", result.memory.weights},
          {"activation_bytes", result.memory.activations},
          {"widest_node", result.memory.widest},
          {"layers", layers}};
}

}  // namespace intaglio
