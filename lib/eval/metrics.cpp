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

// Of a pair that is not finite, in both or in one.
void add_odd(float x, float y, Deviation& sums) {
  const bool same = (std::isnan(x) && std::isnan(y)) || x == y;
  if (same) return void(++sums.left_out);
  ++sums.count, ++sums.one_sided;
  for (const double v : {double{x}, double{y}})
    if (std::isfinite(v)) sums.dd += v * v;
  if (std::isfinite(x)) sums.xx += double{x} * double{x};
  if (std::isfinite(y)) sums.yy += double{y} * double{y};
}

// One by one, in order: values that are not finite have sums of their own.
void add_each(std::span<const float> x, std::span<const float> y, Deviation& sums) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) {
      add_odd(x[i], y[i], sums);
      continue;
    }
    const double a = x[i], b = y[i], d = a - b;
    sums.xx += a * a;
    sums.yy += b * b;
    sums.xy += a * b;
    sums.dd += d * d;
    ++sums.count;
  }
}

float score_at(std::span<const float> scores, std::size_t i) {
  return std::isnan(scores[i]) ? -std::numeric_limits<float>::infinity() : scores[i];
}

}  // namespace

Tensor floats(const Tensor& tensor) {
  const Tensor rows = to_row_major(tensor);
  return rows.dtype() == DType::f32 ? rows : convert(rows, DType::f32);
}

void Deviation::add(std::span<const float> x, std::span<const float> y) {
  assert(x.size() == y.size());
  const std::size_t whole = x.size() - x.size() % lanes;
  Lanes l;
  add_lanes(x.data(), y.data(), whole, l);
  Deviation sums;
  for (std::size_t i = 0; i < lanes; ++i)
    sums.xx += l.xx[i], sums.yy += l.yy[i], sums.xy += l.xy[i], sums.dd += l.dd[i];
  sums.count = whole;
  if (!std::isfinite(sums.xx + sums.yy)) {  // squares of finite floats cannot overflow
    sums = {};
    add_each(x.first(whole), y.first(whole), sums);
  }
  add_each(x.subspan(whole), y.subspan(whole), sums);
  merge(sums);
}

void Deviation::merge(const Deviation& other) {
  xx += other.xx;
  yy += other.yy;
  xy += other.xy;
  dd += other.dd;
  count += other.count;
  left_out += other.left_out;
  one_sided += other.one_sided;
}

std::optional<double> Deviation::sqnr_db() const {
  if (dd == 0 && one_sided > 0) return -std::numeric_limits<double>::infinity();
  if (dd == 0 || xx == 0) return std::nullopt;
  return 10 * std::log10(xx / dd);
}

std::optional<double> Deviation::cosine() const {
  if (xx == 0 || yy == 0) return std::nullopt;
  return xy / std::sqrt(xx * yy);
}

void SampleCosines::add(const Deviation& sample) {
  const auto cosine = sample.cosine();
  if (!cosine) return;
  ++count, sum += *cosine, least = std::min(least, *cosine);
}

std::optional<double> SampleCosines::mean() const {
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

std::optional<double> SampleCosines::worst() const {
  if (count == 0) return std::nullopt;
  return least;
}

void Extrema::add(std::span<const float> values) {
  for (const float v : values) {
    if (!std::isfinite(v)) continue;
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
