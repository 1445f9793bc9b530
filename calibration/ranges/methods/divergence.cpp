#include "calibration/ranges/methods/divergence.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace intaglio {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

double x_log_x(double x) { return x > 0 ? x * std::log(x) : 0; }

bool reaches_enough(std::size_t bins, const Levels& levels) {
  return static_cast<std::int64_t>(bins) > std::int64_t{levels.hi} - levels.lo;
}

// The border between the codes `code - 1` and `code`.
double border(const Affine& affine, double code) {
  return (code - affine.zero_point - 0.5) * affine.scale;
}

}  // namespace

Divergence::Divergence(const Bins& bins)
    : bins_(bins), mass_(bins.mass.size() + 1), filled_(mass_.size()), entropy_(mass_.size()) {
  for (std::size_t i = 0; i < bins.mass.size(); ++i) {
    mass_[i + 1] = mass_[i] + bins.mass[i];
    filled_[i + 1] = filled_[i] + (bins.mass[i] > 0 ? 1 : 0);
    entropy_[i + 1] = entropy_[i] + x_log_x(bins.mass[i]);
  }
  const std::size_t n = bins.mass.size();
  filled_from_.assign(n + 1, n);
  filled_before_.assign(n + 1, n);
  for (std::size_t i = n; i-- > 0;) filled_from_[i] = bins.mass[i] > 0 ? i : filled_from_[i + 1];
  for (std::size_t i = 0; i < n; ++i)
    filled_before_[i + 1] = bins.mass[i] > 0 ? i : filled_before_[i];
}

std::size_t Divergence::bin_at(double x) const {
  const double i = std::ceil(x / bins_.width - 0.5) - static_cast<double>(bins_.first);
  return static_cast<std::size_t>(std::clamp(i, 0.0, static_cast<double>(bins_.mass.size())));
}

std::optional<Divergence::Reach> Divergence::reach(const Affine& affine,
                                                   const Levels& levels) const {
  const std::size_t begin = bin_at(border(affine, levels.lo));
  const std::size_t end = bin_at(border(affine, static_cast<double>(levels.hi) + 1));
  const double inside = mass_[end] - mass_[begin];
  if (inside <= 0 || !reaches_enough(end - begin, levels)) return std::nullopt;
  return Reach{begin,  end,          filled_from_[begin],      filled_before_[end],
               inside, mass_[begin], mass_.back() - mass_[end]};
}

Borders Divergence::borders_from(double code, const Reach& r, const Affine& affine,
                                 const Levels& levels) const {
  return {static_cast<double>(levels.lo) - affine.zero_point + code,
          affine.scale,
          bins_.width,
          static_cast<double>(bins_.first),
          static_cast<std::int32_t>(r.begin),
          static_cast<std::int32_t>(r.end)};
}

// Q of a bin that is not empty; 0 when it is not sure which code has it.
double Divergence::share_in_code(std::size_t bin, const Reach& r, const Affine& affine,
                                 const Levels& levels) const {
  const double lowest = static_cast<double>(levels.lo) - affine.zero_point;
  const double centre =
      (static_cast<double>(bins_.first) + static_cast<double>(bin) + 0.5) * bins_.width;
  const double code = std::clamp(std::floor(centre / affine.scale - lowest + 0.5), 0.0,
                                 static_cast<double>(levels.hi) - levels.lo);
  std::int32_t bounds[2];
  place_borders(borders_from(code, r, affine, levels), bounds, 2);
  const auto from = static_cast<std::size_t>(bounds[0]), to = static_cast<std::size_t>(bounds[1]);
  if (bin < from || bin >= to) return 0;
  return (mass_[to] - mass_[from]) / (filled_[to] - filled_[from]) / r.inside;
}

double Divergence::at_least(const Affine& affine, const Levels& levels) const {
  const auto r = reach(affine, levels);
  if (!r) return infinite;
  if (r->first == r->last) return 0;
  const double total = mass_.back();
  const double p_first = (bins_.mass[r->first] + r->before) / total,
               p_last = (bins_.mass[r->last] + r->after) / total;
  const double q_first = share_in_code(r->first, *r, affine, levels),
               q_last = share_in_code(r->last, *r, affine, levels);
  const double p = 1 - p_first - p_last, q = 1 - q_first - q_last;
  if (q_first <= 0 || q_last <= 0 || p <= 0 || q <= 0) return 0;
  const double sum = p_first * std::log(p_first / q_first) + p_last * std::log(p_last / q_last) +
                     p * std::log(p / q);
  constexpr double slack = 1e-9;
  return std::max(sum * (1 - slack) - slack, 0.0);
}

