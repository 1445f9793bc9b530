// What a layer multiplies its weights with: patches of its input.
#pragma once

#include <cstddef>
#include <vector>

#include "calibration/refine/layer.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// Rows of one group's inputs: inputs_per_group() * kernel values each, in the order of the weights
// w[o, i, k] of an output; zeros where the window leaves the input.
struct Patches {
  std::size_t width = 0;
  std::vector<float> values;
  std::size_t rows() const { return width == 0 ? 0 : values.size() / width; }
};

// Appends up to `most` patches of the layer's input x, at output positions spread evenly over the
// batch. x: f32, of either layout.
void add_patches(const Layer& layer, std::size_t group, const Tensor& x, std::size_t most,
                 Patches& patches);

}  // namespace intaglio
