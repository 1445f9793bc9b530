// Depthwise convolution of channels-last images: each channel has one filter of its own.
//
// Sixteen channels of eight neighbouring pixels stay in registers while the taps of the window are
// summed. A sum adds its taps in the order of the filter, so it does not depend on where the pixel
// lies in a block.
#pragma once

#include <vector>

#include "lib/exec/post_op.h"
#include "lib/exec/window.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

class Depthwise {
 public:
  // filters: f32 [C, 1, kh, kw]; bias: C values, or undefined.
  Depthwise(const Tensor& filters, const Tensor& bias);

  std::int64_t channels() const { return channels_; }

  // image: [H, W, C]; out: [window.output..., C]. addends: one pointer for each `add`, to values in the
  // order of out.
  void run(const float* image, const Window& window, std::span<const PostOp> ops,
           const std::vector<const float*>& addends, float* out) const;

 private:
  std::int64_t channels_;
  std::vector<float> taps_;  // [kh * kw, C]
  std::vector<float> bias_;  // C values
};

}  // namespace intaglio
