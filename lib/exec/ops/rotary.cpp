#include "lib/exec/ops/rotary.h"

#include <fmt/format.h>

#include "lib/exec/arguments.h"

namespace intaglio {

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
        for (std::int64_t i = 0; i < half; ++i) {
          float& first = out[options.interleaved ? 2 * i : i];
          float& second = out[options.interleaved ? 2 * i + 1 : i + half];
          const float real = cosine[i] * first - sine[i] * second;
          second = sine[i] * first + cosine[i] * second;
          first = real;
        }
      }
  return result;
}

}  // namespace intaglio
