#include "lib/exec/strided.h"

#include <algorithm>

#include "lib/exec/arguments.h"
#include "lib/exec/nest.h"

namespace intaglio {
namespace {

// One run of a copy whose innermost axis is not a transposition.
template <typename T>
void copy_run(const T* from, std::int64_t step, T* to, std::int64_t count) {
  if (step == 1) {
    std::copy_n(from, count, to);
  } else if (step == 0) {
    std::fill_n(to, count, *from);
  } else {
    for (std::int64_t i = 0; i < count; ++i) to[i] = from[i * step];
  }
}

// to[r][c] = from[c][r] in tiles that stay in the cache. Rows of either side are `*_pitch` apart.
template <typename T>
void transpose_plane(const T* from, std::int64_t from_pitch, T* to, std::int64_t to_pitch,
                     std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t tile = 16;
  for (std::int64_t r0 = 0; r0 < rows; r0 += tile)
    for (std::int64_t c0 = 0; c0 < columns; c0 += tile) {
      const std::int64_t r1 = std::min(r0 + tile, rows), c1 = std::min(c0 + tile, columns);
      for (std::int64_t r = r0; r < r1; ++r)
        for (std::int64_t c = c0; c < c1; ++c) to[r * to_pitch + c] = from[c * from_pitch + r];
    }
}

// The axis along which the source is contiguous when the last one is not: together they are a plane
// to transpose. -1: there is none.
int plane_axis(std::span<const std::int64_t> strides, const Shape& shape) {
  if (strides.back() == 1 || strides.back() == 0) return -1;
  for (std::size_t d = 0; d + 1 < shape.size(); ++d)
    if (strides[d] == 1 && shape[d] > 1) return static_cast<int>(d);
  return -1;
}

template <typename T>
void copy_planes(const T* from, const Shape& strides, T* to, const Shape& shape, std::size_t axis) {
  Shape rest = shape;
  rest[axis] = rest.back() = 1;
  const Shape to_strides = strides_of(shape);
  const Nest<2> nest(rest, {strides, to_strides});
  const auto [from_step, to_step] = nest.inner_strides();
  nest.rows([&, fs = from_step, ts = to_step](std::int64_t, const auto& at) {
    for (std::int64_t i = 0; i < nest.inner(); ++i)
      transpose_plane(from + at[0] + i * fs, strides.back(), to + at[1] + i * ts, to_strides[axis],
                      shape[axis], shape.back());
  });
}

}  // namespace

void copy_strided(const Tensor& from, std::int64_t first, std::span<const std::int64_t> strides,
                  Tensor& to) {
  if (to.size() == 0) return;
  const Nest<1> nest(to.shape(), {Shape(strides.begin(), strides.end())});
  Shape lengths, steps;  // with the axes merged
  for (const auto& axis : nest.axes()) {
    lengths.push_back(axis.length);
    steps.push_back(axis.strides[0]);
  }
  visit_width(from, [&](auto zero) {
    using T = decltype(zero);
    const T* in = reinterpret_cast<const T*>(from.raw()) + first;
    T* out = reinterpret_cast<T*>(to.raw_mutate());
    if (const int axis = plane_axis(steps, lengths); axis >= 0)
      return copy_planes(in, steps, out, lengths, static_cast<std::size_t>(axis));
    nest.rows([&](std::int64_t at, const auto& source) {
      copy_run(in + source[0], nest.inner_strides()[0], out + at, nest.inner());
    });
  });
}

}  // namespace intaglio
