#include "calibration/sensitivity/hints.h"

#include <algorithm>

#include "lib/graph/op_traits.h"

namespace intaglio {
namespace {

bool reads_input(const Node& node) { return node.input(0) != nullptr && node.input(0)->is_input(); }

bool makes_output(const QuantizedLayer& layer) {
  return std::ranges::any_of(layer.nodes().back()->outputs(),
                             [](const Value* v) { return v != nullptr && v->is_output(); });
}

}  // namespace

std::string hint_for(const LayerSensitivity& l) {
  const Node& node = *l.layer.node;
  if (traits_of(node).steep)
    return "small differences of its input matter: keep it float, or give it 16 bits";
  if (traits_of(node).joins)
    return "its inputs share one scale: keep it float when their ranges differ";
  if (reads_input(node)) return "first layer: few products, and every error goes through the net";
  if (makes_output(l.layer)) return "last layer: its error is the error of the output";
  if (l.weights == 0) return "";
  return l.weights_alone.relative() > l.alone_quantized.relative() / 2
             ? "weights: `effort best` rounds them together"
             : "activations: see their ranges and clipping in the report of quantize";
}

}  // namespace intaglio
