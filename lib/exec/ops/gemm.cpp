#include "lib/exec/ops/gemm.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "lib/base/simd.h"

namespace intaglio {
namespace {

// One tile: c[rows][columns] = sum over k of a[k][rows] * b[k][columns], packed as in
// PackedLeft/Right.
using Tile = void (*)(std::int64_t depth, const float* a, const float* b, float* c,
                      std::int64_t ldc);

template <int rows, int vectors, int bytes>
[[gnu::always_inline]] inline void tile(std::int64_t depth, const float* a, const float* b,
                                        float* c, std::int64_t ldc) {
  using Vector = typename VectorOf<float, bytes>::type;
  constexpr int width = bytes / 4;
  Vector sum[rows][vectors] = {};
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector right[vectors];
#pragma GCC unroll 16
    for (int j = 0; j < vectors; ++j)
      right[j] = *reinterpret_cast<const Vector*>(b + k * vectors * width + j * width);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const float left = a[k * rows + i];
#pragma GCC unroll 16
      for (int j = 0; j < vectors; ++j) sum[i][j] += left * right[j];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 16
    for (int j = 0; j < vectors; ++j)
      *reinterpret_cast<Vector*>(c + i * ldc + j * width) = sum[i][j];
}

struct Machine {
  std::int64_t rows, columns;  // of a tile
  Tile run;
};

constexpr std::int64_t max_tile = 12 * 32;

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void tile_avx512(std::int64_t depth, const float* a,
                                                    const float* b, float* c, std::int64_t ldc) {
  tile<12, 2, 64>(depth, a, b, c, ldc);
}
__attribute__((target("avx2,fma"))) void tile_avx2(std::int64_t depth, const float* a,
                                                   const float* b, float* c, std::int64_t ldc) {
  tile<6, 2, 32>(depth, a, b, c, ldc);
}
#endif
void tile_baseline(std::int64_t depth, const float* a, const float* b, float* c, std::int64_t ldc) {
  tile<4, 2, 16>(depth, a, b, c, ldc);
}

Machine detect() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return {12, 32, tile_avx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {6, 16, tile_avx2};
#endif
  return {4, 8, tile_baseline};
}

const Machine& machine() {
  static const Machine found = detect();
  return found;
}

std::int64_t round_up(std::int64_t n, std::int64_t step) { return (n + step - 1) / step * step; }

// A block of depth of one tile, clipped to the rows and columns that exist. keep: add to what is
// there.
void clipped_tile(const Machine& m, std::int64_t depth, const float* a, const float* b,
                  const GemmTarget& at, std::int64_t rows, std::int64_t columns, bool keep) {
  alignas(64) float sums[max_tile];
  m.run(depth, a, b, sums, m.columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    float* to = at.c + i * at.ldc;
    const float* from = sums + i * m.columns;
    const float bias = at.row_bias != nullptr ? at.row_bias[i] : 0.0f;
    if (keep) {
      for (std::int64_t j = 0; j < columns; ++j) to[j] += from[j];
    } else {
      for (std::int64_t j = 0; j < columns; ++j) to[j] = from[j] + bias;
    }
  }
}

}  // namespace

PackedLeft::PackedLeft(const MatrixRef& a)
    : rows_(a.rows),
      depth_(a.columns),
      storage_(DType::f32, {round_up(a.rows, machine().rows), a.columns}) {
  const std::int64_t height = machine().rows;
  if (depth_ == 0) return;  // there may be any number of rows
  float* to = storage_.mutate<float>().data();
  for (std::int64_t i0 = 0; i0 < rows_; i0 += height)
    for (std::int64_t k = 0; k < depth_; ++k)
      for (std::int64_t i = i0; i < i0 + height; ++i)
        *to++ = i < rows_ ? a.data[i * a.row_stride + k * a.column_stride] : 0.0f;
}

const float* PackedLeft::panel(std::int64_t i) const {
  return storage_.data<float>().data() + i * machine().rows * depth_;
}

PackedRight::PackedRight(std::int64_t depth, std::int64_t columns)
    : depth_(depth),
      columns_(columns),
      storage_(DType::f32, {round_up(columns, machine().columns), depth}),
      data_(storage_.mutate<float>().data()) {}

PackedRight::PackedRight(const MatrixRef& b) : PackedRight(b.rows, b.columns) {
  if (depth_ == 0 || columns_ == 0) return;  // the other one may be any number
  if (b.column_stride == 1) {
    for (std::int64_t k = 0; k < depth_; ++k) set_row(k, b.data + k * b.row_stride);
    return;
  }
  const std::int64_t width = machine().columns;
  float* to = data_;
  for (std::int64_t j0 = 0; j0 < columns_; j0 += width)
    for (std::int64_t k = 0; k < depth_; ++k)
      for (std::int64_t j = j0; j < j0 + width; ++j)
        *to++ = j < columns_ ? b.data[k * b.row_stride + j * b.column_stride] : 0.0f;
}

const float* PackedRight::panel(std::int64_t j) const {
  return data_ + j * machine().columns * depth_;
}

void PackedRight::set_row(std::int64_t k, const float* values) {
  const std::int64_t width = machine().columns;
  float* to = data_ + k * width;
  std::int64_t j = 0;
  for (; j + width <= columns_; j += width, to += depth_ * width)
    std::memcpy(to, values + j, static_cast<std::size_t>(width) * sizeof(float));
  if (j == columns_) return;
  std::copy(values + j, values + columns_, to);
  std::fill(to + (columns_ - j), to + width, 0.0f);
}

void gemm(const PackedLeft& a, const PackedRight& b, const GemmTarget& target) {
  assert(a.depth() == b.depth());
  if (a.rows() == 0 || b.columns() == 0) return;  // however deep
  const Machine& m = machine();
  const std::int64_t last = target.last < 0 ? a.depth() : target.last;
  const std::int64_t width = m.columns * 16;  // of B: such a block stays in the second-level cache
  std::int64_t k = target.first;
  do {
    const std::int64_t depth = std::min(block_depth, last - k);
    for (std::int64_t j0 = 0; j0 < b.columns(); j0 += width)
      for (std::int64_t i = 0; i < a.rows(); i += m.rows)
        for (std::int64_t j = j0; j < std::min(j0 + width, b.columns()); j += m.columns) {
          GemmTarget at = target;
          at.c += i * target.ldc + j;
          if (at.row_bias != nullptr) at.row_bias += i;
          clipped_tile(m, depth, a.panel(i / m.rows) + k * m.rows,
                       b.panel(j / m.columns) + k * m.columns, at, std::min(m.rows, a.rows() - i),
                       std::min(m.columns, b.columns() - j), k > target.first);
        }
    k += depth;
  } while (k < last);
}

}  // namespace intaglio
