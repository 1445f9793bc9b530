#include "lib/exec/vector/code_product.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/team.h"
#include "lib/exec/vector/scratch.h"
#include "lib/exec/vector/tile.h"
#include "lib/exec/vector_math.h"

namespace intaglio {

// A panel holds its codes vector by vector: sixteen columns, then the other sixteen, row by row of
// the depth. A unit is sixteen words, one for a column, each with the codes of 32 / bits vectors,
// the first in the lowest bits. Its rows are in one block, whose length is a multiple of eight.
struct CodeProduct::PanelView {
  const std::int32_t* codes;  // [unit][16]
  const float* scales;        // [block][32]
  const std::int32_t* zeros;  // [block / 4][32], four to a word
  std::int64_t depth, block;
  std::int64_t units, blocks;
};

namespace {

using PanelView = CodeProduct::PanelView;

[[gnu::always_inline]] inline Integers16 words_at(const std::int32_t* p) {
  return *reinterpret_cast<const Integers16*>(p);
}

// 2^23 + n for n of a few bits: the difference of two such is that of the integers.
[[gnu::always_inline]] inline Vector16 raised(Integers16 n) {
  return vec::from_bits(n | 0x4b000000);
}

// Calls f(k, panel, half, weights) for all vectors of `count` panels, row by row of the depth, as
// far as units go. The panels that come next are brought near on the way.
template <int bits, int count, typename F>
[[gnu::always_inline]] inline void each_vector(const PanelView* p, F f) {
  constexpr int vectors = 32 / bits, deep = vectors / 2;
  const std::int32_t* codes[count];
  for (int i = 0; i < count; ++i) codes[i] = p[i].codes;
  for (std::int64_t k0 = 0, b = 0; k0 < p[0].depth; k0 += p[0].block, ++b) {
    Vector16 scale[count][2], zero[count][2];
    for (int i = 0; i < count; ++i)
      for (int h = 0; h < 2; ++h) {
        scale[i][h] = vec::load(p[i].scales + b * 32 + h * 16);
        __builtin_prefetch(p[i].scales + (b + count * p[i].blocks) * 32 + h * 16);
        zero[i][h] = raised(
            (words_at(p[i].zeros + b / 4 * 32 + h * 16) >> static_cast<int>(b % 4 * 8)) & 255);
      }
    const std::int64_t end = std::min(k0 + p[0].block, p[0].depth);
    for (std::int64_t k = k0; k < end; k += deep)
#pragma GCC unroll 2
      for (int i = 0; i < count; ++i) {
        const Integers16 words = words_at(codes[i]);
        __builtin_prefetch(codes[i] + count * p[i].units * 16);
        codes[i] += 16;
#pragma GCC unroll 16
        for (int t = 0; t < vectors; ++t) {
          const Integers16 code = (words >> (t * bits)) & ((1 << bits) - 1);
          f(k + t / 2, i, t % 2, (raised(code) - zero[i][t % 2]) * scale[i][t % 2]);
        }
      }
  }
}

// sums[p][32] += x * w. Behind the depth x has zeros for the rest of a unit.
template <int bits, int count>
[[gnu::always_inline]] inline void add_row(const PanelView* p, const float* x, float* sums) {
  Vector16 sum[count][2];
  for (int i = 0; i < count; ++i)
    for (int h = 0; h < 2; ++h) sum[i][h] = vec::load(sums + i * 32 + h * 16);
  each_vector<bits, count>(
      p, [&](std::int64_t k, int i, int h, Vector16 w)
             __attribute__((always_inline)) { sum[i][h] += x[k] * w; });
  for (int i = 0; i < count; ++i)
    for (int h = 0; h < 2; ++h) vec::store(sums + i * 32 + h * 16, sum[i][h]);
}

template <int bits>
[[gnu::always_inline]] inline void add_row_of(const PanelView* p, int count, const float* x,
                                              float* sums) {
  count == 2 ? add_row<bits, 2>(p, x, sums) : add_row<bits, 1>(p, x, sums);
}
INTAGLIO_CLONES void add_row_2(const PanelView* p, int count, const float* x, float* sums) {
  add_row_of<2>(p, count, x, sums);
}
INTAGLIO_CLONES void add_row_4(const PanelView* p, int count, const float* x, float* sums) {
  add_row_of<4>(p, count, x, sums);
}
INTAGLIO_CLONES void add_row_8(const PanelView* p, int count, const float* x, float* sums) {
  add_row_of<8>(p, count, x, sums);
}
void add_row(std::int64_t bits, const PanelView* p, int count, const float* x, float* sums) {
  bits == 2   ? add_row_2(p, count, x, sums)
  : bits == 4 ? add_row_4(p, count, x, sums)
              : add_row_8(p, count, x, sums);
}

// The weights of a panel as tiles take them: [part][rows][width], a part as wide as a tile.
template <int bits, int width>
[[gnu::always_inline]] inline void widen(const PanelView& p, std::int64_t rows, float* to) {
  each_vector<bits, 1>(
      &p, [&](std::int64_t k, int, int half, Vector16 w) __attribute__((always_inline)) {
        if constexpr (width == 32) {
          vec::store(to + k * width + half * 16, w);
        } else {
          float values[16];
          vec::store(values, w);
          for (int j = 0; j < 16; j += width)
            std::copy_n(values + j, width, to + ((half * 16 + j) / width * rows + k) * width);
        }
      });
}

template <int bits>
[[gnu::always_inline]] inline void widen_to(const PanelView& p, std::int64_t width,
                                            std::int64_t rows, float* to) {
  width == 32   ? widen<bits, 32>(p, rows, to)
  : width == 16 ? widen<bits, 16>(p, rows, to)
                : widen<bits, 8>(p, rows, to);
}
INTAGLIO_CLONES void widen_2(const PanelView& p, std::int64_t width, std::int64_t rows, float* to) {
  widen_to<2>(p, width, rows, to);
}
INTAGLIO_CLONES void widen_4(const PanelView& p, std::int64_t width, std::int64_t rows, float* to) {
  widen_to<4>(p, width, rows, to);
}
INTAGLIO_CLONES void widen_8(const PanelView& p, std::int64_t width, std::int64_t rows, float* to) {
  widen_to<8>(p, width, rows, to);
}
void widen(std::int64_t bits, const PanelView& p, std::int64_t width, std::int64_t rows,
           float* to) {
  bits == 2   ? widen_2(p, width, rows, to)
  : bits == 4 ? widen_4(p, width, rows, to)
              : widen_8(p, width, rows, to);
}

// The first rows of x while their panel is widened: its arithmetic hides behind theirs. For
// machines with registers for that; every sum is that of a tile.
constexpr int early_rows = 8;

struct EarlyRows {
  const float* x;
  std::int64_t pitch;
  const float* bias;
  Ending ending;
  float* y;
  std::int64_t row;
};

template <int bits>
[[gnu::always_inline]] inline void widen_early(const PanelView& p, float* to, const EarlyRows& r) {
  Vector16 sum[early_rows][2];
#pragma GCC unroll 8
  for (int i = 0; i < early_rows; ++i)
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) sum[i][h] = vec::load(r.bias + h * 16);
  const std::int64_t pitch = r.pitch;
  const float* x[] = {r.x, r.x + 3 * pitch, r.x + 6 * pitch};
  each_vector<bits, 1>(
      &p, [&](std::int64_t k, int, int half, Vector16 w) __attribute__((always_inline)) {
        vec::store(to + k * 32 + half * 16, w);
#pragma GCC unroll 8
        for (int i = 0; i < early_rows; ++i) sum[i][half] += x[i / 3][i % 3 * pitch + k] * w;
      });
  Ending ending = r.ending;
  asm("" : "+m"(ending));  // as in a tile
  const VectorEnding<64> ended(ending);
#pragma GCC unroll 8
  for (int i = 0; i < early_rows; ++i)
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) vec::store(r.y + i * r.row + h * 16, ended(sum[i][h]));
}
INTAGLIO_CLONES void widen_early_2(const PanelView& p, float* to, const EarlyRows& r) {
  widen_early<2>(p, to, r);
}
INTAGLIO_CLONES void widen_early_4(const PanelView& p, float* to, const EarlyRows& r) {
  widen_early<4>(p, to, r);
}
INTAGLIO_CLONES void widen_early_8(const PanelView& p, float* to, const EarlyRows& r) {
  widen_early<8>(p, to, r);
}
void widen_early(std::int64_t bits, const PanelView& p, float* to, const EarlyRows& r) {
  bits == 2   ? widen_early_2(p, to, r)
  : bits == 4 ? widen_early_4(p, to, r)
              : widen_early_8(p, to, r);
}

