#include "lib/exec/vector/attend.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "lib/base/team.h"
#include "lib/exec/vector/lanes.h"
#include "lib/exec/vector/scratch.h"
#include "lib/exec/vector/tile.h"

namespace intaglio {
namespace {

constexpr float masked = -std::numeric_limits<float>::infinity();

std::int64_t round_up(std::int64_t n, std::int64_t step) { return (n + step - 1) / step * step; }

// --- Scores ---

struct Query {
  std::int64_t sample, head, at;  // at: among those of its head
};

struct Keys {
  std::int64_t first = 0, last = 0;
};

struct Row {
  float scale, softcap;
  const float* bias;    // of its first key; null: none
  std::int64_t stride;  // of the bias: 0 or 1
  std::int64_t count;   // keys
};

[[gnu::always_inline]] inline Vector16 weighed(Vector16 score, const Row& row, Vector16 bias) {
  Vector16 v = score * row.scale;
  if (row.softcap > 0) v = vec::tanh(v / row.softcap) * row.softcap;
  return v + bias;
}

// The row of a query, from the first of the keys on.
Row row_of(const AttentionInputs& in, const AttentionSizes& s, const AttentionOptions& options,
           const Query& query, const Keys& keys) {
  Row row{options.scale, options.softcap, s.bias_of(in.bias, query.sample, query.head), 0,
          keys.last - keys.first};
  if (row.bias == nullptr) return row;
  row.stride = s.bias[3];
  row.bias += query.at * s.bias[2] + keys.first * row.stride;
  return row;
}

// Scores become exp(score - largest); returns 1 / their sum, 0 when nothing is seen. What lies
// behind the last one, up to a whole vector, is overwritten.
INTAGLIO_CLONES float exponentials(float* x, const Row& row) {
  const std::int64_t whole = row.count / vector_width * vector_width, rest = row.count - whole;
  const Vector16 flat = vec::all(row.bias != nullptr ? row.bias[0] : 0.0f);
  const bool own = row.bias != nullptr && row.stride != 0;
  Vector16 most = vec::all(masked);
  for (std::int64_t i = 0; i < whole; i += vector_width) {
    const Vector16 v = weighed(vec::load(x + i), row, own ? vec::load(row.bias + i) : flat);
    vec::store(x + i, v);
    most = v > most ? v : most;
  }
  if (rest > 0) {
    const Vector16 bias = own ? vec::load_rest(row.bias + whole, rest, 0) : flat;
    float last[vector_width];
    vec::store(last, weighed(vec::load_rest(x + whole, rest, 0), row, bias));
    const Vector16 v = vec::load_rest(last, rest, masked);
    vec::store(x + whole, v);
    most = v > most ? v : most;
  }
  const float largest = vec::most_across(most);
  if (largest == masked) {
    std::fill_n(x, row.count, 0.0f);
    return 0;
  }
  Vector16 sum = vec::all(0.0f);
  for (std::int64_t i = 0; i < row.count; i += vector_width) {
    const Vector16 e = vec::exp(vec::load(x + i) - largest);
    vec::store(x + i, e);
    sum += e;
  }
  return 1.0f / vec::sum_across(sum);
}

INTAGLIO_CLONES void multiply(float* x, std::int64_t count, float factor) {
  for (std::int64_t i = 0; i < count; ++i) x[i] *= factor;
}

// scores[j] = q k[j]
INTAGLIO_CLONES void dot_products(const float* q, const float* k, std::int64_t count,
                                  std::int64_t depth, float* scores) {
  const std::int64_t whole = depth / vector_width * vector_width;
  for (std::int64_t j = 0; j < count; ++j, k += depth) {
    Vector16 sum = vec::all(0.0f);
    for (std::int64_t d = 0; d < whole; d += vector_width)
      sum += vec::load(q + d) * vec::load(k + d);
    float total = vec::sum_across(sum);
    for (std::int64_t d = whole; d < depth; ++d) total += q[d] * k[d];
    scores[j] = total;
  }
}

// y = sum of p[j] v[j], for so many vectors of columns.
template <int vectors>
[[gnu::always_inline]] inline void weighted_columns(const float* p, const float* v,
                                                    std::int64_t count, std::int64_t wide,
                                                    float* y) {
  Vector16 sum[vectors] = {};
  for (std::int64_t j = 0; j < count; ++j, v += wide)
#pragma GCC unroll 4
    for (int i = 0; i < vectors; ++i) sum[i] += p[j] * vec::load(v + i * vector_width);
  for (int i = 0; i < vectors; ++i) vec::store(y + i * vector_width, sum[i]);
}

INTAGLIO_CLONES void weighted_sum(const float* p, const float* v, std::int64_t count,
                                  std::int64_t wide, float* y) {
  std::int64_t d = 0;
  for (; d + 4 * vector_width <= wide; d += 4 * vector_width)
    weighted_columns<4>(p, v + d, count, wide, y + d);
  for (; d + vector_width <= wide; d += vector_width)
    weighted_columns<1>(p, v + d, count, wide, y + d);
  for (; d < wide; ++d) {
    y[d] = 0;
    for (std::int64_t j = 0; j < count; ++j) y[d] += p[j] * v[j * wide + d];
  }
}

// --- What is seen ---

// Which keys the mask leaves to the queries. A score that is lowered by more than `hidden`, beside
// one that is not lowered by a tenth of it, has no share at all; without such a one all count.
class Seen {
 public:
  Seen(const AttentionSizes& s, const Tensor& bias) : sizes_(s) {
    if (s.bias.empty() || s.bias[3] == 0) return;
    batch_ = s.bias[0] != 0 ? s.batch : 1;
    heads_ = s.bias[1] != 0 ? s.heads : 1;
    rows_ = s.bias[2] != 0 ? s.queries : 1;
    keys_.resize(static_cast<std::size_t>(batch_ * heads_ * rows_));
    auto to = keys_.begin();
    for (std::int64_t b = 0; b < batch_; ++b)
      for (std::int64_t h = 0; h < heads_; ++h)
        for (std::int64_t i = 0; i < rows_; ++i)
          *to++ = seen_in(s.bias_of(bias, b, h) + i * s.bias[2]);
  }

