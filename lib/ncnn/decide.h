// What becomes of the layers of an ncnn network when its model is quantized: decided here, done by
// lib/ncnn/write.h (files of int8) and lib/ncnn/table.h (the table for ncnn2int8).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/ncnn/network.h"
#include "lib/quant/plan.h"

namespace intaglio {

// How a layer computes in integers: real = code / scale, as ncnn has it.
struct NcnnScales {
  std::vector<float> weights;  // of each output; of ConvolutionDepthWise, of each group
  float input = 1;
  std::optional<float> output;  // its result is codes too, for the layers behind it
};

struct NcnnDecision {
  struct Layer {
    const Node* node = nullptr;  // in the float model of the result; null: none has its weights
    bool own_bias = false;       // the layer adds what the node does not
    std::optional<NcnnScales> scales;  // nullopt: it computes in float
    std::string reason;                // why, of a layer with weights
  };
  std::vector<Layer> layers;  // as in the network
  // Whether the network was made of the float model of the result, and holds its weights already;
  // else of the model that was given.
  bool on_grid = false;
  std::vector<std::string> missing;  // quantized nodes that no layer holds the weights of

  std::size_t in_integers() const;
};

// One model in three states, with the same names.
struct NcnnModels {
  const Graph& given;    // prepared
  const Graph& refined;  // channels rebalanced and biases corrected
  const Graph& result;   // the same with constants on their grids (lib/rewrite/float_model.h)
};

// plan: what the result was made by. Throws Code::model for a network of another model, and for one of the model
// given where refinement changed more than the weights of layers.
NcnnDecision decide_ncnn(const NcnnNetwork& network, const NcnnModels& models, const Plan& plan);

}  // namespace intaglio
