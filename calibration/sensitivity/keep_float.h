// What to keep float, or to raise to activations of 16 bits: layers in the order in which they give
// most for what they cost.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/sensitivity/sensitivity.h"

namespace intaglio {

enum class KeepCost {
  layers,  // every layer costs the same
  macs,    // products and sums that are no longer done on integers
  size,    // bytes of weights
};

// What layers are kept as.
enum class KeepAs {
  floats,
  wide,  // on codes, with activations of 16 bits: the noise of their weights stays
};

// Layers (indices) that are to be kept, and what is left of the noise then.
struct KeepSet {
  std::vector<std::size_t> layers;  // ascending
  double cost = 0;                  // of them together, as a share of all layers'
  double noise = 0;                 // predicted, as a share of that with all layers quantized
};

// Sets that grow from none to `most` layers, or all. Noise is taken to add up: that of weights,
// which a layer that stays float does not have, and that of values, which goes when all layers that
// make or read them are kept. Each step takes, among single layers and the layers around one
// value, what removes the most noise per cost. `sensitivity` must have its parts.
std::vector<KeepSet> keep_order(const Sensitivity& sensitivity, KeepCost cost, KeepAs as,
                                std::size_t most = std::numeric_limits<std::size_t>::max());

}  // namespace intaglio
