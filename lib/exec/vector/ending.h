// The first operation behind a sum, when it can be done while the sum is in a register.
#pragma once

#include <limits>

#include "lib/exec/post_op.h"

namespace intaglio {

// y = min(max(x < 0 ? slope * x : x, lo), hi)
struct Ending {
  float slope = 1;
  float lo = -std::numeric_limits<float>::infinity(), hi = std::numeric_limits<float>::infinity();
  std::size_t taken = 0;  // operations that it stands for: 0 or 1

  Ending() = default;
  explicit Ending(const PostOps& ops);
};

// The same on vectors of so many bytes: bounds and slope stay in registers while many sums pass.
template <int bytes>
struct VectorEnding {
  typedef float Vector __attribute__((vector_size(bytes)));
  Vector slope, lo, hi;

  [[gnu::always_inline]] explicit VectorEnding(const Ending& e)
      : slope(Vector{} + e.slope), lo(Vector{} + e.lo), hi(Vector{} + e.hi) {}

  [[gnu::always_inline]] Vector operator()(Vector x) const {
    const Vector bent = x < 0.0f ? x * slope : x;
    const Vector raised = bent < lo ? lo : bent;
    return raised > hi ? hi : raised;
  }
};

}  // namespace intaglio
