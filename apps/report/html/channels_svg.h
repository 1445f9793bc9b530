// The ranges of the channels of a weight, as a drawing.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lib/quant/qparams.h"

namespace intaglio::html {

constexpr std::size_t most_channel_bars = 96;

// Ranges for at most most_channel_bars bars: neighbours are joined, equally many for each bar (the
// last one may have fewer).
std::vector<Range> coarse(std::span<const Range> channels);

// <svg>: a bar for each channel from its smallest to its largest weight (`seen`), over an outline
// of what its codes stand for (`codes`), cut off where that is far beyond all weights. Both have as
// many entries; one of `seen` must not be [0, 0].
std::string channels_svg(std::span<const Range> seen, std::span<const Range> codes,
                         std::string_view name);

}  // namespace intaglio::html
