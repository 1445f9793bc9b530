#include "lib/eval/paired.h"

#include <cassert>
#include <cmath>

namespace intaglio {
namespace {

// The 97.5 % quantile of Student's distribution: the normal one and Cornish and Fisher's terms for
// the degrees of freedom (Abramowitz and Stegun 26.7.5). Within 1 % from 3 degrees on; of fewer it
// is too small, and their exact values stand here.
double student_quantile(std::size_t freedom) {
  if (freedom == 1) return 12.706;
  if (freedom == 2) return 4.303;
  constexpr double z = 1.959963984540054;
  constexpr double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
  const auto n = static_cast<double>(freedom);
  return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n * n * n);
}

}  // namespace

bool PairedDifference::better() const {
  return samples > 1 && mean > student_quantile(samples - 1) * error;
}

PairedDifference paired(std::span<const double> a, std::span<const double> b) {
  assert(a.size() == b.size());
  PairedDifference d{.samples = a.size()};
  if (a.empty()) return d;
  const auto n = static_cast<double>(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) d.mean += (a[i] - b[i]) / n;
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) squares += std::pow(a[i] - b[i] - d.mean, 2);
  if (a.size() > 1) d.error = std::sqrt(squares / (n - 1) / n);
  return d;
}

}  // namespace intaglio
