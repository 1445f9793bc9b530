#include "lib/exec/vector/winograd.h"

#include <algorithm>

#include "lib/base/team.h"
#include "lib/exec/vector/scratch.h"
#include "lib/exec/vector/tile.h"
#include "lib/exec/vector/winograd_tile.h"
#include "lib/exec/vector_math.h"

namespace intaglio {
namespace {

constexpr std::int64_t out_tile = 4, in_tile = 6, positions = in_tile * in_tile;
constexpr std::int64_t panel_columns = 2 * vector_width;

// Where vector v of a list of channels starts; the last one overlaps the one before.
std::int64_t channel_of(std::int64_t v, std::int64_t channels) {
  return std::max<std::int64_t>(std::min(v * vector_width, channels - vector_width), 0);
}

std::int64_t vectors_in(std::int64_t channels) {
  return (channels + vector_width - 1) / vector_width;
}

std::int64_t parts_of(std::int64_t total, std::int64_t most) { return (total + most - 1) / most; }

typedef double Filters __attribute__((vector_size(8 * vector_width)));  // a number of each filter
static_assert(vector_width == 16);

// G g G' of sixteen 3x3 filters, `stride` floats apart: position p of filter i goes to
// to[p * pitch + i].
INTAGLIO_CLONES
void transform(const float* from, std::int64_t stride, float* to, std::int64_t pitch) {
  constexpr double a = 0.5, b = 2;  // squares of the points
  constexpr double na = 2 * a * (a - b), nb = 2 * b * (b - a);
  constexpr double pa = winograd_a, pb = winograd_b;
  constexpr double G[in_tile][3] = {{1 / (a * b), 0, 0},        {1 / na, pa / na, a / na},
                                    {1 / na, -pa / na, a / na}, {1 / nb, pb / nb, b / nb},
                                    {1 / nb, -pb / nb, b / nb}, {0, 0, 1}};
  Filters g[3][3], half[in_tile][3];
  for (std::int64_t k = 0; k < 9; ++k)
    for (std::int64_t i = 0; i < vector_width; ++i)
      g[k / 3][k % 3][i] = static_cast<double>(from[i * stride + k]);
  for (std::int64_t i = 0; i < in_tile; ++i)
    for (std::int64_t x = 0; x < 3; ++x)
      half[i][x] = G[i][0] * g[0][x] + G[i][1] * g[1][x] + G[i][2] * g[2][x];
  for (std::int64_t p = 0; p < positions; ++p) {
    const auto& row = half[p / in_tile];
    const auto& column = G[p % in_tile];
    *reinterpret_cast<Vector16*>(to + p * pitch) = __builtin_convertvector(
        row[0] * column[0] + row[1] * column[1] + row[2] * column[2], Vector16);
  }
}

}  // namespace

// A rectangle of tiles, and room for what is made of them.
struct Winograd::Block {
  std::int64_t top, left;  // in tiles
  std::int64_t rows, columns;
  float* inputs;             // [36][tiles][pitch_]
  float* results = nullptr;  // [36][tiles][panel_columns]
  std::int64_t tiles() const { return rows * columns; }
};

bool winograd_fits(const Shape& filters) {
  return tile_machine().width == vector_width && filters.size() == 4 && filters[2] == 3 &&
         filters[3] == 3 && filters[1] >= 8 && filters[0] >= vector_width;
}

Winograd::Winograd(const Tensor& filters, std::span<const float> bias, PostOps ops)
    : channels_(filters.dim(1)),
      outputs_(filters.dim(0)),
      pitch_(std::max(filters.dim(1), vector_width)),
      ops_(std::move(ops)),
      ending_(ops_) {
  const std::int64_t vectors = vectors_in(outputs_);
  panels_ = Tensor(DType::f32, {vectors, positions, channels_, vector_width});
  bias_.assign(static_cast<std::size_t>(vectors * vector_width), 0.0f);
  const float* from = filters.data<float>().data();
  float* to = panels_.mutate<float>().data();
  for (std::int64_t v = 0; v < vectors; ++v) {
    const std::int64_t panel = v / 2, width = vectors_of(panel) * vector_width;
    float* base = to + panel * positions * channels_ * panel_columns + v % 2 * vector_width;
    const std::int64_t first = channel_of(v, outputs_);
    if (!bias.empty())
      std::copy_n(bias.begin() + first, vector_width, bias_.begin() + v * vector_width);
    for (std::int64_t c = 0; c < channels_; ++c)
      transform(from + (first * channels_ + c) * 9, channels_ * 9, base + c * width,
                channels_ * width);
  }
}

std::int64_t Winograd::vectors_of(std::int64_t panel) const {
  return std::min<std::int64_t>(vectors_in(outputs_) - 2 * panel, 2);
}

// As many tiles at a time as leave their transforms in the second-level cache. Threads share rows
// of tiles, or, when all fit at once, panels of channels.
void Winograd::run(const float* image, const Window& w, const std::vector<const float*>& addends,
                   float* y, std::int64_t pitch) const {
  constexpr std::int64_t floats_in_cache = 96 * 1024;
  const std::int64_t most =
      std::max<std::int64_t>(floats_in_cache / (positions * (pitch_ + panel_columns)), 12);
  const std::int64_t down = parts_of(w.output[0], out_tile);
  const std::int64_t across = parts_of(w.output[1], out_tile);
  const std::int64_t row_parts = parts_of(down, std::max<std::int64_t>(most / across, 1));
  split(row_parts, 1, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t room = std::min(parts_of(down, row_parts) * across, most);
    float* inputs = scratch(Scratch::inputs, room * positions * pitch_);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t top = down * i / row_parts, bottom = down * (i + 1) / row_parts;
      const std::int64_t column_parts = parts_of(across, most);
      for (std::int64_t j = 0; j < column_parts; ++j) {
        const std::int64_t left = across * j / column_parts;
        const std::int64_t columns = across * (j + 1) / column_parts - left;
        run_block({top, left, bottom - top, columns, inputs}, image, w, y, pitch);
      }
      finish(top * out_tile, std::min(bottom * out_tile, w.output[0]), w.output[1], addends, y,
             pitch);
    }
  });
}

