#include "lib/eval/metrics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

#include "lib/base/simd.h"

namespace intaglio {

namespace {

typedef double Doubles __attribute__((vector_size(64), aligned(8), may_alias));
typedef float Floats __attribute__((vector_size(32), aligned(4), may_alias));
constexpr std::size_t lanes = 8;

struct Lanes {
  Doubles xx{}, yy{}, xy{}, dd{};
};

INTAGLIO_CLONES
void add_lanes(const float* x, const float* y, std::size_t n, Lanes& result) {
  Lanes l;
  for (std::size_t i = 0; i < n; i += lanes) {
    const Doubles a = __builtin_convertvector(*reinterpret_cast<const Floats*>(x + i), Doubles);
    const Doubles b = __builtin_convertvector(*reinterpret_cast<const Floats*>(y + i), Doubles);
    const Doubles d = a - b;
    l.xx += a * a;
    l.yy += b * b;
    l.xy += a * b;
    l.dd += d * d;
  }
  result = l;
}

float score_at(std::span<const float> scores, std::size_t i) {
  return std::isnan(scores[i]) ? -std::numeric_limits<float>::infinity() : scores[i];
}

}  // namespace

void Deviation::add(std::span<const float> x, std::span<const float> y) {
  assert(x.size() == y.size());
  const std::size_t whole = x.size() - x.size() % lanes;
  Lanes l;
  add_lanes(x.data(), y.data(), whole, l);
  for (std::size_t i = 0; i < lanes; ++i)
    xx += l.xx[i], yy += l.yy[i], xy += l.xy[i], dd += l.dd[i];
  for (std::size_t i = whole; i < x.size(); ++i) {
    const double a = x[i], b = y[i], d = a - b;
    xx += a * a;
    yy += b * b;
    xy += a * b;
    dd += d * d;
  }
  count += x.size();
}

void Deviation::merge(const Deviation& other) {
  xx += other.xx;
  yy += other.yy;
  xy += other.xy;
  dd += other.dd;
  count += other.count;
}

std::optional<double> Deviation::sqnr_db() const {
  if (dd == 0 || xx == 0) return std::nullopt;
  return 10 * std::log10(xx / dd);
}

std::optional<double> Deviation::cosine() const {
  if (xx == 0 || yy == 0) return std::nullopt;
  return xy / std::sqrt(xx * yy);
}

void Extrema::add(std::span<const float> values) {
  for (const float v : values) {
    if (v < lo) lo = v;
    if (v > hi) hi = v;
  }
}

void Extrema::merge(const Extrema& other) {
  lo = std::min(lo, other.lo);
  hi = std::max(hi, other.hi);
}

std::optional<double> psnr_db(const Deviation& deviation, const Extrema& reference) {
  const double peak = double{reference.hi} - reference.lo;
  if (deviation.dd == 0 || !(peak > 0)) return std::nullopt;
  return 10 * std::log10(peak * peak * static_cast<double>(deviation.count) / deviation.dd);
}

std::size_t best_of(std::span<const float> scores) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < scores.size(); ++i)
    if (score_at(scores, i) > score_at(scores, best)) best = i;
  return best;
}

std::vector<std::size_t> top_k(std::span<const float> scores, std::size_t k) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&](std::size_t i) { return score_at(scores, i); };
  k = std::min(k, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
      [&](std::size_t a, std::size_t b) { return key(a) > key(b) || (key(a) == key(b) && a < b); });
  order.resize(k);
  return order;
}

}  // namespace intaglio
