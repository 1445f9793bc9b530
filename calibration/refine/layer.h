// Layers: nodes that multiply their input with constant weights, whatever the operator.
#pragma once

#include <cstddef>
#include <optional>

#include "lib/graph/graph.h"

namespace intaglio {

// Conv, ConvTranspose, Gemm, MatMul: y[o] = sum over i, k of w[o, i, k] x[i, k] + b[o]. Channels
// are those of axis 1, of a MatMul those of the last axis.
struct Layer {
  const Node* node = nullptr;
  Value* weights = nullptr;
  Value* bias = nullptr;  // null: none
  std::size_t outputs = 0, inputs = 0, groups = 1;
  std::size_t kernel = 1;  // positions
  int axis = 1;            // of the channels of input and output; -1: the last one, of unknown rank
  bool padded = false;     // zeros are read beside the input

  std::size_t inputs_per_group() const { return inputs / groups; }
  std::size_t outputs_per_group() const { return outputs / groups; }
  std::size_t group_of(std::size_t output) const { return output / outputs_per_group(); }
  // Where w[output, input, position] is in the tensor; `input` counts within the output's group.
  std::size_t index(std::size_t output, std::size_t input, std::size_t position) const {
    return output_stride * (weights_by_input ? output % outputs_per_group() : output) +
           input_stride *
               (weights_by_input ? group_of(output) * inputs_per_group() + input : input) +
           position;
  }

  std::size_t output_stride = 0, input_stride = 0;
  bool weights_by_input = false;  // inputs of all groups lie one after the other, not outputs
};

// The layer that a node is; nullopt for other operators, and for one whose weights or bias are not
// float constants of its own.
std::optional<Layer> layer_of(const Node& node);

}  // namespace intaglio
