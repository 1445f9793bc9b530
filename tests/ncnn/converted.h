// A network of ncnn as a converter makes it of a model: a layer for each node, named by its number,
// with the weights that are there once BatchNormalization is folded.
#pragma once

#include <fmt/format.h>

#include "lib/ncnn/match.h"
#include "lib/passes/pass.h"
#include "tests/ncnn/support.h"

namespace intaglio::testing {

inline NcnnLine converted_node(const Node& node, const std::string& name) {
  NcnnLine layer;
  const std::vector<float> weights = ncnn_weights(node);
  const bool product = !weights.empty(), gemm = node.is("Gemm");
  const std::int64_t groups = node.is("Conv") ? node.attr_int("group", 1) : 1;
  const std::string type = gemm         ? "InnerProduct"
                           : groups > 1 ? "ConvolutionDepthWise"
                           : product    ? "Convolution"
                                        : node.op();
  std::string blobs;
  std::size_t inputs = 0;
  for (const Value* input : node.inputs())
    if (input != nullptr && !input->is_constant()) blobs += " " + input->name(), ++inputs;
  layer.line = fmt::format("{} {} {} 1{} {}", type, name, inputs, blobs, node.output(0)->name());
  if (!product) return layer;
  const auto bias = ncnn_bias(node);
  const std::size_t outputs = bias ? bias->size() : 0;  // those of tests have biases
  layer.line += gemm ? fmt::format(" 0={} 1=1 2={}", outputs, weights.size())
                     : fmt::format(" 0={} 5=1 6={} 7={}", outputs, weights.size(), groups);
  layer.bytes = tagged(weights, NcnnType::f16) + raw(*bias);
  return layer;
}

// Writes NAME.param and NAME.bin; returns the former.
inline std::filesystem::path write_converted(Model model, const std::filesystem::path& folder,
                                             const std::string& name = "model.ncnn") {
  prepare(model);
  std::vector<NcnnLine> layers = {{"Input in0 0 1 " + model.graph().feeds().front()->name(), ""}};
  for (const Node* node : model.graph().nodes())
    layers.push_back(converted_node(*node, fmt::format("layer_{}", layers.size())));
  return write_network(folder, layers, name);
}

}  // namespace intaglio::testing
