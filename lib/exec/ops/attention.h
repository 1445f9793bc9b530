// Scaled dot-product attention ("Attention Is All You Need", Vaswani et al. 2017, 3.2), computed in
// float: shared by the Attention operators of ONNX and of com.microsoft.
//
//   y = softmax(softcap(scale * q k^T) + bias) v
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "lib/tensor/tensor.h"

namespace intaglio {

// What else of the computation is wanted.
enum class AttentionStage { none, product, capped, biased, probabilities };

struct AttentionInputs {
  // f32 [batch, heads, length, depth]. q may have a multiple of the heads of k and v: neighbouring
  // ones then share them.
  Tensor q, k, v;
  // f32, broadcast to [batch, heads, queries, keys]; undefined: none. A query for which it is all
  // -inf gets zeros.
  Tensor bias;
};

struct AttentionOptions {
  float scale = 1;
  float softcap = 0;  // c: scores become c tanh(score / c); 0: they stay
  AttentionStage stage = AttentionStage::none;
};

struct AttentionResult {
  Tensor y;      // f32 [batch, heads, queries, depth of v]
  Tensor stage;  // f32 [batch, heads, queries, keys]; undefined when nothing was wanted
};

// The lengths of what is attended to.
struct AttentionSizes {
  std::int64_t batch, heads, groups, queries, keys, depth, wide;  // groups: heads of k and v
  Shape bias;  // strides of the bias over [batch, heads, queries, keys]; empty: there is none

  // The bias of a sample and head, or null.
  const float* bias_of(const Tensor& t, std::int64_t sample, std::int64_t head) const {
    return bias.empty() ? nullptr : t.data<float>().data() + sample * bias[0] + head * bias[1];
  }
};

// Throws Code::model when the shapes do not fit.
AttentionSizes attention_sizes(const AttentionInputs& in);

// Throws Code::model when the shapes do not fit.
AttentionResult attend(const AttentionInputs& in, const AttentionOptions& options);

// `given`, the scale of a node, or for 0 that of the paper: 1 / sqrt(depth).
inline float score_scale(float given, std::int64_t depth) {
  return given != 0 ? given : 1 / std::sqrt(static_cast<float>(depth));
}

// Columns [first, first + width) of x, [batch, length, columns], as [batch, heads, length,
// width / heads]. Code::model when x has other axes or fewer columns, or the heads do not divide
// them.
Tensor split_heads(const Tensor& x, std::int64_t heads, std::int64_t first, std::int64_t width);
// All columns, [batch, length, heads * depth] as [batch, heads, length, depth], and back.
Tensor split_heads(const Tensor& x, std::int64_t heads);
Tensor join_heads(const Tensor& x);

// past and x, [batch, heads, length, depth], one behind the other.
Tensor join_lengths(const Tensor& past, const Tensor& x);

// Which keys a query sees: query i stands at position i + offset of the keys.
struct Visibility {
  std::int64_t offset = 0;
  std::int64_t left = -1, right = -1;  // so many keys around its position; -1: all. Causal: right 0
  std::int64_t keys = std::numeric_limits<std::int64_t>::max();  // the others are padding
};

// Fills [queries, keys] values with 0 where a query sees a key and -inf elsewhere.
void write_visibility(const Visibility& v, std::int64_t queries, std::int64_t keys, float* bias);

}  // namespace intaglio
