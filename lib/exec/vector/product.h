// y = x * w + b, followed by other operations, for many rows x and constant weights w: what
// convolutions of channels-last images and Gemm come down to.
//
// A tile of results (12 rows of 32 with AVX-512) stays in registers while the depth streams past;
// weights are packed once, in panels as wide as a tile. Every result starts at its bias and adds its
// products in the order of the depth, so it does not depend on the number of rows.
#pragma once

#include <vector>

#include "lib/exec/gemm.h"
#include "lib/exec/post_op.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

struct TileArgs;

class Product {
 public:
  // w: depth by columns. bias: one value per column, or none.
  Product(const MatrixRef& w, std::span<const float> bias, PostOps ops);

  std::int64_t depth() const { return depth_; }
  std::int64_t columns() const { return columns_; }
  const PostOps& ops() const { return ops_; }

  // rows results of columns() values each, one after the other. Row i of x starts at x + i * pitch.
  // addends: for every `add`, values in the order of y.
  void run(const float* x, std::int64_t pitch, std::int64_t rows,
           const std::vector<const float*>& addends, float* y) const;

  // The same for rows whose values lie apart: value k of row i is taps[k][i * step].
  void run_taps(const float* const* taps, std::int64_t step, std::int64_t rows,
                const std::vector<const float*>& addends, float* y) const;

 private:
  template <typename F>
  void run_strips(std::int64_t rows, const std::vector<const float*>& addends, float* y,
                  F place) const;
  void run_tile(TileArgs& t, std::int64_t rows, std::int64_t first, float* y) const;

  std::int64_t depth_, columns_;
  PostOps ops_;         // all
  float lo_, hi_;       // of a leading clip, which is done in registers
  std::size_t first_;   // of ops_ that come after
  Tensor panels_;       // [panel][depth][width of a tile]
  std::vector<float> bias_;  // padded to whole panels
};

}  // namespace intaglio
