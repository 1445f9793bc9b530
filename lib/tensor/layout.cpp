// The two layouts of a tensor, and the way between them.
#include <algorithm>
#include <cassert>

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
      return all(std::uint32_t{});
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
