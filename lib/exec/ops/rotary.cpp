#include "lib/exec/ops/rotary.h"

#include <fmt/format.h>

#include "lib/base/simd.h"
#include "lib/exec/arguments.h"

namespace intaglio {
namespace {

INTAGLIO_CLONES void turn_halves(float* __restrict first, float* __restrict second,
                                 const float* cosine, const float* sine, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float a = first[i], b = second[i];
    first[i] = cosine[i] * a - sine[i] * b;
    second[i] = sine[i] * a + cosine[i] * b;
  }
}

INTAGLIO_CLONES void turn_neighbours(float* x, const float* cosine, const float* sine,
                                     std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float a = x[2 * i], b = x[2 * i + 1];
    x[2 * i] = cosine[i] * a - sine[i] * b;
    x[2 * i + 1] = sine[i] * a + cosine[i] * b;
  }
}

}  // namespace

Tensor rotate(const Tensor& x, const Tensor& cosines, const Tensor& sines,
              const std::vector<std::int64_t>& rows, const RotaryOptions& options) {
  const std::int64_t heads = x.dim(1), length = x.dim(2), depth = x.dim(3);
  const std::int64_t rotated = options.rotated > 0 ? options.rotated : depth, half = rotated / 2;
  const std::int64_t count = half > 0 ? cosines.size() / half : 0;
  if (rotated > depth || rotated % 2 != 0 || cosines.shape() != sines.shape() ||
      cosines.rank() < 1 || cosines.shape().back() != half ||
      static_cast<std::int64_t>(rows.size()) != x.dim(0) * length)
    throw Error(Code::model, fmt::format("angles of shape {} for {} of {} values",
                                         to_string(cosines.shape()), rotated, depth));
  Tensor result = x;
  float* out = result.mutate<float>().data();
  for (std::int64_t b = 0; b < x.dim(0); ++b)
    for (std::int64_t h = 0; h < heads; ++h)
      for (std::int64_t l = 0; l < length; ++l, out += depth) {
        const std::int64_t row =
            checked_index(rows[static_cast<std::size_t>(b * length + l)], count);
        const float* cosine = cosines.data<float>().data() + row * half;
        const float* sine = sines.data<float>().data() + row * half;
        if (options.interleaved)
          turn_neighbours(out, cosine, sine, half);
        else
          turn_halves(out, out + half, cosine, sine, half);
      }
  return result;
}

}  // namespace intaglio
