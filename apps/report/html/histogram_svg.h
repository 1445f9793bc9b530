// A histogram as a drawing: log counts, and below it the range of each method as a bracket.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "calibration/statistics/statistics.h"
#include "lib/quant/qparams.h"

namespace intaglio::html {

constexpr std::size_t histogram_bars = 80;

// How many values fall into each of the bars that divide [axis.lo, axis.hi]. A bin of the histogram
// counts where its middle lies; zeros, which have no bin, where 0 lies. The sum is
// statistics.finite() when the axis holds 0, min and max. axis.lo < axis.hi.
std::vector<std::uint64_t> bars_of(const Statistics& statistics, const Range& axis);

// <svg>. The axis holds 0, all values and all ranges. The height of a bar is
// log(1 + count) / log(1 + largest count). Range i is drawn as a bracket in its own lane, with the
// class m0 to m5 (i modulo 6). Empty when there is nothing to draw: no histogram, no finite value,
// or nothing but 0. `name` is the value's, for those who cannot see the drawing.
std::string histogram_svg(const Statistics& statistics, std::span<const Range> ranges,
                          std::string_view name);

}  // namespace intaglio::html
