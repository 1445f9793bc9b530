// Progress of a phase on stderr.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "lib/base/progress.h"

namespace intaglio {

// On a terminal one live line, from the moment that a phase takes longer than a blink; elsewhere a
// line per 10 %, none in the first five seconds of the program and five seconds apart.
Progress progress_line(std::string phase);

// "calibrate: 20 of 100, 4.2 a second, 19 s left". Rate and time left are told once they mean
// something: after half a second, with something done. columns: what is longer is cut; 0: nothing.
std::string progress_text(const std::string& phase, std::size_t done, std::size_t total,
                          double seconds, std::size_t columns = 0);

// "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"
std::string duration_text(double seconds);

}  // namespace intaglio
