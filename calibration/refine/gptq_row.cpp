#include "calibration/refine/gptq_row.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lib/base/parallel.h"
#include "lib/base/simd.h"
#include "lib/exec/ops/gemm.h"
#include "lib/tensor/code_of.h"

namespace intaglio {
namespace {

constexpr double damping = 0.01;
constexpr std::int64_t strip = 64;  // columns of H that one thread makes at a time

// row -= factor * other, from `first` on.
INTAGLIO_CLONES
void subtract(double* row, const double* other, double factor, std::size_t first,
              std::size_t last) {
  for (std::size_t j = first; j < last; ++j) row[j] -= factor * other[j];
}

INTAGLIO_CLONES
float dot(const float* a, const float* b, std::size_t first, std::size_t last) {
  constexpr std::size_t lanes = 16;
  float sums[lanes] = {};
  std::size_t j = first;
  for (; j + lanes <= last; j += lanes)
    for (std::size_t l = 0; l < lanes; ++l) sums[l] += a[j + l] * b[j + l];
  float sum = 0;
  for (; j < last; ++j) sum += a[j] * b[j];
  for (const float s : sums) sum += s;
  return sum;
}

}  // namespace

void MomentSums::add(const Patches& patches, std::size_t threads) {
  const auto n = static_cast<std::int64_t>(patches.width),
             rows = static_cast<std::int64_t>(patches.rows());
  if (rows == 0) return;
  const float* x = patches.values.data();
  for (std::size_t r = 0; r < patches.rows(); ++r)
    for (std::size_t i = 0; i < patches.width; ++i)
      means_[i] += static_cast<double>(x[r * patches.width + i]);
  rows_ += patches.rows();
  const PackedLeft left({x, n, rows, 1, n});
  const std::int64_t strips = (n + strip - 1) / strip;
  parallel_for(static_cast<std::size_t>(strips), threads, [&](std::size_t, std::size_t s) {
    const std::int64_t first = static_cast<std::int64_t>(s) * strip,
                       columns = std::min(strip, n - first);
    const PackedRight right({x + first, rows, columns, n, 1});
    std::vector<float> c(static_cast<std::size_t>(n * columns));
    gemm(left, right, {.c = c.data(), .ldc = columns});
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        sums_.at(static_cast<std::size_t>(i), static_cast<std::size_t>(first + j)) +=
            static_cast<double>(c[static_cast<std::size_t>(i * columns + j)]);
  });
}

SecondMoments MomentSums::centred() && {
  const auto rows = static_cast<double>(std::max<std::size_t>(rows_, 1));
  for (std::size_t i = 0; i < sums_.width; ++i)
    for (std::size_t j = 0; j < sums_.width; ++j) sums_.at(i, j) -= means_[i] * means_[j] / rows;
  return std::move(sums_);
}

Factor::Factor(SecondMoments h, std::size_t threads, RoundingOrder order)
    : order_(h.width), weights_(h.width) {
  const std::size_t n = h.width;
  double trace = 0;
  for (std::size_t i = 0; i < n; ++i) trace += h.at(i, i);
  const double added =
      trace > 0 && std::isfinite(trace) ? damping * trace / static_cast<double>(n) : 1;
  if (!(trace > 0) || !std::isfinite(trace)) std::fill(h.values.begin(), h.values.end(), 0.0);
  for (std::size_t i = 0; i < n; ++i) h.at(i, i) += added;
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  if (order == RoundingOrder::by_moment)
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::size_t a, std::size_t b) { return h.at(a, a) < h.at(b, b); });

  // Row by row: U_i = (H_i - sum_{k<i} U_ki U_k) / U_ii, blocks of rows at a time, so that those
  // below a finished block can be brought up to date side by side.
  std::vector<double> u(n * n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i; j < n; ++j) u[i * n + j] = h.at(order_[i], order_[j]);
  h = {};
  constexpr std::size_t block = 32;
  for (std::size_t begin = 0; begin < n; begin += block) {
    const std::size_t end = std::min(begin + block, n);
    for (std::size_t i = begin; i < end; ++i) {
      for (std::size_t k = begin; k < i; ++k) subtract(&u[i * n], &u[k * n], u[k * n + i], i, n);
      const double root = std::sqrt(std::max(u[i * n + i], 1e-12 * added));
      for (std::size_t j = i; j < n; ++j) u[i * n + j] /= root;
    }
    parallel_for(n - end, threads, [&](std::size_t, std::size_t r) {
      const std::size_t i = end + r;
      for (std::size_t k = begin; k < end; ++k) subtract(&u[i * n], &u[k * n], u[k * n + i], i, n);
    });
  }
  rows_.resize(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    weights_[i] = u[i * n + i] * u[i * n + i];
    for (std::size_t j = i + 1; j < n; ++j)
      rows_[i * n + j] = static_cast<float>(u[i * n + j] / u[i * n + i]);
  }
}

RoundedCodes round_row(const Factor& factor, const RoundedRow& row, const Levels& levels) {
  const std::size_t n = factor.width();
  const auto scale = static_cast<double>(row.scale);
  const auto code = [&](double w) {
    return static_cast<std::int32_t>(
        code_of<double>(w, scale, row.zero_point, levels.lo, levels.hi));
  };
  const auto error_of = [&](std::int32_t q, float w) {
    return static_cast<float>((q - row.zero_point) * scale - static_cast<double>(w));
  };
  std::vector<float> plain(n), made(n);  // errors in the order of the factor
  RoundedCodes result{std::vector<std::int32_t>(n)};
  std::vector<std::int32_t> nearest(n);
  for (std::size_t i = n; i-- > 0;) {
    const std::size_t at = factor.order()[i];
    const float w = row.weights[at];
    nearest[at] = code(static_cast<double>(w));
    plain[i] = error_of(nearest[at], w);
    const auto owed = static_cast<double>(dot(factor.row(i), made.data(), i + 1, n));
    result.codes[at] = code(static_cast<double>(w) - owed);
    made[i] = error_of(result.codes[at], w);
    const double left = static_cast<double>(made[i]) + owed;
    const double plainly = static_cast<double>(plain[i]) +
                           static_cast<double>(dot(factor.row(i), plain.data(), i + 1, n));
    result.error += factor.weight(i) * left * left;
    result.nearest += factor.weight(i) * plainly * plainly;
  }
  if (!(result.error <= result.nearest)) {
    result.codes = std::move(nearest);
    result.error = result.nearest;
  }
  return result;
}

}  // namespace intaglio
