#include "lib/exec/ops/fourier.h"

#include <cstddef>
#include <numbers>

namespace intaglio {
namespace {

using Complex = std::complex<double>;

std::size_t least_factor(std::size_t n) {
  for (std::size_t p = 2; p * p <= n; ++p)
    if (n % p == 0) return p;
  return n;
}

// Fills y with the transform of x[0], x[stride], ...; roots[k] = e^(-+2 pi i k / N) for the whole
// N.
void transform(const Complex* x, std::size_t stride, std::size_t n, Complex* y,
               const std::vector<Complex>& roots) {
  if (n == 1) {
    *y = *x;
    return;
  }
  const std::size_t p = least_factor(n), m = n / p, step = roots.size() / n;
  for (std::size_t r = 0; r < p; ++r) transform(x + r * stride, stride * p, m, y + r * m, roots);
  std::vector<Complex> parts(p);
  for (std::size_t k = 0; k < m; ++k) {
    for (std::size_t r = 0; r < p; ++r) parts[r] = y[r * m + k];
    for (std::size_t q = 0; q < p; ++q) {
      Complex sum = parts[0];
      for (std::size_t r = 1; r < p; ++r) sum += parts[r] * roots[r * (k + q * m) % n * step];
      y[q * m + k] = sum;
    }
  }
}

}  // namespace

std::vector<Complex> fourier(const std::vector<Complex>& x, bool inverse) {
  const std::size_t n = x.size();
  std::vector<Complex> roots(n), y(n);
  if (n == 0) return y;
  const double turn = (inverse ? 2 : -2) * std::numbers::pi / static_cast<double>(n);
  for (std::size_t k = 0; k < n; ++k) roots[k] = std::polar(1.0, turn * static_cast<double>(k));
  transform(x.data(), 1, n, y.data(), roots);
  if (inverse)
    for (Complex& value : y) value /= static_cast<double>(n);
  return y;
}

}  // namespace intaglio
