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

}  // namespace intaglio