  // By any of `count` queries from `first` on.
  Keys of(std::int64_t sample, std::int64_t head, std::int64_t first, std::int64_t count) const {
    if (keys_.empty()) return {0, sizes_.keys};
    const std::int64_t plane = (batch_ > 1 ? sample : 0) * heads_ + (heads_ > 1 ? head : 0);
    Keys all{sizes_.keys, 0};
    for (std::int64_t i = rows_ > 1 ? first : 0; i < (rows_ > 1 ? first + count : 1); ++i) {
      const Keys& own = keys_[static_cast<std::size_t>(plane * rows_ + i)];
      all = {std::min(all.first, own.first), std::max(all.last, own.last)};
    }
    return all;
  }

 private:
  static constexpr float hidden = -1e30f;

  Keys seen_in(const float* bias) const {
    Keys keys{0, sizes_.keys};
    const bool any = std::any_of(bias, bias + sizes_.keys, [](float b) { return b > hidden / 10; });
    if (!any) return keys;
    while (bias[keys.first] < hidden) ++keys.first;
    while (bias[keys.last - 1] < hidden) --keys.last;
    return keys;
  }

  const AttentionSizes& sizes_;
  std::int64_t batch_ = 1, heads_ = 1, rows_ = 1;
  std::vector<Keys> keys_;
};

// --- Many queries ---

// to[d][i] = x[i][d]
INTAGLIO_CLONES void transpose(const float* x, std::int64_t rows, std::int64_t columns, float* to,
                               std::int64_t pitch) {
  for (std::int64_t i = 0; i < rows; ++i, ++to)
    for (std::int64_t d = 0; d < columns; ++d) to[d * pitch] = x[i * columns + d];
}

INTAGLIO_CLONES void copy_columns(const float* x, std::int64_t row, std::int64_t rows,
                                  std::int64_t columns, float* to, std::int64_t pitch) {
  for (std::int64_t i = 0; i < rows; ++i, x += row, to += pitch)
    for (std::int64_t j = 0; j < columns; ++j) to[j] = x[j];
}

// Panels of keys, [panel][depth][columns of a tile], and of values, [panel][keys][columns].
class Panels {
 public:
  Panels(const AttentionInputs& in, const AttentionSizes& s)
      : in_(in),
        sizes_(s),
        width_(2 * tile_machine().width),
        keys_(DType::f32, {s.batch * s.groups, round_up(s.keys, width_), s.depth}),
        values_(DType::f32, {s.batch * s.groups, round_up(s.wide, width_), s.keys}) {
    float *keys = keys_.mutate<float>().data(), *values = values_.mutate<float>().data();
    split(s.batch * s.groups, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t g = first; g < last; ++g) {
        pack_keys(g, keys + g * keys_.dim(1) * s.depth);
        pack_values(g, values + g * values_.dim(1) * s.keys);
      }
    });
  }

