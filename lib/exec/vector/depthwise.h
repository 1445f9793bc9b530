// Depthwise convolution of channels-last images: each channel has one filter of its own.
//
// Sixteen channels of up to fourteen neighbouring pixels stay in registers while the taps of the
// window are summed: usual windows by sliding.h, others by loops that take any. A sum adds its taps
// in the order of the filter, so it does not depend on where the pixel lies in a block.
#pragma once

#include <vector>

#include "lib/exec/kernel.h"
#include "lib/exec/vector/ending.h"
#include "lib/exec/vector/sliding.h"
#include "lib/exec/window.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// Why a Conv node is no such convolution, or its filters and bias are not constant.
Refusal refuse_depthwise(const Node& node);

class Depthwise {
 public:
  // filters: f32 [C, 1, kh, kw], C at least 16; bias: C values, or undefined.
  Depthwise(const Tensor& filters, const Tensor& bias, PostOps ops);

  std::int64_t channels() const { return channels_; }
  const PostOps& ops() const { return ops_; }

  // image: [H, W, C]; out: [window.output..., C]. addends: one pointer for each `add`, to values in
  // the order of out.
  void run(const float* image, const Window& window, const std::vector<const float*>& addends,
           float* out) const;

 private:
  // The rows of taps [first, last) that lie inside when tap 0 lies at `top`, maybe outside.
  struct Rows {
    std::int64_t first, last;
    Rows(const Window& window, std::int64_t top);
  };

  void slide(SlidingSum sum, const float* image, const Window& window,
             const std::vector<const float*>& addends, float* out) const;
  void slide_row(SlidingSum sum, const float* image, const Window& window, std::int64_t y,
                 float* out) const;
  void run_any(const float* image, const Window& window, std::vector<const float*> addends,
               float* out) const;
  std::int64_t channels_at_once() const;
  void finish(float* out, std::int64_t line, std::vector<const float*>& addends) const;

  std::int64_t channels_, taps_;
  PostOps ops_;  // all
  Ending ending_;
  std::vector<float> filters_;  // [channels / 16][taps][16]
  std::vector<float> bias_;     // padded to whole vectors
};

}  // namespace intaglio