void Winograd::run_block(Block block, const float* image, const Window& w, float* y,
                         std::int64_t pitch) const {
  load(block, image, w);
  split(parts_of(vectors_in(outputs_), 2), 1, [&](std::int64_t first, std::int64_t last) {
    Block own = block;
    own.results = scratch(Scratch::results, block.tiles() * positions * panel_columns);
    for (std::int64_t panel = first; panel < last; ++panel) {
      multiply(own, panel);
      store(own, panel, w, y, pitch);
    }
  });
}

// What is left of the operations, on rows [top, bottom) of an image this wide.
void Winograd::finish(std::int64_t top, std::int64_t bottom, std::int64_t width,
                      const std::vector<const float*>& addends, float* y,
                      std::int64_t pitch) const {
  std::vector<const float*> from(addends);
  for (const float*& addend : from) addend += top * width * outputs_;
  apply(std::span(ops_).subspan(ending_.taken),
        {y + top * width * pitch, (bottom - top) * width, outputs_, pitch}, from.data());
}

void Winograd::load(const Block& block, const float* image, const Window& w) const {
  const std::int64_t line = w.input[1] * channels_;
  WinogradInput in{.end = image + w.input[0] * line,
                   .pixel = channels_,
                   .line = line,
                   .step = block.tiles() * pitch_};
  float* to = block.inputs;
  for (std::int64_t ty = block.top; ty < block.top + block.rows; ++ty) {
    const std::int64_t top = ty * out_tile - w.begin[0];
    in.first_row = std::max<std::int64_t>(-top, 0);
    in.last_row = std::min(w.input[0] - top, in_tile);
    for (std::int64_t tx = block.left; tx < block.left + block.columns; ++tx, to += pitch_) {
      const std::int64_t left = tx * out_tile - w.begin[1];
      in.first_column = std::max<std::int64_t>(-left, 0);
      in.last_column = std::min(w.input[1] - left, in_tile);
      for (std::int64_t v = 0; v < vectors_in(channels_); ++v) {
        const std::int64_t c = channel_of(v, channels_);
        in.from = image + top * line + left * channels_ + c;
        in.to = to + c;
        winograd_load(in);
      }
    }
  }
}

void Winograd::multiply(const Block& block, std::int64_t panel) const {
  static constexpr float zeros[panel_columns] = {};
  const TileMachine& m = tile_machine();
  const std::int64_t tiles = block.tiles(), strips = parts_of(tiles, m.rows), start = 0;
  const std::int64_t vectors = vectors_of(panel);
  TileArgs t{.pitch = pitch_, .runs = {&start, 1}, .length = channels_, .bias = zeros};
  t.row = panel_columns;
  t.second = vector_width;
  t.w = panels_.data<float>().data() + panel * positions * channels_ * panel_columns;
  for (std::int64_t p = 0; p < positions; ++p, t.w += channels_ * vectors * vector_width)
    for (std::int64_t s = 0; s < strips; ++s) {
      const std::int64_t first = tiles * s / strips;
      t.x = block.inputs + (p * tiles + first) * pitch_;
      t.y = block.results + (p * tiles + first) * panel_columns;
      m.run(tiles * (s + 1) / strips - first, vectors, t);
    }
}

void Winograd::store(const Block& block, std::int64_t panel, const Window& w, float* y,
                     std::int64_t pitch) const {
  WinogradOutput out{.step = block.tiles() * panel_columns,
                     .pixel = pitch,
                     .line = w.output[1] * pitch,
                     .ending = ending_};
  for (std::int64_t v = 2 * panel; v < 2 * panel + vectors_of(panel); ++v) {
    const float* from = block.results + v % 2 * vector_width;
    out.bias = bias_.data() + v * vector_width;
    for (std::int64_t ty = block.top; ty < block.top + block.rows; ++ty)
      for (std::int64_t tx = block.left; tx < block.left + block.columns; ++tx) {
        out.from = from;
        from += panel_columns;
        out.to = y + ty * out_tile * out.line + tx * out_tile * pitch + channel_of(v, outputs_);
        out.rows = std::min(w.output[0] - ty * out_tile, out_tile);
        out.columns = std::min(w.output[1] - tx * out_tile, out_tile);
        winograd_store(out);
      }
  }
}

}  // namespace intaglio
