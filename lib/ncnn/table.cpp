#include "lib/ncnn/table.h"

#include <fmt/format.h>

namespace intaglio {

std::string ncnn_table(const NcnnNetwork& network, const NcnnDecision& decision) {
  if (!decision.on_grid)
    throw Error(
        Code::model,
        fmt::format("{}: holds the weights of the model given, and the table is for those "
                    "that refinement made of them",
                    network.param),
        "Convert the file of `float-output` with pnnx and give that network, or use `format` "
        "ncnn, which takes either.");
  std::string weights, inputs;
  for (std::size_t i = 0; i < decision.layers.size(); ++i) {
    const auto& scales = decision.layers[i].scales;
    if (!scales) continue;
    const std::string& name = network.graph.layers[i].name;
    weights += name + "_param_0";
    for (const float scale : scales->weights) weights += fmt::format(" {}", scale);
    weights += '\n';
    inputs += fmt::format("{} {}\n", name, scales->input);
  }
  return weights + inputs;
}

}  // namespace intaglio
