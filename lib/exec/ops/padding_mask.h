// Masks as numbers to add to the scores of attention; those of com.microsoft's operators
// (onnxruntime/docs/ContribOperators.md, Attention: mask_index).
#pragma once

#include "lib/exec/kernel.h"

namespace intaglio {

struct MaskedScores {
  std::int64_t batch = 0, queries = 0, keys = 0;
  float filter = -10000.0f;  // what a masked score is lowered by
  bool causal = false;       // query i stands at position keys - queries + i
};

// mask: the lengths [B], ends and starts [2 * B], keys [B,T], or pairs [B,S,T] or [B,1,S,T], 0
// where nothing may be seen; null: none. bias: added as it is; null: none. Returns f32 that
// broadcasts to [B,heads,S,T], undefined when nothing is masked. Code::model when the shapes do not
// fit.
Tensor additive_mask(const Tensor* mask, const Tensor* bias, const MaskedScores& scores);

// The sum of two masks, f32, of shapes that broadcast; the other one when one is undefined.
Tensor add_masks(const Tensor& a, const Tensor& b);

// A mask of flags or numbers whose last axis is the keys, as numbers to add: -inf for those that it
// says nothing about. Code::model when it has more.
Tensor mask_over_keys(const Tensor& mask, std::int64_t keys);

}  // namespace intaglio
