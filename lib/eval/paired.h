// Whether one model does better than another on the same samples, or only seems to.
#pragma once

#include <cstddef>
#include <span>

namespace intaglio {

struct PairedDifference {
  std::size_t samples = 0;
  double mean = 0;   // of a - b, sample by sample
  double error = 0;  // its standard error

  // Whether a is better by more than chance: the mean is above zero with 95 % confidence, by
  // Student's t test for paired samples (Student 1908, Biometrika 6). Never of a single sample.
  bool better() const;
};

// Scores of two models, larger is better, in the order of the same samples; of the same length.
PairedDifference paired(std::span<const double> a, std::span<const double> b);

}  // namespace intaglio
