#include "calibration/ranges/methods/quantizer_error.h"

#include <algorithm>
#include <cmath>

namespace intaglio {
namespace {

// Integral of |u|^norm from a to b.
double power_integral(double a, double b, double norm) {
  const auto primitive = [&](double u) {
    return std::copysign(std::pow(std::abs(u), norm + 1), u) / (norm + 1);
  };
  return primitive(b) - primitive(a);
}

}  // namespace

double quantizer_error(const Bins& bins, const Affine& affine, const Levels& levels, double norm) {
  const double s = affine.scale;
  double error = 0;
  for (std::size_t i = 0; i < bins.mass.size(); ++i) {
    if (bins.mass[i] == 0) continue;
    const double end = bins.left(i + 1);
    double at = bins.left(i), sum = 0;
    double code = std::clamp(std::floor(at / s + affine.zero_point + 0.5), double(levels.lo),
                             double(levels.hi));
    for (;; ++code) {
      const double point = (code - affine.zero_point) * s;
      const double border = code < levels.hi ? std::min(end, point + s / 2) : end;
      if (border > at) sum += power_integral(at - point, border - point, norm);
      at = std::max(at, border);
      if (border >= end) break;
    }
    error += bins.mass[i] / bins.width * sum;
  }
  return error;
}

SquaredError::SquaredError(const Bins& bins) : bins_(bins) {
  const double w = bins.width;
  double g = 0;
  for (std::size_t i = 0; i < bins.mass.size(); ++i) {
    const double m = bins.mass[i], middle = bins.left(i) + w / 2;
    mass_below_.push_back(total_);
    curve_.push_back(g);
    g += total_ * w + m * w / 2;
    total_ += m;
    first_moment_ += m * middle;
    second_moment_ += m * (middle * middle + w * w / 12);
  }
  mass_below_.push_back(total_);
  curve_.push_back(g);
}

double SquaredError::curve(double x) const {
  const double at = x / bins_.width - static_cast<double>(bins_.first);  // in bins
  if (at <= 0) return 0;
  const auto n = static_cast<double>(bins_.mass.size());
  if (at >= n) return curve_.back() + total_ * (at - n) * bins_.width;
  const auto i = static_cast<std::size_t>(at);
  const double t = at - static_cast<double>(i);
  return curve_[i] + bins_.width * t * (mass_below_[i] + bins_.mass[i] * t / 2);
}

double SquaredError::operator()(const Affine& affine, const Levels& levels) const {
  const double s = affine.scale;
  const double lowest = (static_cast<double>(levels.lo) - affine.zero_point) * s;
  const double highest = (static_cast<double>(levels.hi) - affine.zero_point) * s;
  if (s < bins_.width / 8) return fine(s, lowest, highest);
  const double left = bins_.left(0), right = bins_.left(bins_.mass.size());
  double sum = 0;
  for (std::int32_t code = levels.lo; code < levels.hi; ++code) {
    const double border = (static_cast<double>(code) - affine.zero_point + 0.5) * s;
    if (border <= left) continue;
    if (border >= right) {  // a straight line from here on
      const double steps = static_cast<double>(levels.hi) - code;
      sum += steps * curve(border) + total_ * s * steps * (steps - 1) / 2;
      break;
    }
    sum += curve(border);
  }
  return second_moment_ - 2 * highest * first_moment_ + highest * highest * total_ - 2 * s * sum;
}

double SquaredError::below(double end) const {
  double error = 0;
  for (std::size_t i = 0; i < bins_.mass.size() && bins_.left(i) < end; ++i) {
    const double a = end - bins_.left(i), b = std::max(a - bins_.width, 0.0);
    error += bins_.mass[i] / bins_.width * (a * a * a - b * b * b) / 3;
  }
  return error;
}

double SquaredError::above(double end) const {
  double error = 0;
  for (std::size_t i = bins_.mass.size(); i-- > 0 && bins_.left(i + 1) > end;) {
    const double a = bins_.left(i + 1) - end, b = std::max(a - bins_.width, 0.0);
    error += bins_.mass[i] / bins_.width * (a * a * a - b * b * b) / 3;
  }
  return error;
}

double SquaredError::fine(double scale, double lowest, double highest) const {
  double inside = 0;
  for (std::size_t i = 0; i < bins_.mass.size(); ++i) {
    const double covered = std::min(bins_.left(i + 1), highest) - std::max(bins_.left(i), lowest);
    inside += bins_.mass[i] * std::clamp(covered / bins_.width, 0.0, 1.0);
  }
  return inside * scale * scale / 12 + below(lowest) + above(highest);
}

}  // namespace intaglio