  std::int64_t width() const { return width_; }
  // Of the group, from key `first` on, which starts a panel.
  const float* keys(std::int64_t group, std::int64_t first) const {
    return keys_.data<float>().data() + (group * keys_.dim(1) + first) * sizes_.depth;
  }
  const float* values(std::int64_t group, std::int64_t column) const {
    return values_.data<float>().data() + (group * values_.dim(1) + column) * sizes_.keys;
  }

 private:
  void pack_keys(std::int64_t group, float* to) const {
    const float* from = in_.k.data<float>().data() + group * sizes_.keys * sizes_.depth;
    for (std::int64_t j = 0; j < sizes_.keys; j += width_, to += width_ * sizes_.depth) {
      const std::int64_t count = std::min(width_, sizes_.keys - j);
      if (count < width_) std::fill_n(to, width_ * sizes_.depth, 0.0f);
      transpose(from + j * sizes_.depth, count, sizes_.depth, to, width_);
    }
  }

  void pack_values(std::int64_t group, float* to) const {
    const float* from = in_.v.data<float>().data() + group * sizes_.keys * sizes_.wide;
    for (std::int64_t d = 0; d < sizes_.wide; d += width_, to += width_ * sizes_.keys) {
      const std::int64_t count = std::min(width_, sizes_.wide - d);
      if (count < width_) std::fill_n(to, width_ * sizes_.keys, 0.0f);
      copy_columns(from + d, sizes_.wide, sizes_.keys, count, to, width_);
    }
  }

  const AttentionInputs& in_;
  const AttentionSizes& sizes_;
  std::int64_t width_;
  Tensor keys_, values_;
};

// Some queries of one head.
struct Strip {
  std::int64_t sample, head, group;  // the group among those of all samples
  std::int64_t first, rows;
};

class Strips {
 public:
  Strips(const AttentionInputs& in, const AttentionSizes& s, const AttentionOptions& options)
      : in_(in), sizes_(s), options_(options), seen_(s, in.bias), panels_(in, s) {}

  void run(const Strip& strip, float* y) const {
    const std::int64_t width = panels_.width(), start = 0;
    Keys keys = seen_.of(strip.sample, strip.head, strip.first, strip.rows);
    keys.first = keys.first / width * width;
    const std::int64_t row = round_up(keys.last - keys.first, 2 * vector_width);
    float* scores = scratch(Scratch::inputs, row * strip.rows);
    const std::int64_t at = (strip.sample * sizes_.heads + strip.head) * sizes_.queries;
    for (std::int64_t j = 0; j < keys.last - keys.first; j += width)
      multiply_tile({.x = in_.q.data<float>().data() + (at + strip.first) * sizes_.depth,
                     .pitch = sizes_.depth,
                     .runs = {&start, 1},
                     .length = sizes_.depth,
                     .w = panels_.keys(strip.group, keys.first + j),
                     .y = scores + j,
                     .row = row},
                    strip.rows);
    float inverse[TileMachine::max_rows];
    for (std::int64_t i = 0; i < strip.rows; ++i)
      inverse[i] = exponentials(
          scores + i * row,
          row_of(in_, sizes_, options_, {strip.sample, strip.head, strip.first + i}, keys));
    combine(strip, keys, scores, row, inverse, y + (at + strip.first) * sizes_.wide);
  }

 private:
  static void multiply_tile(TileArgs t, std::int64_t rows) {
    alignas(64) static constexpr float zeros[2 * TileMachine::max_width] = {};
    t.bias = zeros;
    t.second = tile_machine().width;
    tile_machine().run(rows, 2, t);
  }

