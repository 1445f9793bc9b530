// Operations that a kernel applies to its results while they are still in the cache, instead of the
// nodes that follow it.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

struct PostOp {
  enum class Kind {
    clip,        // min(max(y, alpha), beta): Relu and Clip
    leaky_relu,  // alpha * y below 0
    hard_swish,  // y * min(max(alpha * y + beta, 0), 1)
    sigmoid,
    swish,  // y * sigmoid(y)
    tanh,
    gelu,
    erf,
    add,  // y + another input of the step, of the same shape
  };
  Kind kind;
  float alpha = 0, beta = 0;
  std::size_t input = 0;  // add: which of the step's inputs

  bool operator==(const PostOp&) const = default;
};
using PostOps = std::vector<PostOp>;

std::string_view name_of(PostOp::Kind kind);

// The node as a function of its first input, with the parameters it was given; nothing when it is
// not one of the above or its parameters are not constant.
std::optional<PostOp> activation_of(const Node& node);

// Results of a kernel: rows of `columns` values, `pitch` floats apart.
struct ResultRows {
  float* data;
  std::int64_t rows, columns, pitch;
};

// Applies them in order. addends: for every `add`, in the same order, values that follow one
// another.
void apply(std::span<const PostOp> ops, ResultRows y, const float* const* addends);

// The same to y[0 .. count).
inline void apply(std::span<const PostOp> ops, float* y, std::int64_t count,
                  const float* const* addends) {
  apply(ops, {y, 1, count, count}, addends);
}

}  // namespace intaglio
