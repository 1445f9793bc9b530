// The two layouts of a tensor, and the way between them.
#include <algorithm>
#include <cassert>

#include "lib/base/simd.h"
#include "lib/tensor/tensor.h"

namespace intaglio {
namespace {

// to[c][r] = from[r][c], in blocks that stay in the first-level cache.
template <typename T>
void transpose(const T* from, std::int64_t rows, std::int64_t columns, T* to) {
  constexpr std::int64_t block = 32;
  for (std::int64_t r0 = 0; r0 < rows; r0 += block)
    for (std::int64_t c0 = 0; c0 < columns; c0 += block) {
      const std::int64_t r1 = std::min(r0 + block, rows), c1 = std::min(c0 + block, columns);
      for (std::int64_t c = c0; c < c1; ++c)
        for (std::int64_t r = r0; r < r1; ++r) to[c * rows + r] = from[r * columns + c];
    }
}

typedef std::int32_t Index16 __attribute__((vector_size(64)));

// Element i is that of a and b together which from[i] numbers.
[[gnu::always_inline]] inline Vector16 shuffle(Vector16 a, Vector16 b, Index16 from) {
#ifdef __clang__  // knows constant indices alone
  Vector16 result;
  for (int i = 0; i < 16; ++i) result[i] = from[i] < 16 ? a[from[i]] : b[from[i] - 16];
  return result;
#else
  return __builtin_shuffle(a, b, from);
#endif
}

// Transposes sixteen vectors: a butterfly, which swaps blocks of 8, 4, 2 and 1 across the diagonal.
template <int half>
[[gnu::always_inline]] inline void swap_blocks(Vector16* v) {
  Index16 low, high;
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    low[i] = (i & half) == 0 ? i : 16 + i - half;
    high[i] = (i & half) == 0 ? i + half : 16 + i;
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    if ((i & half) != 0) continue;
    const Vector16 a = v[i], b = v[i + half];
    v[i] = shuffle(a, b, low);
    v[i + half] = shuffle(a, b, high);
  }
}

// Three rows (the colours of an image) become groups of three. Returns how many columns it did.
[[gnu::always_inline]] inline std::int64_t interleave_three(const float* from, std::int64_t columns,
                                                            float* to) {
  Index16 two[3], third[3];  // where element i of output vector v comes from
#pragma GCC unroll 3
  for (int v = 0; v < 3; ++v)
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      const int column = (16 * v + i) / 3, row = (16 * v + i) % 3;
      two[v][i] = row == 1 ? 16 + column : column;
      third[v][i] = row == 2 ? 16 + column : i;
    }
  std::int64_t c = 0;
  for (; c + 16 <= columns; c += 16, to += 48) {
    const auto load = [&](std::int64_t r) {
      return *reinterpret_cast<const Vector16*>(from + r * columns + c);
    };
    const Vector16 x = load(0), y = load(1), z = load(2);
#pragma GCC unroll 3
    for (int v = 0; v < 3; ++v)
      *reinterpret_cast<Vector16*>(to + 16 * v) = shuffle(shuffle(x, y, two[v]), z, third[v]);
  }
  return c;
}

// Blocks of sixteen by sixteen; what is left over at the edges goes one by one. Of fewer than
// sixteen rows, each column is stored as a whole vector, whose end the next column overwrites.
INTAGLIO_CLONES void transpose_floats(const float* from, std::int64_t rows, std::int64_t columns,
                                      float* to) {
  const std::int64_t full_rows = rows < 16 ? rows : rows / 16 * 16;
  // Columns at the end that a whole vector would overrun.
  const std::int64_t spare = rows < 16 ? 16 : 0;
  const std::int64_t full_columns = std::max<std::int64_t>(columns - spare, 0) / 16 * 16;
  std::int64_t done = rows == 3 ? interleave_three(from, columns, to) : 0;
  for (std::int64_t c = done; c < full_columns; c += 16)
    for (std::int64_t r = 0; r < full_rows; r += 16) {
      Vector16 v[16] = {};
      const std::int64_t height = std::min<std::int64_t>(rows - r, 16);
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i)
        if (i < height) v[i] = *reinterpret_cast<const Vector16*>(from + (r + i) * columns + c);
      swap_blocks<8>(v);
      swap_blocks<4>(v);
      swap_blocks<2>(v);
      swap_blocks<1>(v);
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) *reinterpret_cast<Vector16*>(to + (c + i) * rows + r) = v[i];
    }
  done = std::max(done, full_columns);
  for (std::int64_t c = 0; c < columns; ++c)
    for (std::int64_t r = c < done ? full_rows : 0; r < rows; ++r)
      to[c * rows + r] = from[r * columns + c];
}

void transpose_images(std::size_t width, std::int64_t images, std::int64_t rows,
                      std::int64_t columns, const std::byte* from, std::byte* to) {
  const auto all = [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t n = 0; n < images; ++n)
      transpose(reinterpret_cast<const T*>(from) + n * rows * columns, rows, columns,
                reinterpret_cast<T*>(to) + n * rows * columns);
  };
  switch (width) {
    case 1:
      return all(std::uint8_t{});
    case 2:
      return all(std::uint16_t{});
    case 4:
      for (std::int64_t n = 0; n < images; ++n)
        transpose_floats(reinterpret_cast<const float*>(from) + n * rows * columns, rows, columns,
                         reinterpret_cast<float*>(to) + n * rows * columns);
      return;
    default:
      return all(std::uint64_t{});
  }
}

Tensor to_layout(const Tensor& tensor, Layout layout) {
  if (tensor.layout() == layout) return tensor;
  if (tensor.rank() < 3) throw Error(Code::internal, "channels-last needs a spatial axis");
  const Shape& shape = tensor.shape();
  const std::int64_t channels = shape[1], area = product(shape, 2, shape.size());
  if (channels == 1 || area == 1) {  // both orders are the same
    Tensor result = tensor;
    result.set_layout(layout);
    return result;
  }
  Tensor result(tensor.dtype(), shape);
  result.set_layout(layout);
  const bool rows_first = layout == Layout::row_major;
  if (tensor.size() > 0)
    transpose_images(bits_of(tensor.dtype()) / 8, shape[0], rows_first ? area : channels,
                     rows_first ? channels : area, tensor.raw(), result.raw_mutate());
  return result;
}

}  // namespace

Tensor to_row_major(const Tensor& tensor) { return to_layout(tensor, Layout::row_major); }
Tensor to_channels_last(const Tensor& tensor) { return to_layout(tensor, Layout::channels_last); }

Shape storage_shape(const Tensor& tensor) {
  Shape shape = tensor.shape();
  if (tensor.layout() == Layout::channels_last)
    std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
  return shape;
}

Tensor as_stored(const Tensor& tensor) {
  if (tensor.layout() == Layout::row_major) return tensor;
  Tensor rows = tensor;
  rows.set_layout(Layout::row_major);
  return rows.reshaped(storage_shape(tensor));
}

Tensor from_stored(const Tensor& tensor) {
  Shape shape = tensor.shape();
  std::rotate(shape.begin() + 1, shape.end() - 1, shape.end());
  Tensor result = tensor.reshaped(std::move(shape));
  result.set_layout(Layout::channels_last);
  return result;
}

}  // namespace intaglio
