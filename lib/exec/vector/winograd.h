// 3x3 convolutions of stride 1 with a quarter of the multiplications: Winograd's minimal filtering
// F(4x4, 3x3) (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016).
//
//   Y = A' [ (G g G') * (B' d B) ] A      for every tile of 6x6 inputs d and 4x4 outputs Y
//
// Summed over channels, the elementwise product is 36 matrix products. The points of interpolation
// are 0, +-sqrt(1/2), +-sqrt(2) and infinity, which keep the numbers small: rounding errors are
// about twice those of the plain sum, where the integers of the paper make ten times as much.
//
// Needs AVX-512 (winograd_fits).
#pragma once

#include <vector>

#include "lib/exec/vector/ending.h"
#include "lib/exec/window.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// Whether the processor and a [M, C, kernel...] shape of filters suit: 3x3, C >= 8, M >= 16.
bool winograd_fits(const Shape& filters);

class Winograd {
 public:
  // bias: M values, or none.
  Winograd(const Tensor& filters, std::span<const float> bias, PostOps ops);

  const PostOps& ops() const { return ops_; }
  std::int64_t outputs() const { return outputs_; }

  // image: [H, W, C]; results: `pitch` floats from one pixel to the next. addends: for every `add`,
  // values that follow one another.
  void run(const float* image, const Window& window, const std::vector<const float*>& addends,
           float* y, std::int64_t pitch) const;

 private:
  struct Block;
  void run_block(Block block, const float* image, const Window& window, float* y,
                 std::int64_t pitch) const;
  void finish(std::int64_t top, std::int64_t bottom, std::int64_t width,
              const std::vector<const float*>& addends, float* y, std::int64_t pitch) const;
  void load(const Block& block, const float* image, const Window& window) const;
  void multiply(const Block& block, std::int64_t panel) const;
  void store(const Block& block, std::int64_t panel, const Window& window, float* y,
             std::int64_t pitch) const;
  std::int64_t vectors_of(std::int64_t panel) const;

  std::int64_t channels_, outputs_, pitch_;  // pitch_: of the pixels of transformed images
  PostOps ops_;                              // all
  Ending ending_;
  Tensor panels_;            // [panel][36][C][one or two vectors]
  std::vector<float> bias_;  // [vectors][16]
};

}  // namespace intaglio