// Rows of the depth in the largest unit.
constexpr std::int64_t most_deep = 8;

// count: of whole vectors.
void end_row(const Ending& ending, float* y, std::int64_t count) {
  const VectorEnding<64> ended(ending);
  for (std::int64_t i = 0; i < count; i += vector_width) vec::store(y + i, ended(vec::load(y + i)));
}

}  // namespace

CodeProduct::CodeProduct(const NBits& shape, const Tensor& codes, const Tensor& scales,
                         const Tensor& zeros, std::span<const float> bias, PostOps ops)
    : shape_(shape),
      panels_((shape.n + panel - 1) / panel),
      units_((shape.k + most_deep - 1) / most_deep * shape.bits / 2),
      ops_(std::move(ops)),
      ending_(ops_) {
  const bool fits = codes.size() == shape.n * shape.count() * shape.bytes() &&
                    scales.size() == shape.n * shape.count() &&
                    (!zeros.defined() || zeros.size() == shape.n * shape.zero_bytes());
  if (!fits)
    throw Error(Code::model, fmt::format("weights {}, scales {} and zero points {} for {} blocks "
                                         "of {} rows",
                                         to_string(codes.shape()), to_string(scales.shape()),
                                         to_string(zeros.shape()), shape.count(), shape.n));
  bias_.assign(static_cast<std::size_t>(panels_ * panel), 0.0f);
  std::ranges::copy(bias, bias_.begin());
  pack(codes, scales, zeros);
}

