#include "calibration/refine/channel_statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/base/parallel.h"
#include "lib/base/simd.h"

namespace intaglio {
namespace {

constexpr std::size_t flushed_rows = 64;  // float sums of so many rows lose nothing that matters
constexpr std::size_t lanes = 16;
constexpr double usual_deviations = 8;

struct Columns {
  std::vector<float> min, max, sum, squares;
  explicit Columns(std::size_t n)
      : min(n, std::numeric_limits<float>::infinity()),
        max(n, -std::numeric_limits<float>::infinity()),
        sum(n),
        squares(n) {}
};

// Columns [from, from + width) of rows of n values: their figures stay in registers.
template <std::size_t width>
[[gnu::always_inline]] inline void add_block(const float* x, std::size_t rows, std::size_t n,
                                             std::size_t from, float* min, float* max, float* sum,
                                             float* squares) {
  float lo[width], hi[width], s[width], q[width];
  for (std::size_t c = 0; c < width; ++c)
    lo[c] = min[from + c], hi[c] = max[from + c], s[c] = sum[from + c], q[c] = squares[from + c];
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < width; ++c) {
      const float v = x[r * n + from + c];
      lo[c] = v < lo[c] ? v : lo[c];
      hi[c] = v > hi[c] ? v : hi[c];
      s[c] += v;
      q[c] += v * v;
    }
  for (std::size_t c = 0; c < width; ++c)
    min[from + c] = lo[c], max[from + c] = hi[c], sum[from + c] = s[c], squares[from + c] = q[c];
}

INTAGLIO_CLONES
void add_rows(const float* x, std::size_t rows, std::size_t n, float* min, float* max, float* sum,
              float* squares) {
  std::size_t c = 0;
  for (; c + lanes <= n; c += lanes) add_block<lanes>(x, rows, n, c, min, max, sum, squares);
  for (; c < n; ++c) add_block<1>(x, rows, n, c, min, max, sum, squares);
}

void flush(Columns& columns, std::size_t from, std::size_t to, std::size_t count,
           ChannelStatistics& s) {
  for (std::size_t i = 0; i < count; ++i) {
    s.sum[to] += columns.sum[from + i];
    s.squares[to] += columns.squares[from + i];
    columns.sum[from + i] = columns.squares[from + i] = 0;
    s.min[to] = std::min(s.min[to], columns.min[from + i]);
    s.max[to] = std::max(s.max[to], columns.max[from + i]);
  }
}

// Rows of one value of every channel.
void add_interleaved(const float* x, std::size_t rows, ChannelStatistics& s) {
  const std::size_t n = s.channels();
  Columns columns(n);
  for (std::size_t r = 0; r < rows; r += flushed_rows) {
    const std::size_t some = std::min(flushed_rows, rows - r);
    add_rows(x + r * n, some, n, columns.min.data(), columns.max.data(), columns.sum.data(),
             columns.squares.data());
    for (std::size_t c = 0; c < n; ++c) flush(columns, c, c, 1, s);
  }
}

// The values of one channel, one after the other.
void add_run(const float* x, std::size_t count, ChannelStatistics& s, std::size_t channel) {
  Columns columns(lanes);
  const auto add = [&](const float* at, std::size_t rows, std::size_t n) {
    add_rows(at, rows, n, columns.min.data(), columns.max.data(), columns.sum.data(),
             columns.squares.data());
    flush(columns, 0, channel, n, s);
  };
  const std::size_t rows = count / lanes;
  for (std::size_t r = 0; r < rows; r += flushed_rows)
    add(x + r * lanes, std::min(flushed_rows, rows - r), lanes);
  for (std::size_t i = rows * lanes; i < count; ++i) add(x + i, 1, 1);
}

void start(ChannelStatistics& s, std::size_t channels) {
  if (s.channels() != 0) return;
  s.min.assign(channels, std::numeric_limits<float>::infinity());
  s.max.assign(channels, -std::numeric_limits<float>::infinity());
  s.sum.assign(channels, 0);
  s.squares.assign(channels, 0);
}

}  // namespace

double ChannelStatistics::deviation(std::size_t c) const {
  return std::sqrt(std::max(mean_square(c) - mean(c) * mean(c), 0.0));
}

double ChannelStatistics::usual_min(std::size_t c) const {
  return std::max(static_cast<double>(min[c]), mean(c) - usual_deviations * deviation(c));
}

double ChannelStatistics::usual_max(std::size_t c) const {
  return std::min(static_cast<double>(max[c]), mean(c) + usual_deviations * deviation(c));
}

void ChannelStatistics::add(const Tensor& tensor, int axis) {
  const auto at = static_cast<std::size_t>(axis < 0 ? axis + tensor.rank() : axis);
  const auto n = static_cast<std::size_t>(tensor.dim(at));
  start(*this, n);
  const auto values = tensor.data<float>();
  if (values.empty()) return;
  const auto inner =
      static_cast<std::size_t>(product(tensor.shape(), at + 1, tensor.shape().size()));
  count += static_cast<double>(values.size()) / static_cast<double>(n);
  if (inner == 1 || tensor.layout() == Layout::channels_last)
    return add_interleaved(values.data(), values.size() / n, *this);
  for (std::size_t run = 0; run < values.size() / inner; ++run)
    add_run(values.data() + run * inner, inner, *this, run % n);
}

void ChannelStatistics::add(const ChannelStatistics& other) {
  if (other.channels() == 0) return;
  start(*this, other.channels());
  count += other.count;
  for (std::size_t c = 0; c < channels(); ++c) {
    min[c] = std::min(min[c], other.min[c]);
    max[c] = std::max(max[c], other.max[c]);
    sum[c] += other.sum[c];
    squares[c] += other.squares[c];
  }
}

void ChannelStatistics::shift_by(const std::vector<float>& shift) {
  for (std::size_t c = 0; c < channels(); ++c) {
    const double m = shift[c];
    squares[c] += count * m * m - 2 * m * sum[c];
    sum[c] -= count * m;
    min[c] -= shift[c];
    max[c] -= shift[c];
  }
}

ChannelMeasurements measure_channels(const Executor& executor,
                                     const std::map<std::string, int>& axes, const Samples& samples,
                                     std::size_t threads, const Progress& progress) {
  ChannelMeasurements all;
  const auto measure = [&](std::size_t i) {
    ChannelMeasurements one;
    if (const auto feeds = samples.load(i))
      at_sample(samples, i, [&] {
        executor.run(*feeds, [&](const Value& value, const Tensor& tensor) {
          if (const auto it = axes.find(value.name()); it != axes.end())
            one[value.name()].add(tensor, it->second);
        });
      });
    return one;
  };
  parallel_in_order(samples.count, threads, measure,
                    [&](std::size_t i, const ChannelMeasurements& one) {
                      for (const auto& [name, statistics] : one) all[name].add(statistics);
                      if (progress) progress(i + 1, samples.count);
                    });
  if (all.empty() && !axes.empty()) throw none_loaded(samples);
  return all;
}

}  // namespace intaglio
