#include "lib/exec/post_op.h"

#include <limits>

#include "lib/exec/vector_math.h"
#include "lib/graph/op_traits.h"

namespace intaglio {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

template <typename F>
[[gnu::always_inline]] inline void map_rows(const ResultRows& y, F f) {
  for (std::int64_t r = 0; r < y.rows; ++r)
    vec::map(y.data + r * y.pitch, y.data + r * y.pitch, y.columns, f);
}

// The operation is unpacked once, not per element: the loops inside are branch-free.
INTAGLIO_CLONES void apply_one(const PostOp& op, const ResultRows y, const float* addend) {
  const float a = op.alpha, b = op.beta;
  switch (op.kind) {
    case PostOp::Kind::clip:
      if (b == infinity) return map_rows(y, [a](Vector16 x) { return vec::at_least(x, a); });
      return map_rows(y, [a, b](Vector16 x) { return vec::at_most(vec::at_least(x, a), b); });
    case PostOp::Kind::leaky_relu:
      return map_rows(y, [a](Vector16 x) { return x < 0.0f ? x * a : x; });
    case PostOp::Kind::hard_swish:
      return map_rows(
          y, [a, b](Vector16 x) { return x * vec::at_most(vec::at_least(x * a + b, 0.0f), 1.0f); });
    case PostOp::Kind::sigmoid:
      return map_rows(y, [](Vector16 x) { return vec::sigmoid(x); });
    case PostOp::Kind::swish:
      return map_rows(y, [](Vector16 x) { return vec::swish(x); });
    case PostOp::Kind::tanh:
      return map_rows(y, [](Vector16 x) { return vec::tanh(x); });
    case PostOp::Kind::gelu:
      return map_rows(y, [](Vector16 x) { return vec::gelu(x); });
    case PostOp::Kind::erf:
      return map_rows(y, [](Vector16 x) { return vec::erf(x); });
    case PostOp::Kind::add:
      for (std::int64_t r = 0; r < y.rows; ++r, addend += y.columns)
        for (std::int64_t i = 0; i < y.columns; ++i) y.data[r * y.pitch + i] += addend[i];
      return;
  }
}

}  // namespace

std::string_view name_of(PostOp::Kind kind) {
  constexpr std::string_view names[] = {"clip", "leaky_relu", "hard_swish", "sigmoid", "swish",
                                        "tanh", "gelu",       "erf",        "add"};
  return names[static_cast<std::size_t>(kind)];
}

std::optional<PostOp> activation_of(const Node& node) {
  using Kind = PostOp::Kind;
  if (node.is("Relu")) return PostOp{Kind::clip, 0, infinity};
  if (const auto slope = traits_of(node).slope_below_zero; slope != nullptr)
    return PostOp{Kind::leaky_relu, slope(node)};
  if (node.is("HardSwish")) return PostOp{Kind::hard_swish, 1.0f / 6, 0.5f};
  if (node.is("Sigmoid")) return PostOp{Kind::sigmoid};
  if (node.is("Tanh")) return PostOp{Kind::tanh};
  if (node.is("Erf")) return PostOp{Kind::erf};
  if (node.is("Gelu") && node.attr_string("approximate", "none") == "none")
    return PostOp{Kind::gelu};
  if (!node.is("Clip")) return std::nullopt;
  const auto bounds = clip_bounds(node);
  return bounds ? std::optional(PostOp{Kind::clip, bounds->lo, bounds->hi}) : std::nullopt;
}

void apply(std::span<const PostOp> ops, ResultRows y, const float* const* addends) {
  if (y.pitch == y.columns) y = {y.data, 1, y.rows * y.columns, y.rows * y.columns};
  for (const PostOp& op : ops)
    apply_one(op, y, op.kind == PostOp::Kind::add ? *addends++ : nullptr);
}

}  // namespace intaglio