void CodeProduct::pack(const Tensor& codes, const Tensor& scales, const Tensor& zeros) {
  const std::int64_t count = shape_.count(), bits = shape_.bits, vectors = 32 / bits;
  codes_ = Tensor(DType::s32, {panels_, units_, 16});
  scales_ = Tensor(DType::f32, {panels_, count, panel});
  zeros_ = Tensor(DType::s32, {panels_, (count + 3) / 4, panel});
  const auto words = codes_.mutate<std::int32_t>(), zero_words = zeros_.mutate<std::int32_t>();
  const auto scale = scales_.mutate<float>();
  std::ranges::fill(words, 0);
  std::ranges::fill(zero_words, 0);
  std::ranges::fill(scale, 0.0f);
  const auto place = [](std::int64_t at) { return static_cast<std::size_t>(at); };
  // packed_bits(), whose divisions would more than double the time of this.
  const auto code = [&](const std::byte* row, std::int64_t i) {
    return std::to_integer<std::uint32_t>(row[i * bits / 8] >> (i * bits % 8)) & ((1U << bits) - 1);
  };
  for (std::int64_t n = 0; n < shape_.n; ++n) {
    const std::int64_t p = n / panel, column = n % panel, half = column / 16;
    const std::byte* row = codes.raw() + n * count * shape_.bytes();
    std::int32_t* to = words.data() + p * units_ * 16 + column % 16;
    for (std::int64_t k0 = 0; k0 < shape_.k; k0 += vectors / 2, to += 16)
      for (std::int64_t k = k0; k < std::min(k0 + vectors / 2, shape_.k); ++k)
        *to |= static_cast<std::int32_t>(code(row, k) << ((2 * (k - k0) + half) * bits));
    for (std::int64_t b = 0; b < count; ++b) {
      scale[place((p * count + b) * panel + column)] = scales.data<float>()[place(n * count + b)];
      const std::uint32_t zero =
          zeros.defined() ? code(zeros.raw() + n * shape_.zero_bytes(), b) : 1U << (bits - 1);
      zero_words[place((p * zeros_.dim(1) + b / 4) * panel + column)] |=
          static_cast<std::int32_t>(zero << (b % 4 * 8));
    }
  }
}

void CodeProduct::run(const float* x, std::int64_t rows, const std::vector<const float*>& addends,
                      float* y, std::int64_t row) const {
  constexpr std::int64_t worth_splitting = 256 * 1024;  // multiplications of a part
  // As many rows as leave their part of x in the caches while panels pass, which are widened anew
  // for the next ones.
  constexpr std::int64_t bytes_that_stay = 4 * 1024 * 1024;
  const std::int64_t least_rows = 32 * tile_machine().rows;
  const std::int64_t most = std::max(bytes_that_stay / (4 * shape_.k), least_rows);
  const std::int64_t blocks = (rows + most - 1) / most;
  const std::int64_t block = blocks > 0 ? (rows + blocks - 1) / blocks : 1;
  for (std::int64_t first = 0; first < rows; first += block) {
    const std::int64_t count = std::min(block, rows - first);
    // Panels pass in pairs when there is one row, whatever part they are in.
    const std::int64_t least = 1 + worth_splitting / (count * shape_.k * 2 * panel + 1);
    split((panels_ + 1) / 2, least, [&](std::int64_t begin, std::int64_t end) {
      run_panels(x + first * shape_.k, count, 2 * begin, std::min(2 * end, panels_),
                 y + first * row, row);
    });
  }
  const auto rest = std::span(ops_).subspan(ending_.taken);
  if (rest.empty()) return;
  split(rows, 1 + worth_splitting / (8 * shape_.n + 1), [&](std::int64_t begin, std::int64_t end) {
    std::vector<const float*> from(addends);
    for (const float*& a : from) a += begin * shape_.n;
    apply(rest, {y + begin * row, end - begin, shape_.n, row}, from.data());
  });
}

