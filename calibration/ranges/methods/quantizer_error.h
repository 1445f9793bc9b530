// What a quantizer does to the values of a histogram.
#pragma once

#include <vector>

#include "calibration/ranges/methods/bins.h"
#include "lib/quant/qparams.h"

namespace intaglio {

// The sum over all values of |x - q(x)|^norm, where q(x) is the nearest of the points scale * (code
// - zero_point): exact for values spread evenly inside their bins. Walks over bins and points: the
// slow twin of SquaredError, and the only way for other norms.
double quantizer_error(const Bins& bins, const Affine& affine, const Levels& levels, double norm);

// The same for norm 2, in one evaluation of a curve for each border between two points.
//
// With F(x) the number of values below x, G(x) = integral of F from -inf to x, borders e_i half way
// between the points c_0 < ... < c_L and s their distance, summation by parts gives
//   sum (x - q(x))^2 = sum (x - c_L)^2 - 2 s sum_i G(e_i).
// Where many points fall into a bin (s < width / 8), the inner part is s^2 / 12 for each value.
class SquaredError {
 public:
  explicit SquaredError(const Bins& bins);

  double operator()(const Affine& affine, const Levels& levels) const;

  // Sums of (x - end)^2 over the values below, or above, `end`.
  double below(double end) const;
  double above(double end) const;

 private:
  double curve(double x) const;  // G
  double fine(double scale, double lowest, double highest) const;

  Bins bins_;
  std::vector<double> mass_below_,
      curve_;  // F and G at the left border of each bin, and at the right end
  double total_ = 0, first_moment_ = 0, second_moment_ = 0;
};

}  // namespace intaglio
