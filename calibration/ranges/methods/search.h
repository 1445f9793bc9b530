// The search for a range: candidates for both ends, and the least cost among them.
#pragma once

#include <functional>

#include "lib/quant/qparams.h"

namespace intaglio {

// Candidates are [i/n * min, j/n * max] for whole i, j in 0..n where the observed range has that
// end on its own side of zero; a symmetric grid has one end, [-j/n * a, j/n * a] cut to what was
// observed. All are tried, from the widest to the narrowest; of equals the first, so the widest,
// wins. Where a lower bound says that a range, or a narrower end, cannot be cheaper, it is left
// out, or the rest of its row: the result is that of trying all.
struct Search {
  int one_sided = 128, two_sided = 64;  // n

  std::function<double(const Range&)> cost;
  // Least cost of any range that ends at lo (or hi), growing as the end approaches zero. Null: 0.
  std::function<double(float lo)> bound_lo;
  std::function<double(float hi)> bound_hi;

  // Least cost of a range, where that is faster to see than the cost. Null: 0.
  std::function<double(const Range&)> bound;

  Range best(const Range& observed, bool symmetric) const;
};

}  // namespace intaglio
