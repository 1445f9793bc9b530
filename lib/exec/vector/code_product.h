// y = x * w + b, followed by other operations, like Product (product.h), where w is codes of 2, 4
// or 8 bits with a scale and a zero point for each block of the depth.
//
// Codes stay packed in memory, in panels of 32 columns. One row multiplies them as they are read;
// more rows have a panel widened to floats first, which the tiles of a Product then take. Either
// way every weight is scale * (code - zero point), and every result starts at its bias and adds its
// products in the order of the depth: the same for any number of rows.
#pragma once

#include <vector>

#include "lib/exec/ops/nbits.h"
#include "lib/exec/vector/ending.h"
#include "lib/exec/vector/product.h"

namespace intaglio {

class CodeProduct {
 public:
  static constexpr std::int64_t panel = 32;  // columns

  // codes: [N][blocks][bytes]. scales: f32, [N][blocks]. zeros: u8, [N][packed], or undefined for
  // the middle of the range. bias: one value per column, or none. Code::model when sizes differ.
  CodeProduct(const NBits& shape, const Tensor& codes, const Tensor& scales, const Tensor& zeros,
              std::span<const float> bias, PostOps ops);

  const PostOps& ops() const { return ops_; }

  // As Product::run; the rows of x are one run, K floats apart.
  void run(const float* x, std::int64_t rows, const std::vector<const float*>& addends, float* y,
           std::int64_t row) const;

  struct PanelView;  // of code_product.cpp

 private:
  PanelView view(std::int64_t p) const;
  void pack(const Tensor& codes, const Tensor& scales, const Tensor& zeros);
  void run_panels(const float* x, std::int64_t rows, std::int64_t first, std::int64_t last,
                  float* y, std::int64_t row) const;
  void run_tiles(TileArgs t, std::int64_t rows, std::int64_t column) const;
  void run_row(const float* x, std::int64_t first, std::int64_t last, float* y) const;

  NBits shape_;
  std::int64_t panels_, units_;  // units: of a panel
  PostOps ops_;
  Ending ending_;
  Tensor codes_;             // s32 [panel][unit][16]
  Tensor scales_;            // f32 [panel][block][32]
  Tensor zeros_;             // s32 [panel][block / 4][32]
  std::vector<float> bias_;  // [panel][32]
};

}  // namespace intaglio
