// Groups: layers whose noise shows when they are measured together, and not one by one.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "calibration/sensitivity/layers.h"

namespace intaglio {

// Where many layers do the same harm, each of them alone may win nothing by staying float: behind
// the others the output is lost all the same. Masks of attention are like that, once per block.
struct LayerGroup {
  std::string name;                 // the operator, or "attention scores"
  std::string op;                   // of all of them; empty: of several
  std::vector<std::size_t> layers;  // indices into quantized_layers(), ascending
};

// All layers of an operator, for each that several layers have and not all, in the order of their
// first layers. Where the Softmax layers read what other layers compute element by element (scale,
// mask), these with them: "attention scores".
std::vector<LayerGroup> layer_groups(const std::vector<QuantizedLayer>& layers);

}  // namespace intaglio
