// fold_batchnorm
//   Before: Conv | ConvTranspose | Gemm -> BatchNormalization (inference form, constant parameters)
//   After:  Conv | ConvTranspose | Gemm with other weights and bias (see affine.h)
//   Formula (onnx/docs/Operators.md, BatchNormalization):
//           y = (x - mean) / sqrt(var + epsilon) * scale + B
//   Kept:   a BatchNormalization behind anything else, or whose parameters are not one finite float
//           per channel.

#include <cmath>

#include "lib/passes/affine.h"
#include "lib/passes/list.h"

namespace intaglio {
namespace {

bool is_inference(const Node& node) {
  if (!node.is("BatchNormalization") || node.attr_int("training_mode", 0) != 0 ||
      node.output(0) == nullptr)
    return false;
  for (std::size_t i = 1; i < node.outputs().size(); ++i)
    if (const Value* v = node.output(i); v != nullptr && (v->is_output() || !v->uses().empty()))
      return false;
  return node.attr_int("spatial", 1) != 0;
}

// Empty unless input i is a float constant with one element per channel.
std::vector<float> parameter(const Node& node, std::size_t i, std::int64_t channels) {
  const Value* value = node.input(i);
  if (value == nullptr || !value->is_constant() || value->constant().dtype() != DType::f32 ||
      value->constant().size() != channels)
    return {};
  return value->constant().to_vector<float>();
}

std::optional<ChannelAffine> affine_of(const Node& node, std::int64_t channels) {
  const auto scale = parameter(node, 1, channels), bias = parameter(node, 2, channels),
             mean = parameter(node, 3, channels), variance = parameter(node, 4, channels);
  if (scale.empty() || bias.empty() || mean.empty() || variance.empty()) return std::nullopt;
  const double epsilon = node.attr_float("epsilon", 1e-5f);
  ChannelAffine affine;
  for (std::size_t c = 0; c < scale.size(); ++c) {
    const double factor = scale[c] / std::sqrt(variance[c] + epsilon);
    const double shift = bias[c] - mean[c] * factor;
    if (!std::isfinite(factor) || !std::isfinite(shift)) return std::nullopt;
    affine.scale.push_back(factor);
    affine.shift.push_back(shift);
  }
  return affine;
}

}  // namespace

int fold_batchnorm(Model& model, const PrepareOptions&) {
  int rewrites = 0;
  for (Graph* graph : all_graphs(model)) {
    for (Node* node : graph->nodes()) {
      if (!is_inference(*node)) continue;
      Node* producer = foldable_producer(node->input(0));
      if (producer == nullptr) continue;
      const auto affine = affine_of(*node, output_channels(*producer));
      if (!affine) continue;
      fold_affine(*producer, *affine, *node);
      ++rewrites;
    }
  }
  return rewrites;
}

}  // namespace intaglio
