#include "calibration/refine/channel_sums.h"

#include <array>

#include "lib/base/simd.h"

namespace intaglio {
namespace {

// Rows of `n` values each; sums by column.
INTAGLIO_CLONES
void add_rows(const float* y, const float* twin, std::size_t rows, std::size_t n, const Weighing& m,
              double* shift, double* weight) {
  const float lo = m.lo, hi = m.hi, outside = m.outside;
  for (std::size_t r = 0; r < rows; ++r, y += n, twin += n)
    for (std::size_t c = 0; c < n; ++c) {
      const float inside = y[c] >= lo ? 1.0f : outside;
      const double w = y[c] <= hi ? inside : outside;
      shift[c] += w * (static_cast<double>(y[c]) - static_cast<double>(twin[c]));
      weight[c] += w;
    }
}

// One channel whose values follow each other: sixteen columns, and the rest.
void add_run(const float* y, const float* twin, std::size_t n, const Weighing& m, double& shift,
             double& weight) {
  constexpr std::size_t lanes = 16;
  std::array<double, lanes> shifts{}, weights{};
  const std::size_t rows = n / lanes;
  add_rows(y, twin, rows, lanes, m, shifts.data(), weights.data());
  for (std::size_t i = 0; i < lanes; ++i) shift += shifts[i], weight += weights[i];
  for (std::size_t i = rows * lanes; i < n; ++i)
    add_rows(y + i, twin + i, 1, 1, m, &shift, &weight);
}

INTAGLIO_CLONES
void add_row(float* y, const float* by_channel, std::size_t n) {
  for (std::size_t c = 0; c < n; ++c) y[c] += by_channel[c];
}

// Clamping first keeps adding 1.5 * 2^23 in the range where it rounds to the nearest whole number,
// ties to even.
INTAGLIO_CLONES
void round_values(float* x, std::size_t n, float scale, float lo, float hi) {
  constexpr float magic = 12582912.0f;
  for (std::size_t i = 0; i < n; ++i) {
    float v = x[i] / scale;
    v = v > lo ? v : lo;
    v = v < hi ? v : hi;
    x[i] = ((v + magic) - magic) * scale;
  }
}

struct Extents {
  std::size_t batch, channels, area;
  explicit Extents(const Tensor& t)
      : batch(static_cast<std::size_t>(t.dim(0))),
        channels(static_cast<std::size_t>(t.dim(1))),
        area(static_cast<std::size_t>(product(t.shape(), 2, t.shape().size()))) {}
};

}  // namespace

ChannelSums channel_sums(const Tensor& y, const Tensor& twin, const Weighing& m) {
  const Extents e(y);
  ChannelSums sums{std::vector<double>(e.channels), std::vector<double>(e.channels)};
  const float *a = y.data<float>().data(), *b = twin.data<float>().data();
  if (y.layout() == Layout::channels_last || e.area == 1) {
    add_rows(a, b, e.batch * e.area, e.channels, m, sums.shift.data(), sums.weight.data());
    return sums;
  }
  for (std::size_t i = 0; i < e.batch * e.channels; ++i, a += e.area, b += e.area)
    add_run(a, b, e.area, m, sums.shift[i % e.channels], sums.weight[i % e.channels]);
  return sums;
}

void add_to_channels(Tensor& tensor, const std::vector<float>& by_channel) {
  const Extents e(tensor);
  float* y = tensor.mutate<float>().data();
  if (tensor.layout() == Layout::channels_last || e.area == 1) {
    for (std::size_t i = 0; i < e.batch * e.area; ++i, y += e.channels)
      add_row(y, by_channel.data(), e.channels);
    return;
  }
  for (std::size_t i = 0; i < e.batch * e.channels; ++i)
    for (std::size_t k = 0; k < e.area; ++k) *y++ += by_channel[i % e.channels];
}

void round_to_codes(Tensor& tensor, const QParams& params, const Scheme& scheme) {
  const Levels levels = levels_of(scheme);
  const std::int32_t zero = params.zero_point.front();
  const auto values = tensor.mutate<float>();
  round_values(values.data(), values.size(), params.scale.front(),
               static_cast<float>(levels.lo - zero), static_cast<float>(levels.hi - zero));
}

}  // namespace intaglio
