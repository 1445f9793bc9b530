#include "lib/exec/ops/attention.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "lib/exec/ops/gemm.h"
#include "lib/exec/strided.h"
#include "lib/tensor/broadcast.h"

namespace intaglio {
namespace {

constexpr float masked = -std::numeric_limits<float>::infinity();

void check(const AttentionInputs& in) {
  const bool ranks = in.q.rank() == 4 && in.k.rank() == 4 && in.v.rank() == 4;
  if (!ranks || in.q.dim(0) != in.k.dim(0) || in.q.dim(0) != in.v.dim(0) ||
      in.k.dim(1) != in.v.dim(1) || in.k.dim(2) != in.v.dim(2) || in.q.dim(3) != in.k.dim(3) ||
      in.k.dim(1) == 0 || in.q.dim(1) % in.k.dim(1) != 0)
    throw Error(Code::model,
                fmt::format("queries {}, keys {} and values {} do not fit", to_string(in.q.shape()),
                            to_string(in.k.shape()), to_string(in.v.shape())));
}

// softmax(row + bias) in place; a row that the bias masks whole becomes zeros.
void softmax_row(float* row, const float* bias, std::int64_t stride, std::int64_t count) {
  bool visible = bias == nullptr;
  float largest = masked;
  for (std::int64_t j = 0; j < count; ++j) {
    if (bias != nullptr) {
      visible = visible || bias[j * stride] != masked;
      row[j] += bias[j * stride];
    }
    largest = std::max(largest, row[j]);
  }
  if (!visible || largest == masked) {
    std::fill_n(row, count, 0.0f);
    return;
  }
  double sum = 0;
  for (std::int64_t j = 0; j < count; ++j) {
    row[j] = std::exp(row[j] - largest);
    sum += static_cast<double>(row[j]);
  }
  const auto inverse = static_cast<float>(1 / sum);
  for (std::int64_t j = 0; j < count; ++j) row[j] *= inverse;
}

// One head: fills scores with the probabilities and y with the result.
class Head {
 public:
  Head(const AttentionOptions& options, std::int64_t queries, std::int64_t keys)
      : options_(options),
        queries_(queries),
        keys_(keys),
        scores_(static_cast<std::size_t>(queries * keys)) {}

  void multiply(const float* q, const float* k, std::int64_t depth) {
    std::fill(scores_.begin(), scores_.end(), 0.0f);
    if (scores_.empty()) return;
    if (depth > 0)
      gemm(PackedLeft({q, queries_, depth, depth, 1}), PackedRight({k, depth, keys_, 1, depth}),
           {.c = scores_.data(), .ldc = keys_});
    for (float& score : scores_) score *= options_.scale;
    keep(AttentionStage::product);
    if (options_.softcap > 0)
      for (float& score : scores_) score = options_.softcap * std::tanh(score / options_.softcap);
    keep(AttentionStage::capped);
  }

  void weigh(const float* bias, const Shape& strides) {
    for (std::int64_t i = 0; i < queries_; ++i) {
      float* row = scores_.data() + i * keys_;
      const float* own = bias == nullptr ? nullptr : bias + i * strides[2];
      if (options_.stage == AttentionStage::biased)
        for (std::int64_t j = 0; j < keys_; ++j)
          kept_[i * keys_ + j] = row[j] + (own != nullptr ? own[j * strides[3]] : 0);
      softmax_row(row, own, bias == nullptr ? 0 : strides[3], keys_);
    }
    keep(AttentionStage::probabilities);
  }

  void combine(const float* v, std::int64_t depth, float* y) const {
    std::fill_n(y, queries_ * depth, 0.0f);
    if (scores_.empty() || depth == 0) return;
    gemm(PackedLeft({scores_.data(), queries_, keys_, keys_, 1}),
         PackedRight({v, keys_, depth, depth, 1}), {.c = y, .ldc = depth});
  }

  void keep_in(float* kept) { kept_ = kept; }

 private:
  void keep(AttentionStage stage) {
    if (options_.stage == stage) std::copy(scores_.begin(), scores_.end(), kept_);
  }

