// What operators with weights share.
#pragma once

#include <optional>

#include "lib/tflite/site.h"

namespace intaglio::tflite {

// The constant second input, codes or floats, and the parameters of codes.
struct Weights {
  Tensor tensor;
  std::optional<QParams> params;
};
Weights weights_of(const Site& site);

// Stores them in another order of axes.
int add_weights(Site& site, const Weights& weights, const Perm& perm);

// One value per output, zeros where the node has none. On codes: int32 in units of input scale times
// weight scale; a float bias is rounded to them. Refuses an int32 bias in other units.
int add_bias(Site& site, std::size_t input, std::int64_t outputs, const Weights& weights);

}  // namespace intaglio::tflite
