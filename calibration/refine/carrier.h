// Carriers: nodes other than layers whose constants can take up scales of channels.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "lib/graph/graph.h"

namespace intaglio {

// LayerNormalization over the last axis, y = n * scale + bias; Mul and Div by a constant; Add and
// Sub of one. Channels are those of the last axis. The result is scaled by s when each of the
// constants is multiplied by s (the divisor of a Div: divided by it) and, unless the carrier makes
// scales of its own, the data comes scaled.
struct Carrier {
  const Value* data = nullptr;
  std::vector<std::size_t> constants;  // inputs of the node: one value, or one for each channel
  std::size_t channels = 0;            // 0: not known
  int axis = -1;       // of the channels of data and result; -1: the last one, of unknown rank
  bool makes = false;  // scales of the result are its own: all but Add and Sub
};

// The carrier that a node is; nullopt for other nodes.
std::optional<Carrier> carrier_of(const Node& node);

// Multiplies the constants of the node, which the carrier is, by the scales of its result, whose
// number must be that of the channels. A constant that others read too is copied.
void scale_constants(Node& node, const Carrier& carrier, const std::vector<float>& scale);

}  // namespace intaglio