CodeProduct::PanelView CodeProduct::view(std::int64_t p) const {
  const std::int64_t count = shape_.count();
  return {codes_.data<std::int32_t>().data() + p * units_ * 16,
          scales_.data<float>().data() + p * count * panel,
          zeros_.data<std::int32_t>().data() + p * zeros_.dim(1) * panel,
          shape_.k,
          shape_.block,
          units_,
          count};
}

void CodeProduct::run_panels(const float* x, std::int64_t rows, std::int64_t first,
                             std::int64_t last, float* y, std::int64_t row) const {
  if (rows == 1) return run_row(x, first, last, y);
  const TileMachine& m = tile_machine();
  const std::int64_t width = 2 * m.width, padded = shape_.k + most_deep;
  float* weights = scratch(Scratch::inputs, padded * panel);
  const bool early = width == panel && shape_.k % most_deep == 0 && rows > 2 * early_rows;
  const bool stream = ending_.taken == ops_.size() && streams(y, rows, row);
  for (std::int64_t p = first; p < last; ++p) {
    std::int64_t done = 0;
    if (early && (p + 1) * panel <= shape_.n) {
      done = early_rows;
      widen_early(shape_.bits, view(p), weights,
                  {x, shape_.k, bias_.data() + p * panel, ending_, y + p * panel, row});
    } else {
      widen(shape_.bits, view(p), width, padded, weights);
    }
    for (std::int64_t part = 0; part < panel / width; ++part)
      run_tiles({.x = x + done * shape_.k,
                 .pitch = shape_.k,
                 .w = weights + part * padded * width,
                 .y = y + done * row,
                 .row = row,
                 .stream = stream},
                rows - done, p * panel + part * width);
  }
  if (stream) end_of_stream();
}

// The columns of a part of a panel, `t` says of which rows.
void CodeProduct::run_tiles(TileArgs t, std::int64_t rows, std::int64_t column) const {
  const TileMachine& m = tile_machine();
  const std::int64_t width = 2 * m.width, start = 0, strips = (rows + m.rows - 1) / m.rows;
  const std::int64_t columns = std::min(width, shape_.n - column);
  const bool whole = columns == width;
  alignas(64) float edge[TileMachine::max_rows * 2 * TileMachine::max_width];
  const float* x = t.x;
  float* y = t.y + column;
  const std::int64_t row = t.row;
  t.runs = {&start, 1};
  t.length = shape_.k;
  t.bias = bias_.data() + column;
  t.ending = ending_;
  t.second = m.width;
  t.stream &= whole;
  if (!whole) t.row = width;
  for (std::int64_t s = 0; s < strips && columns > 0; ++s) {
    const std::int64_t begin = rows * s / strips, height = rows * (s + 1) / strips - begin;
    t.x = x + begin * t.pitch;
    t.y = whole ? y + begin * row : edge;
    m.run(height, 2, t);
    for (std::int64_t i = 0; !whole && i < height; ++i)
      std::copy_n(edge + i * width, columns, y + (begin + i) * row);
  }
}

void CodeProduct::run_row(const float* x, std::int64_t first, std::int64_t last, float* y) const {
  float* padded = scratch(Scratch::inputs, shape_.k + most_deep);
  std::copy_n(x, shape_.k, padded);
  std::fill_n(padded + shape_.k, most_deep, 0.0f);
  for (std::int64_t p = first; p < last; p += 2) {
    const int both = p + 1 < last ? 2 : 1;
    const PanelView views[2] = {view(p), view(p + both - 1)};
    float sums[2 * panel];
    std::copy_n(bias_.data() + p * panel, both * panel, sums);
    add_row(shape_.bits, views, both, padded, sums);
    end_row(ending_, sums, both * panel);
    std::copy_n(sums, std::min(both * panel, shape_.n - p * panel), y + p * panel);
  }
}

}  // namespace intaglio
