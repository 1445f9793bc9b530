#include "lib/exec/ops/window_columns.h"

#include <algorithm>
#include <vector>

#include "lib/exec/ops/plane.h"

namespace intaglio {
namespace {

// Neighbouring columns whose outputs share a row.
struct Run {
  std::int64_t x, length;  // first output position along the last axis
  Shape outer;             // output position along the other axes
};

std::vector<Run> runs_of(const Window& window, std::int64_t first, std::int64_t count) {
  const std::int64_t width = window.output.back();
  std::vector<Run> runs;
  for (std::int64_t at = first; at < first + count;) {
    Run run{at % width, std::min(width - at % width, first + count - at), Shape(window.rank() - 1)};
    std::int64_t row = at / width;
    for (std::size_t axis = run.outer.size(); axis-- > 0;) {
      run.outer[axis] = row % window.output[axis];
      row /= window.output[axis];
    }
    at += run.length;
    runs.push_back(std::move(run));
  }
  return runs;
}

// Where the input row starts that a run reads under a tap of the outer axes; -1: in the padding.
std::int64_t input_row(const Window& window, const Run& run, const Shape& tap) {
  std::int64_t row = 0;
  for (std::size_t axis = 0; axis < tap.size(); ++axis) {
    const std::int64_t at = run.outer[axis] * window.strides[axis] +
                            tap[axis] * window.dilations[axis] - window.begin[axis];
    if (at < 0 || at >= window.input[axis]) return -1;
    row = row * window.input[axis] + at;
  }
  return row * window.input.back();
}

// Values of one tap of the last axis: element x reads the input at x * stride + shift.
void gather_run(const float* row, const Run& run, std::int64_t stride, std::int64_t shift,
                std::int64_t input, float* to) {
  const std::int64_t stop = run.x + run.length;
  const std::int64_t lo = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
  const std::int64_t hi = input > shift ? (input - shift + stride - 1) / stride : 0;
  const std::int64_t first = std::clamp(lo, run.x, stop), last = std::clamp(hi, first, stop);
  std::fill(to, to + (first - run.x), 0.0f);
  copy_every(row + first * stride + shift, stride, last - first, to + (first - run.x));
  std::fill(to + (last - run.x), to + run.length, 0.0f);
}

bool is_pointwise(const Window& w) {
  const auto all = [](const Shape& s, std::int64_t v) {
    return std::ranges::all_of(s, [v](std::int64_t x) { return x == v; });
  };
  return all(w.kernel, 1) && all(w.strides, 1) && all(w.begin, 0) && all(w.end, 0);
}

}  // namespace

PackedRight window_columns(const Window& window, const float* image, std::int64_t channels,
                           std::int64_t first, std::int64_t count) {
  const std::int64_t area = element_count(window.input);
  if (is_pointwise(window)) return PackedRight({image + first, channels, count, area, 1});
  const std::vector<Run> runs = runs_of(window, first, count);
  const std::int64_t width = window.kernel.back();
  const auto outer = std::span(window.kernel).first(window.rank() - 1);

  std::vector<std::int64_t> rows;  // by outer tap, then by run
  Shape tap(outer.size(), 0);
  do {
    for (const Run& run : runs) rows.push_back(input_row(window, run, tap));
  } while (next_position(tap, outer));

  PackedRight columns(channels * element_count(window.kernel), count);
  std::vector<float> line(static_cast<std::size_t>(count));
  std::int64_t k = 0;
  for (std::int64_t c = 0; c < channels; ++c, image += area)
    for (std::size_t t = 0; t < rows.size(); t += runs.size())
      for (std::int64_t x = 0; x < width; ++x, ++k) {
        const std::int64_t shift = x * window.dilations.back() - window.begin.back();
        float* to = line.data();
        for (std::size_t r = 0; r < runs.size(); to += runs[r].length, ++r) {
          if (rows[t + r] < 0) {
            std::fill_n(to, runs[r].length, 0.0f);
          } else {
            gather_run(image + rows[t + r], runs[r], window.strides.back(), shift,
                       window.input.back(), to);
          }
        }
        columns.set_row(k, line.data());
      }
  return columns;
}

}  // namespace intaglio