  const AttentionOptions& options_;
  std::int64_t queries_, keys_;
  std::vector<float> scores_;
  float* kept_ = nullptr;
};

}  // namespace

AttentionSizes attention_sizes(const AttentionInputs& in) {
  check(in);
  AttentionSizes s{in.q.dim(0), in.q.dim(1), in.k.dim(1), in.q.dim(2),
                   in.k.dim(2), in.q.dim(3), in.v.dim(3), {}};
  if (!in.bias.defined()) return s;
  const Shape scores = {s.batch, s.heads, s.queries, s.keys};
  if (broadcast_shapes(in.bias.shape(), scores) != scores)
    throw Error(Code::model, fmt::format("a mask of shape {} for scores of shape {}",
                                         to_string(in.bias.shape()), to_string(scores)));
  s.bias = broadcast_strides(in.bias.shape(), scores);
  return s;
}

AttentionResult attend(const AttentionInputs& in, const AttentionOptions& options) {
  const AttentionSizes s = attention_sizes(in);
  const std::int64_t queries = s.queries, keys = s.keys, depth = s.depth, wide = s.wide;
  AttentionResult result{Tensor(DType::f32, {s.batch, s.heads, queries, wide}), {}};
  if (options.stage != AttentionStage::none)
    result.stage = Tensor(DType::f32, {s.batch, s.heads, queries, keys});
  if (result.y.size() == 0 && (!result.stage.defined() || result.stage.size() == 0)) return result;
  float* y = result.y.mutate<float>().data();
  float* kept = result.stage.defined() ? result.stage.mutate<float>().data() : nullptr;
  const std::int64_t sharing = s.heads / s.groups;
  Head head(options, queries, keys);
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t h = 0; h < s.heads; ++h) {
      const std::int64_t at = b * s.heads + h, other = b * s.groups + h / sharing;
      head.keep_in(kept == nullptr ? nullptr : kept + at * queries * keys);
      head.multiply(in.q.data<float>().data() + at * queries * depth,
                    in.k.data<float>().data() + other * keys * depth, depth);
      head.weigh(s.bias_of(in.bias, b, h), s.bias);
      head.combine(in.v.data<float>().data() + other * keys * wide, wide, y + at * queries * wide);
    }
  return result;
}

Tensor split_heads(const Tensor& x, std::int64_t heads) {
  return split_heads(x, heads, 0, x.shape().empty() ? 0 : x.shape().back());
}

Tensor split_heads(const Tensor& x, std::int64_t heads, std::int64_t first, std::int64_t width) {
  Shape part = x.shape();
  if (first < 0 || width < 0 || first + width > (part.empty() ? 0 : part.back()))
    throw Error(Code::model, fmt::format("shape {} has no columns {} to {}", to_string(part), first,
                                         first + width));
  if (!part.empty()) part.back() = width;
  if (part.size() != 3 || heads < 1 || width % heads != 0)
    throw Error(Code::model, fmt::format("shape {} for {} heads", to_string(part), heads));
  const std::int64_t depth = width / heads;
  Tensor result(x.dtype(), {x.dim(0), heads, x.dim(1), depth});
  copy_strided(x, first, Shape{x.dim(1) * x.dim(2), depth, x.dim(2), 1}, result);
  return result;
}

Tensor join_heads(const Tensor& x) {
  const std::int64_t heads = x.dim(1), length = x.dim(2), depth = x.dim(3);
  Tensor result(x.dtype(), {x.dim(0), length, heads, depth});
  copy_strided(x, 0, Shape{heads * length * depth, depth, length * depth, 1}, result);
  return result.reshaped({x.dim(0), length, heads * depth});
}

Tensor join_lengths(const Tensor& past, const Tensor& x) {
  Shape shape = x.shape();
  if (past.rank() != 4 || x.rank() != 4 || past.dtype() != x.dtype() || past.dim(0) != x.dim(0) ||
      past.dim(1) != x.dim(1) || past.dim(3) != x.dim(3))
    throw Error(Code::model, fmt::format("a past of shape {} for shape {}", to_string(past.shape()),
                                         to_string(shape)));
  shape[2] += past.dim(2);
  Tensor result(x.dtype(), shape);
  const std::int64_t outer = x.dim(0) * x.dim(1);
  std::byte* to = result.raw_mutate();
  for (std::int64_t i = 0; i < outer; ++i)
    for (const Tensor* part : {&past, &x}) {
      const std::size_t bytes = part->bytes() / static_cast<std::size_t>(outer);
      to = std::copy_n(part->raw() + static_cast<std::size_t>(i) * bytes, bytes, to);
    }
  return result;
}

void write_visibility(const Visibility& v, std::int64_t queries, std::int64_t keys, float* bias) {
  for (std::int64_t i = 0; i < queries; ++i)
    for (std::int64_t j = 0; j < keys; ++j) {
      const std::int64_t ahead = j - (i + v.offset);
      const bool seen =
          (v.left < 0 || -ahead <= v.left) && (v.right < 0 || ahead <= v.right) && j < v.keys;
      *bias++ = seen ? 0 : masked;
    }
}

}  // namespace intaglio
