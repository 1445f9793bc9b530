#include "apps/report/html/histogram_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/report/html/markup.h"

namespace intaglio::html {
namespace {

// In units of the view box.
constexpr int bar_width = 4, plot_height = 60, lane_height = 7, label_height = 12;
constexpr int plot_width = bar_width * static_cast<int>(histogram_bars);

Range axis_of(const Statistics& s, std::span<const Range> ranges) {
  Range axis = join(Range{0, 0}, Range{s.min, s.max});
  for (const Range& range : ranges) axis = join(axis, range);
  return axis;
}

// In double: the span of a float range may exceed the largest float.
double share(double value, const Range& axis) {
  return (value - axis.lo) / (static_cast<double>(axis.hi) - axis.lo);
}

double position(double value, const Range& axis) {
  return std::clamp(share(value, axis), 0.0, 1.0) * plot_width;
}

// The outline of all bars, as one path: equal neighbours are one step.
std::string outline(std::span<const std::uint64_t> bars) {
  const double top = std::log1p(static_cast<double>(*std::max_element(bars.begin(), bars.end())));
  std::string path = fmt::format("M0 {}", plot_height);
  int level = plot_height;
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double height = std::log1p(static_cast<double>(bars[i])) / top * plot_height;
    // A bar that is not empty can be seen.
    const int y =
        plot_height - (bars[i] > 0 ? std::max(1, static_cast<int>(std::lround(height))) : 0);
    if (y == level) continue;
    path += fmt::format("H{}V{}", i * bar_width, y);
    level = y;
  }
  return path + fmt::format("H{}V{}Z", plot_width, plot_height);
}

std::string bracket(const Range& range, const Range& axis, std::size_t lane) {
  const int y = plot_height + 4 + static_cast<int>(lane) * lane_height;
  return fmt::format("<path class=\"m{}\" d=\"M{:.4g} 0V{}H{:.4g}V0\"/>", lane % 6,
                     position(range.lo, axis), y, position(range.hi, axis));
}

std::string label(const char* anchor, double x, int y, double value) {
  return fmt::format("<text x=\"{:.4g}\" y=\"{}\"{}>{}</text>", x, y, anchor, significant(value));
}

}  // namespace

std::vector<std::uint64_t> bars_of(const Statistics& statistics, const Range& axis) {
  std::vector<std::uint64_t> bars(histogram_bars);
  const auto add = [&](double value, std::uint64_t count) {
    const double at = std::clamp(share(value, axis), 0.0, 1.0) * static_cast<double>(bars.size());
    bars[std::min(static_cast<std::size_t>(at), bars.size() - 1)] += count;
  };
  const Histogram& h = *statistics.histogram;
  for (std::int64_t k = h.first(); !h.empty() && k <= h.last(); ++k)
    if (h.count(k) > 0) add((static_cast<double>(k) + 0.5) * h.width(), h.count(k));
  add(0, statistics.zeros);
  return bars;
}

std::string histogram_svg(const Statistics& statistics, std::span<const Range> ranges,
                          std::string_view name) {
  if (!statistics.histogram || statistics.finite() == 0) return "";
  const Range axis = axis_of(statistics, ranges);
  if (axis.lo == axis.hi) return "";
  const int bottom = plot_height + 4 + lane_height * static_cast<int>(ranges.size());
  std::string svg = fmt::format(
      "<svg viewBox=\"-1 0 {} {}\" role=\"img\" aria-label=\"Histogram of {} from {} to {}\">"
      "<path class=\"bars\" d=\"{}\"/>",
      plot_width + 2, bottom + label_height, escaped(name), significant(axis.lo),
      significant(axis.hi), outline(bars_of(statistics, axis)));
  const double zero = position(0, axis);
  svg += fmt::format("<path class=\"zero\" d=\"M{:.4g} 0V{}\"/>", zero, plot_height + 2);
  for (std::size_t i = 0; i < ranges.size(); ++i) svg += bracket(ranges[i], axis, i);
  const int baseline = bottom + label_height - 4;
  svg += label("", 0, baseline, axis.lo);
  svg += label(" text-anchor=\"end\"", plot_width, baseline, axis.hi);
  if (zero > 0.2 * plot_width && zero < 0.8 * plot_width)
    svg += label(" text-anchor=\"middle\"", zero, baseline, 0);
  return svg + "</svg>";
}

}  // namespace intaglio::html
