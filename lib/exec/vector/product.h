// y = x * w + b, followed by other operations, for many rows x and constant weights w: what
// convolutions of channels-last images and Gemm come down to.
//
// A tile of results (12 rows of 32 with AVX-512) stays in registers while the depth streams past;
// weights are packed once, in panels as wide as a tile. Every result starts at its bias and adds
// its products in the order of the depth, so it does not depend on the number of rows.
#pragma once

#include <vector>

#include "lib/exec/ops/gemm.h"
#include "lib/exec/vector/ending.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

class Value;
struct TileArgs;

// Rows of x: row i is made of runs of `length` values, one after the other; run r starts at
// data + i * pitch + runs[r]. The pixels of a channels-last image are rows of one run; the windows
// of a convolution have one run for each row of the filter.
struct ProductRows {
  const float* data = nullptr;
  std::int64_t pitch = 0;
  std::span<const std::int64_t> runs;
  std::int64_t length = 0;
};

// Of x times a matrix of depth by columns. axes: how many x must have; 0: any, but one at least.
// Code::model when they are others, or the last one is not the depth.
Shape product_shape(const Shape& x, std::int64_t depth, std::int64_t columns, std::size_t axes = 0);

// Whether there is such a value, constant and f32: weights that can be packed.
bool constant_f32(const Value* value);

class Product {
 public:
  // w: depth by columns. bias: one value per column, or none.
  Product(const MatrixRef& w, std::span<const float> bias, PostOps ops);

  std::int64_t depth() const { return depth_; }
  std::int64_t columns() const { return columns_; }
  const PostOps& ops() const { return ops_; }

  // `rows` results of columns() values each, `row` floats apart. The runs of a row of x hold
  // depth() values. addends: for every `add`, values that follow one another.
  void run(const ProductRows& x, std::int64_t rows, const std::vector<const float*>& addends,
           float* y, std::int64_t row) const;

 private:
  struct Strips;
  void run_strips(const Strips& part, const std::vector<const float*>& addends, float* y,
                  std::int64_t row) const;
  std::int64_t strips_at_once(std::int64_t strips) const;
  const float* ahead(std::int64_t column, std::int64_t strip) const;
  void run_tile(TileArgs& t, std::int64_t rows, std::int64_t at, float* y, std::int64_t row) const;
  void finish(std::int64_t begin, std::int64_t count, const std::vector<const float*>& addends,
              float* y, std::int64_t row) const;

  std::int64_t depth_, columns_;
  PostOps ops_;  // all
  Ending ending_;
  Tensor panels_;            // [panel][depth][one or two vectors]
  std::vector<float> bias_;  // [panel][two vectors]
};

}  // namespace intaglio
