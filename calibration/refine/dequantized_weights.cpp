#include "calibration/refine/dequantized_weights.h"

#include "lib/quant/array.h"

namespace intaglio {

Model rounded_weights(const Model& model, const Plan& plan) {
  Model twin = model.clone();
  for (const NodePlan& node : plan.nodes) {
    if (!node.quantized) continue;
    for (const ConstantPlan& c : node.constants) {
      Value& value = *twin.graph().find(c.name);
      if (value.uses().size() == 1)
        value.set_constant(dequantize(quantize(value.constant(), c.params, c.scheme), c.params));
    }
  }
  return twin;
}

}  // namespace intaglio
