#include "lib/exec/vector/product.h"

#include <algorithm>

namespace intaglio {

struct TileArgs {
  const float* x = nullptr;
  std::int64_t pitch = 0;                   // distance between rows of x
  std::span<const std::int64_t> runs = {};  // where the runs of a row start
  std::int64_t length = 0;                  // of a run
  const float *w = nullptr, *bias = nullptr;
  Ending ending;
  float* y = nullptr;
  std::int64_t row = 0;     // distance between rows of y
  std::int64_t second = 0;  // distance between the two vectors of a row
};

namespace {

template <int bytes>
struct VectorOf {
  typedef float type __attribute__((vector_size(bytes), aligned(4), may_alias));
};

// Three rows share a pointer, so that all addresses stay in registers.
// Three rows share a pointer, so that all addresses stay in registers. The arguments are a copy, so
// that no store can change them.
template <int rows, int vectors, int bytes>
[[gnu::always_inline]] inline void tile(const TileArgs t) {
  using Vector = typename VectorOf<bytes>::type;
  constexpr int width = bytes / 4, bases = (rows + 2) / 3;
  Vector sum[rows][vectors];
#pragma GCC unroll 2
  for (int j = 0; j < vectors; ++j) {
    const Vector start = *reinterpret_cast<const Vector*>(t.bias + j * width);
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i) sum[i][j] = start;
  }
  const float* w = t.w;
  for (const std::int64_t run : t.runs) {
    const float* x[bases];
#pragma GCC unroll 4
    for (int i = 0; i < bases; ++i) x[i] = t.x + run + 3 * i * t.pitch;
    for (std::int64_t k = 0; k < t.length; ++k, w += vectors * width) {
      Vector right[vectors];
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) right[j] = *reinterpret_cast<const Vector*>(w + j * width);
      if (vectors == 2) {  // weights come from far away, and once
        __builtin_prefetch(w + 32 * width);
        if (bytes == 64) __builtin_prefetch(w + 33 * width);
      }
#pragma GCC unroll 12
      for (int i = 0; i < rows; ++i) {
        const float left = x[i / 3][i % 3 * t.pitch + k];
#pragma GCC unroll 2
        for (int j = 0; j < vectors; ++j) sum[i][j] += left * right[j];
      }
    }
  }
  const Vector lo = Vector{} + t.ending.lo, hi = Vector{} + t.ending.hi,
               slope = Vector{} + t.ending.slope;
#pragma GCC unroll 12
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) {
      const Vector bent = sum[i][j] < 0 ? sum[i][j] * slope : sum[i][j];
      const Vector raised = bent < lo ? lo : bent;
      *reinterpret_cast<Vector*>(t.y + i * t.row + j * t.second) = raised > hi ? hi : raised;
    }
}

template <int most, int vectors, int bytes, int rows = most>
[[gnu::always_inline]] inline void tile_of(std::int64_t wanted, const TileArgs& t) {
  if (wanted == rows) return tile<rows, vectors, bytes>(t);
  if constexpr (rows > 1) tile_of<most, vectors, bytes, rows - 1>(wanted, t);
}

// Up to Machine::rows rows, and one or two vectors of columns.
template <int most, int bytes>
[[gnu::always_inline]] inline void any_tile(std::int64_t rows, std::int64_t vectors,
                                            const TileArgs& t) {
  vectors == 2 ? tile_of<most, 2, bytes>(rows, t) : tile_of<most, 1, bytes>(rows, t);
}

struct Machine {
  std::int64_t rows, width;  // of a tile; of a vector
  void (*run)(std::int64_t rows, std::int64_t vectors, const TileArgs& t);
};

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void run_avx512(std::int64_t rows, std::int64_t vectors,
                                                   const TileArgs& t) {
  any_tile<12, 64>(rows, vectors, t);
}
__attribute__((target("avx2,fma"))) void run_avx2(std::int64_t rows, std::int64_t vectors,
                                                  const TileArgs& t) {
  any_tile<6, 32>(rows, vectors, t);
}
#endif
void run_baseline(std::int64_t rows, std::int64_t vectors, const TileArgs& t) {
  any_tile<4, 16>(rows, vectors, t);
}

Machine detect() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return {12, 16, run_avx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {6, 8, run_avx2};
#endif
  return {4, 4, run_baseline};
}

const Machine& machine() {
  static const Machine found = detect();
  return found;
}

constexpr std::int64_t max_rows = 12, max_width = 16;  // of any machine

std::int64_t panels_of(std::int64_t columns) {
  const std::int64_t width = 2 * machine().width;
  return (columns + width - 1) / width;
}