  // y = (scores v) inverse, panel by panel of the values.
  void combine(const Strip& strip, const Keys& keys, const float* scores, std::int64_t row,
               const float* inverse, float* y) const {
    const std::int64_t width = panels_.width(), start = 0;
    alignas(64) float edge[TileMachine::max_rows * 2 * TileMachine::max_width];
    for (std::int64_t d = 0; d < sizes_.wide; d += width) {
      const std::int64_t columns = std::min(width, sizes_.wide - d);
      const bool whole = columns == width;
      multiply_tile({.x = scores,
                     .pitch = row,
                     .runs = {&start, 1},
                     .length = keys.last - keys.first,
                     .w = panels_.values(strip.group, d) + keys.first * width,
                     .y = whole ? y + d : edge,
                     .row = whole ? sizes_.wide : width},
                    strip.rows);
      for (std::int64_t i = 0; !whole && i < strip.rows; ++i)
        std::copy_n(edge + i * width, columns, y + i * sizes_.wide + d);
    }
    for (std::int64_t i = 0; i < strip.rows; ++i)
      multiply(y + i * sizes_.wide, sizes_.wide, inverse[i]);
  }

  const AttentionInputs& in_;
  const AttentionSizes& sizes_;
  const AttentionOptions& options_;
  Seen seen_;
  Panels panels_;
};

void attend_many(const AttentionInputs& in, const AttentionSizes& s,
                 const AttentionOptions& options, float* y) {
  const Strips strips(in, s, options);
  const std::int64_t rows = tile_machine().rows, each = (s.queries + rows - 1) / rows;
  const std::int64_t sharing = s.heads / s.groups;
  split(s.batch * s.heads * each, 4, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t at = i / each, sample = at / s.heads, head = at % s.heads;
      const std::int64_t begin = s.queries * (i % each) / each;
      const std::int64_t end = s.queries * (i % each + 1) / each;
      strips.run({sample, head, sample * s.groups + head / sharing, begin, end - begin}, y);
    }
  });
}

// --- Few queries: keys and values are read where they lie ---

void attend_few(const AttentionInputs& in, const AttentionSizes& s, const AttentionOptions& options,
                float* y) {
  const Seen seen(s, in.bias);
  const std::int64_t sharing = s.heads / s.groups;
  split(s.batch * s.heads, 1, [&](std::int64_t first, std::int64_t last) {
    float* scores = scratch(Scratch::inputs, round_up(s.keys, vector_width));
    for (std::int64_t at = first; at < last; ++at) {
      const std::int64_t sample = at / s.heads, head = at % s.heads;
      const std::int64_t group = sample * s.groups + head / sharing;
      for (std::int64_t i = 0; i < s.queries; ++i) {
        const Keys keys = seen.of(sample, head, i, 1);
        const std::int64_t count = keys.last - keys.first, row = at * s.queries + i;
        dot_products(in.q.data<float>().data() + row * s.depth,
                     in.k.data<float>().data() + (group * s.keys + keys.first) * s.depth, count,
                     s.depth, scores);
        const float inverse = exponentials(scores, row_of(in, s, options, {sample, head, i}, keys));
        weighted_sum(scores, in.v.data<float>().data() + (group * s.keys + keys.first) * s.wide,
                     count, s.wide, y + row * s.wide);
        multiply(y + row * s.wide, s.wide, inverse);
      }
    }
  });
}

}  // namespace

AttentionResult attend_in_strips(const AttentionInputs& in, const AttentionOptions& options) {
  constexpr std::int64_t queries_that_pay = 4;  // for packing
  if (options.stage != AttentionStage::none) return attend(in, options);
  const AttentionSizes s = attention_sizes(in);
  if (s.keys == 0 || s.depth == 0) return attend(in, options);
  AttentionResult result{Tensor(DType::f32, {s.batch, s.heads, s.queries, s.wide}), {}};
  if (result.y.size() == 0) return result;
  float* y = result.y.mutate<float>().data();
  if (s.queries < queries_that_pay)
    attend_few(in, s, options, y);
  else
    attend_many(in, s, options, y);
  return result;
}

}  // namespace intaglio
