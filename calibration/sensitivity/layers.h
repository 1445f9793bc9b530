// Layers: what can stay float, or be quantized, by itself.
#pragma once

#include <vector>

#include "lib/graph/graph.h"
#include "lib/quant/draft.h"

namespace intaglio {

// A node that the plan quantizes, with the activation that is fused into it. Nodes that only move
// values (role share) are none: they follow what they move.
struct QuantizedLayer {
  const Node* node = nullptr;
  const Node* fused = nullptr;  // null: nothing is
  std::vector<const Node*> nodes() const;
};

// In the order of the plan, which is a draft for this target.
std::vector<QuantizedLayer> quantized_layers(const Graph& graph, const Plan& plan,
                                             const Target& target);

// Which activations of a plan need one another: values that movers tie together, and the layers
// that make or read them. They stop being quantized when all of these layers are float.
struct TiedValues {
  std::vector<std::string> values;
  std::vector<std::size_t> layers;  // indices into quantized_layers()
};
std::vector<TiedValues> tied_values(const Graph& graph, const Plan& plan,
                                    const std::vector<QuantizedLayer>& layers);

// A selection that leaves these layers float besides what `selection` leaves out.
Selection leaving_float(Selection selection, const std::vector<QuantizedLayer>& layers,
                        const std::string& reason);

// A selection that gives these layers activations of 16 bits (lib/quant/wide_activations.h).
Selection raising(Selection selection, const std::vector<QuantizedLayer>& layers,
                  const std::string& reason);

}  // namespace intaglio