double Divergence::operator()(const Affine& affine, const Levels& levels) const {
  const auto reached = reach(affine, levels);
  if (!reached) return infinite;
  const auto& [begin, end, first, last, inside, before, after] = *reached;
  const double total = mass_.back();

  // sum P log P, with the outermost bins replaced.
  double p_log_p = entropy_[end] - entropy_[begin] - x_log_x(bins_.mass[first]);
  if (first == last) {
    p_log_p += x_log_x(bins_.mass[first] + before + after);
  } else {
    p_log_p += x_log_x(bins_.mass[first] + before) + x_log_x(bins_.mass[last] + after) -
               x_log_x(bins_.mass[last]);
  }
  // sum P log Q: over the codes, and once more for what lies beyond.
  // Code levels.lo + k has the bins [bounds[k], bounds[k + 1]).
  std::vector<std::int32_t> bounds(static_cast<std::size_t>(std::int64_t{levels.hi} - levels.lo) +
                                   2);
  place_borders(borders_from(0, *reached, affine, levels), bounds.data(), bounds.size());

  const std::size_t codes = bounds.size() - 1;
  std::vector<double> mass(codes), log_q(codes);  // Q: the mass of a code over its filled bins
  for (std::size_t k = 0; k < codes; ++k) {
    const auto from = static_cast<std::size_t>(bounds[k]),
               to = static_cast<std::size_t>(bounds[k + 1]);
    mass[k] = mass_[to] - mass_[from];
    log_q[k] = filled_[to] - filled_[from];
  }
  logarithms(mass.data(), log_q.data(), log_q.data(), codes);
  const auto log_at = [&](std::size_t bin) {
    const auto next =
        std::upper_bound(bounds.begin() + 1, bounds.end() - 1, static_cast<std::int32_t>(bin));
    return log_q[static_cast<std::size_t>(next - bounds.begin()) - 1];
  };
  const double p_log_q = sum_of_products(mass.data(), log_q.data(), codes) +
                         before * log_at(first) + after * log_at(last);
  return std::max((p_log_p - p_log_q) / total - std::log(total) + std::log(inside),
                  0.0);  // 0 but for rounding
}

double divergence_plain(const Bins& bins, const Affine& affine, const Levels& levels) {
  const auto n = static_cast<std::ptrdiff_t>(bins.mass.size());
  std::vector<std::ptrdiff_t> inside;  // bins
  std::vector<std::int32_t> code;      // of each of them
  double before = 0, after = 0;
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    const double centre = bins.left(static_cast<std::size_t>(i)) + bins.width / 2;
    const double mass = bins.mass[static_cast<std::size_t>(i)];
    if (centre < border(affine, levels.lo)) {
      before += mass;
    } else if (centre >= border(affine, static_cast<double>(levels.hi) + 1)) {
      after += mass;
    } else {
      std::int32_t nearest = levels.lo;
      while (nearest < levels.hi && centre >= border(affine, static_cast<double>(nearest) + 1))
        ++nearest;
      inside.push_back(i);
      code.push_back(nearest);
    }
  }
  if (!reaches_enough(inside.size(), levels)) return infinite;
  std::vector<double> p, q(inside.size(), 0);
  for (const std::ptrdiff_t i : inside) p.push_back(bins.mass[static_cast<std::size_t>(i)]);
  for (std::size_t a = 0; a < inside.size();) {
    std::size_t b = a;
    double mass = 0, filled = 0;
    for (; b < inside.size() && code[b] == code[a]; ++b) mass += p[b], filled += p[b] > 0 ? 1 : 0;
    for (std::size_t i = a; i < b; ++i) q[i] = p[i] > 0 ? mass / filled : 0;
    a = b;
  }
  const auto filled = [](double mass) { return mass > 0; };
  const auto first = std::find_if(p.begin(), p.end(), filled);
  const auto last = std::find_if(p.rbegin(), p.rend(), filled);
  if (first == p.end()) return infinite;
  *first += before;
  *last += after;
  double p_sum = 0, q_sum = 0, divergence = 0;
  for (std::size_t i = 0; i < p.size(); ++i) p_sum += p[i], q_sum += q[i];
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] == 0) continue;
    divergence += p[i] / p_sum * std::log(p[i] / p_sum / (q[i] / q_sum));
  }
  return divergence;
}

}  // namespace intaglio
