#include "calibration/data/resize.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace intaglio {
namespace {

constexpr int fraction_bits = 22;  // 255 times a sum of weights of about 1 stays below 2^31

// What outputs [start, start + count) of `to` are made of, when `from` pixels become `to`.
struct Filter {
  struct Output {
    int first, count;             // pixels that contribute
    const std::int32_t* weights;  // count of them
  };

  Filter(int from, int to, int start, int count) {
    const double scale = static_cast<double>(from) / to;
    const double radius = std::max(scale, 1.0);
    const auto most = static_cast<std::size_t>(std::ceil(radius)) * 2 + 1;
    weights_.resize(most * static_cast<std::size_t>(count));
    std::vector<double> triangle(most);
    for (int i = 0; i < count; ++i) {
      const double centre = (start + i + 0.5) * scale;
      const int first = std::max(0, static_cast<int>(centre - radius + 0.5));
      const int taps = std::min(from, static_cast<int>(centre + radius + 0.5)) - first;
      double sum = 0;
      for (int t = 0; t < taps; ++t) {
        triangle[t] = std::max(0.0, 1.0 - std::abs((first + t - centre + 0.5) * (1 / radius)));
        sum += triangle[t];
      }
      std::int32_t* weights = &weights_[most * static_cast<std::size_t>(i)];
      for (int t = 0; t < taps; ++t)
        weights[t] = static_cast<std::int32_t>(0.5 + triangle[t] / sum * (1 << fraction_bits));
      outputs.push_back({first, taps, weights});
    }
  }
  Filter(const Filter&) = delete;  // outputs point into weights_
  Filter& operator=(const Filter&) = delete;

  int first() const { return outputs.front().first; }
  int last() const { return outputs.back().first + outputs.back().count; }

  std::vector<Output> outputs;

 private:
  std::vector<std::int32_t> weights_;
};

std::uint8_t rounded(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> fraction_bits, 0, 255));
}

template <int channels>
void resize_row(const std::uint8_t* in, const Filter& filter, std::uint8_t* out) {
  for (const auto& [first, count, weights] : filter.outputs) {
    std::int32_t sum[channels];
    std::fill_n(sum, channels, 1 << (fraction_bits - 1));
    const std::uint8_t* pixel = in + first * channels;
    for (int t = 0; t < count; ++t, pixel += channels)
      for (int c = 0; c < channels; ++c) sum[c] += pixel[c] * weights[t];
    for (int c = 0; c < channels; ++c) *out++ = rounded(sum[c]);
  }
}

}  // namespace

Image resize(const Image& image, Size size, const Region& window) {
  assert(window.left >= 0 && window.left + window.size.width <= size.width);
  assert(window.top >= 0 && window.top + window.size.height <= size.height);
  assert(window.size.width > 0 && window.size.height > 0);
  const Filter across(image.width, size.width, window.left, window.size.width);
  const Filter down(image.height, size.height, window.top, window.size.height);

  const auto row_in = static_cast<std::size_t>(image.width * image.channels);
  const auto row_out = static_cast<std::size_t>(window.size.width * image.channels);
  std::vector<std::uint8_t> rows(row_out * static_cast<std::size_t>(down.last() - down.first()));
  for (int y = down.first(); y < down.last(); ++y) {
    const std::uint8_t* in = &image.pixels[row_in * static_cast<std::size_t>(y)];
    std::uint8_t* out = &rows[row_out * static_cast<std::size_t>(y - down.first())];
    const auto resize_one = image.channels == 3 ? resize_row<3> : resize_row<1>;
    resize_one(in, across, out);
  }

  Image result{window.size.width, window.size.height, image.channels, {}};
  result.pixels.resize(row_out * static_cast<std::size_t>(window.size.height));
  std::vector<std::int32_t> sum(row_out);
  auto out = result.pixels.begin();
  for (const auto& [first, count, weights] : down.outputs) {
    std::fill(sum.begin(), sum.end(), 1 << (fraction_bits - 1));
    for (int t = 0; t < count; ++t) {
      const std::uint8_t* in = &rows[row_out * static_cast<std::size_t>(first + t - down.first())];
      for (std::size_t x = 0; x < row_out; ++x) sum[x] += in[x] * weights[t];
    }
    out = std::transform(sum.begin(), sum.end(), out, rounded);
  }
  return result;
}

}  // namespace intaglio
