#include "apps/report/html/channels_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/report/html/markup.h"

namespace intaglio::html {
namespace {

constexpr int width = 320, height = 60;  // of the view box

class Scale {
 public:
  explicit Scale(const Range& axis) : axis_(axis) {}
  long operator()(double value) const {
    const double inside = std::clamp<double>(value, axis_.lo, axis_.hi);
    return std::lround((axis_.hi - inside) / (static_cast<double>(axis_.hi) - axis_.lo) * height);
  }

 private:
  Range axis_;
};

Range hull(std::span<const Range> ranges) {
  Range range{0, 0};
  for (const Range& r : ranges) range = join(range, r);
  return range;
}

// A quarter more than the weights need, if the codes need it: those of a dead channel, whose scale
// is 1, would leave no room for the others.
Range axis_of(const Range& seen, const Range& codes) {
  const Range most{1.25f * seen.lo, 1.25f * seen.hi};
  return join(seen, {std::max(most.lo, codes.lo), std::min(most.hi, codes.hi)});
}

// A step function along the upper ends, and back along the lower ones.
std::string outline(std::span<const Range> ranges, const Scale& y) {
  const auto x = [&](std::size_t i) { return width * i / ranges.size(); };
  std::string path = fmt::format("M0 {}", y(ranges.front().hi));
  for (std::size_t i = 0; i < ranges.size(); ++i)
    path += fmt::format("V{}H{}", y(ranges[i].hi), x(i + 1));
  for (std::size_t i = ranges.size(); i-- > 0;)
    path += fmt::format("V{}H{}", y(ranges[i].lo), x(i));
  return path + "Z";
}

}  // namespace

std::vector<Range> coarse(std::span<const Range> channels) {
  const std::size_t each = (channels.size() + most_channel_bars - 1) / most_channel_bars;
  std::vector<Range> bars;
  for (std::size_t i = 0; i < channels.size(); ++i)
    i % each == 0 ? bars.push_back(channels[i])
                  : void(bars.back() = join(bars.back(), channels[i]));
  return bars;
}

std::string channels_svg(std::span<const Range> seen, std::span<const Range> codes,
                         std::string_view name) {
  const std::vector<Range> bars = coarse(seen), limits = coarse(codes);
  const Scale y(axis_of(hull(bars), hull(limits)));
  return fmt::format(
      "<svg viewBox=\"0 -2 {} {}\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"Ranges of the {} channels of {}\">"
      "<path class=\"codes\" d=\"{}\"/><path class=\"bars\" d=\"{}\"/>"
      "<path class=\"zero\" d=\"M0 {}H{}\"/></svg>",
      width, height + 4, seen.size(), escaped(name), outline(limits, y), outline(bars, y), y(0),
      width);
}

}  // namespace intaglio::html
