#include "lib/exec/vector/product.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/team.h"
#include "lib/exec/vector/tile.h"
#include "lib/graph/graph.h"

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

Shape product_shape(const Shape& x, std::int64_t depth, std::int64_t columns, std::size_t axes) {
  if (x.empty() || (axes != 0 && x.size() != axes) || x.back() != depth)
    throw Error(Code::model,
                fmt::format("shape {} times a {} by {} matrix", to_string(x), depth, columns));
  Shape shape = x;
  shape.back() = columns;
  return shape;
}

bool constant_f32(const Value* value) {
  return value != nullptr && value->is_constant() && value->constant().dtype() == DType::f32;
}

// The strips [first, last) of all that the rows are cut into.
struct Product::Strips {
  const ProductRows& x;
  std::int64_t rows, all, first, last;
  std::int64_t row(std::int64_t strip) const { return rows * strip / all; }
};

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
    const bool runs = w.column_stride == 1 && columns_ >= width;
    for (std::int64_t k = 0; k < depth_; ++k, row += panel.vectors * width) {
      if (runs) {
        const float* from = w.data + k * w.row_stride + panel.first;
        std::copy_n(from, width, row);
        if (panel.vectors == 2) std::copy_n(from + panel.second, width, row + width);
        continue;
      }
      for (std::int64_t j = 0; j < panel.vectors * width; ++j)
        row[j] =
            column(j) < columns_ ? w.data[k * w.row_stride + column(j) * w.column_stride] : 0.0f;
    }
  }
}

// None of the strips that rows are cut into is short.
void Product::run(const ProductRows& x, std::int64_t rows, const std::vector<const float*>& addends,
                  float* y, std::int64_t row) const {
  constexpr std::int64_t worth_splitting = 256 * 1024;  // multiplications of a part
  const std::int64_t most = tile_machine().rows, strips = (rows + most - 1) / most;
  const std::int64_t least = 1 + worth_splitting / (most * depth_ * columns_ + 1);
  split(strips, least, [&](std::int64_t first, std::int64_t last) {
    run_strips({x, rows, strips, first, last}, addends, y, row);
  });
}

// Large weights are read from far away as often as there are blocks of strips: as many strips as
// leave their part of x in the second-level cache.
std::int64_t Product::strips_at_once(std::int64_t strips) const {
  constexpr std::int64_t bytes_of_x = 768 * 1024;
  const std::int64_t most =
      std::max<std::int64_t>(bytes_of_x / (4 * tile_machine().rows * depth_ + 1), 8);
  const std::int64_t blocks = (strips + most - 1) / most;
  return (strips + blocks - 1) / blocks;
}

// While the first two strips pass a panel, each brings half of the next one near.
const float* Product::ahead(std::int64_t column, std::int64_t strip) const {
  if (column >= columns_ || strip > 1) return nullptr;
  return panels_.data<float>().data() + column * depth_ + strip * depth_ * tile_machine().width;
}

// Small weights stay in the cache while strips pass; large ones are read once for several strips.
void Product::run_strips(const Strips& part, const std::vector<const float*>& addends, float* y,
                         std::int64_t row) const {
  constexpr std::size_t bytes_that_stay = 384 * 1024;
  constexpr std::int64_t floats_at_once = 4096;  // results that stay in the first-level cache
  const std::int64_t width = 2 * tile_machine().width;
  const std::int64_t block =
      panels_.bytes() > bytes_that_stay ? strips_at_once(part.last - part.first) : 1;
  const bool stream =
      ending_.taken == ops_.size() && columns_ % width == 0 && streams(y, part.rows, row);
  std::int64_t finished = part.row(part.first);
  for (std::int64_t s0 = part.first; s0 < part.last; s0 += block) {
    const std::int64_t s1 = std::min(s0 + block, part.last);
    for (std::int64_t column = 0; column < columns_; column += width)
      for (std::int64_t s = s0; s < s1; ++s) {
        const std::int64_t begin = part.row(s);
        TileArgs t{.x = part.x.data + begin * part.x.pitch,
                   .pitch = part.x.pitch,
                   .runs = part.x.runs,
                   .length = part.x.length,
                   .ending = ending_,
                   .ahead = s1 - s0 > 1 ? ahead(column + width, s - s0) : nullptr,
                   .stream = stream};
        run_tile(t, part.row(s + 1) - begin, column, y + begin * row, row);
      }
    const std::int64_t made = part.row(s1);
    if (s1 < part.last && (made - finished) * columns_ < floats_at_once) continue;
    finish(finished, made - finished, addends, y, row);
    finished = made;
  }
  if (stream) end_of_stream();
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
