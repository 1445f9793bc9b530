#include "lib/exec/vector/product.h"

#include <algorithm>

#include "lib/exec/vector/tile.h"

namespace intaglio {

namespace {

std::int64_t panels_of(std::int64_t columns) {
  const std::int64_t width = 2 * tile_machine().width;
  return (columns + width - 1) / width;
}

// Where the vectors of a panel start. When the columns do not fill the last one, it overlaps the
// one before and makes some values again; only when there is none before, it is filled up with
// zeros.
struct Panel {
  std::int64_t first, second, vectors;  // second: distance of the second vector
  Panel(std::int64_t at, std::int64_t columns)
      : first(at), second(tile_machine().width), vectors(2) {
    const std::int64_t width = tile_machine().width, left = columns - at;
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
  const std::int64_t width = tile_machine().width, panels = panels_of(columns_);
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
  constexpr std::int64_t floats_at_once = 4096;  // results that stay in the first-level cache
  const TileMachine& m = tile_machine();
  const std::int64_t strips = (rows + m.rows - 1) / m.rows;
  const std::int64_t block = panels_.bytes() > bytes_that_stay ? 8 : 1;
  const auto begin_of = [&](std::int64_t s) { return rows * s / strips; };  // none is short
  std::int64_t finished = 0;
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
    const std::int64_t made = begin_of(s1);
    if (s1 < strips && (made - finished) * columns_ < floats_at_once) continue;
    finish(finished, made - finished, addends, y, row);
    finished = made;
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
  const TileMachine& m = tile_machine();
  const Panel panel(at, columns_);
  alignas(64) float edge[TileMachine::max_rows * TileMachine::max_width];
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
