// How much of a distribution survives its quantization: the measure of the entropy method.
#pragma once

#include <optional>
#include <vector>

#include "calibration/ranges/methods/bins.h"
#include "calibration/ranges/methods/divergence_loops.h"
#include "lib/quant/qparams.h"

namespace intaglio {

// The Kullback-Leibler divergence KL(P || Q), natural logarithm, where
//   P  the bins that the quantizer reaches, with what lies beyond added to the outermost of them
//      that are not empty;
//   Q  the same bins without what lies beyond, the mass of each code spread evenly over its bins
//      that are not empty;
// both scaled to sum 1. A bin belongs to the code nearest to its centre; it is beyond when it lies
// more than half a step outside of the outermost points. Empty bins add nothing, to P or to Q. The
// divergence is infinite when the quantizer reaches fewer bins than it has codes (each bin would be
// exact, and a single one would hold all of P and all of Q), or nothing but empty ones.
//
// (After Migacz, "8-bit inference with TensorRT", 2017, for any range, not only one that starts at
// zero.)
class Divergence {
 public:
  explicit Divergence(const Bins& bins);

  // One logarithm a code, from running sums over the bins.
  double operator()(const Affine& affine, const Levels& levels) const;

  // What clipping alone costs: the divergence with all bins but the two that hold what lies beyond
  // as one, less what rounding can add. Never more than the divergence, and a fraction of its time.
  double at_least(const Affine& affine, const Levels& levels) const;

 private:
  // What a quantizer sees: its bins [begin, end), the outermost of them that are not empty, and the
  // mass inside and on both sides.
  struct Reach {
    std::size_t begin, end, first, last;
    double inside, before, after;
  };
  std::optional<Reach> reach(const Affine& affine, const Levels& levels) const;  // or infinite
  // Where the codes from `code` on begin; codes count from the lowest.
  Borders borders_from(double code, const Reach& reach, const Affine& affine,
                       const Levels& levels) const;
  double share_in_code(std::size_t bin, const Reach& reach, const Affine& affine,
                       const Levels& levels) const;
  std::size_t bin_at(double x) const;  // the first bin whose centre is not left of x

  const Bins& bins_;
  // Over the bins left of i: mass, number of bins that are not empty, mass * log(mass).
  std::vector<double> mass_, filled_, entropy_;
  std::vector<std::size_t> filled_from_,
      filled_before_;  // the next bin from i on, the last before i, that is not empty
};

// Its slow twin: P and Q as arrays.
double divergence_plain(const Bins& bins, const Affine& affine, const Levels& levels);

}  // namespace intaglio
