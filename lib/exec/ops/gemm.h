// Single-precision matrix product C = A * B (+ C or bias), from operands packed in panels.
//
//   PackedLeft a({weights, m, k, k, 1});            // once per model
//   PackedRight b({image, k, n, n, 1});             // once per call
//   gemm(a, b, {.c = out, .ldc = n});
//
// The method is that of "Anatomy of High-Performance Matrix Multiplication" (Goto and van de Geijn,
// 2008): a small tile of C stays in vector registers while one panel of A and one of B stream past.
// The tile fits the widest vectors of the machine (AVX-512, AVX2 or the baseline), chosen once.
//
// Every element of C is the same whatever m and n are: the order of additions depends on k alone,
// in blocks of block_depth. Products of 9-bit integers are exact within one block. Threads: packed
// operands may be read by many threads; gemm() runs on the calling one.
#pragma once

#include <cstdint>
#include <memory>

#include "lib/tensor/tensor.h"

namespace intaglio {

// Element (i, j) is data[i * row_stride + j * column_stride].
struct MatrixRef {
  const float* data = nullptr;
  std::int64_t rows = 0, columns = 0;
  std::int64_t row_stride = 0, column_stride = 1;
};

// Sums of up to this many products are made in registers before they are added to C. 256 products
// of integers in [-255, 255] stay below 2^24, so integer operators use this product and lose
// nothing.
inline constexpr std::int64_t block_depth = 256;

// The 32-bit sum of such blocks: wraps around, as the hardware does.
inline std::int32_t wrapping_add(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

// A, cut into panels of as many rows as the register tile has; the last one is padded with zeros.
class PackedLeft {
 public:
  explicit PackedLeft(const MatrixRef& a);
  std::int64_t rows() const { return rows_; }
  std::int64_t depth() const { return depth_; }
  const float* panel(std::int64_t i) const;

 private:
  std::int64_t rows_, depth_;
  Tensor storage_;
};

// B, cut into panels of as many columns as the register tile has.
class PackedRight {
 public:
  // Values follow through set_row(), every row once.
  PackedRight(std::int64_t depth, std::int64_t columns);
  explicit PackedRight(const MatrixRef& b);
  std::int64_t depth() const { return depth_; }
  std::int64_t columns() const { return columns_; }
  const float* panel(std::int64_t j) const;
  void set_row(std::int64_t k, const float* values);  // columns() values

 private:
  std::int64_t depth_, columns_;
  Tensor storage_;
  float* data_;
};

struct GemmTarget {
  float* c = nullptr;
  std::int64_t ldc = 0;               // distance between rows of C
  const float* row_bias = nullptr;    // added to every element of a row; null: none
  std::int64_t first = 0, last = -1;  // the part of the depth to sum over; -1: all
};

// c = a[:, first:last] * b[first:last, :] + bias
void gemm(const PackedLeft& a, const PackedRight& b, const GemmTarget& target);

}  // namespace intaglio
