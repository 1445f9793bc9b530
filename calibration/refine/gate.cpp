#include "calibration/refine/gate.h"

#include "calibration/refine/layer.h"

namespace intaglio {

const Node* gated_by(const Node& sigmoid) {
  const Value* weight = sigmoid.output(0);
  if (!sigmoid.is("Sigmoid") || weight == nullptr || weight->is_output() ||
      weight->uses().size() != 1)
    return nullptr;
  const Node* maker = sigmoid.input(0) == nullptr ? nullptr : sigmoid.input(0)->producer();
  const Node& mul = *weight->uses().front().node;
  const bool fits = maker != nullptr && layer_of(*maker) && mul.is("Mul") &&
                    &mul.graph() == &sigmoid.graph() &&
                    mul.input(1 - weight->uses().front().index) == sigmoid.input(0);
  return fits ? &mul : nullptr;
}

const Value* gated(const Node& mul) {
  if (!mul.is("Mul")) return nullptr;
  for (const Value* weight : mul.inputs()) {
    const Node* sigmoid = weight == nullptr ? nullptr : weight->producer();
    if (sigmoid != nullptr && gated_by(*sigmoid) == &mul) return sigmoid->input(0);
  }
  return nullptr;
}

}  // namespace intaglio