// Where the vectors of a panel start. When the columns do not fill the last one, it overlaps the
// one before and makes some values again; only when there is none before, it is filled up with
// zeros.
struct Panel {
  std::int64_t first, second, vectors;  // second: distance of the second vector
  Panel(std::int64_t at, std::int64_t columns) : first(at), second(machine().width), vectors(2) {
    const std::int64_t width = machine().width, left = columns - at;
    if (left <= width) {
      vectors = 1;
      first = std::max<std::int64_t>(columns - width, 0);
    } else if (left < 2 * width) {
      second = left - width;
    }
  }
};

}  // namespace

Product::Product(const MatrixRef& w, std::span<const float> bias, PostOps ops)
    : depth_(w.rows), columns_(w.columns), ops_(std::move(ops)), ending_(ops_) {
  const std::int64_t width = machine().width, panels = panels_of(columns_);
  panels_ = Tensor(DType::f32, {panels, depth_, 2 * width});
  bias_.assign(static_cast<std::size_t>(panels * 2 * width), 0.0f);
  float* to = panels_.mutate<float>().data();
  for (std::int64_t at = 0; at < columns_; at += 2 * width) {
    const Panel panel(at, columns_);
    const auto column = [&](std::int64_t j) {
      return panel.first + j % width + j / width * panel.second;
    };
    float* row = to + at * depth_;
    for (std::int64_t j = 0; j < panel.vectors * width; ++j) {
      if (column(j) >= columns_) continue;
      if (!bias.empty())
        bias_[static_cast<std::size_t>(at + j)] = bias[static_cast<std::size_t>(column(j))];
    }
    for (std::int64_t k = 0; k < depth_; ++k, row += panel.vectors * width)
      for (std::int64_t j = 0; j < panel.vectors * width; ++j)
        row[j] =
            column(j) < columns_ ? w.data[k * w.row_stride + column(j) * w.column_stride] : 0.0f;
  }
}

// Small weights stay in the cache while strips pass; large ones are read once for several strips.
void Product::run(const ProductRows& x, std::int64_t rows, const std::vector<const float*>& addends,
                  float* y, std::int64_t row) const {
  constexpr std::size_t bytes_that_stay = 384 * 1024;
  const Machine& m = machine();
  const std::int64_t strips = (rows + m.rows - 1) / m.rows;
  const std::int64_t block = panels_.bytes() > bytes_that_stay ? 8 : 1;
  const auto begin_of = [&](std::int64_t s) { return rows * s / strips; };  // none is short
  for (std::int64_t s0 = 0; s0 < strips; s0 += block) {
    const std::int64_t s1 = std::min(s0 + block, strips);
    for (std::int64_t first = 0; first < columns_; first += 2 * m.width)
      for (std::int64_t s = s0; s < s1; ++s) {
        const std::int64_t begin = begin_of(s);
        TileArgs t{.x = x.data + begin * x.pitch,
                   .pitch = x.pitch,
                   .runs = x.runs,
                   .length = x.length,
                   .ending = ending_};
        run_tile(t, begin_of(s + 1) - begin, first, y + begin * row, row);
      }
    finish(begin_of(s0), begin_of(s1) - begin_of(s0), addends, y, row);
  }
}

// What is left of the operations, on rows that are still in the cache.
void Product::finish(std::int64_t begin, std::int64_t count,
                     const std::vector<const float*>& addends, float* y, std::int64_t row) const {
  const auto rest = std::span(ops_).subspan(ending_.taken);
  if (rest.empty()) return;
  std::vector<const float*> from(addends);
  for (const float*& a : from) a += begin * columns_;
  apply(rest, {y + begin * row, count, columns_, row}, from.data());
}

// The panel that starts with column `at`. Fewer columns than a vector has go through a buffer.
void Product::run_tile(TileArgs& t, std::int64_t rows, std::int64_t at, float* y,
                       std::int64_t row) const {
  const Machine& m = machine();
  const Panel panel(at, columns_);
  alignas(64) float edge[max_rows * max_width];
  const bool narrow = columns_ < m.width;
  t.w = panels_.data<float>().data() + at * depth_;
  t.bias = bias_.data() + at;
  t.y = narrow ? edge : y + panel.first;
  t.row = narrow ? m.width : row;
  t.second = panel.second;
  m.run(rows, panel.vectors, t);
  for (std::int64_t i = 0; narrow && i < rows; ++i)
    std::copy_n(edge + i * m.width, columns_, y + i * row);
}

}  // namespace intaglio
