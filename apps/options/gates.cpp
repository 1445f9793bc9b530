#include "apps/options/gates.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>

#include "apps/options/group.h"
#include "lib/eval/metric_def.h"

namespace intaglio {

void add_gate_options(CLI::App& command, Gates& gates) {
  begin_group(command, group::gates);
  for (const MetricGate& each : all_gates()) {
    const GateDef& gate = *each.gate;
    CLI::Option* option =
        command
            .add_option_function<double>(
                fmt::format("--{}", gate.name),
                [&gates, &gate](double limit) {
                  if (!std::isfinite(limit))
                    throw Error(Code::usage, fmt::format("--{} {}: is no limit", gate.name, limit),
                                "Give a number.");
                  gates.limits[gate.name] = limit;
                },
                fmt::format("Exit 8 when {}{}", gate.help,
                            each.metric->labels ? " (needs --labels)" : ""))
            ->type_name(std::string(gate.unit));
    if (std::isfinite(gate.most)) option->check(CLI::Range(0.0, gate.most));
  }
}

}  // namespace intaglio
